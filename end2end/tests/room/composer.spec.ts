// The composer: keys, character count and drafts.

import { expect, test } from "../../support/webchat";

test("Shift+Enter inserts a line break, and the field grows and shrinks with its text", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  const height = async () => (await ada.messageField.boundingBox())?.height ?? 0;
  const low = await height();
  await ada.messageField.pressSequentially("roses are red");
  for (const line of ["violets are blue", "", "  four"]) {
    await ada.messageField.press("Shift+Enter");
    await ada.messageField.pressSequentially(line);
  }
  expect(await height()).toBeGreaterThan(low + 48);
  await ada.messageField.press("Enter");
  await expect(grace.messageBodies).toHaveCount(1);
  expect(await grace.messageBodies.innerText()).toBe("roses are red\nviolets are blue\n\n  four");
  expect(await height()).toBe(low);
});

test("the button sends, and white space alone is not sent", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.send("   \t ");
  await ada.messageField.fill("by the button");
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(ada.messageBodies).toHaveText(["by the button"]);
  await expect(ada.messageField).toBeFocused();
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["by the button"]);
});

test("Enter that ends an IME composition does not send", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.messageField.fill("にほん");
  await ada.messageField.dispatchEvent("keydown", { key: "Enter", isComposing: true });
  // Safari has ended the composition by then, and sends key code 229.
  await ada.messageField.dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
  await expect(ada.messageField).toHaveValue("にほん");
  await ada.messageField.press("Enter");
  await expect(ada.messageBodies).toHaveText(["にほん"]);
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["にほん"]);
});

test("the field counts characters near the limit, and keeps an overlong message unsent", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.messageField.fill("é".repeat(3_990));
  await expect(ada.page.getByText("10 left")).toBeVisible();
  // An emoji counts as one character although it has two UTF-16 code units.
  await ada.send("😀".repeat(4_001));
  await expect(ada.page.getByText("1 too many", { exact: true })).toBeVisible();
  await expect(
    ada.page.getByRole("alert").filter({ hasText: "at most 4000 characters" }),
  ).toBeVisible();
  expect(await webchat.messageTexts(room)).toEqual([]);
  await ada.send("😀".repeat(4_000));
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["😀".repeat(4_000)]);
});

test("each room keeps its draft across reloads", async ({ webchat, openBrowser }) => {
  const tea = await webchat.createRoom();
  const rum = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(tea);
  await ada.messageField.fill("half a thought\non two lines");
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.messageField).toHaveValue("half a thought\non two lines");
  await ada.openRoom(rum);
  await expect(ada.messageField).toHaveValue("");
  await ada.openRoom(tea);
  await ada.messageField.press("Control+End");
  await ada.messageField.pressSequentially(", whole now");
  await ada.messageField.press("Enter");
  await expect(ada.messageBodies).toHaveText(["half a thought\non two lines, whole now"]);
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.messageField).toHaveValue("");
});
