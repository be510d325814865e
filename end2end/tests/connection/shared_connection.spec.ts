// All tabs of a browser share one event stream, and survive the loss of the tab that holds it.

import { expect, test, type Person, type Webchat } from "../../support/webchat";

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `number ${from + i}`);

/** Opens these pages, each in a tab of its own; the first one leads. */
async function open(ada: Person, paths: string[]): Promise<Person[]> {
  const tabs: Person[] = [];
  for (const path of paths) {
    const tab = tabs.length === 0 ? ada : await ada.tab();
    await (path === "/" ? tab.go(path) : tab.enter(path));
    tabs.push(tab);
  }
  return tabs;
}

/** Posts without a pause until it is told to stop; then gives all that was posted. */
function talk(webchat: Webchat, room: string) {
  let talking = true;
  const said = (async () => {
    const texts: string[] = [];
    while (talking) {
      texts.push(`number ${texts.length + 1}`);
      await webchat.post(room, "grace", texts[texts.length - 1]);
    }
    return texts;
  })();
  return () => ((talking = false), said);
}

/** Which of these tabs hold a connection. */
const holders = (tabs: Person[]) =>
  [...tabs[0].streams].map((request) =>
    tabs.findIndex((tab) => tab.page === request.frame().page()),
  );

const crash = (tab: Person) =>
  Promise.all([tab.page.waitForEvent("crash"), tab.page.goto("chrome://crash").catch(() => {})]);

test("ten tabs share one connection over HTTP/1.1 and all update live", async ({
  webchat,
  come,
}) => {
  const [tea, rum] = [await webchat.room({ name: "Tea" }), await webchat.room({ name: "Rum" })];
  const ada = await come("ada");
  const tabs = await open(ada, ["/", tea, tea, rum, tea, "/", rum, tea, tea, rum]);
  await expect.poll(() => ada.streams.size).toBe(1);
  expect(ada.listening.sort()).toEqual([tea, rum, "/rooms/"].sort());

  await webchat.post(tea, "grace", "about tea");
  await webchat.post(rum, "grace", "about rum");
  await webchat.room({ name: "Coffee", public: true });
  for (const tab of tabs) {
    const { pathname } = new URL(tab.page.url());
    if (pathname === "/")
      await expect(tab.page.getByRole("link", { name: "Coffee" })).toBeVisible();
    else await expect(tab.bodies).toHaveText([pathname === tea ? "about tea" : "about rum"]);
  }
  await tabs[9].say("and I say");
  await expect(tabs[3].bodies).toHaveText(["about rum", "and I say"]);
  expect(
    await tabs[4].page.evaluate(
      async () => (await fetch("/rooms/", { headers: { Accept: "application/json" } })).status,
    ),
  ).toBe(200);
  expect(ada.streams.size).toBe(1);
});

for (const [how, end] of [
  ["closes", (tab: Person) => tab.page.close()],
  ["crashes", crash],
  ["navigates away", (tab: Person) => tab.page.goto("/docs/")],
] as const) {
  test(`when the leader tab ${how} another takes over, and no message is missing or duplicated`, async ({
    webchat,
    come,
  }) => {
    const [tea, rum] = [await webchat.room(), await webchat.room()];
    const ada = await come("ada");
    const [first, second, third, other] = await open(ada, [tea, tea, tea, rum]);
    const stop = talk(webchat, tea);
    // Not how many there are: what is drawn is bounded, however fast they come.
    const newest = async () => Number((await third.bodies.last().innerText()).split(" ")[1]);
    await expect.poll(newest).toBeGreaterThan(5);
    await end(first);
    const before = await newest();
    await expect.poll(newest).toBeGreaterThan(before + 5);
    await end(second);
    await webchat.post(rum, "grace", "still there?");
    await expect(other.bodies).toHaveText(["still there?"]);
    const said = await stop();
    await expect(third.bodies.last()).toHaveText(said[said.length - 1]);
    const drawn = await third.bodies.allInnerTexts();
    expect(drawn).toEqual(said.slice(-drawn.length));
    expect(drawn.length).toBe(Math.min(said.length, drawn.length));
    await third.live();
    await expect.poll(() => ada.streams.size).toBe(1);
    expect(ada.listening.sort()).toEqual(["/rooms/", tea, rum].sort());
  });
}

test("a frozen leader tab hands over to another tab", async ({ webchat, come }) => {
  const tea = await webchat.room();
  const ada = await come("ada");
  const [first, second] = await open(ada, [tea, tea]);
  // A browser under test never hides a page, so it freezes none: the page is told.
  await first.page.evaluate(() => document.dispatchEvent(new Event("freeze")));
  await webchat.post(tea, "grace", "are you there?");
  await expect(second.bodies).toHaveText(["are you there?"]);
  await expect.poll(() => holders([first, second])).toEqual([1]);
  await expect(first.bodies).toHaveCount(0);
  await first.page.evaluate(() => document.dispatchEvent(new Event("resume")));
  await expect(first.bodies).toHaveText(["are you there?"]);
  await webchat.post(tea, "grace", "both of you?");
  for (const tab of [first, second])
    await expect(tab.bodies).toHaveText(["are you there?", "both of you?"]);
  await expect.poll(() => ada.streams.size).toBe(1);
});

test("a leader tab that stops responding is replaced", async ({
  webchat,
  come,
}) => {
  const tea = await webchat.room();
  const ada = await come("ada");
  await ada.installClock();
  const [first, second] = await open(ada, [tea, tea]);
  await first.page.evaluate(() => (BroadcastChannel.prototype.postMessage = () => {}));
  await webchat.post(tea, "grace", "are you there?");
  await expect(first.bodies).toHaveText(["are you there?"]);
  // Long enough to wonder, and then to wait for an answer.
  await second.page.clock.runFor(5_000);
  await second.page.clock.runFor(5_000);
  await expect(second.bodies).toHaveText(["are you there?"]);
  await expect.poll(() => holders([first, second])).toEqual([1]);
});

test("a tab that connects late from an older cursor misses no message", async ({ webchat, come }) => {
  const tea = await webchat.room();
  const ada = await come("ada");
  await ada.enter(tea);
  await webchat.post(tea, "grace", "number 1");
  const late = await ada.tab();
  let arrive = () => {};
  const held = new Promise<void>((resolve) => (arrive = resolve));
  await late.page.route("**/*.js", async (route) => {
    await held;
    await route.continue();
  });
  await late.page.goto(tea, { waitUntil: "commit" });
  await expect(late.bodies).toHaveText(["number 1"]);
  for (const text of numbers(2, 20)) await webchat.post(tea, "grace", text);
  await expect(ada.bodies).toHaveText(numbers(1, 20));
  arrive();
  await expect(late.bodies).toHaveText(numbers(1, 20));
  await webchat.post(tea, "grace", "number 21");
  for (const tab of [ada, late]) await expect(tab.bodies).toHaveText(numbers(1, 21));
  await expect.poll(() => ada.streams.size).toBe(1);
});

test("opening and closing a tab does not interrupt the connection of the others", async ({ webchat, come }) => {
  const [tea, rum] = [await webchat.room(), await webchat.room()];
  const ada = await come("ada");
  await ada.enter(tea);
  const states = await ada.connection.evaluateHandle((status) => {
    const seen: string[] = [];
    new MutationObserver(() => seen.push(status.textContent ?? "")).observe(status, {
      characterData: true,
      childList: true,
      subtree: true,
    });
    return seen;
  });
  const tab = await ada.tab();
  await tab.enter(rum);
  await tab.go("/");
  await tab.page.close();
  await expect.poll(() => ada.listening).toEqual(["/rooms/", tea]);
  await webchat.post(tea, "grace", "hello");
  await expect(ada.bodies).toHaveText(["hello"]);
  expect(await states.jsonValue()).toEqual([]);
});

test("checking for a leader does not make it resend messages", async ({
  webchat,
  come,
}) => {
  const tea = await webchat.room();
  const ada = await come("ada");
  await ada.installClock();
  const [, second] = await open(ada, [tea, tea]);
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
  // Words keep their order: once the second time is answered, all of the first answer has been heard.
  for (let time = 0; time < 2; time++) {
    const before = await states();
    // In small steps, so that the answer comes before patience ends.
    await expect
      .poll(async () => (await second.page.clock.runFor(1_000), states()))
      .toBeGreaterThan(before);
  }
  expect(await said.jsonValue()).not.toContain("heard");
});

test("each tab adds to the browser's recently visited rooms", async ({ webchat, come }) => {
  const [tea, rum] = [await webchat.room({ name: "Tea" }), await webchat.room({ name: "Rum" })];
  const ada = await come("ada");
  const [first] = await open(ada, ["/", tea]);
  await first.page.getByRole("textbox", { name: "Join a room" }).fill(rum.split("/")[2]);
  await first.page.getByRole("button", { name: "Join" }).click();
  await first.live();
  await first.go("/");
  await expect(first.page.getByRole("region", { name: "Your rooms" }).getByRole("link")).toHaveText(
    [/Rum/, /Tea/],
  );
});

test("every tab shows the connection's status", async ({ webchat, come }) => {
  const [tea, rum] = [await webchat.room(), await webchat.room()];
  const ada = await come("ada");
  const tabs = await open(ada, [tea, tea, rum]);
  await ada.page.context().setOffline(true);
  for (const tab of tabs) await expect(tab.connection).toHaveText("Offline");
  await webchat.post(rum, "grace", "meanwhile");
  await ada.page.context().setOffline(false);
  for (const tab of tabs) await tab.live();
  await expect(tabs[2].bodies).toHaveText(["meanwhile"]);
  const again = await webchat.stop().then(() => webchat);
  for (const tab of tabs) await expect(tab.connection).toHaveText("Reconnecting");
  const server = await again.again();
  for (const tab of tabs) await tab.live();
  await server.stop();
});

test("a closed room closes in its own tabs, and other tabs stay live", async ({
  webchat,
  come,
}) => {
  const [tea, rum] = [await webchat.room(), await webchat.room({ timeout: "8s" })];
  const ada = await come("ada");
  const [first, second, third] = await open(ada, [rum, tea, rum]);
  for (const tab of [first, third])
    await expect(tab.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  await expect.poll(() => ada.listening).toEqual(["/rooms/", tea]);
  await second.live();
  await webchat.post(tea, "grace", "still open");
  await expect(second.bodies).toHaveText(["still open"]);
});

test("forty rooms are split over two connections", async ({ webchat, come }) => {
  const rooms = await Promise.all(Array.from({ length: 40 }, () => webchat.room()));
  const ada = await come("ada");
  await ada.enter(rooms[0]);
  // Tabs that are there and say what they need, and nothing else.
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
        channel.postMessage(["need", `tab ${i}`, id, "0"]);
      }
    },
    rooms.slice(1).map((room) => room.split("/")[2]),
  );
  await expect.poll(() => ada.listening.sort()).toEqual(["/rooms/", ...rooms].sort());
  await expect.poll(() => ada.streams.size).toBe(2);
  await ada.live();
  await webchat.post(rooms[0], "grace", "hello");
  await expect(ada.bodies).toHaveText(["hello"]);
});

for (const lacks of ["locks", "BroadcastChannel"]) {
  test(`a browser without ${lacks} opens one connection per tab`, async ({ webchat, come }) => {
    const tea = await webchat.room();
    const ada = await come("ada");
    await ada.page.context().addInitScript((lacks) => {
      delete (
        lacks === "locks"
          ? (Navigator.prototype as object as Record<string, unknown>)
          : (window as object as Record<string, unknown>)
      )[lacks];
    }, lacks);
    const tabs = await open(ada, [tea, tea]);
    expect(ada.streams.size).toBe(2);
    await tabs[0].say("from one");
    await tabs[1].say("from two");
    for (const tab of tabs) await expect(tab.bodies).toHaveCount(2);
    expect(await webchat.said(tea)).toHaveLength(2);
    await tabs[0].go("/");
    await expect.poll(() => ada.listening.sort()).toEqual(["/rooms/", "/rooms/", tea].sort());
  });
}
