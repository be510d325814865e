// The card of a person, opened from names, avatars and mentions, and the roles beside names.

import { AxeBuilder } from "@axe-core/playwright";
import { createRoomWithMember, pageDialog } from "../../support/room_pages";
import { expect, test, type User, type Webchat } from "../../support/webchat";

const authorLink = (user: User, name: string) =>
  user.log.getByRole("link", { name, exact: true }).first();
const card = (user: User, name: string) => pageDialog(user, name);
const presenceButton = (user: User) => user.page.getByRole("button", { name: /\d+ here/ });
const roleOf = (user: User, text: string) =>
  user.messages.filter({ hasText: text }).locator(".role");
const clickIn = (user: User, name: string, button: string) =>
  card(user, name).getByRole("button", { name: button, exact: true }).click();

/** Signs a user in to a new account. */
async function signUp(webchat: Webchat, user: User, name = user.name.toUpperCase()) {
  await webchat.createAccount(user.name, name);
  await user.signIn();
}

/** Creates a room of the signed-in user and returns its path. */
async function createRoomOf(user: User): Promise<string> {
  const answer = await user.page
    .context()
    .request.post("/rooms/", { form: {}, headers: { Accept: "application/json" } });
  return answer.headers()["location"];
}

/** Names that are hard to put into an address. */
const strangeNames = ["..", "a/b?c#d&e=%41+", "נורה", "李小龙", '"><i>x', "@ada"];

test("the card opens from the name, the avatar, who is here, and a mention", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const grace = await openBrowser("grace");
  await signUp(webchat, grace, "Grace Hopper");
  await grace.openRoom(room);
  await grace.send("hello");
  await expect(grace.pendingMessages).toHaveCount(0);
  await webchat.postMessage(room, "ben", "@grace, look");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const opened = card(ada, "Grace Hopper");
  const openers = {
    name: () => authorLink(ada, "Grace Hopper").click(),
    avatar: () => ada.messages.first().locator(".avatar").click({ force: true }),
    mention: () => ada.messageBodies.locator(".mention").click(),
    async "the list of who is here"() {
      await presenceButton(ada).click();
      await ada.page.getByRole("listitem").filter({ hasText: "Grace" }).click();
    },
  };
  for (const [place, open] of Object.entries(openers)) {
    await open();
    await expect(opened, place).toBeVisible();
    await expect(opened.locator(".avatar"), place).toHaveText("GH");
    await expect(opened.getByText("@grace"), place).toBeVisible();
    await expect(opened.getByText("Has an account."), place).toBeVisible();
    await expect(opened.getByRole("button", { name: "Mute" }), place).toHaveCount(0);
    await ada.page.keyboard.press("Escape");
    await expect(opened, place).toBeHidden();
  }
  expect(ada.path).toBe(room);
});

test("the card opens and closes by keyboard, and the focus returns to the name", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "ben", "hello");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.log.focus();
  await ada.page.keyboard.press("ArrowUp");
  await expect(ada.messages.first()).toBeFocused();
  await ada.page.keyboard.press("Tab");
  await expect(authorLink(ada, "ben")).toBeFocused();
  await ada.page.keyboard.press("Enter");
  const opened = card(ada, "ben");
  await expect(opened).toBeVisible();
  await expect(opened.getByText("Not verified: anyone can write under this name.")).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await expect(opened).toBeHidden();
  await expect(authorLink(ada, "ben")).toBeFocused();
});

test("a mention is put at the caret as a word of its own, by touch, and the card closes", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const phone = { hasTouch: true, isMobile: true, viewport: { width: 360, height: 640 } };
  const ada = await openBrowser("ada", phone);
  const ben = await openBrowser("Ben B.");
  await ben.openRoom(room);
  await ben.send("hello");
  await expect(ben.pendingMessages).toHaveCount(0);
  await ada.openRoom(room);
  await ada.messageField.fill("well, now?");
  await ada.messageField.evaluate((field: HTMLTextAreaElement) => field.setSelectionRange(5, 5));
  const before = await ada.messages.first().boundingBox();
  const avatar = await ada.messages.first().locator(".avatar").boundingBox();
  await ada.page.touchscreen.tap(avatar!.x + 4, avatar!.y - 3);
  const opened = card(ada, "Ben B.");
  await expect(opened).toBeVisible();
  const box = (await opened.boundingBox())!;
  expect(box.x >= 0 && box.x + box.width <= 360 && box.y + box.height <= 640).toBe(true);
  for (const target of await opened.locator(".button, button").all())
    expect(Math.round((await target.boundingBox())!.height)).toBeGreaterThanOrEqual(44);
  await opened.getByRole("button", { name: "Mention" }).tap();
  await expect(opened).toBeHidden();
  await expect(ada.messageField).toHaveValue("well, @[Ben B.]  now?");
  await expect(ada.messageField).toBeFocused();
  expect(await ada.messageField.evaluate((field: HTMLTextAreaElement) => field.selectionEnd)).toBe(
    "well, @[Ben B.] ".length,
  );
  expect(await ada.messages.first().boundingBox()).toEqual(before);
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.messageField, "the draft is kept").toHaveValue(/@\[Ben B\.\]/);
});

test("a direct message is offered between accounts only, and not to oneself", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const [ada, grace, guest] = [
    await openBrowser("ada"),
    await openBrowser("grace"),
    await openBrowser("guest"),
  ];
  await signUp(webchat, ada);
  await signUp(webchat, grace);
  for (const user of [ada, grace, guest]) {
    await user.openRoom(room);
    await user.send(`by ${user.name}`);
    await expect(user.pendingMessages).toHaveCount(0);
  }
  for (const [user, name] of [
    [ada, "ADA"],
    [ada, "guest"],
    [guest, "GRACE"],
  ] as const) {
    await authorLink(user, name).click();
    await expect(card(user, name)).toBeVisible();
    await expect(card(user, name).getByRole("link", { name: "Message" })).toHaveCount(0);
    await user.page.keyboard.press("Escape");
  }
  await authorLink(ada, "ADA").click();
  await expect(card(ada, "ADA").getByText("This is you.")).toBeVisible();
  await expect(card(ada, "ADA").getByRole("button", { name: "Mention" })).toHaveCount(0);
  await ada.page.keyboard.press("Escape");
  await authorLink(ada, "GRACE").click();
  await card(ada, "GRACE").getByRole("link", { name: "Message" }).click();
  await ada.waitUntilLive();
  await expect(ada.page.getByRole("heading", { name: "GRACE" })).toBeVisible();
});

test("a moderator acts on the card by name, and each change says so and can be undone", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, bob, room } = await createRoomWithMember(webchat, openBrowser, "Anyone with the link");
  await authorLink(ada, "bob").click();
  const opened = card(ada, "bob");
  const line = opened.locator(".status-message");
  await clickIn(ada, "bob", "Mute bob for 10 minutes");
  await expect(line).toHaveText(/^bob is muted for 10 minutes\.\s*Undo$/);
  await expect(line).toBeFocused();
  await expect(bob.page.getByText(/muted/).first()).toBeVisible();
  await clickIn(ada, "bob", "Undo");
  await expect(line).toHaveText("bob is no longer muted or banned.");
  await clickIn(ada, "bob", "Make bob a moderator");
  await expect(line).toHaveText(/^bob is a moderator now\.\s*Undo$/);
  await expect(roleOf(bob, "hello")).toHaveText("moderator");
  await clickIn(ada, "bob", "Undo");
  await expect(line).toHaveText(/^bob is a member now\.\s*Undo$/);
  await expect(roleOf(bob, "hello")).toHaveCount(0);
  await opened.getByText("Choose how long to mute or ban bob").click();
  await opened.getByLabel("Mute or ban bob for").selectOption("1 hour");
  await clickIn(ada, "bob", "Mute bob");
  await expect(line).toHaveText(/^bob is muted for 1 hour\.\s*Undo$/);
  await clickIn(ada, "bob", "Ban bob for a day");
  await expect(line).toHaveText(/^bob is banned for 1 day\.\s*Undo$/);
  await expect(bob.page.getByText("You are banned from this room")).toBeVisible();
  await clickIn(ada, "bob", "Undo");
  await clickIn(ada, "bob", "Remove bob from this room");
  await expect(line).toHaveText("bob is removed from this room.");
  await ada.page.keyboard.press("Escape");
  expect(ada.path).toBe(room);
});

test("the menu of a message mutes and bans by name, and one line above the composer undoes it", async ({
  openBrowser,
  webchat,
}) => {
  const { ada, bob } = await createRoomWithMember(webchat, openBrowser, "Anyone with the link");
  const notice = ada.page.locator("#notice");
  let menu = await ada.openMessageMenu("hello");
  await menu.getByRole("button", { name: "Mute bob for 10 minutes" }).click();
  await expect(notice).toHaveText(/^bob is muted for 10 minutes\.\s*Undo$/);
  await expect(ada.page.getByRole("dialog")).toHaveCount(0);
  await expect(notice).toHaveAttribute("role", "status");
  await expect(bob.page.getByText(/^You are muted/)).toBeVisible();
  await notice.getByRole("button", { name: "Undo" }).click();
  await expect(notice).toHaveText("bob is no longer muted or banned.");
  await expect(bob.page.getByText(/^You are muted/)).toBeHidden();
  await bob.send("thanks");
  await expect(ada.messageBodies.last()).toHaveText("thanks");
  await ada.messageField.pressSequentially("x");
  await expect(notice).toBeHidden();
  // Who is no moderator any more reads why in the dialog.
  menu = await ada.openMessageMenu("hello");
  await webchat.stop();
  await menu.getByRole("button", { name: "Ban bob for a day" }).click();
  await expect(ada.page.locator(".composer").getByRole("alert")).toContainText("cannot be reached");
});

test("roles stand beside names for old and new messages and who is here, and follow a change", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await signUp(webchat, ada);
  await signUp(webchat, grace);
  const room = await createRoomOf(ada);
  await ada.openRoom(room);
  await ada.send("by the owner");
  const reader = await openBrowser("reader");
  await reader.openRoom(room);
  await expect(roleOf(reader, "by the owner")).toHaveText("owner");
  await expect(roleOf(ada, "by the owner")).toHaveText("owner");
  await grace.openRoom(room);
  await grace.send("by grace");
  await expect(reader.messageBodies).toHaveText(["by the owner", "by grace"]);
  await expect(roleOf(reader, "by grace")).toHaveCount(0);
  const invited = await ada.page.context().request.post(`${room}invitations/`, {
    form: {},
    headers: { Accept: "application/json" },
  });
  const { code } = (await invited.json()) as { code: string };
  await grace.page.context().request.post(`/invitations/${code}/`, {
    headers: { Accept: "application/json" },
  });
  const make = (role: string) =>
    ada.page.context().request.post(`${room}members/grace/?method=PATCH`, {
      form: { role },
      headers: { Accept: "application/json" },
    });
  const position = await reader.messages.last().boundingBox();
  await make("moderator");
  await expect(roleOf(reader, "by grace")).toHaveText("moderator", { timeout: 1_000 });
  expect(await reader.messages.last().boundingBox()).toEqual(position);
  await grace.send("a new one");
  await expect(roleOf(reader, "by grace")).toHaveText("moderator");
  await presenceButton(reader).click();
  const here = (name: string) => reader.page.getByRole("listitem").filter({ hasText: name });
  await expect(here("GRACE").locator(".role")).toHaveText("moderator");
  await expect(here("ADA").locator(".role")).toHaveText("owner");
  await expect(here("reader").locator(".role")).toHaveText("");
  await reader.page.keyboard.press("Escape");
  await make("member");
  await expect(roleOf(reader, "by grace")).toHaveCount(0, { timeout: 1_000 });
  await reader.page.reload();
  await expect(roleOf(reader, "by the owner")).toHaveText("owner");
});

test("an author without a key under the name of a moderator has no role and an own card", async ({
  webchat,
  openBrowser,
}) => {
  // A guest's room, in which someone without a key and later an account write as ada.
  const guest = await openBrowser("guest");
  await guest.visit("/");
  const room = await createRoomOf(guest);
  await webchat.postMessage(room, "ada", "not verified");
  const ada = await openBrowser("ada");
  await signUp(webchat, ada, "ada");
  const key = (await guest.page.context().cookies()).find(({ name }) => name.startsWith("guest-"));
  const claimed = await ada.page.context().request.post("/profile/claim/", {
    form: { guest: key?.value ?? "" },
    headers: { Accept: "application/json" },
  });
  expect(claimed.ok()).toBe(true);
  await ada.openRoom(room);
  await ada.send("verified");
  await expect(roleOf(ada, "verified").last()).toHaveText("owner");
  await expect(ada.messages.first().locator(".role")).toHaveCount(0);
  await authorLink(ada, "ada").click();
  await expect(card(ada, "ada").getByText("Not verified")).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await ada.log.getByRole("link", { name: "ada", exact: true }).last().click();
  await expect(card(ada, "ada").getByText("This is you.")).toBeVisible();
});

test("names that are hard to put into an address have their cards", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  for (const name of strangeNames) await webchat.postMessage(room, name, "hello");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  for (const name of strangeNames) {
    await authorLink(ada, name).click();
    await expect(ada.page.getByRole("dialog").getByRole("heading", { name })).toBeVisible();
    await ada.page.keyboard.press("Escape");
    const guest = await openBrowser(name);
    await guest.openRoom(room);
    await expect(presenceButton(ada)).toHaveText(/2 here/);
    await presenceButton(ada).click();
    await ada.page.getByRole("listitem").filter({ hasText: name }).getByRole("link").click();
    await expect(ada.page.getByRole("dialog").getByRole("heading", { name })).toBeVisible();
    await ada.page.keyboard.press("Escape");
    await guest.close();
    await expect(presenceButton(ada)).toHaveText(/1 here/);
  }
});

test("without JavaScript the name leads to the card, and its forms work", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, room } = await createRoomWithMember(webchat, openBrowser, "Anyone with the link");
  const state = await ada.page.context().storageState();
  const plain = await openBrowser("plain", { javaScriptEnabled: false, storageState: state });
  await plain.page.goto(room);
  await authorLink(plain, "bob").click();
  await expect(plain.page.getByRole("heading", { level: 1, name: "bob" })).toBeVisible();
  await expect(plain.page.getByRole("button", { name: "Mention" })).toBeHidden();
  await plain.page.getByRole("button", { name: "Mute bob for 10 minutes" }).click();
  await expect(plain.page.getByText("bob is muted for 10 minutes.")).toBeVisible();
  await plain.page.getByRole("button", { name: "Undo" }).click();
  await expect(plain.page.getByText("bob is no longer muted or banned.")).toBeVisible();
  await plain.page.getByRole("link", { name: "Back" }).click();
  await expect(plain.log).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on cards and in a log with roles, ${colorScheme}`, async ({
    webchat,
    openBrowser,
  }) => {
    const { ada } = await createRoomWithMember(webchat, openBrowser, "Anyone with the link", {
      colorScheme,
      reducedMotion: "reduce",
    });
    await expect(roleOf(ada, "Welcome")).toHaveText("owner");
    // The name is announced once: the avatar is no link of its own.
    await expect(ada.messages.first().getByRole("link")).toHaveCount(1);
    const check = async () => {
      const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
      expect(violations).toEqual([]);
    };
    await check();
    await presenceButton(ada).click();
    await check();
    await ada.page.keyboard.press("Escape");
    await authorLink(ada, "bob").click();
    await expect(card(ada, "bob")).toBeVisible();
    await check();
    await clickIn(ada, "bob", "Mute bob for 10 minutes");
    await expect(card(ada, "bob").getByText("bob is muted for 10 minutes.")).toBeVisible();
    await check();
    await ada.page.goto((await authorLink(ada, "bob").getAttribute("href"))!);
    await check();
  });
}
