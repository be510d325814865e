// The address of a message, and the place in the log that the history of the browser keeps.

import { expect, test, type User } from "../../../support/webchat";
import { fillRoom } from "../../../support/fill_room";
import { Gate } from "../../../support/gate";
import { numberedTexts } from "../../../support/numbered_texts";

const addressed = (user: User) => user.log.locator("article[data-addressed]");

/** The text of the message that is nearest to the middle of the view. */
const middleText = (user: User) =>
  user.log.evaluate((log) => {
    const { left, top, width, height } = log.getBoundingClientRect();
    const at = (dy: number) =>
      document.elementFromPoint(left + width / 2, top + height / 2 + dy)?.closest("article");
    return [0, 12, -12, 24, -24].map(at).find(Boolean)?.querySelector(".body")?.textContent;
  });

test("the address of an old message among 20,000 leads to it and marks it", async ({
  webchat,
  openBrowser,
}) => {
  test.setTimeout(360_000);
  const room = await webchat.createRoom();
  await fillRoom(webchat, room, 20_000);
  const ada = await openBrowser("ada");
  await ada.page.goto(`${room}#m123`);
  await expect(addressed(ada)).toHaveId("m123");
  await expect(addressed(ada)).toBeInViewport();
  await expect(addressed(ada)).toBeFocused();
  await ada.waitUntilLive();

  // Another address in the same page, and one of a message that is already there.
  await ada.page.evaluate(() => (location.hash = "#m12345"));
  await expect(addressed(ada)).toHaveId("m12345");
  await ada.page.evaluate(() => (location.hash = "#m19990"));
  await expect(addressed(ada)).toHaveId("m19990");
  await expect(addressed(ada)).toBeInViewport();

  // Both edges of the part go on, up and down.
  await ada.page.evaluate(() => (location.hash = "#m5000"));
  await expect(addressed(ada)).toHaveId("m5000");
  for (const [top, id] of [
    [-1_000_000, "m4930"],
    [0, "m5070"],
  ] as const) {
    await ada.log.evaluate((log, top) => (log.scrollTop = top), top);
    await expect(ada.log.locator(`#${id}`)).toHaveCount(1);
  }
  const ids = await ada.messages.evaluateAll((all) => all.map(({ id }) => Number(id.slice(1))));
  expect(ids).toEqual(ids.map((_, at) => ids[0] + at));

  await ada.page.getByRole("button", { name: "Newest" }).click();
  await expect(ada.messages.last()).toHaveId("m20000");
  await expect(ada.messageBodies.last()).toBeInViewport();
  await webchat.postMessage(room, "grace", "after all");
  await expect(ada.messageBodies.last()).toHaveText("after all");
});

test("older messages that arrive after the reader has gone elsewhere leave no gap", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await fillRoom(webchat, room, 600);
  const ada = await openBrowser("ada");
  await ada.page.goto(`${room}#m350`);
  await expect(addressed(ada)).toHaveId("m350");
  const gate = new Gate();
  const older = new Gate();
  await ada.page.route("**/messages/?before=*", async (route) => {
    older.open();
    await gate.opened;
    await route.continue();
  });
  await ada.log.evaluate((log) => (log.scrollTop = -1_000_000));
  await older.opened;
  await ada.page.evaluate(() => (location.hash = "#m60"));
  await expect(addressed(ada)).toHaveId("m60");
  const answer = ada.page.waitForResponse((answer) => answer.url().includes("before="));
  gate.open();
  await answer;
  // All the way down, past where the late messages are.
  await expect(async () => {
    await ada.log.evaluate((log) => (log.scrollTop = 0));
    await expect(ada.log.locator("#m420")).toHaveCount(1, { timeout: 100 });
  }).toPass();
  const ids = await ada.messages.evaluateAll((all) => all.map(({ id }) => Number(id.slice(1))));
  expect(ids).toEqual(ids.map((_, at) => ids[0] + at));
});

test("the address of a message that is no longer there leads to the next one", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  for (const text of numberedTexts(1, 150)) await webchat.postMessage(room, "grace", text);
  const ada = await openBrowser("ada");
  for (const [address, text] of [
    ["#m999", "number 150"],
    ["#m0", "number 1"],
  ] as const) {
    await ada.page.goto("about:blank");
    await ada.page.goto(`${room}${address}`);
    await expect(addressed(ada).locator(".body")).toHaveText(text);
  }
  await ada.page.reload();
  await expect(addressed(ada), "a reload marks it again").toHaveCount(1);
  await ada.page.goto("about:blank");
  await ada.page.goto(`${room}#nonsense`);
  await ada.waitUntilLive();
  await expect(addressed(ada)).toHaveCount(0);
  await expect(ada.messageBodies.last()).toBeInViewport();
});

test("without JavaScript the address of a recent message leads to it", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  for (const text of numberedTexts(1, 60)) await webchat.postMessage(room, "grace", text);
  const ada = await openBrowser("ada", { javaScriptEnabled: false });
  await ada.page.goto(`${room}#m3`);
  await expect(ada.messages.nth(2)).toBeInViewport();
});

test("back, forward and reload keep the place in the log", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom({ name: "Tea", public: true });
  for (const text of numberedTexts(1, 250)) await webchat.postMessage(room, "grace", text);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.log.evaluate((log) => (log.scrollTop = -4_000));
  await expect.poll(() => ada.page.evaluate(() => history.state)).toMatch(/^\d+ -?\d+$/);
  const place = await ada.page.evaluate(() => history.state as string);
  const text = await middleText(ada);
  expect(text).toBeTruthy();

  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ada.page.getByRole("textbox", { name: "Join a room" })).toBeVisible();
  await ada.page.goBack();
  await expect.poll(() => middleText(ada)).toBe(text);
  await ada.page.goForward();
  await expect(ada.page.getByRole("textbox", { name: "Join a room" })).toBeVisible();
  await ada.page.goBack();
  await expect.poll(() => middleText(ada)).toBe(text);
  await ada.page.reload();
  await expect.poll(() => middleText(ada)).toBe(text);
  expect(await ada.page.evaluate(() => history.state)).toBe(place);

  // At the end, the page follows new messages again after a reload.
  await ada.log.evaluate((log) => (log.scrollTop = 0));
  await expect.poll(() => ada.page.evaluate(() => history.state)).toBeNull();
  await ada.page.reload();
  await webchat.postMessage(room, "grace", "newest");
  await expect(ada.messageBodies.last()).toHaveText("newest");
  await expect(ada.messageBodies.last()).toBeInViewport();
});
