// What waits to be sent, in the browser's database: the messages, and the bytes of their files.
//
// Guarantees: what `put` has stored is there after a crash of the browser. A tab learns of the changes of the others. Where the
// browser stores nothing, every function says so.

const NAME = "webchat-files";
/** The entry of `localStorage` by which a page knows that something waits. */
const MARK = "files";

/** The largest number of bytes that are kept for all messages. */
export const KEPT_MAX = 256 * 1024 * 1024;

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("messages", { keyPath: "key" });
      request.result.createObjectStore("bytes");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Does something with both stores in one transaction; resolves, when that is complete, to the result of its request. */
async function run(mode, act) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(["messages", "bytes"], mode, { durability: "strict" });
      const request = act(transaction.objectStore("messages"), transaction.objectStore("bytes"));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** All messages that wait, in the order in which they were written; `undefined` if the browser stores nothing. */
export async function loadMessages() {
  const found = await run("readonly", (messages) => messages.getAll()).catch(() => undefined);
  if (found) setMark(found.length > 0);
  return found?.sort((one, other) => one.written - other.written || (one.key < other.key ? -1 : 1));
}

/** Stores a message and the bytes that are given, by the IDs of their files; returns whether that was possible. */
export async function putMessage(message, bytes = new Map()) {
  const put = (messages, stored) => {
    messages.put(message);
    for (const [id, blob] of bytes) stored.put(blob, id);
  };
  return run("readwrite", put).then(() => setMark(true), () => false);
}

/** Changes a message that is stored, unless it is no longer. */
export function updateMessage(message) {
  const update = (messages) => {
    messages.get(message.key).onsuccess = ({ target }) => target.result && messages.put(message);
  };
  return run("readwrite", update).catch(() => undefined);
}

/** Removes a message and the bytes of its files. */
export function removeMessage({ key, files }) {
  const remove = (messages, bytes) => {
    messages.delete(key);
    for (const { id } of files) bytes.delete(id);
    messages.count().onsuccess = ({ target }) => setMark(target.result > 0);
  };
  return run("readwrite", remove).catch(() => undefined);
}

/** Removes the bytes of one file. */
export const removeBytes = (id) => run("readwrite", (_, bytes) => void bytes.delete(id)).catch(() => undefined);

/** The bytes of a file, if they are stored. */
export const loadBytes = (id) => run("readonly", (_, bytes) => bytes.get(id)).catch(() => undefined);

/** Returns true. */
function setMark(isSet) {
  try {
    if (isSet) localStorage.setItem(MARK, "1");
    else localStorage.removeItem(MARK);
  } catch {
    // Without it, what waits goes on with the next file.
  }
  return true;
}
