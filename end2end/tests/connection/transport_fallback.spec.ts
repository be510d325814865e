// Falling back between event streams and WebSockets behind faulty proxies: no message is missed or
// duplicated.

import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Gate } from "../../support/gate";
import { test as base, expect, User, type Webchat } from "../../support/webchat";

/** A proxy that can buffer event streams, refuse WebSockets and fall silent. */
class FaultyProxy {
  /** Forwards the headers of event streams but none of their data. */
  buffersStreams = false;
  /** Answers WebSocket upgrades with 400. */
  refusesWebSockets = false;
  /** Awaited before the nth WebSocket upgrade is answered. */
  beforeUpgrade: (nth: number) => Promise<void> = async () => {};
  /** The number of WebSocket upgrades requested. */
  upgrades = 0;
  /** Accepts connections but forwards nothing. */
  private silent = false;
  private readonly open = new Set<Duplex>();
  private readonly server = createServer((asked, answer) => this.forward(asked, answer))
    .on("upgrade", (asked: IncomingMessage, near: Duplex) => this.upgrade(asked, near))
    .on("connection", (socket: Socket) => {
      this.open.add(socket);
      socket.on("close", () => this.open.delete(socket)).on("error", () => {});
    });

  constructor(private readonly webchat: Webchat) {}

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  startSilence() {
    this.silent = true;
  }

  /** Closes every open connection and forwards again. */
  recover() {
    this.silent = false;
    for (const socket of this.open) socket.destroy();
  }

  stop() {
    for (const socket of this.open) socket.destroy();
    this.server.close();
  }

  private get port(): number {
    return Number(new URL(this.webchat.url).port);
  }

  private forward(asked: IncomingMessage, answer: ServerResponse) {
    if (this.silent) return;
    const { method, url, headers } = asked;
    const far = request(
      { host: "127.0.0.1", port: this.port, method, path: url, headers },
      (back) => {
        const streams = back.headers["content-type"]?.startsWith("text/event-stream");
        answer.writeHead(back.statusCode ?? 502, back.headers).flushHeaders();
        back.on(
          "data",
          (piece) => this.silent || (streams && this.buffersStreams) || answer.write(piece),
        );
        back.on("end", () => this.silent || answer.end()).on("error", () => answer.destroy());
      },
    );
    far.on("error", () => answer.destroy());
    answer.on("close", () => far.destroy());
    asked.pipe(far);
  }

  private async upgrade(asked: IncomingMessage, near: Duplex) {
    if (this.silent) return;
    await this.beforeUpgrade(++this.upgrades);
    if (this.refusesWebSockets)
      return near.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    const far = connect(this.port, "127.0.0.1");
    const lines = asked.rawHeaders.flatMap((name, i, all) =>
      i % 2 ? [] : [`${name}: ${all[i + 1]}`],
    );
    far.write([`GET ${asked.url} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
    far.on("data", (piece) => this.silent || near.write(piece));
    near.on("data", (piece) => this.silent || far.write(piece));
    for (const end of [near, far])
      end.on("error", () => {}).on("close", () => (near.destroy(), far.destroy()));
  }
}

/** A user behind the proxy, with a controlled clock. */
interface ProxiedUser extends User {
  /** The WebSocket addresses that the first tab has opened. */
  sockets: string[];
}

const test = base.extend<{
  faultyProxy: FaultyProxy;
  openProxiedBrowser: (name: string) => Promise<ProxiedUser>;
}>({
  faultyProxy: async ({ webchat }, use) => {
    const faultyProxy = new FaultyProxy(webchat);
    await use(faultyProxy);
    faultyProxy.stop();
  },
  openProxiedBrowser: async ({ browser, faultyProxy }, use) => {
    const users: User[] = [];
    const origin = await faultyProxy.start();
    await use(async (name) => {
      const user = Object.assign(await User.open(browser, origin, name), {
        sockets: [] as string[],
      });
      user.page.on("websocket", (socket) => user.sockets.push(socket.url()));
      await user.installClock();
      users.push(user);
      return user;
    });
    for (const user of users) await user.close();
    expect(users.flatMap((user) => user.problems)).toEqual([]);
  },
});

/** Advances the clock until every page is live. */
async function waitUntilReconnected(...users: User[]) {
  for (const { page, connectionStatus } of users) {
    await expect(async () => {
      await page.clock.runFor(1_000);
      await expect(connectionStatus).toHaveText("Live", { timeout: 100 });
    }).toPass();
  }
}

/** Advances the clock until every page has noticed the lost connection. */
async function waitUntilDisconnected(...users: User[]) {
  for (const { page, connectionStatus } of users) {
    await expect(async () => {
      await page.clock.runFor(5_000);
      await expect(connectionStatus).not.toHaveText("Live", { timeout: 100 });
    }).toPass();
  }
}

/** Two users send messages in turn, and each page shows all of them once, in the same order. */
async function exchangeMessages(
  webchat: Webchat,
  room: string,
  ada: User,
  grace: User,
  about: string,
) {
  for (let n = 0; n < 4; n++) {
    const speaker = [ada, grace][n % 2];
    await speaker.send(`${about} ${n}`);
    for (const user of [ada, grace]) {
      await expect(user.messageBodies.last()).toHaveText(`${about} ${n}`);
      await expect(user.pendingMessages).toHaveCount(0);
    }
  }
  const said = await webchat.messageTexts(room);
  for (const user of [ada, grace]) await expect(user.messageBodies).toHaveText(said);
}

/** Marks the tab as needing a WebSocket and reloads it. */
async function reloadWithWebSocket(user: User) {
  await user.page.evaluate(() => sessionStorage.setItem("socket", "socket"));
  await Promise.all([user.page.waitForEvent("websocket"), user.page.reload()]);
}

test("behind a proxy that buffers event streams the page uses WebSockets, and the tab remembers it", async ({
  webchat,
  faultyProxy,
  openProxiedBrowser,
}) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "linus", "before");
  const ada = await openProxiedBrowser("ada");
  const grace = await openProxiedBrowser("grace");
  faultyProxy.buffersStreams = true;
  for (const user of [ada, grace]) {
    await user.page.goto(room);
    await expect(user.connectionStatus).toHaveText("Connecting");
  }
  await waitUntilReconnected(ada, grace);
  await exchangeMessages(webchat, room, ada, grace, "over sockets");
  expect(ada.sockets.length).toBeGreaterThan(0);

  const streams: string[] = [];
  ada.page.on(
    "request",
    (request) => request.resourceType() === "eventsource" && streams.push(request.url()),
  );
  await Promise.all([ada.page.waitForEvent("websocket"), ada.page.reload()]);
  await ada.waitUntilLive();
  await exchangeMessages(webchat, room, ada, grace, "after a reload");
  expect(streams).toEqual([]);
});

test("behind a proxy that refuses WebSockets the page uses event streams, also in a tab that remembers WebSockets", async ({
  webchat,
  faultyProxy,
  openProxiedBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openProxiedBrowser("ada");
  const grace = await openProxiedBrowser("grace");
  faultyProxy.refusesWebSockets = true;
  for (const user of [ada, grace]) await user.openRoom(room);
  await exchangeMessages(webchat, room, ada, grace, "over event streams");
  expect(ada.sockets).toEqual([]);
  await reloadWithWebSocket(ada);
  await waitUntilReconnected(ada);
  await exchangeMessages(webchat, room, ada, grace, "back on event streams");
  expect(await ada.page.evaluate(() => sessionStorage.getItem("socket"))).toBeFalsy();
});

test("a WebSocket that is refused late does not switch the page back to WebSockets", async ({
  webchat,
  faultyProxy,
  openProxiedBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openProxiedBrowser("ada");
  await ada.openRoom(room);
  faultyProxy.refusesWebSockets = true;
  // After each failure the page probes /readyz. Here the first probe is answered while another
  // WebSocket is tried.
  const asked = new Gate();
  const mayAnswer = new Gate();
  const answered = new Gate();
  await ada.page.route("**/readyz", async (route) => {
    asked.open();
    await mayAnswer.opened;
    await route.continue();
  });
  ada.page.on("requestfinished", (request) => request.url().endsWith("/readyz") && answered.open());
  let late = 0;
  faultyProxy.beforeUpgrade = async (nth) => {
    if (late || !asked.isOpen) return;
    late = nth;
    mayAnswer.open();
    await answered.opened;
    // The page processes the probe's answer before the WebSocket is refused.
    await ada.page.evaluate(() => fetch("/healthz"));
  };
  await reloadWithWebSocket(ada);
  await ada.waitUntilLive();
  expect(late).toBeGreaterThan(1);
  expect(faultyProxy.upgrades).toBe(late);
  expect(await ada.page.evaluate(() => sessionStorage.getItem("socket"))).toBeFalsy();
});

for (const kind of ["event streams", "sockets"] as const) {
  test(`a silent connection over ${kind} is detected, and no message is missing after it recovers`, async ({
    webchat,
    faultyProxy,
    openProxiedBrowser,
  }) => {
    const room = await webchat.createRoom();
    const ada = await openProxiedBrowser("ada");
    const grace = await openProxiedBrowser("grace");
    for (const user of [ada, grace]) {
      await user.openRoom(room);
      if (kind === "sockets") await reloadWithWebSocket(user);
      await user.waitUntilLive();
    }
    await exchangeMessages(webchat, room, ada, grace, "before");
    faultyProxy.startSilence();
    for (let n = 0; n < 3; n++) await webchat.postMessage(room, "linus", `meanwhile ${n}`);
    await waitUntilDisconnected(ada, grace);
    await ada.send("written in silence");
    await expect(ada.pendingMessages).toHaveCount(1);
    faultyProxy.recover();
    await waitUntilReconnected(ada, grace);
    await expect(ada.pendingMessages).toHaveCount(0);
    await expect(grace.messageBodies.last()).toHaveText("written in silence");
    await exchangeMessages(webchat, room, ada, grace, "afterwards");
    const said = await webchat.messageTexts(room);
    expect(said.filter((text) => text === "written in silence")).toHaveLength(1);
  });
}
