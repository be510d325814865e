// Pages that resume after a suspension catch up on every missed message, exactly once.

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test as base, expect, Person, type Webchat } from "../../support/webchat";

/** The way to a server, whose event streams may go silent without anybody being told. */
class Line {
  private readonly pairs = new Set<{ near: Socket; far: Socket; streams: boolean }>();
  private readonly server = createServer((near) => {
    const far = connect(Number(new URL(this.webchat.url).port), "127.0.0.1");
    const pair = { near, far, streams: false };
    this.pairs.add(pair);
    near.on("data", (data) => (pair.streams ||= data.includes("text/event-stream")));
    near.pipe(far).pipe(near);
    for (const end of [near, far])
      end
        .on("error", () => {})
        .on("close", () => (near.destroy(), far.destroy(), this.pairs.delete(pair)));
  });

  constructor(private readonly webchat: Webchat) {}

  async open(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on nothing comes by the streams that are open; whatever else is idle ends. */
  silence() {
    for (const { near, far, streams } of this.pairs) {
      if (streams) far.unpipe(near).resume();
      else near.destroy();
    }
  }

  close() {
    for (const { near } of this.pairs) near.destroy();
    this.server.close();
  }
}

const test = base.extend<{ line: Line; ada: Person }>({
  line: async ({ webchat }, use) => {
    const line = new Line(webchat);
    await use(line);
    line.close();
  },
  ada: async ({ browser, line }, use) => {
    const ada = await Person.come(browser, await line.open(), "ada");
    await ada.installClock();
    await use(ada);
    await ada.leave();
    expect(ada.complaints).toEqual([]);
  },
});

/** A browser under test never hides a page, so it is told that it is hidden. */
const hide = (person: Person, hidden: boolean) =>
  person.page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, hidden);

const missed = ["one", "two", "three"];

const ways: Record<string, (ada: Person, meanwhile: () => Promise<void>) => Promise<void>> = {
  async "into view"(ada, meanwhile) {
    await hide(ada, true);
    await meanwhile();
    await ada.page.clock.fastForward("03:00");
    await hide(ada, false);
  },
  async "from the back/forward cache"(ada, meanwhile) {
    await ada.page.evaluate(() =>
      dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })),
    );
    await meanwhile();
    await ada.page.evaluate(() =>
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })),
    );
  },
  async online(ada, meanwhile) {
    await meanwhile();
    await ada.page.evaluate(() => dispatchEvent(new Event("online")));
  },
  async "from sleep"(ada, meanwhile) {
    await meanwhile();
    await ada.page.clock.fastForward("03:00");
  },
};

for (const [where, come] of Object.entries(ways)) {
  test(`a page that comes back ${where} receives each missed message once, although its connection died silently`, async ({
    webchat,
    line,
    ada,
  }) => {
    const room = await webchat.room();
    await webchat.post(room, "grace", "before");
    await ada.enter(room);
    await come(ada, async () => {
      line.silence();
      for (const text of missed) await webchat.post(room, "grace", text);
      await expect(ada.bodies).toHaveText(["before"]);
    });
    await expect(ada.bodies).toHaveText(["before", ...missed]);
    await webchat.post(room, "grace", "and on");
    await expect(ada.bodies).toHaveText(["before", ...missed, "and on"]);
    await ada.live();
  });
}

test("a tab that becomes visible makes the leader tab check the connection", async ({
  webchat,
  line,
  ada,
}) => {
  const room = await webchat.room();
  await ada.enter(room);
  const second = await ada.tab();
  await second.enter(room);
  await hide(ada, true);
  await hide(second, true);
  line.silence();
  for (const text of missed) await webchat.post(room, "grace", text);
  await second.page.clock.fastForward("03:00");
  await hide(second, false);
  for (const tab of [second, ada]) await expect(tab.bodies).toHaveText(missed);
  expect(ada.streams.size).toBe(1);
});

test("after ten minutes offline the page receives missed messages and sends queued ones", async ({
  webchat,
  ada,
}) => {
  const room = await webchat.room();
  await ada.enter(room);
  await ada.page.context().setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  for (const text of missed) await webchat.post(room, "grace", text);
  await ada.say("four");
  await ada.page.clock.fastForward("10:00");
  await expect(ada.pending).toHaveText([/four/]);
  await ada.page.context().setOffline(false);
  await expect(ada.bodies).toHaveText([...missed, "four"]);
  await expect(ada.pending).toHaveCount(0);
  expect(await webchat.said(room)).toEqual([...missed, "four"]);
});

test("a connection attempt without an answer times out and is repeated", async ({ webchat, ada }) => {
  const room = await webchat.room();
  let silent = true;
  await ada.page.route("**/stream?**", (route) => (silent ? undefined : route.continue()));
  await Promise.all([ada.page.waitForRequest("**/stream?**"), ada.page.goto(room)]);
  await expect(ada.connection).toHaveText("Connecting");
  silent = false;
  await ada.page.clock.runFor(25_000);
  await ada.live();
});
