// An open page against a server of a later version, which sends kinds of changes that the page does
// not know.

import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test as base, expect, User, type Webchat } from "../../support/webchat";

/** A proxy that turns every change in an event stream into one of a kind of tomorrow. */
class LaterServer {
  /** The addresses of the event streams that were opened. */
  readonly streams: URL[] = [];
  /** How many changes of the kind of tomorrow were sent, on all streams. */
  sent = 0;
  private readonly open = new Set<Socket>();
  private readonly server = createServer((asked, answer) => this.forward(asked, answer)).on(
    "connection",
    (socket: Socket) => {
      this.open.add(socket);
      socket.on("close", () => this.open.delete(socket)).on("error", () => {});
    },
  );

  constructor(private readonly webchat: Webchat) {}

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Closes every open connection. */
  cut() {
    for (const socket of this.open) socket.destroy();
  }

  stop() {
    this.cut();
    this.server.close();
  }

  private forward(asked: IncomingMessage, answer: ServerResponse) {
    const { method, url = "", headers } = asked;
    const far = request(this.webchat.url + url, { method, headers }, (back) => {
      answer.writeHead(back.statusCode ?? 502, back.headers).flushHeaders();
      if (!back.headers["content-type"]?.startsWith("text/event-stream"))
        return back.pipe(answer);
      this.streams.push(new URL(url, this.webchat.url));
      let rest = "";
      back.setEncoding("utf8").on("data", (piece: string) => {
        const blocks = (rest + piece).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) answer.write(`${this.ofTomorrow(block)}\n\n`);
      });
      back.on("end", () => answer.end()).on("error", () => answer.destroy());
    });
    far.on("error", () => answer.destroy());
    answer.on("close", () => far.destroy());
    asked.pipe(far);
  }

  /** The block of a stream, with another kind and other data if it is a change. */
  private ofTomorrow(block: string): string {
    const change = /^event: change$/m.test(block) && /^data: (.*)$/m.exec(block)?.[1];
    if (!change) return block;
    this.sent += 1;
    const { id, room } = JSON.parse(change) as { id: number; room: string };
    const data = JSON.stringify({ kind: "reaction2040", id, room, emoji: { code: "🫥" } });
    return block.replace(`data: ${change}`, `data: ${data}`);
  }
}

const test = base.extend<{ laterServer: LaterServer; ada: User }>({
  laterServer: async ({ webchat }, use) => {
    const server = new LaterServer(webchat);
    await use(server);
    server.stop();
  },
  ada: async ({ browser, laterServer }, use) => {
    const user = await User.open(browser, await laterServer.start(), "ada");
    await use(user);
    await user.close();
    expect(user.problems).toEqual([]);
  },
});

/** Edits the first message, which the author of the page wrote, without using the page. */
const editFirstMessage = async (user: User, room: string, body: string) => {
  const answer = await user.page.context().request.patch(`${room}messages/1/`, { form: { body } });
  expect(answer.status()).toBe(200);
};

test("a change of an unknown kind shows nothing, moves the cursor and holds up no later message", async ({
  webchat,
  laterServer,
  ada,
}) => {
  const room = await webchat.createRoom();
  await ada.openRoom(room);
  await ada.send("first");
  await expect(ada.pendingMessages).toHaveCount(0);
  const tab = await ada.openTab();
  await tab.openRoom(room);
  await expect(tab.messageBodies).toHaveText(["first"]);
  const opened = laterServer.streams.length;

  await editFirstMessage(ada, room, "changed");
  await webchat.postMessage(room, "linus", "second");
  for (const page of [ada, tab]) {
    await expect(page.messageBodies).toHaveText(["first", "second"]);
    await expect(page.connectionStatus).toHaveText("Live");
  }
  await editFirstMessage(ada, room, "changed again");
  // What follows the change on the stream is shown, so both pages have received the change.
  await webchat.postJson(`${room}typing/`, { username: "linus" });
  for (const { page } of [ada, tab])
    await expect(page.locator(".typing")).toHaveText(/linus.* is typing…/);
  expect(laterServer.sent).toBe(2);
  expect(laterServer.streams, "no tab sees a gap").toHaveLength(opened);

  // The change is the newest entry of the log: the next stream starts right after it.
  laterServer.cut();
  await expect.poll(() => laterServer.streams.length).toBe(opened + 1);
  expect(laterServer.streams.at(-1)?.searchParams.get("after")).toMatch(/^[0-9a-f]{8}\.4$/);
  await webchat.postMessage(room, "linus", "third");
  for (const page of [ada, tab]) {
    await expect(page.messageBodies).toHaveText(["first", "second", "third"]);
    await page.waitUntilLive();
    await expect(page.page.getByRole("alert")).toHaveCount(0);
  }
  expect(laterServer.streams, "and no tab asks again").toHaveLength(opened + 1);
  expect(laterServer.sent, "nor receives a change twice").toBe(2);
});
