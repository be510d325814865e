// All tabs of a browser share one event stream, and survive the loss of the tab that holds it.

import { expect, test, type User, type Webchat } from "../../support/webchat";
import { numberedTexts } from "../../support/numbered_texts";
import { Gate } from "../../support/gate";

/** Opens each path in its own tab; the first tab is the leader. */
async function openTabs(ada: User, paths: string[]): Promise<User[]> {
  const tabs: User[] = [];
  for (const path of paths) {
    const tab = tabs.length === 0 ? ada : await ada.openTab();
    await (path === "/" ? tab.visit(path) : tab.openRoom(path));
    tabs.push(tab);
  }
  return tabs;
}

/** Posts numbered messages continuously; the returned function stops and returns their texts. */
function postContinuously(webchat: Webchat, room: string) {
  let talking = true;
  const said = (async () => {
    const texts: string[] = [];
    while (talking) {
      texts.push(`number ${texts.length + 1}`);
      await webchat.postMessage(room, "grace", texts[texts.length - 1]);
    }
    return texts;
  })();
  return () => ((talking = false), said);
}

/** The indices of the tabs that hold an event stream. */
const leaderTabs = (tabs: User[]) =>
  [...tabs[0].openStreams].map((request) =>
    tabs.findIndex((tab) => tab.page === request.frame().page()),
  );

const crashTab = (tab: User) =>
  Promise.all([tab.page.waitForEvent("crash"), tab.page.goto("chrome://crash").catch(() => {})]);

test("ten tabs share one connection over HTTP/1.1 and all update live", async ({
  webchat,
  openBrowser,
}) => {
  const tea = await webchat.createRoom({ name: "Tea" });
  const rum = await webchat.createRoom({ name: "Rum" });
  const ada = await openBrowser("ada");
  const tabs = await openTabs(ada, ["/", tea, tea, rum, tea, "/", rum, tea, tea, rum]);
  await expect.poll(() => ada.openStreams.size).toBe(1);
  expect(ada.subscribedPaths.sort()).toEqual([tea, rum, "/rooms/"].sort());

  await webchat.postMessage(tea, "grace", "about tea");
  await webchat.postMessage(rum, "grace", "about rum");
  await webchat.createRoom({ name: "Coffee", public: true });
  for (const tab of tabs) {
    const { pathname } = new URL(tab.page.url());
    if (pathname === "/")
      await expect(tab.page.getByRole("link", { name: "Coffee" })).toBeVisible();
    else await expect(tab.messageBodies).toHaveText([pathname === tea ? "about tea" : "about rum"]);
  }
  await tabs[9].send("and I say");
  await expect(tabs[3].messageBodies).toHaveText(["about rum", "and I say"]);
  expect(
    await tabs[4].page.evaluate(
      async () => (await fetch("/rooms/", { headers: { Accept: "application/json" } })).status,
    ),
  ).toBe(200);
  expect(ada.openStreams.size).toBe(1);
});

for (const [how, end] of [
  ["closes", (tab: User) => tab.page.close()],
  ["crashes", crashTab],
  ["navigates away", (tab: User) => tab.page.goto("/docs/")],
] as const) {
  test(`when the leader tab ${how} another takes over, and no message is missing or duplicated`, async ({
    webchat,
    openBrowser,
  }) => {
    const tea = await webchat.createRoom();
    const rum = await webchat.createRoom();
    const ada = await openBrowser("ada");
    const [first, second, third, other] = await openTabs(ada, [tea, tea, tea, rum]);
    const stop = postContinuously(webchat, tea);
    // Not the number of rows: that is bounded, however fast messages arrive.
    const newest = async () => Number((await third.messageBodies.last().innerText()).split(" ")[1]);
    await expect.poll(newest).toBeGreaterThan(5);
    await end(first);
    const before = await newest();
    await expect.poll(newest).toBeGreaterThan(before + 5);
    await end(second);
    await webchat.postMessage(rum, "grace", "still there?");
    await expect(other.messageBodies).toHaveText(["still there?"]);
    const said = await stop();
    await expect(third.messageBodies.last()).toHaveText(said[said.length - 1]);
    const drawn = await third.messageBodies.allInnerTexts();
    expect(drawn).toEqual(said.slice(-drawn.length));
    expect(drawn.length).toBeGreaterThanOrEqual(Math.min(said.length, 100));
    await third.waitUntilLive();
    await expect.poll(() => ada.openStreams.size).toBe(1);
    expect(ada.subscribedPaths.sort()).toEqual(["/rooms/", tea, rum].sort());
  });
}

test("a frozen leader tab hands over to another tab", async ({ webchat, openBrowser }) => {
  const tea = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const [first, second] = await openTabs(ada, [tea, tea]);
  // Playwright cannot freeze a page, so the test dispatches the event.
  await first.page.evaluate(() => document.dispatchEvent(new Event("freeze")));
  await webchat.postMessage(tea, "grace", "are you there?");
  await expect(second.messageBodies).toHaveText(["are you there?"]);
  await expect.poll(() => leaderTabs([first, second])).toEqual([1]);
  await expect(first.messageBodies).toHaveCount(0);
  await first.page.evaluate(() => document.dispatchEvent(new Event("resume")));
  await expect(first.messageBodies).toHaveText(["are you there?"]);
  await webchat.postMessage(tea, "grace", "both of you?");
  for (const tab of [first, second])
    await expect(tab.messageBodies).toHaveText(["are you there?", "both of you?"]);
  await expect.poll(() => ada.openStreams.size).toBe(1);
});

test("a leader tab that stops responding is replaced", async ({ webchat, openBrowser }) => {
  const tea = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.installClock();
  const [first, second] = await openTabs(ada, [tea, tea]);
  await first.page.evaluate(() => (BroadcastChannel.prototype.postMessage = () => {}));
  await webchat.postMessage(tea, "grace", "are you there?");
  await expect(first.messageBodies).toHaveText(["are you there?"]);
  // First the tab asks the leader, then it stops waiting for the answer.
  await second.page.clock.runFor(5_000);
  await second.page.clock.runFor(5_000);
  await expect(second.messageBodies).toHaveText(["are you there?"]);
  await expect.poll(() => leaderTabs([first, second])).toEqual([1]);
});

test("a tab that connects late from an older cursor misses no message", async ({
  webchat,
  openBrowser,
}) => {
  const tea = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(tea);
  await webchat.postMessage(tea, "grace", "number 1");
  const late = await ada.openTab();
  const arrivalGate = new Gate();
  await late.page.route("**/*.js", async (route) => {
    await arrivalGate.opened;
    await route.continue();
  });
  await late.page.goto(tea, { waitUntil: "commit" });
  await expect(late.messageBodies).toHaveText(["number 1"]);
  for (const text of numberedTexts(2, 20)) await webchat.postMessage(tea, "grace", text);
  await expect(ada.messageBodies).toHaveText(numberedTexts(1, 20));
  arrivalGate.open();
  await expect(late.messageBodies).toHaveText(numberedTexts(1, 20));
  await webchat.postMessage(tea, "grace", "number 21");
  for (const tab of [ada, late]) await expect(tab.messageBodies).toHaveText(numberedTexts(1, 21));
  await expect.poll(() => ada.openStreams.size).toBe(1);
});

test("opening and closing a tab does not interrupt the connection of the others", async ({
  webchat,
  openBrowser,
}) => {
  const tea = await webchat.createRoom();
  const rum = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(tea);
  const states = await ada.connectionStatus.evaluateHandle((status) => {
    const seen: string[] = [];
    new MutationObserver(() => seen.push(status.textContent ?? "")).observe(status, {
      characterData: true,
      childList: true,
      subtree: true,
    });
    return seen;
  });
  const tab = await ada.openTab();
  await tab.openRoom(rum);
  await tab.visit("/");
  await tab.page.close();
  await expect.poll(() => ada.subscribedPaths).toEqual(["/rooms/", tea]);
  await webchat.postMessage(tea, "grace", "hello");
  await expect(ada.messageBodies).toHaveText(["hello"]);
  expect(await states.jsonValue()).toEqual([]);
});

test("checking for a leader does not make it resend messages", async ({ webchat, openBrowser }) => {
  const tea = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.installClock();
  const [, second] = await openTabs(ada, [tea, tea]);
  await expect(second.page.getByRole("button", { name: "1 here" })).toBeVisible();
  const said = await second.page.evaluateHandle(async () => {
    const held = ((await navigator.locks.query()).held ?? []).map((lock) => lock.name ?? "");
    const channel = new BroadcastChannel(
      held.find((name) => name.endsWith("/lead"))?.replace("/lead", "") ?? "",
    );
    const words: string[] = [];
    channel.onmessage = ({ data }) => words.push((data as string[])[0]);
    return words;
  });
  const states = async () => (await said.jsonValue()).filter((word) => word === "state").length;
  const waitForAnswer = async () => {
    const before = await states();
    // In small steps, so that the answer arrives before the tab's timeout.
    await expect
      .poll(async () => (await second.page.clock.runFor(1_000), states()))
      .toBeGreaterThan(before);
  };
  // What the tabs say to each other when they start comes before the first answer.
  await waitForAnswer();
  await said.evaluate((words) => (words.length = 0));
  // A channel keeps its order: the second answer arrives after everything of the first.
  for (let time = 0; time < 2; time++) await waitForAnswer();
  expect(await said.jsonValue()).not.toContain("event");
});

test("each tab adds to the browser's recently visited rooms", async ({ webchat, openBrowser }) => {
  const tea = await webchat.createRoom({ name: "Tea" });
  const rum = await webchat.createRoom({ name: "Rum" });
  const ada = await openBrowser("ada");
  const [first] = await openTabs(ada, ["/", tea]);
  await first.page.getByRole("textbox", { name: "Join a room" }).fill(rum.split("/")[2]);
  await first.page.getByRole("button", { name: "Join" }).click();
  await first.waitUntilLive();
  await first.visit("/");
  await expect(first.page.getByRole("region", { name: "Your rooms" }).getByRole("link")).toHaveText(
    [/Rum/, /Tea/],
  );
});

test("every tab shows the connection's status", async ({ webchat, openBrowser }) => {
  const tea = await webchat.createRoom();
  const rum = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const tabs = await openTabs(ada, [tea, tea, rum]);
  await ada.page.context().setOffline(true);
  for (const tab of tabs) await expect(tab.connectionStatus).toHaveText("Offline");
  await webchat.postMessage(rum, "grace", "meanwhile");
  await ada.page.context().setOffline(false);
  for (const tab of tabs) await tab.waitUntilLive();
  await expect(tabs[2].messageBodies).toHaveText(["meanwhile"]);
  const again = await webchat.stop().then(() => webchat);
  for (const tab of tabs) await expect(tab.connectionStatus).toHaveText("Reconnecting");
  const server = await again.restart();
  for (const tab of tabs) await tab.waitUntilLive();
  await server.stop();
});

test("a closed room closes in its own tabs, and other tabs stay live", async ({
  webchat,
  openBrowser,
}) => {
  const tea = await webchat.createRoom();
  const rum = await webchat.createRoom({ timeout: "8s" });
  const ada = await openBrowser("ada");
  const [first, second, third] = await openTabs(ada, [rum, tea, rum]);
  for (const tab of [first, third])
    await expect(tab.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  await expect.poll(() => ada.subscribedPaths).toEqual(["/rooms/", tea]);
  await second.waitUntilLive();
  await webchat.postMessage(tea, "grace", "still open");
  await expect(second.messageBodies).toHaveText(["still open"]);
});

test("forty rooms are split over two connections", async ({ webchat, openBrowser }) => {
  const rooms = await Promise.all(Array.from({ length: 40 }, () => webchat.createRoom()));
  const ada = await openBrowser("ada");
  await ada.openRoom(rooms[0]);
  // Simulated tabs that hold their lock and announce their subscriptions.
  await ada.page.evaluate(
    async (ids) => {
      const held = ((await navigator.locks.query()).held ?? []).map((lock) => lock.name ?? "");
      const name = held.find((name) => name.endsWith("/lead"))?.replace("/lead", "") ?? "";
      const channel = new BroadcastChannel(name);
      for (const [i, id] of ids.entries()) {
        await new Promise<void>(
          (there) =>
            void navigator.locks.request(
              `${name}/tab ${i}`,
              () => (there(), new Promise(() => {})),
            ),
        );
        channel.postMessage(["subscribe", `tab ${i}`, id, "0"]);
      }
    },
    rooms.slice(1).map((room) => room.split("/")[2]),
  );
  await expect.poll(() => ada.subscribedPaths.sort()).toEqual(["/rooms/", ...rooms].sort());
  await expect.poll(() => ada.openStreams.size).toBe(2);
  await ada.waitUntilLive();
  await webchat.postMessage(rooms[0], "grace", "hello");
  await expect(ada.messageBodies).toHaveText(["hello"]);
});

for (const lacks of ["locks", "BroadcastChannel"]) {
  test(`a browser without ${lacks} opens one connection per tab`, async ({
    webchat,
    openBrowser,
  }) => {
    const tea = await webchat.createRoom();
    const ada = await openBrowser("ada");
    await ada.page.context().addInitScript((lacks) => {
      delete (
        lacks === "locks"
          ? (Navigator.prototype as object as Record<string, unknown>)
          : (window as object as Record<string, unknown>)
      )[lacks];
    }, lacks);
    const tabs = await openTabs(ada, [tea, tea]);
    expect(ada.openStreams.size).toBe(2);
    await tabs[0].send("from one");
    await tabs[1].send("from two");
    for (const tab of tabs) await expect(tab.messageBodies).toHaveCount(2);
    expect(await webchat.messageTexts(tea)).toHaveLength(2);
    await tabs[0].visit("/");
    await expect.poll(() => ada.subscribedPaths.sort()).toEqual(["/rooms/", "/rooms/", tea].sort());
  });
}
