// What the page says to people who are muted or banned, and when a room has closed.

import { button, chooseMenuItem, createOwnRoom, createRoomWithMember, pageDialog } from "../../support/room_pages";
import { expect, test, type User } from "../../support/webchat";

async function sanction(ada: User, what: string, length: string): Promise<void> {
  await chooseMenuItem(ada, "People");
  const people = pageDialog(ada, "People");
  await people.getByText("Manage bob").click();
  await people.getByRole("combobox", { name: /Mute or ban/ }).selectOption(length);
  await people.getByRole("button", { name: `${what} bob` }).click();
  await expect(people.getByText(/muted for|banned for/)).toBeVisible();
}

test("a muted member reads until when, keeps the draft and does not type for others", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, bob } = await createRoomWithMember(
    webchat,
    openBrowser,
    "Private: only people you invite",
  );
  await bob.send("mine");
  await expect(bob.pendingMessages).toHaveCount(0);
  await bob.messageField.fill("a thought");
  await expect(ada.page.locator(".typing")).toContainText("bob is typing");
  await sanction(ada, "Mute", "10 minutes");
  await expect(bob.page.getByText(/^You are muted for (10|9) min/)).toBeVisible();
  await expect(ada.page.locator(".typing")).not.toContainText("bob");
  await expect(button(bob, "Send")).toBeDisabled();
  const menu = await bob.openMessageMenu("mine");
  await expect(menu.getByRole("button")).toHaveText(["Copy text", "Copy link"]);
  await bob.page.keyboard.press("Escape");
  const typing: string[] = [];
  bob.page.on("request", (request) => {
    if (request.url().endsWith("/typing/")) typing.push(request.url());
  });
  await bob.messageField.press("End");
  await bob.page.keyboard.type(" more");
  await bob.messageField.press("Enter");
  await expect(bob.messageField).toHaveValue("a thought more");
  await expect(bob.pendingMessages).toHaveCount(0);
  expect(typing).toEqual([]);

  // The notice stays after a reload, and ends with the mute.
  await bob.page.reload();
  await bob.waitUntilLive();
  await expect(bob.page.getByText(/^You are muted for/)).toBeVisible();
  await pageDialog(ada, "People").getByRole("button", { name: "Unmute bob" }).click();
  await expect(bob.page.getByText(/^You are muted/)).toBeHidden();
  await expect(bob.messageField).toHaveValue("a thought more");
  await bob.messageField.press("Enter");
  await expect(bob.messageBodies.last()).toHaveText("a thought more");
});

test("a banned visitor reads until when, at once and later", async ({ webchat, openBrowser }) => {
  const { ada, bob, room } = await createRoomWithMember(
    webchat,
    openBrowser,
    "Anyone with the link",
  );
  await sanction(ada, "Ban", "1 day");
  const notice = /You are banned from this room until \w+, \d+ \w+ \d{4} at \d\d:\d\d:\d\d\./;
  await expect(bob.page.getByText(notice)).toBeVisible();
  await bob.visit(room);
  await expect(bob.page.getByText(notice)).toBeVisible();
});

test("a closed room says who closed it, and waiting messages can be copied", async ({
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const bob = await openBrowser("bob", { permissions: ["clipboard-read", "clipboard-write"] });
  const room = await createOwnRoom(ada);
  await ada.waitUntilLive();
  await bob.openRoom(room);
  await bob.page.route("**/messages/", (route) => route.abort());
  await bob.send("too late");
  await expect(bob.pendingMessages).toHaveCount(1);
  await chooseMenuItem(ada, "Room settings");
  await ada.page.getByText("Close this room now").click();
  await button(ada, "Close this room for good").click();

  await expect(bob.page.getByText("its owner closed it", { exact: false })).toBeVisible();
  const waiting = bob.messages.filter({ hasText: "too late" });
  await expect(waiting.getByText("Not sent.")).toBeVisible();
  await expect(bob.pendingMessages).toHaveCount(0);
  await expect(waiting.getByRole("button", { name: "Send again" })).toBeHidden();
  await waiting.getByRole("button", { name: "Copy text" }).click();
  await expect
    .poll(() => bob.page.evaluate(() => navigator.clipboard.readText()))
    .toBe("too late");
  await waiting.getByRole("button", { name: "Remove" }).click();
  await expect(waiting).toHaveCount(0);

  // So does its page later, and the API.
  await bob.visit(room);
  await expect(bob.page.getByText("its owner closed it", { exact: false })).toBeVisible();
});

test("the pages of a room that closes, and of a banned visitor, send no request to learn why", async ({
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const room = await createOwnRoom(ada);
  const readers: User[] = [];
  for (const name of ["bob", "carol", "dan"]) {
    const reader = await openBrowser(name);
    await reader.openRoom(room);
    const tab = await reader.openTab();
    await tab.openRoom(room);
    readers.push(reader, tab);
  }
  await readers[0].send("hello");
  await expect(ada.messageBodies).toHaveText(["hello"]);
  const asked: string[] = [];
  for (const reader of readers) {
    reader.page.on("request", (request) => {
      if (new URL(request.url()).pathname === room) asked.push(`${reader.name} asks`);
    });
  }
  const menu = await ada.openMessageMenu("hello");
  await menu.getByRole("button", { name: "Ban bob for a day" }).click();
  const [bob, bobsTab, ...others] = readers;
  for (const banned of [bob, bobsTab])
    await expect(banned.page.getByText("You are banned from this room")).toBeVisible();
  await chooseMenuItem(ada, "Room settings");
  await ada.page.getByText("Close this room now").click();
  await button(ada, "Close this room for good").click();
  for (const reader of others)
    await expect(reader.page.getByText("This room was deleted: its owner closed it.")).toBeVisible();
  expect(asked).toEqual([]);
});
