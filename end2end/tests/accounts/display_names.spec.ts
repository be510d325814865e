// Display names: how each author is marked, changing a name, and names that are refused or taken.

import { field, press, signUp } from "../../support/account_forms";
import { expect, test } from "../../support/webchat";

test("authors are marked: accounts with a check, unverified authors with a word, guests with nothing", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room({ name: "Tea" });
  const [ada, grace] = [await come("ada"), await come("grace")];
  await signUp(ada, room);
  await ada.live();
  await grace.enter(room);
  await ada.say("from an account");
  await expect(grace.bodies).toHaveCount(1);
  await grace.say("from a guest");
  await expect(ada.bodies).toHaveCount(2);
  await webchat.post(room, "linus", "from a program");
  for (const person of [ada, grace]) {
    await expect(person.bodies).toHaveText(["from an account", "from a guest", "from a program"]);
    await expect(person.pending).toHaveCount(0);
    await expect(person.messages.nth(0).getByText("registered")).toBeVisible();
    await expect(person.messages.nth(1).locator(".by")).not.toContainText(/registered|unverified/);
    await expect(person.messages.nth(2).getByText("unverified")).toBeVisible();
  }
  // It says so before it is sent, so that nothing moves when it is.
  await ada.page.route("**/messages/", (route) => route.abort());
  await ada.say("on its way");
  await expect(ada.pending.getByText("registered")).toBeVisible();
  await ada.page.unroute("**/messages/");
  await grace.page.route("**/messages/", (route) => route.abort());
  await grace.say("on its way, too");
  await expect(grace.pending.locator(".by")).not.toContainText(/registered|unverified/);
  await grace.page.unroute("**/messages/");
  await grace.page.reload();
  await expect(grace.messages.nth(0).getByText("registered")).toBeVisible();
});

test("a taken name is replaced with one click and the message is sent", async ({
  webchat,
  come,
}) => {
  await webchat.account("ada");
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.say("hello");
  await expect(ada.log.getByRole("alert")).toContainText(
    "The name ada is taken in this room. The name ada2 is free.",
  );
  // It survives a reload.
  await ada.page.reload();
  await ada.live();
  await press(ada, "Use ada2");
  await expect(ada.log.getByRole("alert")).toHaveCount(0);
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue("ada2");
  await ada.say("and again");
  await expect.poll(() => webchat.said(room)).toEqual(["hello", "and again"]);
  await expect(ada.log.locator(".who").first()).toHaveText("ada2");
  await ada.go("/");
  await expect(ada.page.getByRole("textbox", { name: "Your name" })).toHaveValue("ada2");
});

test("a guest's queued message is sent under the account's name after signing up", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("quiet-otter");
  await ada.enter(room);
  await ada.page.route("**/messages/", (route) => route.abort());
  await ada.say("hello");
  await expect(ada.pending).toHaveCount(1);
  await ada.page.goto("/register");
  await field(ada, "Your name").fill("Ada");
  await field(ada, "Username").fill("ada");
  await field(ada, "Password").fill("secret");
  await ada.page.unroute("**/messages/");
  await press(ada, "Create account");
  await ada.page.waitForURL((url) => url.pathname === "/");
  await ada.enter(room);
  await expect(ada.log.getByRole("alert")).toContainText("while you are signed in");
  await press(ada, "Use ada");
  await expect.poll(() => webchat.said(room)).toEqual(["hello"]);
});

test("a changed name applies to later messages in every room", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  await ada.say("as ada");
  await ada.page.getByRole("textbox", { name: "Writing as" }).fill("Countess Lovelace");
  await ada.say("as a countess");
  await expect(grace.log.locator(".who")).toHaveText(["ada", "Countess Lovelace"]);
  await ada.page.reload();
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue(
    "Countess Lovelace",
  );
  await ada.go("/");
  await expect(ada.page.getByRole("textbox", { name: "Your name" })).toHaveValue(
    "Countess Lovelace",
  );
});

test("an invalid name is refused at its field and the message stays unsent", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.page.getByRole("textbox", { name: "Writing as" }).fill("x".repeat(33));
  await ada.say("hello");
  await expect(
    ada.page.getByRole("alert").filter({ hasText: "at most 32 characters" }),
  ).toBeVisible();
  await expect(ada.field).toHaveValue("hello");
  expect(await webchat.said(room)).toEqual([]);
});
