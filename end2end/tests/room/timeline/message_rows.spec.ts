// Message rows are stable: selection and focus survive insertions, edits, deletions and delivery.

import { expect, type User, test, type Webchat } from "../../../support/webchat";
import { Gate } from "../../../support/gate";

/** Posts numbered messages from three authors in turn. */
async function postNumbered(webchat: Webchat, room: string, from: number, to: number) {
  for (let i = from; i <= to; i++)
    await webchat.postMessage(room, `writer ${i % 3}`, `number ${i}`);
}

/** Records every message row that is inserted or removed from now on, and counts the animations. */
const recordRowChanges = (user: User) =>
  user.log.evaluateHandle((log) => {
    const seen = { in: [] as string[], out: [] as string[], moved: 0 };
    const texts = (nodes: NodeList) =>
      [...nodes]
        .filter((node) => node.nodeName === "ARTICLE")
        .map((node) => (node as Element).querySelector(".body")?.textContent ?? "");
    new MutationObserver((changes) =>
      changes.forEach((change) => {
        seen.in.push(...texts(change.addedNodes));
        seen.out.push(...texts(change.removedNodes));
      }),
    ).observe(log, { childList: true, subtree: true });
    log.addEventListener("animationstart", () => (seen.moved += 1));
    return seen;
  });

/** The text of the focused message. */
const focusedBody = (user: User) =>
  user.page.evaluate(
    () => document.activeElement?.closest("article")?.querySelector(".body")?.textContent,
  );

/** Edits an own message without using the page. */
const editMessage = (user: User, room: string, id: number, body: string) =>
  user.page.evaluate(
    async ([url, body]) => {
      const headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        Accept: "application/json",
      };
      const answer = await fetch(url, {
        method: "PATCH",
        headers,
        body: new URLSearchParams({ body }),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    [`${room}messages/${id}/`, body],
  );

test("loading older messages keeps the selection and removes no row", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await postNumbered(webchat, room, 1, 250);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await postNumbered(webchat, room, 251, 300);
  await expect(ada.messageBodies).toHaveCount(150);
  await expect(ada.messageBodies.last()).toHaveText("number 300");
  await ada.messageBodies.filter({ hasText: "number 270" }).selectText();
  await expect
    .poll(() => ada.log.evaluate((log) => log.getAnimations({ subtree: true }).length))
    .toBe(0);
  const seen = await recordRowChanges(ada);

  await ada.log.evaluate((log) => (log.scrollTop = 300 - (log.scrollHeight - log.clientHeight)));
  await expect(ada.messageBodies).toHaveCount(250);
  expect(await ada.page.evaluate(() => getSelection()?.toString().trim())).toBe("number 270");
  await webchat.postMessage(room, "writer 0", "number 301");
  await expect(ada.messageBodies).toHaveCount(251);
  const counts = async () => {
    const { in: added, out, moved } = await seen.jsonValue();
    return { added: added.length, out, moved };
  };
  await expect.poll(counts).toEqual({ added: 101, out: [], moved: 1 });
});

test("missed messages are inserted between existing rows without replacing any", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await postNumbered(webchat, room, 1, 3);
  const ada = await openBrowser("ada");
  let cut = true;
  await ada.page.route("**/stream?*", (route) => (cut ? route.abort() : route.continue()));
  await ada.page.routeWebSocket(/\/stream/, (socket) =>
    cut ? void socket.close() : void socket.connectToServer(),
  );
  await ada.visit(room);
  await postNumbered(webchat, room, 4, 6);
  await ada.send("mine");
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.messageBodies).toHaveText(["number 1", "number 2", "number 3", "mine"]);
  await ada.messageBodies.last().selectText();
  const seen = await recordRowChanges(ada);
  cut = false;
  await expect(ada.messageBodies).toHaveText(
    [1, 2, 3, 4, 5, 6].map((i) => `number ${i}`).concat("mine"),
    {
      timeout: 30_000,
    },
  );
  expect(await seen.jsonValue()).toMatchObject({
    in: ["number 4", "number 5", "number 6"],
    out: [],
  });
  expect(await ada.page.evaluate(() => getSelection()?.toString().trim())).toBe("mine");
});

test("a pending row becomes the delivered row and keeps the focus", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.page.context().setOffline(true);
  await expect(ada.connectionStatus).toHaveText("Offline");
  const seen = await recordRowChanges(ada);
  for (const text of ["one", "two", "three"]) await ada.send(text);
  await expect(ada.pendingMessages).toHaveCount(3);
  await ada.log.focus();
  for (const text of ["three", "two"]) {
    await ada.page.keyboard.press("ArrowUp");
    expect(await focusedBody(ada)).toBe(text);
  }
  const before = await ada.messages.nth(1).elementHandle();
  await ada.page.context().setOffline(false);
  await ada.waitUntilLive();
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.messageBodies).toHaveText(["one", "two", "three"]);
  expect(
    await ada.messages
      .nth(1)
      .evaluate((row, before) => row === before && row === document.activeElement, before),
  ).toBe(true);
  expect(await seen.jsonValue()).toEqual({ in: ["one", "two", "three"], out: [], moved: 0 });
});

test("a focused message keeps the focus when it is edited and when it is deleted by keyboard", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  for (const text of ["one", "two", "three"]) await ada.send(text);
  await expect(ada.pendingMessages).toHaveCount(0);
  const { keyboard } = ada.page;
  const focused = ada.page.locator("article:focus");
  const seen = await recordRowChanges(ada);
  await ada.log.focus();
  await keyboard.press("ArrowUp");
  await keyboard.press("ArrowUp");
  await expect(focused).toHaveAccessibleName(/^ada, [^:]+:[^:]+: two$/);
  await editMessage(ada, room, 2, "two and a half");
  await expect(ada.messageBodies).toHaveText(["one", "two and a half", "three"]);
  await expect(focused).toHaveAccessibleName(/: two and a half$/);

  await keyboard.press("Tab");
  await expect(focused).toHaveCount(0);
  await editMessage(ada, room, 2, "two again");
  await expect(ada.messageBodies).toHaveText(["one", "two again", "three"]);
  expect(await focusedBody(ada), "its menu button keeps the focus too").toBe("two again");
  await keyboard.press("Enter");
  const menu = ada.page.getByRole("group", { name: "This message" });
  await expect(menu).toBeVisible();
  await menu.getByRole("button", { name: "Delete" }).focus();
  await keyboard.press("Enter");
  await expect(menu.getByRole("button", { name: "Delete for good?" })).toBeFocused();
  await keyboard.press("Enter");
  await expect(ada.messageBodies).toHaveText(["one", "(deleted)", "three"]);
  await expect(focused).toHaveAccessibleName(/: \(deleted\)$/);
  await keyboard.press("ArrowUp");
  await expect(focused).toHaveAccessibleName(/: one$/);
  await expect(
    ada.log.locator("article[aria-label]"),
    "no other row has a label that may become stale",
  ).toHaveCount(1);
  expect(await seen.jsonValue()).toEqual({ in: [], out: [], moved: 0 });
});

test("two pending messages with equal text are delivered independently", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const tab = await ada.openTab();
  await tab.openRoom(room);
  let posts = 0;
  const answerGate = new Gate();
  await ada.page.context().route("**/messages/", async (route) => {
    if (route.request().method() === "POST" && ++posts > 1) await answerGate.opened;
    await route.continue();
  });
  await ada.send("ok");
  await ada.send("ok");
  await expect.poll(() => posts).toBe(2);
  await webchat.postMessage(room, "grace", "go on");
  for (const user of [ada, tab]) {
    await expect(user.messageBodies).toHaveText(["ok", "go on", "ok"]);
    await expect(user.pendingMessages).toHaveCount(1);
  }
  answerGate.open();
  for (const user of [ada, tab]) {
    await expect(user.pendingMessages).toHaveCount(0);
    await expect(user.messageBodies).toHaveText(["ok", "go on", "ok"]);
  }
});

test("a message that changes while its history page loads appears in its new form", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  for (const text of ["one", "two"]) await ada.send(text);
  await expect(ada.pendingMessages).toHaveCount(0);
  await postNumbered(webchat, room, 1, 120);
  await ada.openRoom(room);
  await expect(ada.messageBodies).toHaveCount(100);
  let asked = false;
  const answerGate = new Gate();
  await ada.page.route("**/messages/?before=*", async (route) => {
    const response = await route.fetch();
    asked = true;
    await answerGate.opened;
    await route.fulfill({ response });
  });
  await ada.log.evaluate((log) => (log.scrollTop = -log.scrollHeight));
  await expect.poll(() => asked).toBe(true);
  await editMessage(ada, room, 1, "one and a half");
  const gone = await ada.page.request.delete(`${webchat.url}${room}messages/2/`, {
    headers: { Origin: webchat.url },
  });
  expect(gone.ok(), await gone.text()).toBe(true);
  await webchat.postMessage(room, "grace", "after that");
  await expect(ada.messageBodies.last()).toHaveText("after that");
  answerGate.open();
  await expect(ada.messageBodies).toHaveCount(123);
  await expect(ada.messageBodies.first()).toHaveText("one and a half");
  await expect(ada.messageBodies.nth(1)).toHaveText("(deleted)");
});
