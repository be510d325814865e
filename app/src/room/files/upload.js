// How a file gets to the server: by the protocol tus (https://tus.io/protocols/resumable-upload), which continues after any cut.
//
// Guarantees: a file goes on from what the server has of it. A file that is cancelled counts for no limit any more.

import { Upload } from "tus-js-client";
import { failureOf, Interruption, request } from "./refusal.js";

/** How much one request sends where something on the way takes no longer ones. */
const PIECE = 8 * 1024 * 1024;
/** What the server answers while another request still writes the file, or if a piece has been changed on the way. */
const CONFLICTS = [409, 423, 460];

/** Sends a file to a room, or the rest of it; resolves to its ID there. `onProgress` gets the number of bytes that the server has. */
export function sendFile(room, file, blob, { onProgress, onUrl, signal }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const upload = new Upload(blob, {
      endpoint: `${room}uploads/`,
      uploadUrl: file.url ?? null,
      metadata: { filename: file.name, ...(file.original ? { original: "1" } : {}) },
      headers: { Accept: "application/json" },
      chunkSize: file.inPieces ? PIECE : Infinity,
      // Pauses and attempts are those of all messages that wait.
      retryDelays: null,
      storeFingerprintForResuming: false,
      onProgress,
      onUploadUrlAvailable: () => onUrl(upload.url),
      onSuccess: () => resolve(/([^/]+)\/?$/.exec(upload.url)[1]),
      onError: (error) => reject(explain(error, file)),
    });
    signal.addEventListener("abort", () => {
      // What has arrived is removed by `discardFile`, if the file is given up.
      upload.abort();
      reject(signal.reason);
    });
    upload.start();
  });
}

/** What follows from an error of an upload. */
function explain({ originalRequest, originalResponse }, file) {
  const status = originalResponse?.getStatus() ?? 0;
  const isPiece = originalRequest?.getMethod() !== "POST";
  const failure = failureOf(status, originalResponse?.getBody(), originalResponse?.getHeader("Retry-After"));
  if (CONFLICTS.includes(status)) return new Interruption();
  if (isPiece && (status === 404 || status === 410)) {
    // The server has waited for too long, and forgotten the file.
    file.url = undefined;
    return new Interruption(0);
  }
  if (status === 413 && !failure.isByServer && !file.inPieces) {
    file.inPieces = true;
    return new Interruption(0);
  }
  return failure;
}

/** Removes a file that was sent, as a whole or in part, and that no message has. */
export async function discardFile(room, { sent, url }) {
  const isWhole = Boolean(sent);
  if (isWhole) await request("DELETE", `${room}files/${sent}`).catch(() => undefined);
  else if (url) await request("DELETE", url, { headers: { "Tus-Resumable": "1.0.0" } }).catch(() => undefined);
}
