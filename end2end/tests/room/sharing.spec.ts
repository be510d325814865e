// Sharing and saving a room: its link, ID, QR code, text export and archive.

import jsQR from "jsqr";
import { readFile } from "node:fs/promises";
import { expect, test } from "../../support/webchat";

test("an open room can be saved as text and as an archive", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom({ name: "Kept" });
  await webchat.postMessage(room, "grace", "hello");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  for (const [name, content] of [
    ["Save as text", /grace: hello/],
    ["Save as archive (JSON lines)", /"body":"hello".*\n.*sha256/s],
  ] as const) {
    await ada.page.getByRole("button", { name: "More" }).click();
    const [file] = await Promise.all([
      ada.page.waitForEvent("download"),
      ada.page.getByRole("link", { name }).click(),
    ]);
    expect(await readFile(await file.path(), "utf8")).toMatch(content);
    await ada.page.keyboard.press("Escape");
  }
  await expect(ada.connectionStatus).toHaveText("Live");
});

test("the share dialog offers the link, the ID and the QR code", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada", { permissions: ["clipboard-read", "clipboard-write"] });
  await ada.openRoom(room);
  await ada.page.getByRole("button", { name: "Share" }).click();
  const dialog = ada.page.getByRole("dialog", { name: "Share this room" });
  const copied = () => ada.page.evaluate(() => navigator.clipboard.readText());
  await expect(dialog.getByRole("textbox", { name: "Link" })).toHaveValue(webchat.url + room);
  const code = dialog.getByRole("img", { name: "QR code of the link" });
  await expect(code).toBeVisible();
  await expect
    .poll(() => code.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth))
    .toBeGreaterThan(0);
  await dialog.getByRole("button", { name: "Copy link" }).click();
  await expect.poll(copied).toBe(webchat.url + room);
  await expect(dialog.getByRole("button", { name: "Copied" })).toBeVisible();
  await dialog.getByRole("button", { name: "Copy ID" }).click();
  await expect.poll(copied).toBe(room.split("/")[2]);
});

test("the QR code with the identicon in its middle decodes to the room's link", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const room = await webchat.createRoom();
  await ada.page.goto(room);
  const pixels = await ada.page.evaluate(async (src) => {
    const image = Object.assign(new Image(600, 600), { src });
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 600, height: 600 });
    const place = canvas.getContext("2d");
    place?.drawImage(image, 0, 0, 600, 600);
    return [...(place?.getImageData(0, 0, 600, 600).data ?? [])];
  }, `${room}code.svg`);
  expect(jsQR(new Uint8ClampedArray(pixels), 600, 600)?.data).toBe(webchat.url + room);
});
