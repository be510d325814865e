// Files to attach, as a browser would choose, paste or drop them, and what a room shows of them.

import { deflateSync } from "node:zlib";
import type { Locator, Page } from "@playwright/test";
import type { Webchat } from "./webchat";

/** A file to attach. */
export interface Attached {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

/** A file with a text. */
export function textFile(name: string, text = `the text of ${name}`): Attached {
  return { name, mimeType: "text/plain", buffer: Buffer.from(text) };
}

/** A file with so many bytes, which do not compress. */
export function largeFile(name: string, size: number): Attached {
  const buffer = Buffer.alloc(size);
  let state = 1;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    buffer[at] = state >>> 24;
  }
  return { name, mimeType: "application/octet-stream", buffer };
}

/** A picture in one colour. */
export function picture(name: string, width: number, height: number, colour = [70, 110, 190]): Attached {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits for each of three colours.
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.from([0, ...Array.from({ length: width }, () => colour).flat()]);
  const rows = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const buffer = Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
  return { name, mimeType: "image/png", buffer };
}

function chunk(kind: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(kind), data]);
  const framed = Buffer.alloc(content.length + 8);
  framed.writeUInt32BE(data.length, 0);
  content.copy(framed, 4);
  framed.writeUInt32BE(checksum(content), content.length + 4);
  return framed;
}

/** The CRC-32 that PNG uses. */
function checksum(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Chooses files with the button beside the message field. */
export async function choose(page: Page, ...files: Attached[]): Promise<void> {
  await page.getByLabel("Attach files").setInputFiles(files);
}

/** Pastes or drops files, as the browser would. */
export async function give(page: Page, how: "paste" | "drop", ...files: Attached[]): Promise<void> {
  const plain = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, bytes: [...buffer] }));
  await page.evaluate(
    ({ how, plain }) => {
      const data = new DataTransfer();
      for (const { name, mimeType, bytes } of plain)
        data.items.add(new File([new Uint8Array(bytes)], name, { type: mimeType }));
      const target = document.getElementById("message")!;
      const event = { bubbles: true, cancelable: true };
      if (how === "paste") {
        target.dispatchEvent(new ClipboardEvent("paste", { ...event, clipboardData: data }));
      } else {
        for (const name of ["dragenter", "dragover", "drop"])
          target.dispatchEvent(new DragEvent(name, { ...event, dataTransfer: data }));
      }
    },
    { how, plain },
  );
}

/** The files above the message field: first those that are being sent, then those that were chosen. */
export const strip = (page: Page): Locator => page.getByRole("region", { name: "Files to send" });

/** The names of the files above the message field. */
export const stripNames = (page: Page): Locator => strip(page).locator(".file-name");

/** The names of the files in the log that are no pictures. */
export const rowNames = (page: Page): Locator => page.getByRole("log").locator(".file-name");

/** Sends a message with files through the API. */
export async function postFiles(webchat: Webchat, room: string, body: string, ...files: Attached[]): Promise<void> {
  const form = new FormData();
  form.set("username", "grace");
  form.set("body", body);
  for (const { name, mimeType, buffer } of files)
    form.append("file", new Blob([new Uint8Array(buffer)], { type: mimeType }), name);
  const answer = await fetch(`${webchat.url}${room}files/`, { method: "POST", body: form });
  if (answer.status !== 201) throw new Error(`files not sent: ${await answer.text()}`);
}

/** A file of each kind that the page shows. */
export const samples = (): Attached[] => [
  picture("small.png", 40, 30),
  picture("wide.png", 1_400, 100),
  picture("high.png", 90, 1_200),
  textFile("notes & <b>more.txt"),
  largeFile("archive.tar.gz", 1_250_000),
  { name: "sound.wav", mimeType: "audio/wav", buffer: silence() },
  textFile("Straße"),
];

/** A second of silence. */
function silence(): Buffer {
  const buffer = Buffer.alloc(44 + 8_000, 128);
  buffer.write("RIFF", 0);
  buffer.writeUInt32LE(buffer.length - 8, 4);
  buffer.write("WAVEfmt ", 8);
  buffer.writeUInt32LE(16, 16);
  buffer.set([1, 0, 1, 0], 20);
  buffer.writeUInt32LE(8_000, 24);
  buffer.writeUInt32LE(8_000, 28);
  buffer.set([1, 0, 8, 0], 32);
  buffer.write("data", 36);
  buffer.writeUInt32LE(8_000, 40);
  return buffer;
}
