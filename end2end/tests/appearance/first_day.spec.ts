// What a new user sees on a phone and with a mouse: places, tooltips and colours.

import { createOwnRoom } from "../../support/room_pages";
import { expect, test } from "../../support/webchat";

const phone = { viewport: { width: 360, height: 640 } };

test("on a phone the link and its Copy button come before the QR code", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada", phone);
  await ada.openRoom(await webchat.createRoom());
  await ada.page.getByRole("button", { name: "Share", exact: true }).click();
  const dialog = ada.page.getByRole("dialog", { name: "Share this room" });
  const copy = dialog.getByRole("button", { name: "Copy link" });
  await expect(dialog.getByRole("textbox", { name: "Link" })).toBeInViewport();
  await expect(copy).toBeInViewport();
  const code = await dialog.getByRole("img", { name: "QR code" }).boundingBox();
  const place = await copy.boundingBox();
  expect(place!.y + place!.height).toBeLessThanOrEqual(code!.y);
});

test("on a phone the head of the home page has Sign in, and the theme switch is at its end", async ({
  openBrowser,
}) => {
  for (const [viewport, isOnTop] of [
    [phone.viewport, false],
    [{ width: 1280, height: 800 }, true],
  ] as const) {
    const ada = await openBrowser("ada", { viewport });
    await ada.visit("/");
    const title = await ada.page.getByRole("heading", { name: "webchat" }).boundingBox();
    const signIn = await ada.page.getByRole("link", { name: "Sign in" }).boundingBox();
    const theme = await ada.page.locator(".theme-switch").boundingBox();
    const middle = (box: typeof title) => box!.y + box!.height / 2;
    expect(Math.abs(middle(signIn) - middle(title))).toBeLessThan(4);
    expect(Math.abs(middle(theme) - middle(title)) < 4).toBe(isOnTop);
    expect(signIn!.x + signIn!.width).toBeLessThanOrEqual(viewport.width - 16);
    if (isOnTop) expect(signIn!.x + signIn!.width).toBeLessThanOrEqual(theme!.x);
  }
});

test("every button with only an icon has a tooltip", async ({ openBrowser }) => {
  const ada = await openBrowser("ada");
  await createOwnRoom(ada);
  await ada.waitUntilLive();
  await ada.send("hello");
  await expect(ada.pendingMessages).toHaveCount(0);
  const untitled = await ada.page
    .locator("button:not([hidden]), .theme-switch label")
    .evaluateAll((all) =>
      all
        .filter((button) => !(button as HTMLElement).innerText.trim() || button.matches("label"))
        .filter((button) => !button.getAttribute("title") && !button.textContent?.trim())
        .map((button) => button.outerHTML),
    );
  expect(untitled).toEqual([]);
});

test("the text of a message ends before its menu button", async ({ webchat, openBrowser }) => {
  for (const viewport of [
    { width: 360, height: 640 },
    { width: 1280, height: 800 },
  ]) {
    const ada = await openBrowser("ada", { viewport });
    await ada.openRoom(await webchat.createRoom());
    await ada.send("word ".repeat(120));
    await expect(ada.pendingMessages).toHaveCount(0);
    await ada.messages.hover();
    const menu = ada.messages.getByRole("button", { name: "Message actions" });
    const [text, button] = await Promise.all([
      ada.messageBodies.boundingBox(),
      menu.boundingBox(),
    ]);
    expect(text!.x + text!.width).toBeLessThanOrEqual(button!.x);
  }
});

test("people in a room have different colours, which stay", async ({ webchat, openBrowser }) => {
  // Outside of rooms, the names guest3 and guest16 have the same colour.
  const room = await webchat.createRoom();
  const names = Array.from({ length: 10 }, (_, i) => `guest${i}`);
  for (const name of names) await webchat.postMessage(room, name, "hello");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const hues = () =>
    ada.messages.evaluateAll((rows) => rows.map((row) => /hue-\d+/.exec(row.className)![0]));
  const before = await hues();
  expect(new Set(before).size).toBe(10);
  await webchat.postMessage(room, "newcomer", "hi");
  await expect(ada.messages).toHaveCount(11);
  expect((await hues()).slice(0, 10)).toEqual(before);
  await ada.page.reload();
  await ada.waitUntilLive();
  expect((await hues()).slice(0, 10)).toEqual(before);
});
