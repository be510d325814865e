// Direct chats: two accounts talk in private, live in both directions, and see unread counts.

import { clickButton, signUp } from "../../support/account_forms";
import { expect, type User, test } from "../../support/webchat";

const withoutJavaScript = { javaScriptEnabled: false };
const currentPath = (user: User) => new URL(user.page.url()).pathname;

test("two accounts talk in a direct chat, live both ways, and see unread counts", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const bob = await openBrowser("bob");
  await signUp(ada);
  await signUp(bob, "/chats/");
  await bob.page.getByRole("searchbox").fill("AD");
  await clickButton(bob, "Find");
  await bob.page.getByRole("link", { name: /ADA/ }).click();
  await bob.waitUntilLive();
  await expect(bob.page.getByRole("heading", { name: "ADA" })).toBeVisible();
  expect(await bob.page.title()).toBe("ADA · webchat");
  for (const missing of [
    bob.page.getByRole("button", { name: "Share" }),
    bob.page.locator(".room-header .time-left"),
    bob.page.getByRole("button", { name: "Copy link" }),
  ]) {
    await expect(missing).toBeHidden();
  }
  await bob.send("hello ada");
  await expect(bob.pendingMessages).toHaveCount(0);
  await bob.send("are you there?");
  await expect(bob.pendingMessages).toHaveCount(0);

  // The home page and the direct chats page count unread messages until the chat is opened.
  await ada.visit("/");
  await expect(ada.page.getByRole("link", { name: /BOB.*2 unread/ })).toBeVisible();
  await ada.page.getByRole("link", { name: "Chats", exact: true }).click();
  await ada.page.getByRole("link", { name: /BOB.*are you there\?.*2 unread/ }).click();
  await ada.waitUntilLive();
  await expect(ada.messageBodies).toHaveText(["hello ada", "are you there?"]);
  await expect(ada.page.getByRole("button", { name: "2 here" })).toBeVisible();
  await ada.send("yes");
  await expect(bob.messageBodies).toHaveText(["hello ada", "are you there?", "yes"]);
  await bob.send("good");
  await expect(ada.messageBodies.last()).toHaveText("good");
  await ada.page.getByRole("link", { name: "Chats", exact: true }).click();
  await expect(ada.page.getByRole("link", { name: /BOB.*good/ })).toBeVisible();
  await expect
    .poll(async () => (await ada.page.reload(), ada.page.locator(".unread").count()))
    .toBe(0);

  // The direct chat is in no room list, and another client gets 404.
  await ada.visit("/");
  await expect(ada.page.getByRole("link", { name: /BOB/ })).toHaveCount(1);
  await expect(
    ada.page.getByRole("region", { name: "Chats" }).getByRole("link", { name: /BOB.*good/ }),
  ).toBeVisible();
  const eve = await openBrowser("eve");
  await eve.page.goto(currentPath(bob));
  await expect(eve.page.getByRole("heading", { name: "No such room" })).toBeVisible();
  await eve.page.goto("/chats/ada");
  await eve.page.getByRole("link", { name: "Sign in" }).click();
  expect(new URL(eve.page.url()).searchParams.get("next")).toBe("/chats/ada");
});

test("a direct chat works without JavaScript", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("bob");
  const ada = await openBrowser("ada", withoutJavaScript);
  await signUp(ada, "/chats/");
  await ada.page.getByRole("link", { name: /BOB/ }).click();
  await ada.messageField.fill("hello");
  await clickButton(ada, "Send");
  await expect(ada.messageBodies).toHaveText(["hello"]);
  await expect(ada.page.getByRole("link", { name: /BOB.*You: hello/ })).toBeVisible();
  await ada.page.getByRole("link", { name: "Chats", exact: true }).click();
  await expect(ada.page.getByRole("link", { name: /BOB.*You: hello/ })).toBeVisible();
});
