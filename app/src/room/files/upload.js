// How a file gets to the server.
//
// Guarantees: a file that is cancelled counts for no limit any more.

import { failureOf, Interruption, request } from "./refusal.js";

/** Sends a file to a room; resolves to its ID there. `onProgress` gets the number of bytes that were sent. */
export function sendFile(room, file, blob, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const upload = new XMLHttpRequest();
    upload.open("POST", `${room}files/?name=${encodeURIComponent(file.name)}`);
    upload.setRequestHeader("Accept", "application/json");
    upload.setRequestHeader("Content-Type", "application/octet-stream");
    upload.upload.onprogress = ({ loaded }) => onProgress(loaded);
    upload.onload = () => {
      const { status, responseText } = upload;
      if (status === 201) resolve(JSON.parse(responseText).id);
      else reject(failureOf(status, responseText, upload.getResponseHeader("Retry-After")));
    };
    upload.onerror = () => reject(new Interruption());
    upload.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => upload.abort());
    upload.send(blob);
  });
}

/** Removes a file that was sent, as a whole or in part, and that no message has. */
export async function discardFile(room, { sent }) {
  if (sent) await request("DELETE", `${room}files/${sent}`).catch(() => undefined);
}
