// Conversations: every participant sees every message, edit and deletion, live and in one order.

import { expect, test } from "../../support/webchat";

test("two participants see each other's messages without a reload", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea" });
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  for (const person of [ada, grace]) await person.page.evaluate(() => (window.mark = "kept"));

  await ada.say("hello, grace");
  await expect(grace.bodies).toHaveText(["hello, grace"]);
  await grace.say("hello, ada");
  await expect(ada.bodies).toHaveText(["hello, grace", "hello, ada"]);
  await expect(grace.bodies).toHaveText(["hello, grace", "hello, ada"]);

  await expect(ada.log.locator(".who")).toHaveText(["ada", "grace"]);
  await expect(ada.messages.first()).toHaveClass(/\bown\b/);
  await expect(ada.messages.last()).not.toHaveClass(/\bown\b/);
  for (const person of [ada, grace])
    expect(await person.page.evaluate(() => window.mark)).toBe("kept");
});

test("a participant who joins late sees the history, then new messages live", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  await ada.say("first");
  await expect(grace.bodies).toHaveText(["first"]);
  await grace.say("second");
  await expect(ada.bodies).toHaveText(["first", "second"]);

  const linus = await come("linus");
  await linus.enter(room);
  await expect(linus.bodies).toHaveText(["first", "second"]);
  await ada.say("third");
  await expect(linus.bodies).toHaveText(["first", "second", "third"]);
});

test("concurrent messages have the same order for every participant", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const people = [await come("ada"), await come("grace"), await come("linus")];
  for (const person of people) await person.enter(room);
  await Promise.all(
    people.map(async (person) => {
      for (let i = 1; i <= 10; i++) await person.say(`${person.name} ${i}`);
    }),
  );
  for (const person of people) {
    await expect(person.bodies).toHaveCount(30);
    await expect(person.pending).toHaveCount(0);
  }
  const order = await webchat.said(room);
  expect(order).toHaveLength(30);
  for (const person of people) {
    await expect(person.bodies).toHaveText(order);
    const own = order.filter((text) => text.startsWith(person.name));
    expect(own, "everybody's own stay in order").toEqual(
      Array.from({ length: 10 }, (_, i) => `${person.name} ${i + 1}`),
    );
  }
});

test("a hidden page counts unread messages in its title", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea" });
  const ada = await come("ada");
  await ada.enter(room);
  await expect(ada.page).toHaveTitle("Tea · webchat");
  // A browser under test never hides a page, so it is told that it is hidden.
  const hide = (hidden: boolean) =>
    ada.page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }, hidden);
  await hide(true);
  await webchat.post(room, "grace", "are you there?");
  await webchat.post(room, "grace", "hello?");
  await expect(ada.page).toHaveTitle("(2) Tea · webchat");
  await hide(false);
  await expect(ada.page).toHaveTitle("Tea · webchat");
});

test("an edit and a deletion reach every page live and after a reload", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  await ada.say("helo");
  await ada.say("oops");
  await expect(grace.bodies).toHaveText(["helo", "oops"]);
  // By the key that this browser holds as a cookie.
  const { request } = ada.page.context();
  expect((await request.patch(`${room}messages/1/`, { data: { body: "hello" } })).status()).toBe(
    200,
  );
  expect((await request.delete(`${room}messages/2/`)).status()).toBe(200);
  for (const person of [ada, grace]) {
    await expect(person.bodies).toHaveText(["hello", "(deleted)"]);
    await expect(person.messages.first().getByText("edited")).toBeVisible();
    await expect(person.messages.last().getByText("edited")).toBeHidden();
  }
  await grace.say("I saw that");
  await expect(ada.bodies).toHaveText(["hello", "(deleted)", "I saw that"]);
  await grace.page.reload();
  await grace.live();
  await ada.say("you did");
  await expect(grace.bodies).toHaveText(["hello", "(deleted)", "I saw that", "you did"]);
});
