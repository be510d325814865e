// The sidebar: the reader's rooms, direct messages and public rooms, with unread counts.

import { chooseMenuItem, createOwnRoom } from "../../support/room_pages";
import { expect, type User, test, type Webchat } from "../../support/webchat";

const listItems = (user: User, name: string) =>
  user.page.getByRole("region", { name }).getByRole("listitem");
const unreadBadge = (user: User, name: string) =>
  user.page.getByRole("link", { name }).locator(".unread:not([hidden])");

/** Creates a room with one message and opens it. */
async function visitNewRoom(webchat: Webchat, user: User, name: string): Promise<string> {
  const room = await webchat.createRoom({ name });
  await webchat.postMessage(room, "grace", "the first word");
  await user.openRoom(room);
  await expect(user.messageBodies).toHaveText(["the first word"]);
  return room;
}

test("messages in other rooms count as unread until the reader opens the room", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const tea = await visitNewRoom(webchat, ada, "Tea");
  const rum = await visitNewRoom(webchat, ada, "Rum");
  await expect(listItems(ada, "Your rooms")).toHaveText([/Rum/, /Tea/]);
  await webchat.postMessage(tea, "grace", "one");
  await webchat.postMessage(tea, "grace", "two");
  await expect(unreadBadge(ada, "Tea")).toHaveText("2 unread");
  await expect(listItems(ada, "Your rooms")).toHaveText([/Tea/, /Rum/]);
  // A message in the open room is read at once.
  await webchat.postMessage(rum, "grace", "here");
  await expect(ada.messageBodies.last()).toHaveText("here");
  await expect(unreadBadge(ada, "Rum")).toHaveCount(0);
  await ada.page.getByRole("link", { name: "Tea" }).click();
  await expect(ada.messageBodies).toHaveText(["the first word", "one", "two"]);
  await expect(unreadBadge(ada, "Tea")).toHaveCount(0);
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.page.getByRole("link", { name: "Tea" })).toHaveAttribute("aria-current", "page");
  await expect(ada.page.locator(".entry .unread:not([hidden])")).toHaveCount(0);
});

test("the first message in a room that was empty when visited counts as unread", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const tea = await webchat.createRoom({ name: "Tea" });
  await ada.openRoom(tea);
  await expect(ada.page.getByText("No messages yet")).toBeVisible();
  await visitNewRoom(webchat, ada, "Rum");
  await webchat.postMessage(tea, "grace", "the first word");
  await expect(unreadBadge(ada, "Tea")).toHaveText("1 unread");
});

test("a new direct message appears with its unread count on every device of the account", async ({
  webchat,
  openBrowser,
}) => {
  await webchat.createAccount("ada");
  const bob = await webchat.createAccount("bob");
  const ada = await openBrowser("ada");
  const phone = await openBrowser("ada");
  const room = await webchat.createRoom({ name: "Tea" });
  for (const device of [ada, phone]) {
    await device.signIn("ada");
    await device.openRoom(room);
  }
  await webchat.sendDirectMessage(bob, "ada", "are you there?");
  for (const device of [ada, phone]) {
    await expect(listItems(device, "Direct messages")).toHaveText([/BOB.*are you there\?/]);
    await expect(unreadBadge(device, "BOB")).toHaveText("1 unread");
  }
  await ada.page.getByRole("link", { name: /BOB/ }).click();
  await expect(ada.messageBodies).toHaveText(["are you there?"]);
  await expect(unreadBadge(phone, "BOB")).toHaveCount(0);
});

test("a private room is listed in every browser of its member's account and in no other", async ({
  webchat,
  openBrowser,
}) => {
  const token = await webchat.createAccount("ada");
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  await fetch(`${webchat.url}/rooms/`, {
    method: "POST",
    headers,
    body: JSON.stringify({ name: "Den", private: true }),
  });
  const ada = await openBrowser("ada");
  const eve = await openBrowser("eve");
  await ada.signIn();
  await ada.visit("/");
  await listItems(ada, "Your rooms").getByRole("link", { name: "Den" }).click();
  await ada.waitUntilLive();
  await eve.visit("/");
  await expect(eve.page.getByRole("link", { name: "Den" })).toHaveCount(0);
});

test("search covers all lists and says when nothing matches", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("ada");
  const bob = await webchat.createAccount("bob", "Bob Baker");
  await webchat.sendDirectMessage(bob, "ada", "hello");
  for (const name of ["Bakery", "Tea", "Coffee", "Juice", "Water", "Milk"])
    await webchat.createRoom({ name, public: true });
  const ada = await openBrowser("ada");
  await ada.signIn();
  await ada.openRoom(await webchat.createRoom({ name: "Baking" }));
  const search = ada.page.getByRole("searchbox", { name: "Search rooms and people" });
  await search.fill("bak");
  await expect(ada.page.locator(".sidebar li")).toHaveText([/Baking/, /Bob Baker/, /Bakery/]);
  await search.fill("wine");
  await expect(ada.page.getByText("No room or person here has that in its name or ID.")).toBeVisible();
  await expect(ada.page.locator(".sidebar li")).toHaveCount(0);
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with" : "without";
  test(`the sidebar opens the form for a new room ${how} JavaScript`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await webchat.createRoom({ name: "Tea" });
    const ada = await openBrowser("ada", { javaScriptEnabled });
    await ada.page.goto(room);
    if (javaScriptEnabled) await ada.waitUntilLive();
    const panel = ada.page.getByRole("dialog", { name: "New room" });
    await ada.page.getByRole("button", { name: "New room" }).click();
    const name = panel.getByRole("textbox", { name: "Name of the new room" });
    await expect(name).toBeFocused();
    await ada.page.keyboard.press("Escape");
    await expect(panel).toBeHidden();
    expect(new URL(ada.page.url()).pathname).toBe(room);
    await ada.page.getByRole("button", { name: "New room" }).click();
    await name.fill("Cake");
    await name.press("Enter");
    await ada.page.waitForURL((url) => url.pathname !== room);
    await expect(ada.page.getByRole("heading", { name: "Cake" })).toBeVisible();
    await expect(panel).toBeHidden();
    if (javaScriptEnabled) await expect(ada.page.locator("#room-name")).toHaveValue("");
  });
}

test("a renamed room has its new name in the list of every page", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const room = await createOwnRoom(ada, "Anyone with the link", "Tea");
  await ada.waitUntilLive();
  const grace = await openBrowser("grace");
  await grace.openRoom(room);
  await expect(listItems(grace, "Your rooms")).toHaveText([/Tea/]);
  const home = await grace.openTab();
  await home.visit("/");
  await chooseMenuItem(ada, "Room settings");
  await ada.page.getByRole("textbox", { name: "Name of the room" }).fill("Coffee");
  await ada.page.getByRole("button", { name: "Save" }).click();
  for (const user of [ada, grace, home])
    await expect(listItems(user, "Your rooms")).toHaveText([/Coffee/]);
  await expect(grace.page.getByRole("heading", { name: "Coffee" })).toBeVisible();
});

test("the hint of the public rooms does not stand beside one", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  const hint = ada.page.getByText("Rooms that anyone can find appear here.");
  await expect(hint).toBeVisible();
  await ada.openRoom(await webchat.createRoom({ name: "Tea", public: true }));
  await ada.send("hello");
  await expect(listItems(ada, "Your rooms")).toHaveText([/Tea/]);
  await expect(ada.page.getByText("No others: all public rooms are among yours.")).toBeVisible();
  await expect(hint).toBeHidden();
});

test.describe("on a phone", () => {
  const phone = { viewport: { width: 360, height: 740 } };

  test("the drawer shows all lists, and its button shows the unread count", async ({
    webchat,
    openBrowser,
  }) => {
    const ada = await openBrowser("ada", phone);
    const tea = await visitNewRoom(webchat, ada, "Tea");
    await visitNewRoom(webchat, ada, "Rum");
    const open = ada.page.getByRole("button", { name: "Rooms and direct messages" });
    const drawer = ada.page.getByRole("navigation", { name: "Rooms and direct messages" });
    await expect(drawer).toBeHidden();
    await webchat.postMessage(tea, "grace", "one");
    await expect(open).toHaveText("1 unread");
    // A closed drawer does not subscribe to the public rooms.
    expect(ada.subscribedPaths).not.toContain("/rooms/");
    await open.click();
    await expect(drawer).toBeVisible();
    await expect.poll(() => ada.subscribedPaths).toContain("/rooms/");
    await ada.page.keyboard.press("Escape");
    await expect(drawer).toBeHidden();
    await open.click();
    await drawer.getByRole("link", { name: "Tea" }).click();
    await expect(ada.messageBodies).toHaveText(["the first word", "one"]);
    await expect(drawer).toBeHidden();
    await expect(open.locator(".unread")).toBeHidden();
  });

  test("the drawer opens without JavaScript", async ({ webchat, openBrowser }) => {
    const room = await webchat.createRoom({ name: "Tea" });
    const ada = await openBrowser("ada", { ...phone, javaScriptEnabled: false });
    await ada.page.goto(room);
    await ada.page.getByRole("button", { name: "Rooms and direct messages" }).click();
    await ada.page.getByRole("link", { name: "All rooms" }).click();
    await expect(ada.page.getByRole("button", { name: "New room" })).toBeVisible();
  });
});
