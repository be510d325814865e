// The sidebar: the reader's rooms, direct chats and public rooms, with unread counts.

import { expect, type Person, test, type Webchat } from "../../support/webchat";

const list = (person: Person, name: string) =>
  person.page.getByRole("region", { name }).getByRole("listitem");
const unread = (person: Person, name: string) =>
  person.page.getByRole("link", { name }).locator(".unread:not([hidden])");

/** A room that the person has visited and left for another one. */
async function visited(webchat: Webchat, person: Person, name: string): Promise<string> {
  const room = await webchat.room({ name });
  await webchat.post(room, "grace", "the first word");
  await person.enter(room);
  await expect(person.bodies).toHaveText(["the first word"]);
  return room;
}

test("messages in other rooms count as unread until the reader opens the room", async ({
  webchat,
  come,
}) => {
  const ada = await come("ada");
  const [tea, rum] = [await visited(webchat, ada, "Tea"), await visited(webchat, ada, "Rum")];
  await expect(list(ada, "Your rooms")).toHaveText([/Rum/, /Tea/]);
  await webchat.post(tea, "grace", "one");
  await webchat.post(tea, "grace", "two");
  await expect(unread(ada, "Tea")).toHaveText("2 unread");
  await expect(list(ada, "Your rooms")).toHaveText([/Tea/, /Rum/]);
  // What is said where one is looking is read.
  await webchat.post(rum, "grace", "here");
  await expect(ada.bodies.last()).toHaveText("here");
  await expect(unread(ada, "Rum")).toHaveCount(0);
  await ada.page.getByRole("link", { name: "Tea" }).click();
  await expect(ada.bodies).toHaveText(["the first word", "one", "two"]);
  await expect(unread(ada, "Tea")).toHaveCount(0);
  await ada.page.reload();
  await ada.live();
  await expect(ada.page.getByRole("link", { name: "Tea" })).toHaveAttribute("aria-current", "page");
  await expect(ada.page.locator(".entry .unread:not([hidden])")).toHaveCount(0);
});

test("the first message in a room that was empty when visited counts as unread", async ({
  webchat,
  come,
}) => {
  const ada = await come("ada");
  const tea = await webchat.room({ name: "Tea" });
  await ada.enter(tea);
  await expect(ada.page.getByText("Nobody has written yet")).toBeVisible();
  await visited(webchat, ada, "Rum");
  await webchat.post(tea, "grace", "the first word");
  await expect(unread(ada, "Tea")).toHaveText("1 unread");
});

test("a new direct chat appears with its unread count on every device of the account", async ({
  webchat,
  come,
}) => {
  await webchat.account("ada");
  const bob = await webchat.account("bob");
  const [ada, phone] = [await come("ada"), await come("ada")];
  const room = await webchat.room({ name: "Tea" });
  for (const device of [ada, phone]) {
    await device.signIn("ada");
    await device.enter(room);
  }
  await webchat.tell(bob, "ada", "are you there?");
  for (const device of [ada, phone]) {
    await expect(list(device, "Chats")).toHaveText([/BOB.*are you there\?/]);
    await expect(unread(device, "BOB")).toHaveText("1 unread");
  }
  await ada.page.getByRole("link", { name: /BOB/ }).click();
  await expect(ada.bodies).toHaveText(["are you there?"]);
  await expect(unread(phone, "BOB")).toHaveCount(0);
});

test("a private room is listed in every browser of its member's account and in no other", async ({
  webchat,
  come,
}) => {
  const token = await webchat.account("ada");
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  await fetch(`${webchat.url}/rooms/`, {
    method: "POST",
    headers,
    body: JSON.stringify({ name: "Den", private: true }),
  });
  const [ada, eve] = [await come("ada"), await come("eve")];
  await ada.signIn();
  await ada.go("/");
  await list(ada, "Your rooms").getByRole("link", { name: "Den" }).click();
  await ada.live();
  await eve.go("/");
  await expect(eve.page.getByRole("link", { name: "Den" })).toHaveCount(0);
});

test("search covers all lists and says when nothing matches", async ({ webchat, come }) => {
  await webchat.account("ada");
  const bob = await webchat.account("bob", "Bob Baker");
  await webchat.tell(bob, "ada", "hello");
  for (const name of ["Bakery", "Tea", "Coffee", "Juice", "Water", "Milk"])
    await webchat.room({ name, public: true });
  const ada = await come("ada");
  await ada.signIn();
  await ada.enter(await webchat.room({ name: "Baking" }));
  const search = ada.page.getByRole("searchbox", { name: "Search rooms and chats" });
  await search.fill("bak");
  await expect(ada.page.locator(".side li")).toHaveText([/Baking/, /Bob Baker/, /Bakery/]);
  await search.fill("wine");
  await expect(ada.page.getByText("Nothing here has that in its name or ID.")).toBeVisible();
  await expect(ada.page.locator(".side li")).toHaveCount(0);
});

test("the sidebar button creates a room", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea" });
  const ada = await come("ada");
  await ada.enter(room);
  await ada.page.getByRole("button", { name: "Open a room" }).click();
  await ada.page.waitForURL((url) => url.pathname !== room);
  await ada.live();
  await expect(list(ada, "Your rooms")).toHaveCount(2);
});

test.describe("on a phone", () => {
  const phone = { viewport: { width: 360, height: 740 } };

  test("the drawer shows all lists, and its button shows the unread count", async ({ webchat, come }) => {
    const ada = await come("ada", phone);
    const tea = await visited(webchat, ada, "Tea");
    await visited(webchat, ada, "Rum");
    const open = ada.page.getByRole("button", { name: "Rooms and chats" });
    const drawer = ada.page.getByRole("navigation", { name: "Rooms and chats" });
    await expect(drawer).toBeHidden();
    await webchat.post(tea, "grace", "one");
    await expect(open).toHaveText("1 unread");
    // What nobody sees is not listened to.
    expect(ada.listening).not.toContain("/rooms/");
    await open.click();
    await expect(drawer).toBeVisible();
    await expect.poll(() => ada.listening).toContain("/rooms/");
    await ada.page.keyboard.press("Escape");
    await expect(drawer).toBeHidden();
    await open.click();
    await drawer.getByRole("link", { name: "Tea" }).click();
    await expect(ada.bodies).toHaveText(["the first word", "one"]);
    await expect(drawer).toBeHidden();
    await expect(open.locator(".unread")).toBeHidden();
  });

  test("the drawer opens without JavaScript", async ({ webchat, come }) => {
    const room = await webchat.room({ name: "Tea" });
    const ada = await come("ada", { ...phone, javaScriptEnabled: false });
    await ada.page.goto(room);
    await ada.page.getByRole("button", { name: "Rooms and chats" }).click();
    await ada.page.getByRole("link", { name: "All rooms" }).click();
    await expect(ada.page.getByRole("button", { name: "New room" })).toBeVisible();
  });
});
