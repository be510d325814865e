// Pages that resume after a suspension catch up on every missed message, exactly once.

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test as base, expect, User, type Webchat } from "../../support/webchat";

/** A proxy whose event streams can fall silent without closing. */
class SilencingProxy {
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

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Stops forwarding the open event streams and closes every other connection. */
  silence() {
    for (const { near, far, streams } of this.pairs) {
      if (streams) far.unpipe(near).resume();
      else near.destroy();
    }
  }

  stop() {
    for (const { near } of this.pairs) near.destroy();
    this.server.close();
  }
}

const test = base.extend<{ silencingProxy: SilencingProxy; ada: User }>({
  silencingProxy: async ({ webchat }, use) => {
    const silencingProxy = new SilencingProxy(webchat);
    await use(silencingProxy);
    silencingProxy.stop();
  },
  ada: async ({ browser, silencingProxy }, use) => {
    const ada = await User.open(browser, await silencingProxy.start(), "ada");
    await ada.installClock();
    await use(ada);
    await ada.close();
    expect(ada.problems).toEqual([]);
  },
});

const missedTexts = ["one", "two", "three"];

const resumptions: Record<string, (ada: User, meanwhile: () => Promise<void>) => Promise<void>> = {
  async "into view"(ada, meanwhile) {
    await ada.setHidden(true);
    await meanwhile();
    await ada.page.clock.fastForward("03:00");
    await ada.setHidden(false);
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

for (const [where, resume] of Object.entries(resumptions)) {
  test(`a page that comes back ${where} receives each missed message once, although its connection died silently`, async ({
    webchat,
    silencingProxy,
    ada,
  }) => {
    const room = await webchat.createRoom();
    await webchat.postMessage(room, "grace", "before");
    await ada.openRoom(room);
    await resume(ada, async () => {
      silencingProxy.silence();
      for (const text of missedTexts) await webchat.postMessage(room, "grace", text);
      await expect(ada.messageBodies).toHaveText(["before"]);
    });
    await expect(ada.messageBodies).toHaveText(["before", ...missedTexts]);
    await webchat.postMessage(room, "grace", "and on");
    await expect(ada.messageBodies).toHaveText(["before", ...missedTexts, "and on"]);
    await ada.waitUntilLive();
  });
}

test("a tab that becomes visible makes the leader tab check the connection", async ({
  webchat,
  silencingProxy,
  ada,
}) => {
  const room = await webchat.createRoom();
  await ada.openRoom(room);
  const second = await ada.openTab();
  await second.openRoom(room);
  await ada.setHidden(true);
  await second.setHidden(true);
  silencingProxy.silence();
  for (const text of missedTexts) await webchat.postMessage(room, "grace", text);
  await second.page.clock.fastForward("03:00");
  await second.setHidden(false);
  for (const tab of [second, ada]) await expect(tab.messageBodies).toHaveText(missedTexts);
  expect(ada.openStreams.size).toBe(1);
});

test("after ten minutes offline the page receives missed messages and sends queued ones", async ({
  webchat,
  ada,
}) => {
  const room = await webchat.createRoom();
  await ada.openRoom(room);
  await ada.page.context().setOffline(true);
  await expect(ada.connectionStatus).toHaveText("Offline");
  for (const text of missedTexts) await webchat.postMessage(room, "grace", text);
  await ada.send("four");
  await ada.page.clock.fastForward("10:00");
  await expect(ada.pendingMessages).toHaveText([/four/]);
  await ada.page.context().setOffline(false);
  await expect(ada.messageBodies).toHaveText([...missedTexts, "four"]);
  await expect(ada.pendingMessages).toHaveCount(0);
  expect(await webchat.messageTexts(room)).toEqual([...missedTexts, "four"]);
});

test("a connection attempt without an answer times out and is repeated", async ({
  webchat,
  ada,
}) => {
  const room = await webchat.createRoom();
  let silent = true;
  await ada.page.route("**/stream?**", (route) => (silent ? undefined : route.continue()));
  await Promise.all([ada.page.waitForRequest("**/stream?**"), ada.page.goto(room)]);
  await expect(ada.connectionStatus).toHaveText("Connecting");
  silent = false;
  await ada.page.clock.runFor(25_000);
  await ada.waitUntilLive();
});
