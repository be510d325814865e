// Direct messages: two accounts talk in private, live in both directions, and see unread counts.

import { clickButton, signUp } from "../../support/account_forms";
import { expect, test } from "../../support/webchat";

const withoutJavaScript = { javaScriptEnabled: false };

test("two accounts write direct messages, live both ways, and see unread counts", async ({
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

  // The one list counts unread messages until they are read.
  await ada.visit("/");
  await ada.page.getByRole("link", { name: /BOB.*2 unread.*are you there\?/ }).click();
  await ada.waitUntilLive();
  await expect(ada.messageBodies).toHaveText(["hello ada", "are you there?"]);
  await expect(ada.page.getByRole("button", { name: "2 here" })).toBeVisible();
  await ada.send("yes");
  await expect(bob.messageBodies).toHaveText(["hello ada", "are you there?", "yes"]);
  await bob.send("good");
  await expect(ada.messageBodies.last()).toHaveText("good");

  // They are in no list of rooms, and another client gets 404.
  await ada.visit("/");
  await expect(ada.page.locator(".entry .unread")).toBeHidden();
  await expect(ada.page.getByRole("link", { name: /BOB/ })).toHaveCount(1);
  await expect(
    ada.page.getByRole("region", { name: "Direct messages" }).getByRole("link", { name: /BOB.*good/ }),
  ).toBeVisible();
  const eve = await openBrowser("eve");
  await eve.page.goto(bob.path);
  await expect(eve.page.getByRole("heading", { name: "No such room" })).toBeVisible();
  await eve.page.goto("/chats/ada");
  await eve.page.getByRole("link", { name: "Sign in" }).click();
  expect(new URL(eve.page.url()).searchParams.get("next")).toBe("/chats/ada");
});

test("direct messages work without JavaScript", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("bob");
  const ada = await openBrowser("ada", withoutJavaScript);
  await signUp(ada, "/chats/");
  await ada.page.getByRole("link", { name: /BOB/ }).click();
  await ada.messageField.fill("hello");
  await clickButton(ada, "Send");
  await expect(ada.messageBodies).toHaveText(["hello"]);
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ada.page.getByRole("link", { name: /BOB.*You: hello/ })).toBeVisible();
});
