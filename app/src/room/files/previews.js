// A small picture of a picture that the server does not draw itself, made where it is sent.

import { request } from "./refusal.js";

/** How large a small picture is at most: twice what the log shows, for dense screens. */
const WIDTH_MAX = 1_280;
const HEIGHT_MAX = 720;
/** The most bytes that the server takes. */
const SIZE_MAX = 100_000;
/** The pictures of which the server draws one itself, and how many pixels they may have. */
const DRAWN = /^image\/(jpeg|png|gif|webp)$/;
const DRAWN_MAX = 24_000_000;
/** How good it is, the first one that is small enough. */
const QUALITIES = [0.8, 0.65, 0.5, 0.35];

/** Sends a small picture of a file that was sent, if the browser can make one. */
export async function sendPreview(room, { sent }, blob, signal) {
  const preview = await makePreview(blob).catch(() => undefined);
  if (!preview) return;
  const headers = { "Content-Type": preview.type };
  // Without it the file is sent all the same.
  await request("PUT", `${room}files/${sent}/preview`, { headers, body: preview, signal }).catch(() => signal.throwIfAborted());
}

async function makePreview(blob) {
  if (!self.OffscreenCanvas || !/^image\/(?!svg)/.test(blob.type)) return undefined;
  const { width, height } = await sizeOf(blob);
  if (DRAWN.test(blob.type) && width * height <= DRAWN_MAX) return undefined;
  const scale = Math.min(WIDTH_MAX / width, HEIGHT_MAX / height, 1);
  const [resizeWidth, resizeHeight] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const picture = await createImageBitmap(blob, { resizeWidth, resizeHeight, resizeQuality: "high" });
  const canvas = new OffscreenCanvas(resizeWidth, resizeHeight);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  picture.close();
  for (const quality of QUALITIES) {
    const made = await canvas.convertToBlob({ type: "image/webp", quality });
    // A browser that writes no WebP writes a PNG.
    if (made.type === "image/webp" && made.size <= SIZE_MAX) return made;
  }
  return undefined;
}

/** The size of a picture as it is shown. */
async function sizeOf(blob) {
  const url = URL.createObjectURL(blob);
  const picture = new Image();
  picture.src = url;
  try {
    await picture.decode();
    return { width: picture.naturalWidth, height: picture.naturalHeight };
  } finally {
    URL.revokeObjectURL(url);
  }
}
