// Display names: how each author is marked, changing a name, and names that are refused or taken.

import { field, clickButton, signUp } from "../../support/account_forms";
import { expect, test, type User } from "../../support/webchat";

test("authors are marked: accounts with a check, unverified authors with a word, guests with nothing", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea" });
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await signUp(ada, room);
  await ada.waitUntilLive();
  await grace.openRoom(room);
  await ada.send("from an account");
  await expect(grace.messageBodies).toHaveCount(1);
  await grace.send("from a guest");
  await expect(ada.messageBodies).toHaveCount(2);
  await webchat.postMessage(room, "linus", "from a program");
  for (const user of [ada, grace]) {
    await expect(user.messageBodies).toHaveText([
      "from an account",
      "from a guest",
      "from a program",
    ]);
    await expect(user.pendingMessages).toHaveCount(0);
    await expect(user.messages.nth(0).getByText("registered")).toBeVisible();
    await expect(user.messages.nth(1).locator(".byline")).not.toContainText(
      /registered|unverified/,
    );
    await expect(user.messages.nth(2).getByText("unverified")).toBeVisible();
  }
  // A pending message already has its mark, so delivery moves nothing.
  await ada.page.route("**/messages/", (route) => route.abort());
  await ada.send("on its way");
  await expect(ada.pendingMessages.getByText("registered")).toBeVisible();
  await ada.page.unroute("**/messages/");
  await grace.page.route("**/messages/", (route) => route.abort());
  await grace.send("on its way, too");
  await expect(grace.pendingMessages.locator(".byline")).not.toContainText(/registered|unverified/);
  await grace.page.unroute("**/messages/");
  await grace.page.reload();
  await expect(grace.messages.nth(0).getByText("registered")).toBeVisible();
});

test("a taken name is replaced with one click and the message is sent", async ({
  webchat,
  openBrowser,
}) => {
  await webchat.createAccount("ada");
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.send("hello");
  await expect(ada.log.getByRole("alert")).toContainText(
    "The name ada is taken in this room. The name ada2 is free.",
  );
  // The refusal survives a reload.
  await ada.page.reload();
  await ada.waitUntilLive();
  await clickButton(ada, "Use ada2");
  await expect(ada.log.getByRole("alert")).toHaveCount(0);
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue("ada2");
  await ada.send("and again");
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["hello", "and again"]);
  await expect(ada.log.locator(".author").first()).toHaveText("ada2");
  await ada.visit("/");
  await expect(ada.page.getByRole("textbox", { name: "Your name" })).toHaveValue("ada2");
});

test("a guest's queued message is sent under the account's name after signing up", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("quiet-otter");
  await ada.openRoom(room);
  await ada.page.route("**/messages/", (route) => route.abort());
  await ada.send("hello");
  await expect(ada.pendingMessages).toHaveCount(1);
  await ada.page.goto("/register");
  await field(ada, "Your name").fill("Ada");
  await field(ada, "Username").fill("ada");
  await field(ada, "Password").fill("secret");
  await ada.page.unroute("**/messages/");
  await clickButton(ada, "Create account");
  await ada.page.waitForURL((url) => url.pathname === "/");
  await ada.openRoom(room);
  await expect(ada.log.getByRole("alert")).toContainText("while you are signed in");
  await clickButton(ada, "Use ada");
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["hello"]);
});

test("a changed name applies to later messages in every room", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  await ada.send("as ada");
  await ada.page.getByRole("textbox", { name: "Writing as" }).fill("Countess Lovelace");
  await ada.send("as a countess");
  await expect(grace.log.locator(".author")).toHaveText(["ada", "Countess Lovelace"]);
  await ada.page.reload();
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue(
    "Countess Lovelace",
  );
  await ada.visit("/");
  await expect(ada.page.getByRole("textbox", { name: "Your name" })).toHaveValue(
    "Countess Lovelace",
  );
});

test("an invalid name is refused at its field and the message stays unsent", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.page.getByRole("textbox", { name: "Writing as" }).fill("x".repeat(33));
  await ada.send("hello");
  await expect(
    ada.page.getByRole("alert").filter({ hasText: "at most 32 characters" }),
  ).toBeVisible();
  await expect(ada.messageField).toHaveValue("hello");
  expect(await webchat.messageTexts(room)).toEqual([]);
});

test("a guest under a new name edits and deletes the guest's earlier messages only", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  await ada.send("as ada");
  await ada.send("as ada, too");
  await expect(ada.pendingMessages).toHaveCount(0);
  await ada.page.getByRole("textbox", { name: "Writing as" }).fill("countess");
  await ada.send("as a countess");
  await expect(grace.messageBodies).toHaveCount(3);
  // The old name is free now.
  await grace.page.getByRole("textbox", { name: "Writing as" }).fill("ada");
  await grace.send("another ada");
  await expect(ada.messageBodies).toHaveCount(4);

  const openMenu = async (user: User, text: string) => {
    const exact = user.page.getByText(text, { exact: true });
    const menu = await user.openMessageMenu(user.messages.filter({ has: exact }));
    await expect(menu).toBeVisible();
    return menu.getByRole("button", { name: "Edit" });
  };
  const closeMenu = (user: User) => user.page.keyboard.press("Escape");
  for (const when of ["live", "after a reload"]) {
    if (when !== "live") await ada.page.reload();
    await ada.waitUntilLive();
    for (const text of ["as ada, too", "as a countess"]) {
      await expect(await openMenu(ada, text), `${text}, ${when}`).toBeVisible();
      await closeMenu(ada);
    }
    await expect(await openMenu(ada, "another ada"), when).toBeHidden();
    await closeMenu(ada);
  }
  await expect(await openMenu(grace, "as ada, too")).toBeHidden();

  await (await openMenu(ada, "as ada, too")).click();
  await ada.send("once ada");
  await expect(grace.messageBodies.nth(1)).toHaveText("once ada");
  await openMenu(ada, "once ada");
  await clickButton(ada, "Delete");
  await clickButton(ada, "Delete for good?");
  await expect(grace.messageBodies.nth(1)).toHaveText("(deleted)");
});

test("an account's messages show its display name, and every view follows a change of it", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await signUp(ada, room);
  await ada.waitUntilLive();
  await grace.openRoom(room);
  for (const text of ["one", "two"]) await ada.send(text);
  await expect(ada.pendingMessages).toHaveCount(0);
  await grace.send("hello");
  for (const user of [ada, grace]) {
    await expect(user.messageBodies).toHaveCount(3);
    const authors = user.log.locator(".author");
    await expect(authors).toHaveText(["ADA", "grace"]);
    await expect(authors.first()).toHaveAttribute("title", "ada");
    await user.page.getByRole("button", { name: /\d+ here/ }).click();
    await expect(
      user.page.getByRole("listitem").filter({ hasText: "ADA" }).locator(".participant-name"),
    ).toContainText("ADA (ada)");
    await user.page.keyboard.press("Escape");
  }

  const answer = await ada.page.context().request.post("/profile/", {
    form: { name: "Countess" },
    headers: { Origin: webchat.url, Accept: "application/json" },
  });
  expect(answer.ok()).toBe(true);
  for (const user of [ada, grace])
    await expect(user.log.locator(".author").first()).toHaveText("Countess");
  await ada.send("three");
  await expect(ada.pendingMessages).toHaveCount(0);
  for (const user of [ada, grace]) {
    await user.page.reload();
    await expect(user.log.locator(".author")).toHaveText(["Countess", "grace", "Countess"]);
  }
});
