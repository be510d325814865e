// The visitor's name in the composer, and where the focus is.

import { expect, test, type User } from "../../support/webchat";

const nameField = (user: User) => user.page.locator("#writing-as");
const nameLabel = (user: User) => user.page.locator(".author-field > span");

test("Enter in the name field takes the name and sends nothing", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.messageField.fill("half a mess");
  await nameField(ada).fill("Countess");
  await nameField(ada).press("Enter");
  await expect(ada.messageField).toBeFocused();
  await expect(ada.messageField).toHaveValue("half a mess");
  await ada.page.keyboard.type("age");
  await ada.page.keyboard.press("Enter");
  await expect(ada.messageBodies).toHaveText(["half a message"]);
  await expect(ada.messages.locator(".author")).toHaveText("Countess");

  // A name that is refused keeps the focus.
  await nameField(ada).fill("x".repeat(33));
  await nameField(ada).press("Enter");
  await expect(ada.page.getByRole("alert").filter({ hasText: "at most 32" })).toBeVisible();
  await expect(nameField(ada)).toBeFocused();
});

test("Enter in the name field sends nothing without JavaScript", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada", { javaScriptEnabled: false });
  await ada.page.goto(room);
  await ada.messageField.fill("half a mess");
  await nameField(ada).press("Enter");
  await ada.page.getByRole("button", { name: "Send" }).click();
  await expect(ada.messageBodies).toHaveText(["half a mess"]);
  expect(await webchat.messageTexts(room)).toEqual(["half a mess"]);
});

test("a visitor who arrives by a link is asked for a name once", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.page.context().clearCookies();
  await ada.openRoom(room);
  await expect(nameLabel(ada)).toHaveText("Your name:");
  await expect(ada.page.locator(".author-field svg")).toBeVisible();
  const suggested = await nameField(ada).inputValue();
  expect(suggested).toMatch(/^[a-z]+-[a-z]+$/);

  // The suggestion, which others may have seen, stays, and is asked about until the first message.
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(nameField(ada)).toHaveValue(suggested);
  await expect(nameLabel(ada)).toHaveText("Your name:");
  await ada.send("hello");
  await expect(nameLabel(ada)).toHaveText("Writing as");
  await expect(ada.messages.locator(".author")).toHaveText(suggested);
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(nameLabel(ada)).toHaveText("Writing as");
});

test("the message field has the focus when a room opens by a link", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await expect(ada.messageField).toBeFocused();

  const phone = await openBrowser("grace", { hasTouch: true, isMobile: true });
  await phone.openRoom(room);
  await expect(phone.messageField).not.toBeFocused();
});

test("arrow up edits the last message only from an empty field and alone", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.openRoom(await webchat.createRoom());
  await ada.send("first");
  await expect(ada.pendingMessages).toHaveCount(0);
  const editing = ada.page.getByText("Editing a message");
  await ada.messageField.fill(" \n ");
  await ada.messageField.press("ArrowUp");
  await ada.messageField.fill("");
  for (const key of ["Shift+ArrowUp", "Control+ArrowUp", "Alt+ArrowUp"])
    await ada.messageField.press(key);
  await expect(editing).toBeHidden();
  await expect(ada.messageField).toHaveValue("");
  await ada.messageField.press("ArrowUp");
  await expect(editing).toBeVisible();
  await expect(ada.messageField).toHaveValue("first");
});
