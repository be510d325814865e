// Message rows are stable: selection and focus survive insertions, edits, deletions and delivery.

import { expect, type Person, test, type Webchat } from "../../../support/webchat";

/** Posts so many messages, by three people in turn. */
async function fill(webchat: Webchat, room: string, from: number, to: number) {
  for (let i = from; i <= to; i++) await webchat.post(room, `writer ${i % 3}`, `number ${i}`);
}

/** Takes note of every message that is put into the log, every one that is taken out, and all that moves, from now on. */
const watch = (person: Person) =>
  person.log.evaluateHandle((log) => {
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

/** The text of the message that has the focus. */
const at = (person: Person) =>
  person.page.evaluate(
    () => document.activeElement?.closest("article")?.querySelector(".body")?.textContent,
  );

/** Writes an own message anew, beside the page. */
const edit = (person: Person, room: string, id: number, body: string) =>
  person.page.evaluate(
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
  come,
}) => {
  const room = await webchat.room();
  await fill(webchat, room, 1, 250);
  const ada = await come("ada");
  await ada.enter(room);
  await fill(webchat, room, 251, 300);
  await expect(ada.bodies).toHaveCount(150);
  await expect(ada.bodies.last()).toHaveText("number 300");
  await ada.bodies.filter({ hasText: "number 270" }).selectText();
  await expect
    .poll(() => ada.log.evaluate((log) => log.getAnimations({ subtree: true }).length))
    .toBe(0);
  const seen = await watch(ada);

  await ada.log.evaluate((log) => (log.scrollTop = 300 - (log.scrollHeight - log.clientHeight)));
  await expect(ada.bodies).toHaveCount(250);
  expect(await ada.page.evaluate(() => getSelection()?.toString().trim())).toBe("number 270");
  await webchat.post(room, "writer 0", "number 301");
  await expect(ada.bodies).toHaveCount(251);
  const counts = async () => {
    const { in: added, out, moved } = await seen.jsonValue();
    return { added: added.length, out, moved };
  };
  await expect.poll(counts).toEqual({ added: 101, out: [], moved: 1 });
});

test("missed messages are inserted between existing rows without replacing any", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  await fill(webchat, room, 1, 3);
  const ada = await come("ada");
  let cut = true;
  await ada.page.route("**/stream?*", (route) => (cut ? route.abort() : route.continue()));
  await ada.page.routeWebSocket(/\/stream/, (socket) =>
    cut ? void socket.close() : void socket.connectToServer(),
  );
  await ada.go(room);
  await fill(webchat, room, 4, 6);
  await ada.say("mine");
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["number 1", "number 2", "number 3", "mine"]);
  await ada.bodies.last().selectText();
  const seen = await watch(ada);
  cut = false;
  await expect(ada.bodies).toHaveText([1, 2, 3, 4, 5, 6].map((i) => `number ${i}`).concat("mine"), {
    timeout: 30_000,
  });
  expect(await seen.jsonValue()).toMatchObject({
    in: ["number 4", "number 5", "number 6"],
    out: [],
  });
  expect(await ada.page.evaluate(() => getSelection()?.toString().trim())).toBe("mine");
});

test("a pending row becomes the delivered row and keeps the focus", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.page.context().setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  const seen = await watch(ada);
  for (const text of ["one", "two", "three"]) await ada.say(text);
  await expect(ada.pending).toHaveCount(3);
  await ada.log.focus();
  for (const text of ["three", "two"]) {
    await ada.page.keyboard.press("ArrowUp");
    expect(await at(ada)).toBe(text);
  }
  const before = await ada.messages.nth(1).elementHandle();
  await ada.page.context().setOffline(false);
  await ada.live();
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["one", "two", "three"]);
  expect(
    await ada.messages
      .nth(1)
      .evaluate((row, before) => row === before && row === document.activeElement, before),
  ).toBe(true);
  expect(await seen.jsonValue()).toEqual({ in: ["one", "two", "three"], out: [], moved: 0 });
});

test("a focused message keeps the focus when it is edited and when it is deleted by keyboard", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  for (const text of ["one", "two", "three"]) await ada.say(text);
  await expect(ada.pending).toHaveCount(0);
  const { keyboard } = ada.page;
  const focused = ada.page.locator("article:focus");
  const seen = await watch(ada);
  await ada.log.focus();
  await keyboard.press("ArrowUp");
  await keyboard.press("ArrowUp");
  await expect(focused).toHaveAccessibleName(/^ada, [^:]+:[^:]+: two$/);
  await edit(ada, room, 2, "two and a half");
  await expect(ada.bodies).toHaveText(["one", "two and a half", "three"]);
  await expect(focused).toHaveAccessibleName(/: two and a half$/);

  await keyboard.press("Tab");
  await expect(focused).toHaveCount(0);
  await edit(ada, room, 2, "two again");
  await expect(ada.bodies).toHaveText(["one", "two again", "three"]);
  expect(await at(ada), "its button keeps it, too").toBe("two again");
  await keyboard.press("Enter");
  const menu = ada.page.getByRole("group", { name: "This message" });
  await expect(menu).toBeVisible();
  await menu.getByRole("button", { name: "Delete" }).focus();
  await keyboard.press("Enter");
  await expect(menu.getByRole("button", { name: "Delete for good?" })).toBeFocused();
  await keyboard.press("Enter");
  await expect(ada.bodies).toHaveText(["one", "(deleted)", "three"]);
  await expect(focused).toHaveAccessibleName(/: \(deleted\)$/);
  await keyboard.press("ArrowUp");
  await expect(focused).toHaveAccessibleName(/: one$/);
  await expect(
    ada.log.locator("article[aria-label]"),
    "nothing else has a name that may grow old",
  ).toHaveCount(1);
  expect(await seen.jsonValue()).toEqual({ in: [], out: [], moved: 0 });
});

test("two pending messages with equal text are delivered independently", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const tab = await ada.tab();
  await tab.enter(room);
  let [posts, answer] = [0, () => {}];
  const held = new Promise<void>((resolve) => (answer = resolve));
  await ada.page.context().route("**/messages/", async (route) => {
    if (route.request().method() === "POST" && ++posts > 1) await held;
    await route.continue();
  });
  await ada.say("ok");
  await ada.say("ok");
  await expect.poll(() => posts).toBe(2);
  await webchat.post(room, "grace", "go on");
  for (const person of [ada, tab]) {
    await expect(person.bodies).toHaveText(["ok", "go on", "ok"]);
    await expect(person.pending).toHaveCount(1);
  }
  answer();
  for (const person of [ada, tab]) {
    await expect(person.pending).toHaveCount(0);
    await expect(person.bodies).toHaveText(["ok", "go on", "ok"]);
  }
});

test("a message that changes while its history page loads appears in its new form", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  for (const text of ["one", "two"]) await ada.say(text);
  await expect(ada.pending).toHaveCount(0);
  await fill(webchat, room, 1, 120);
  await ada.enter(room);
  await expect(ada.bodies).toHaveCount(100);
  let [asked, answer] = [false, () => {}];
  const held = new Promise<void>((resolve) => (answer = resolve));
  await ada.page.route("**/messages/?before=*", async (route) => {
    const response = await route.fetch();
    asked = true;
    await held;
    await route.fulfill({ response });
  });
  await ada.log.evaluate((log) => (log.scrollTop = -log.scrollHeight));
  await expect.poll(() => asked).toBe(true);
  await edit(ada, room, 1, "one and a half");
  const gone = await ada.page.request.delete(`${webchat.url}${room}messages/2/`, {
    headers: { Origin: webchat.url },
  });
  expect(gone.ok(), await gone.text()).toBe(true);
  await webchat.post(room, "grace", "after that");
  await expect(ada.bodies.last()).toHaveText("after that");
  answer();
  await expect(ada.bodies).toHaveCount(123);
  await expect(ada.bodies.first()).toHaveText("one and a half");
  await expect(ada.bodies.nth(1)).toHaveText("(deleted)");
});
