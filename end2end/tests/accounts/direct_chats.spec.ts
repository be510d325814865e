// Direct chats: two accounts talk in private, live in both directions, and see unread counts.

import { press, signUp } from "../../support/account_forms";
import { expect, type Person, test } from "../../support/webchat";

const plain = { javaScriptEnabled: false };
const path = (person: Person) => new URL(person.page.url()).pathname;

test("two accounts talk in a direct chat, live both ways, and see unread counts", async ({
  webchat,
  come,
}) => {
  const [ada, bob] = [await come("ada"), await come("bob")];
  await signUp(ada);
  await signUp(bob, "/chats/");
  await bob.page.getByRole("searchbox").fill("AD");
  await press(bob, "Find");
  await bob.page.getByRole("link", { name: /ADA/ }).click();
  await bob.live();
  await expect(bob.page.getByRole("heading", { name: "ADA" })).toBeVisible();
  expect(await bob.page.title()).toBe("ADA · webchat");
  for (const missing of [
    bob.page.getByRole("button", { name: "Share" }),
    bob.page.locator(".bar .left"),
    bob.page.getByRole("button", { name: "Copy link" }),
  ]) {
    await expect(missing).toBeHidden();
  }
  await bob.say("hello ada");
  await expect(bob.pending).toHaveCount(0);
  await bob.say("are you there?");
  await expect(bob.pending).toHaveCount(0);

  // What is unread is counted on the home page and in the list; and no more once it was seen.
  await ada.go("/");
  await expect(ada.page.getByRole("link", { name: /BOB.*2 unread/ })).toBeVisible();
  await ada.page.getByRole("link", { name: "Chats", exact: true }).click();
  await ada.page.getByRole("link", { name: /BOB.*are you there\?.*2 unread/ }).click();
  await ada.live();
  await expect(ada.bodies).toHaveText(["hello ada", "are you there?"]);
  await expect(ada.page.getByRole("button", { name: "2 here" })).toBeVisible();
  await ada.say("yes");
  await expect(bob.bodies).toHaveText(["hello ada", "are you there?", "yes"]);
  await bob.say("good");
  await expect(ada.bodies.last()).toHaveText("good");
  await ada.page.getByRole("link", { name: "Chats", exact: true }).click();
  await expect(ada.page.getByRole("link", { name: /BOB.*good/ })).toBeVisible();
  await expect
    .poll(async () => (await ada.page.reload(), ada.page.locator(".unread").count()))
    .toBe(0);

  // It is in no list of rooms, and nobody else finds it.
  await ada.go("/");
  await expect(ada.page.getByRole("link", { name: /BOB/ })).toHaveCount(1);
  await expect(
    ada.page.getByRole("region", { name: "Chats" }).getByRole("link", { name: /BOB.*good/ }),
  ).toBeVisible();
  const eve = await come("eve");
  await eve.page.goto(path(bob));
  await expect(eve.page.getByRole("heading", { name: "No such room" })).toBeVisible();
  await eve.page.goto("/chats/ada");
  await eve.page.getByRole("link", { name: "Sign in" }).click();
  expect(new URL(eve.page.url()).searchParams.get("next")).toBe("/chats/ada");
});

test("a direct chat works without JavaScript", async ({ webchat, come }) => {
  await webchat.account("bob");
  const ada = await come("ada", plain);
  await signUp(ada, "/chats/");
  await ada.page.getByRole("link", { name: /BOB/ }).click();
  await ada.field.fill("hello");
  await press(ada, "Send");
  await expect(ada.bodies).toHaveText(["hello"]);
  await expect(ada.page.getByRole("link", { name: /BOB.*You: hello/ })).toBeVisible();
  await ada.page.getByRole("link", { name: "Chats", exact: true }).click();
  await expect(ada.page.getByRole("link", { name: /BOB.*You: hello/ })).toBeVisible();
});
