// Conversations: every participant sees every message, edit and deletion, live and in one order.

import { expect, test } from "../../support/webchat";

test("two participants see each other's messages without a reload", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea" });
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  for (const user of [ada, grace]) await user.page.evaluate(() => (window.mark = "kept"));

  await ada.send("hello, grace");
  await expect(grace.messageBodies).toHaveText(["hello, grace"]);
  await grace.send("hello, ada");
  await expect(ada.messageBodies).toHaveText(["hello, grace", "hello, ada"]);
  await expect(grace.messageBodies).toHaveText(["hello, grace", "hello, ada"]);

  await expect(ada.log.locator(".author")).toHaveText(["ada", "grace"]);
  await expect(ada.messages.first()).toHaveClass(/\bown\b/);
  await expect(ada.messages.last()).not.toHaveClass(/\bown\b/);
  for (const user of [ada, grace]) expect(await user.page.evaluate(() => window.mark)).toBe("kept");
});

test("a participant who joins late sees the history, then new messages live", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  await ada.send("first");
  await expect(grace.messageBodies).toHaveText(["first"]);
  await grace.send("second");
  await expect(ada.messageBodies).toHaveText(["first", "second"]);

  const linus = await openBrowser("linus");
  await linus.openRoom(room);
  await expect(linus.messageBodies).toHaveText(["first", "second"]);
  await ada.send("third");
  await expect(linus.messageBodies).toHaveText(["first", "second", "third"]);
});

test("concurrent messages have the same order for every participant", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const users = [await openBrowser("ada"), await openBrowser("grace"), await openBrowser("linus")];
  for (const user of users) await user.openRoom(room);
  await Promise.all(
    users.map(async (user) => {
      for (let i = 1; i <= 10; i++) await user.send(`${user.name} ${i}`);
    }),
  );
  for (const user of users) {
    await expect(user.messageBodies).toHaveCount(30);
    await expect(user.pendingMessages).toHaveCount(0);
  }
  const order = await webchat.messageTexts(room);
  expect(order).toHaveLength(30);
  for (const user of users) {
    await expect(user.messageBodies).toHaveText(order);
    const own = order.filter((text) => text.startsWith(user.name));
    expect(own, "each author's messages keep their order").toEqual(
      Array.from({ length: 10 }, (_, i) => `${user.name} ${i + 1}`),
    );
  }
});

test("a hidden page counts unread messages in its title", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom({ name: "Tea" });
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await expect(ada.page).toHaveTitle("Tea · webchat");
  await ada.setHidden(true);
  await webchat.postMessage(room, "grace", "are you there?");
  await webchat.postMessage(room, "grace", "hello?");
  await expect(ada.page).toHaveTitle("(2) Tea · webchat");
  await ada.setHidden(false);
  await expect(ada.page).toHaveTitle("Tea · webchat");
});

test("an edit and a deletion reach every page live and after a reload", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  await ada.send("helo");
  await ada.send("oops");
  await expect(grace.messageBodies).toHaveText(["helo", "oops"]);
  // The request context sends the browser's guest key cookie.
  const { request } = ada.page.context();
  expect((await request.patch(`${room}messages/1/`, { data: { body: "hello" } })).status()).toBe(
    200,
  );
  expect((await request.delete(`${room}messages/2/`)).status()).toBe(200);
  for (const user of [ada, grace]) {
    await expect(user.messageBodies).toHaveText(["hello", "(deleted)"]);
    await expect(user.messages.first().getByText("edited")).toBeVisible();
    await expect(user.messages.last().getByText("edited")).toBeHidden();
  }
  await grace.send("I saw that");
  await expect(ada.messageBodies).toHaveText(["hello", "(deleted)", "I saw that"]);
  await grace.page.reload();
  await grace.waitUntilLive();
  await ada.send("you did");
  await expect(grace.messageBodies).toHaveText(["hello", "(deleted)", "I saw that", "you did"]);
});
