// The outbox: every message is delivered exactly once, in order, across failures, reloads and tabs.

import { expect, test, type Person } from "../../support/webchat";

test("a sent message appears at once and is delivered exactly once", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await ada.page.route("**/messages/", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });

  await ada.say("on my way");
  await expect(ada.pending).toHaveText(/on my way/);
  await expect(ada.field).toHaveValue("");
  const before = await ada.messages.boundingBox();
  expect(await webchat.said(room)).toEqual([]);

  answer();
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["on my way"]);
  expect(await ada.messages.boundingBox(), "nothing moves when it is delivered").toEqual(before);
  expect(await webchat.said(room)).toEqual(["on my way"]);
});

test("a message whose response was lost is retried and stored once", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  let attempts = 0;
  await ada.page.route("**/messages/", async (route) => {
    attempts += 1;
    if (attempts > 1) return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  await ada.say("once");
  await ada.say("twice");
  await expect(grace.bodies).toHaveText(["once", "twice"]);
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["once", "twice"]);
  expect(attempts).toBe(3);
  expect(await webchat.said(room)).toEqual(["once", "twice"]);
});

test("a refused message shows the reason and can be sent again or removed", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const problem = { type: "about:blank", title: "Forbidden", status: 403, detail: "not today" };
  await ada.page.route("**/messages/", (route) =>
    route.fulfill({
      status: 403,
      contentType: "application/problem+json",
      body: JSON.stringify(problem),
    }),
  );
  await ada.say("please");
  await ada.say("or this");
  await expect(ada.log.getByRole("alert")).toHaveText([
    /Not sent. not today/i,
    /Not sent. not today/i,
  ]);
  await ada.page.unroute("**/messages/");
  await ada.messages
    .filter({ hasText: "or this" })
    .getByRole("button", { name: "Remove" })
    .press("Enter");
  await expect(ada.log).toBeFocused();
  await ada.page.getByRole("button", { name: "Send again" }).press("Enter");
  await expect(ada.log).toBeFocused();
  await expect(ada.log.getByRole("alert")).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["please"]);
  await expect.poll(() => webchat.said(room)).toEqual(["please"]);
});

/** How many messages the browser keeps to be sent. */
const kept = (person: Person) =>
  person.page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open("webchat");
        opening.onerror = reject;
        opening.onsuccess = () => {
          const counting = opening.result.transaction("outbox").objectStore("outbox").count();
          counting.onsuccess = () => (opening.result.close(), resolve(counting.result));
        };
      }),
  );

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `number ${from + i}`);

for (const [how, end] of [
  ["reloading the page", (ada: Person) => ada.page.reload()],
  ["closing the tab", (ada: Person) => ada.page.close()],
  [
    "a crash",
    async (ada: Person) => {
      await Promise.all([
        ada.page.waitForEvent("crash"),
        ada.page.goto("chrome://crash").catch(() => {}),
      ]);
      await ada.page.close();
    },
  ],
] as const) {
  test(`queued messages survive ${how} and the next visit delivers each once, in order`, async ({
    webchat,
    come,
  }) => {
    const room = await webchat.room();
    const ada = await come("ada");
    await ada.enter(room);
    const context = ada.page.context();
    await context.route("**/messages/", (route) =>
      route.request().method() === "POST" ? route.abort() : route.continue(),
    );
    for (const text of numbers(1, 5)) await ada.say(text);
    await expect(ada.pending).toHaveCount(5);
    await expect.poll(() => kept(ada)).toBe(5);
    await end(ada);
    const again = await ada.tab();
    await again.enter(room);
    await expect(again.bodies).toHaveText(numbers(1, 5));
    await expect(again.pending).toHaveCount(5);
    expect(await webchat.said(room)).toEqual([]);

    await context.unroute("**/messages/");
    await again.page.reload();
    await expect.poll(() => webchat.said(room)).toEqual(numbers(1, 5));
    await expect(again.bodies).toHaveText(numbers(1, 5));
    await expect(again.pending).toHaveCount(0);
    await expect.poll(() => kept(again)).toBe(0);
  });
}

test("one tab sends for all tabs of a room, and another continues when it closes", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const tabs = [ada, await ada.tab(), await ada.tab()];
  for (const tab of tabs) await tab.enter(room);
  const context = ada.page.context();
  const senders = new Set<number>();
  let answer = false;
  await context.route("**/messages/", async (route) => {
    const request = route.request();
    if (request.method() === "POST")
      senders.add(tabs.findIndex((tab) => tab.page === request.frame().page()));
    // What got no answer has arrived all the same.
    if (request.method() === "POST" && !answer) await route.fetch().then(() => route.abort());
    else await route.continue();
  });
  for (const [i, text] of numbers(1, 6).entries()) {
    await tabs[i % 3].say(text);
    for (const tab of tabs) await expect(tab.bodies).toHaveText(numbers(1, i + 1));
  }
  expect([...senders]).toEqual([0]);
  expect(await webchat.said(room)).toEqual(["number 1"]);
  await tabs[0].page.close();
  answer = true;
  for (const tab of tabs.slice(1)) {
    await expect(tab.pending).toHaveCount(0);
    await expect(tab.bodies).toHaveText(numbers(1, 6));
  }
  expect(await webchat.said(room)).toEqual(numbers(1, 6));
  expect(senders.size).toBe(2);
});

test("a message that was stored before its page was reloaded is delivered once", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const { page } = ada;
  let attempts = 0;
  await page.route("**/messages/", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    attempts += 1;
    if (attempts === 1) await route.fetch();
    if (attempts === 1) return route.abort("connectionreset");
    await route.continue();
  });
  await Promise.all([
    page.waitForEvent("requestfailed", (request) => request.method() === "POST"),
    ada.say("once"),
  ]);
  await page.reload();
  await ada.live();
  await expect.poll(() => attempts).toBe(2);
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["once"]);
  expect(await webchat.said(room)).toEqual(["once"]);
});

test("two offline tabs send each queued message once", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const context = ada.page.context();
  const second = await context.newPage();
  await second.goto(room);
  await expect(second.locator(".connection [role=status]")).toHaveText("Live");
  await context.setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  await ada.say("from the first");
  await second.getByRole("textbox", { name: "Message", exact: true }).fill("from the second");
  await second.keyboard.press("Enter");
  await context.setOffline(false);
  await expect(ada.bodies).toHaveCount(2);
  await expect(second.locator("article .body")).toHaveCount(2);
  await ada.page.reload();
  await ada.live();
  await expect(ada.bodies).toHaveCount(2);
  expect((await webchat.said(room)).sort()).toEqual(["from the first", "from the second"]);
});
