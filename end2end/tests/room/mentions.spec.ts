// Mentions: completed in the composer, highlighted for people of the room, and drawn by the name that
// the person has now.

import { expect, test } from "../../support/webchat";

test("the names above the field are chosen by keyboard, and Escape closes them", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  for (const name of ["grace", "gustav", "Ada Lovelace", "ben"])
    await webchat.postMessage(room, name, "hello");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const list = ada.page.getByRole("listbox", { name: "Names" });
  const options = list.getByRole("option");
  await expect(ada.messageBodies).toHaveCount(4);

  await ada.messageField.pressSequentially("hi @g");
  await expect(options).toHaveText([/gustav/, /grace/]);
  await expect(options.first()).toHaveAttribute("aria-selected", "true");
  const active = await options.first().getAttribute("id");
  await expect(ada.messageField).toHaveAttribute("aria-activedescendant", active ?? "");
  await ada.messageField.press("ArrowDown");
  await expect(options.nth(1)).toHaveAttribute("aria-selected", "true");
  await ada.messageField.press("Enter");
  await expect(ada.messageField).toHaveValue("hi @grace ");
  await expect(list).toBeHidden();
  await expect(ada.messageField).toBeFocused();

  await ada.messageField.pressSequentially("and @love");
  await expect(options).toHaveText([/Ada Lovelace/]);
  await ada.messageField.press("Tab");
  await expect(ada.messageField).toHaveValue("hi @grace and @[Ada Lovelace] ");

  await ada.messageField.pressSequentially("@");
  await expect(options).toHaveCount(4);
  await ada.messageField.press("Escape");
  await expect(list).toBeHidden();
  await ada.messageField.pressSequentially("x@g");
  await expect(list).toBeHidden();
  await ada.messageField.press("Enter");
  await expect(ada.messageBodies.last()).toHaveText("hi @grace and @Ada Lovelace @x@g");
  await expect(ada.messageBodies.last().locator(".mention")).toHaveText(["@grace", "@Ada Lovelace"]);
});

test("a name is chosen by touch, and the list moves nothing", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "hello");
  const ada = await openBrowser("ada", { hasTouch: true, viewport: { width: 360, height: 640 } });
  await ada.openRoom(room);
  const before = await ada.messageField.boundingBox();
  await ada.messageField.pressSequentially("@");
  const option = ada.page.getByRole("option", { name: "grace" });
  await expect(option).toBeVisible();
  expect(await ada.messageField.boundingBox()).toEqual(before);
  await option.tap();
  await expect(ada.messageField).toHaveValue("@grace ");
  await expect(ada.messageField).toBeFocused();
});

test("a mention is highlighted if the person is in the room, and follows a new display name", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const token = await webchat.createAccount("grace", "Grace");
  const grace = await openBrowser("grace");
  await grace.signIn();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await webchat.postMessage(room, "ben", "@Grace, @linus and `@grace`");
  const mentions = ada.messageBodies.locator(".mention");
  await expect(ada.messageBodies).toHaveText(["@Grace, @linus and @grace"]);
  await expect(mentions).toHaveCount(0);
  // Present, but without a message: the name is that of the account.
  await grace.openRoom(room);
  await expect(mentions).toHaveText(["@grace"]);
  await grace.send("here");
  await expect(ada.messageBodies).toHaveCount(2);
  await expect(mentions).toHaveText(["@Grace"]);
  await expect(mentions).toHaveAttribute("title", "grace");
  await expect(grace.messageBodies.first().locator(".mention.own")).toHaveText(["@Grace"]);
  const renamed = await fetch(`${webchat.url}/profile/`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/x-www-form-urlencoded" },
    body: "name=Admiral",
  });
  expect(renamed.ok).toBe(true);
  await expect(mentions).toHaveText(["@Admiral"]);
});

test("unread mentions are counted in the list of rooms and in the title", async ({
  webchat,
  openBrowser,
}) => {
  await webchat.createAccount("bob", "Bob");
  const bob = await openBrowser("bob");
  await bob.signIn();
  await bob.visit("/");
  const created = await bob.page.request.post("/rooms/", {
    form: { name: "Den" },
    headers: { Accept: "application/json" },
  });
  const room = created.headers()["location"];
  const other = await webchat.createRoom();
  await bob.openRoom(other);
  const entry = bob.page.locator(`.sidebar a[href="${room}"]`);
  await webchat.postMessage(room, "ada", "hello");
  const unread = entry.locator(".unread");
  await expect(unread).toHaveText("1 unread");
  await webchat.postMessage(room, "ada", "**@Bob**, look");
  await expect(unread).toHaveText("@1 · 2 unread");
  await bob.openRoom(room);
  await expect(unread).toBeHidden();
  await bob.setHidden(true);
  await webchat.postMessage(room, "ada", "once more");
  await expect(bob.page).toHaveTitle(/^\(1\) Den/);
  await webchat.postMessage(room, "ada", "@bob");
  await expect(bob.page).toHaveTitle(/^\(2, @1\) Den/);
  await bob.setHidden(false);
  await expect(bob.page).toHaveTitle(/^Den/);
});
