// History of long rooms: scrolling up loads older messages without a jump, and few rows stay drawn.

import { expect, test, type User } from "../../../support/webchat";
import { fillRoom } from "../../../support/fill_room";

/**
 * The number of drawn rows, the row in the middle of the view with its position, and the scroll
 * distances.
 */
function readView(user: User) {
  return user.log.evaluate((log) => {
    const rows = [...log.querySelectorAll("article .body")];
    const middle = log.getBoundingClientRect().top + log.clientHeight / 2;
    const row = rows.find((row) => row.getBoundingClientRect().bottom > middle);
    return {
      count: rows.length,
      text: row?.textContent ?? "",
      top: row?.getBoundingClientRect().top ?? 0,
      above: log.scrollHeight - log.clientHeight + log.scrollTop,
      below: Math.abs(log.scrollTop),
    };
  });
}

/** The vertical position of a row. */
const rowTop = (user: User, text: string) =>
  user.messageBodies.evaluateAll(
    (rows, text) => rows.find((row) => row.textContent === text)?.getBoundingClientRect().top,
    text,
  );

/** Scrolls so that this many pixels remain above the view. */
const scrollTo = (user: User, above: number) =>
  user.log.evaluate(
    (log, above) => (log.scrollTop = above - (log.scrollHeight - log.clientHeight)),
    above,
  );

test("a room with 20,000 messages opens at the newest and scrolls up without a jump", async ({
  webchat,
  openBrowser,
}) => {
  test.setTimeout(120_000);
  const room = await webchat.createRoom({ name: "Long" });
  await fillRoom(webchat, room, 20_000);
  const newest = (
    await webchat.getJson<{ id: number; body: string }[]>(`${room}messages/?limit=100`)
  ).map((m) => m.body);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await expect(ada.messageBodies, "the server sends one page").toHaveText(newest);
  await expect(ada.messageBodies.last()).toBeInViewport();
  await expect(ada.page.getByRole("button", { name: "Newest" })).toBeHidden();

  for (let page = 0; page < 8; page++) {
    const first = await ada.messageBodies.first().innerText();
    await scrollTo(ada, 300);
    const before = await readView(ada);
    await expect(ada.messageBodies.first()).not.toHaveText(first);
    await expect
      .poll(async () => (await readView(ada)).above, "older messages have loaded above")
      .toBeGreaterThan(800);
    expect(
      Math.abs(((await rowTop(ada, before.text)) ?? NaN) - before.top),
      `page ${page}`,
    ).toBeLessThanOrEqual(1.5);
    expect(
      (await readView(ada)).count,
      "the number of drawn rows stays bounded",
    ).toBeLessThanOrEqual(500);
  }
  const messages = await webchat.getJson<{ body: string }[]>(`${room}messages/?limit=1000`);
  const drawn = await ada.messageBodies.evaluateAll((rows) => rows.map((row) => row.textContent));
  const start = messages.findIndex((message) => message.body === drawn[0]);
  expect(drawn, "in order, without a gap").toEqual(
    messages.slice(start, start + drawn.length).map((m) => m.body),
  );

  await ada.page.getByRole("button", { name: "Newest" }).click();
  await expect(ada.messageBodies.last()).toHaveText(newest[99]);
  await expect(ada.messageBodies.last()).toBeInViewport();
  await expect(ada.page.getByRole("button", { name: "Newest" })).toBeHidden();
});

test("a room can be scrolled from its end to its beginning and back", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await fillRoom(webchat, room, 950);
  const messages = (await webchat.getJson<{ body: string }[]>(`${room}messages/?limit=1000`)).map(
    (m) => m.body,
  );
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const seen = new Set<string>();
  const look = async () =>
    (
      await ada.messageBodies.evaluateAll((rows) => rows.map((row) => row.textContent ?? ""))
    ).forEach((text) => seen.add(text));
  await expect
    .poll(
      async () => {
        await scrollTo(ada, 0);
        await look();
        return ada.log.getByText(/^Opened on/).isVisible();
      },
      { intervals: [50], timeout: 30_000 },
    )
    .toBe(true);
  await expect(ada.messageBodies.first()).toHaveText(messages[0]);
  await look();
  expect([...seen].sort()).toEqual([...messages].sort());

  // Back down with the mouse wheel.
  await ada.log.hover();
  await expect
    .poll(
      async () => {
        await ada.page.mouse.wheel(0, 20_000);
        return ada.page.getByRole("button", { name: "Newest" }).isVisible();
      },
      { intervals: [50], timeout: 30_000 },
    )
    .toBe(false);
  await expect(ada.messageBodies.last()).toHaveText(messages[949]);
  await expect(ada.messageBodies.last()).toBeInViewport();
});

test("new messages do not move a reader who scrolled up, and the button counts them", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await fillRoom(webchat, room, 150);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const button = ada.page.getByRole("button", { name: /Newest|new message/ });
  await expect(button).toBeHidden();
  await ada.log.evaluate((log) => (log.scrollTop = -600));
  await expect(button).toHaveText("Newest");
  const before = await readView(ada);
  await webchat.postMessage(room, "grace", "one");
  await expect(button).toHaveText("1 new message");
  await webchat.postMessage(room, "grace", "two\nwith\nmany\nlines");
  await webchat.postMessage(room, "grace", "three");
  await expect(button).toHaveText("3 new messages");
  expect(Math.abs(((await rowTop(ada, before.text)) ?? NaN) - before.top)).toBeLessThanOrEqual(1.5);

  await button.click();
  await expect(ada.messageBodies.last()).toHaveText("three");
  await expect(ada.messageBodies.last()).toBeInViewport();
  await expect(button).toBeHidden();
});

test("a message that arrives before the scroll event does not move the reader", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await fillRoom(webchat, room, 60);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  // A busy browser delivers scroll events late; here it never delivers them.
  await ada.page.evaluate(() =>
    addEventListener("scroll", (event) => event.stopImmediatePropagation(), { capture: true }),
  );
  await ada.log.evaluate((log) => (log.scrollTop = -400));
  const before = await readView(ada);
  await webchat.postMessage(room, "grace", "one");
  await expect(ada.page.getByRole("button", { name: "1 new message" })).toBeVisible();
  expect(Math.abs(((await rowTop(ada, before.text)) ?? NaN) - before.top)).toBeLessThanOrEqual(1.5);
});

test("a view at the newest message follows every new message", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  await fillRoom(webchat, room, 120);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  for (const text of ["one", "two\n".repeat(30), "x".repeat(3_000), "last"]) {
    await webchat.postMessage(room, "grace", text);
    await expect(ada.messageBodies.last()).toHaveText(text.trim());
    expect((await readView(ada)).below).toBe(0);
  }
  await ada.page.setViewportSize({ width: 360, height: 500 });
  expect((await readView(ada)).below, "also after the window is resized").toBe(0);
  await fillRoom(webchat, room, 800);
  await expect(ada.page.getByRole("button", { name: /Newest|new message/ })).toBeHidden();
  const newest = (await webchat.messageTexts(room)).at(-1);
  await expect.poll(() => ada.messageBodies.last().textContent()).toBe(newest);
  expect((await readView(ada)).count, "the number of drawn rows stays bounded").toBeLessThanOrEqual(
    500,
  );
});

test("sending a message while scrolled up scrolls to that message", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await fillRoom(webchat, room, 150);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.log.evaluate((log) => (log.scrollTop = -1_500));
  await expect(ada.page.getByRole("button", { name: "Newest" })).toBeVisible();
  await ada.send("here I am");
  await expect(ada.messageBodies.last()).toHaveText("here I am");
  await expect(ada.messageBodies.last()).toBeInViewport();
  await expect(ada.page.getByRole("button", { name: /Newest|new message/ })).toBeHidden();
});
