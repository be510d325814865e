// By what a file is known again that is chosen once more.

/** How much of a file counts, in bytes. */
const HEAD = 1024 * 1024;

/** The size and date of a file, and a digest of its beginning. Over plain HTTP browsers compute no digests. */
export async function fingerprint(blob) {
  const { name, size, lastModified } = blob;
  return { name, size, modified: lastModified, head: await digestOf(blob) };
}

async function digestOf(blob) {
  try {
    const digest = await crypto.subtle.digest("SHA-256", await blob.slice(0, HEAD).arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch {
    return undefined;
  }
}

/** Whether a file that was chosen is the one that is missing. */
export async function isSameFile(file, blob) {
  const { name, size, modified, head } = await fingerprint(blob);
  return file.name === name && file.size === size && file.modified === modified && file.head === head;
}
