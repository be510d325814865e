// The line above the first unread message, and the button that leads to it.

import { signUp } from "../../../support/account_forms";
import { expect, test, type User } from "../../../support/webchat";

const line = (user: User) => user.page.locator(".unread-line");
const firstUnread = (user: User) => user.page.locator(".unread-line + article .body");
const jump = (user: User) => user.page.locator(".jump-to-unread");

test("a line is above the first message that a member has not read, until they leave", async ({
  webchat,
  openBrowser,
}) => {
  const bob = await webchat.createAccount("bob");
  const ada = await openBrowser("ada");
  await signUp(ada);
  await webchat.sendDirectMessage(bob, "ada", "one");
  const chat = ada.page.getByRole("link", { name: /BOB/ });
  await ada.visit("/");
  await chat.click();
  await ada.waitUntilLive();
  await expect(firstUnread(ada)).toHaveText("one");
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ada.page).toHaveTitle("webchat");

  await webchat.sendDirectMessage(bob, "ada", "two");
  await webchat.sendDirectMessage(bob, "ada", "three");
  await expect(ada.page).toHaveTitle("(2) webchat");
  await chat.click();
  await ada.waitUntilLive();
  await expect(firstUnread(ada)).toHaveText("two");
  await ada.send("hello");
  await expect(ada.pendingMessages).toHaveCount(0);
  await webchat.sendDirectMessage(bob, "ada", "four");
  await expect(ada.messageBodies.last()).toHaveText("four");
  await expect(firstUnread(ada)).toHaveText("two");
  await expect(line(ada)).toHaveCount(1);

  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.messageBodies).toHaveCount(5);
  await expect(line(ada)).toHaveCount(0);
});

test("a button leads to the first unread message, however far above it is", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  for (let at = 1; at <= 3; at++) await webchat.postMessage(room, "grace", `message ${at}`);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await expect(ada.messageBodies.last()).toHaveText("message 3");
  await expect(line(ada)).toHaveCount(0);
  await ada.visit("/");

  for (let at = 4; at <= 203; at++) await webchat.postMessage(room, "grace", `message ${at}`);
  await ada.openRoom(room);
  await expect(ada.messageBodies.last()).toHaveText("message 203");
  await expect(jump(ada)).toHaveText("100+ new");
  await jump(ada).click();
  await expect(firstUnread(ada)).toHaveText("message 4");
  await expect(line(ada)).toBeInViewport();
  await expect(jump(ada)).toBeHidden();
  await ada.page.getByRole("button", { name: "Newest" }).click();
  await expect(ada.messageBodies.last()).toHaveText("message 203");
  await expect(jump(ada)).toBeVisible();
});

test("what arrives while the page is hidden is below the line", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "before");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await webchat.postMessage(room, "grace", "seen");
  await expect(ada.messageBodies.last()).toHaveText("seen");
  await ada.setHidden(true);
  await webchat.postMessage(room, "grace", "while away");
  await webchat.postMessage(room, "grace", "and more");
  await expect(ada.messageBodies.last()).toHaveText("and more");
  await ada.setHidden(false);
  await expect(firstUnread(ada)).toHaveText("while away");
  await webchat.postMessage(room, "grace", "later");
  await expect(ada.messageBodies.last()).toHaveText("later");
  await expect(firstUnread(ada)).toHaveText("while away");
});
