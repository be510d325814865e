// The outbox: every message is delivered exactly once, in order, across failures, reloads and tabs.

import { expect, test, type User } from "../../support/webchat";
import { numberedTexts } from "../../support/numbered_texts";
import { Gate } from "../../support/gate";

test("a sent message appears at once and is delivered exactly once", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const answerGate = new Gate();
  await ada.page.route("**/messages/", async (route) => {
    if (route.request().method() === "POST") await answerGate.opened;
    await route.continue();
  });

  await ada.send("on my way");
  await expect(ada.pendingMessages).toHaveText(/on my way/);
  await expect(ada.messageField).toHaveValue("");
  const before = await ada.messages.boundingBox();
  expect(await webchat.messageTexts(room)).toEqual([]);

  answerGate.open();
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.messageBodies).toHaveText(["on my way"]);
  expect(await ada.messages.boundingBox(), "delivery moves nothing").toEqual(before);
  expect(await webchat.messageTexts(room)).toEqual(["on my way"]);
});

test("a message whose response was lost is retried and stored once", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  let attempts = 0;
  await ada.page.route("**/messages/", async (route) => {
    attempts += 1;
    if (attempts > 1) return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  await ada.send("once");
  await ada.send("twice");
  await expect(grace.messageBodies).toHaveText(["once", "twice"]);
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.messageBodies).toHaveText(["once", "twice"]);
  expect(attempts).toBe(3);
  expect(await webchat.messageTexts(room)).toEqual(["once", "twice"]);
});

test("a refused message shows the reason and can be sent again or removed", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const problem = { type: "about:blank", title: "Forbidden", status: 403, detail: "not today" };
  await ada.page.route("**/messages/", (route) =>
    route.fulfill({
      status: 403,
      contentType: "application/problem+json",
      body: JSON.stringify(problem),
    }),
  );
  await ada.send("please");
  await ada.send("or this");
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
  await expect(ada.messageBodies).toHaveText(["please"]);
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["please"]);
});

/** The number of queued messages in the browser's database. */
const storedMessages = (user: User) =>
  user.page.evaluate(
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

for (const [how, end] of [
  ["reloading the page", (ada: User) => ada.page.reload()],
  ["closing the tab", (ada: User) => ada.page.close()],
  [
    "a crash",
    async (ada: User) => {
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
    openBrowser,
  }) => {
    const room = await webchat.createRoom();
    const ada = await openBrowser("ada");
    await ada.openRoom(room);
    const context = ada.page.context();
    await context.route("**/messages/", (route) =>
      route.request().method() === "POST" ? route.abort() : route.continue(),
    );
    for (const text of numberedTexts(1, 5)) await ada.send(text);
    await expect(ada.pendingMessages).toHaveCount(5);
    await expect.poll(() => storedMessages(ada)).toBe(5);
    await end(ada);
    const again = await ada.openTab();
    await again.openRoom(room);
    await expect(again.messageBodies).toHaveText(numberedTexts(1, 5));
    await expect(again.pendingMessages).toHaveCount(5);
    expect(await webchat.messageTexts(room)).toEqual([]);

    await context.unroute("**/messages/");
    await again.page.reload();
    await expect.poll(() => webchat.messageTexts(room)).toEqual(numberedTexts(1, 5));
    await expect(again.messageBodies).toHaveText(numberedTexts(1, 5));
    await expect(again.pendingMessages).toHaveCount(0);
    await expect.poll(() => storedMessages(again)).toBe(0);
  });
}

test("one tab sends for all tabs of a room, and another continues when it closes", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const tabs = [ada, await ada.openTab(), await ada.openTab()];
  for (const tab of tabs) await tab.openRoom(room);
  const context = ada.page.context();
  const senders = new Set<number>();
  let answer = false;
  await context.route("**/messages/", async (route) => {
    const request = route.request();
    if (request.method() === "POST")
      senders.add(tabs.findIndex((tab) => tab.page === request.frame().page()));
    // The server stores the message, but the page gets no response.
    if (request.method() === "POST" && !answer) await route.fetch().then(() => route.abort());
    else await route.continue();
  });
  for (const [i, text] of numberedTexts(1, 6).entries()) {
    await tabs[i % 3].send(text);
    for (const tab of tabs) await expect(tab.messageBodies).toHaveText(numberedTexts(1, i + 1));
  }
  expect([...senders]).toEqual([0]);
  expect(await webchat.messageTexts(room)).toEqual(["number 1"]);
  await tabs[0].page.close();
  answer = true;
  for (const tab of tabs.slice(1)) {
    await expect(tab.pendingMessages).toHaveCount(0);
    await expect(tab.messageBodies).toHaveText(numberedTexts(1, 6));
  }
  expect(await webchat.messageTexts(room)).toEqual(numberedTexts(1, 6));
  expect(senders.size).toBe(2);
});

test("a guest can edit and delete a message in a tab that did not send it", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const tab = await ada.openTab();
  const grace = await openBrowser("grace");
  for (const user of [ada, tab, grace]) await user.openRoom(room);
  const texts = numberedTexts(1, 5);
  for (const text of texts) await ada.send(text);
  for (const user of [tab, grace]) await expect(user.messageBodies).toHaveText(texts);
  await expect(tab.log.locator("article.own:not(.pending)"), "without a reload").toHaveCount(5);
  await expect(grace.log.locator("article.own:not(.pending)")).toHaveCount(0);

  await tab.messageField.press("ArrowUp");
  await expect(tab.messageField).toHaveValue(texts[4]);
  await tab.send("edited elsewhere");
  const menu = await tab.openMessageMenu(tab.messages.first());
  await menu.getByRole("button", { name: "Delete", exact: true }).click();
  await tab.page.getByRole("button", { name: "Delete for good?" }).click();
  const expected = ["(deleted)", ...texts.slice(1, 4), "edited elsewhere"];
  for (const user of [ada, tab, grace]) await expect(user.messageBodies).toHaveText(expected);
});

test("a message that was stored before its page was reloaded is delivered once", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
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
    ada.send("once"),
  ]);
  await page.reload();
  await ada.waitUntilLive();
  await expect.poll(() => attempts).toBe(2);
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.messageBodies).toHaveText(["once"]);
  expect(await webchat.messageTexts(room)).toEqual(["once"]);
});

test("two offline tabs send each queued message once", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const context = ada.page.context();
  const second = await context.newPage();
  await second.goto(room);
  await expect(second.locator(".connection [role=status]")).toHaveText("Live");
  await context.setOffline(true);
  await expect(ada.connectionStatus).toHaveText("Offline");
  await ada.send("from the first");
  await second.getByRole("textbox", { name: "Message", exact: true }).fill("from the second");
  await second.keyboard.press("Enter");
  await context.setOffline(false);
  await expect(ada.messageBodies).toHaveCount(2);
  await expect(second.locator("article .body")).toHaveCount(2);
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.messageBodies).toHaveCount(2);
  expect((await webchat.messageTexts(room)).sort()).toEqual(["from the first", "from the second"]);
});

test("an equal message of another author is not taken for the pending message", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.page.route("**/messages/", (route) => route.abort());
  for (let n = 0; n < 2; n++) await ada.send("hi");
  await expect(ada.pendingMessages).toHaveCount(2);
  await webchat.postMessage(room, "ada", "hi");
  await expect(ada.messageBodies).toHaveText(["hi", "hi", "hi"]);
  await expect(ada.pendingMessages).toHaveCount(2);
  await ada.page.unroute("**/messages/");
  await ada.page.evaluate(() => window.dispatchEvent(new Event("online")));
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.messageBodies).toHaveText(["hi", "hi", "hi"]);
  expect(await webchat.messageTexts(room)).toEqual(["hi", "hi", "hi"]);
});
