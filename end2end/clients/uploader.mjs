// Uploads a file with tus-js-client, and prints what happens: node uploader.mjs ENDPOINT TOKEN FILE [OPTIONS as JSON].
// `urls` in the options is a file in which the client remembers its uploads, as a browser does.

import { createReadStream, statSync } from "node:fs";
import tus from "tus-js-client";

const { FileUrlStorage, Upload } = tus;

const [endpoint, token, path, text = "{}"] = process.argv.slice(2);
const { urls, ...options } = JSON.parse(text);

function report(kind, value) {
  console.log(JSON.stringify({ [kind]: value }));
}

const upload = new Upload(createReadStream(path), {
  endpoint,
  uploadSize: statSync(path).size,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: "large.bin", filetype: "application/octet-stream" },
  retryDelays: Array(100).fill(50),
  ...(urls && { urlStorage: new FileUrlStorage(urls), storeFingerprintForResuming: true }),
  ...options,
  onUploadUrlAvailable: () => report("url", upload.url),
  onProgress: (sent) => report("sent", sent),
  onChunkComplete: (_, accepted) => report("accepted", accepted),
  onShouldRetry: (error) => {
    const status = error.originalResponse?.getStatus();
    report("retry", status ?? null);
    return status === undefined || status >= 500 || [409, 423, 429].includes(status);
  },
  onError: (error) => {
    report("failed", String(error));
    process.exitCode = 1;
  },
  onSuccess: () => report("done", upload.url),
});

const previous = urls ? await upload.findPreviousUploads() : [];
if (previous.length > 0) upload.resumeFromPreviousUpload(previous[0]);
report("previous", previous.length);
upload.start();
