// Falling back between event streams and WebSockets behind faulty proxies: no message is missed or duplicated.

import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { test as base, expect, Person, type Webchat } from "../../support/webchat";

/** The way to a server, by a proxy that is not a good one. */
class Way {
  /** Keeps back whatever comes by event streams, though it says that they are open. */
  buffers = false;
  /** Lets no WebSocket through. */
  refuses = false;
  /** Waited for before the nth WebSocket is let through or refused. */
  hesitates: (nth: number) => Promise<void> = async () => {};
  /** How many WebSockets were asked for. */
  upgrades = 0;
  /** Accepts, and forwards nothing. */
  private silent = false;
  private readonly open = new Set<Duplex>();
  private readonly server = createServer((asked, answer) => this.forward(asked, answer))
    .on("upgrade", (asked: IncomingMessage, near: Duplex) => this.upgrade(asked, near))
    .on("connection", (socket: Socket) => {
      this.open.add(socket);
      socket.on("close", () => this.open.delete(socket)).on("error", () => {});
    });

  constructor(private readonly webchat: Webchat) {}

  async begin(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  fallSilent() {
    this.silent = true;
  }

  /** Forwards again; whatever was open is over. */
  recover() {
    this.silent = false;
    for (const socket of this.open) socket.destroy();
  }

  end() {
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
        back.on("data", (piece) => this.silent || (streams && this.buffers) || answer.write(piece));
        back.on("end", () => this.silent || answer.end()).on("error", () => answer.destroy());
      },
    );
    far.on("error", () => answer.destroy());
    answer.on("close", () => far.destroy());
    asked.pipe(far);
  }

  private async upgrade(asked: IncomingMessage, near: Duplex) {
    if (this.silent) return;
    await this.hesitates(++this.upgrades);
    if (this.refuses)
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

/** Something that can be waited for. */
function gate() {
  const gate = { isOpen: false, open: () => {}, passed: Promise.resolve() };
  gate.passed = new Promise<void>((done) => {
    gate.open = () => {
      gate.isOpen = true;
      done();
    };
  });
  return gate;
}

/** Somebody on that way, whose clock can be turned. */
interface Traveller extends Person {
  /** The sockets that were opened, by any page. */
  sockets: string[];
}

const test = base.extend<{ way: Way; travel: (name: string) => Promise<Traveller> }>({
  way: async ({ webchat }, use) => {
    const way = new Way(webchat);
    await use(way);
    way.end();
  },
  travel: async ({ browser, way }, use) => {
    const people: Person[] = [];
    const origin = await way.begin();
    await use(async (name) => {
      const person = Object.assign(await Person.come(browser, origin, name), {
        sockets: [] as string[],
      });
      person.page.on("websocket", (socket) => person.sockets.push(socket.url()));
      await person.installClock();
      people.push(person);
      return person;
    });
    for (const person of people) await person.leave();
    expect(people.flatMap((person) => person.complaints)).toEqual([]);
  },
});

/** Turns the clock until the page is connected. */
async function heals(...people: Person[]) {
  for (const { page, connection } of people) {
    await expect(async () => {
      await page.clock.runFor(1_000);
      await expect(connection).toHaveText("Live", { timeout: 100 });
    }).toPass();
  }
}

/** Turns the clock until the page has noticed that it is not. */
async function notices(...people: Person[]) {
  for (const { page, connection } of people) {
    await expect(async () => {
      await page.clock.runFor(5_000);
      await expect(connection).not.toHaveText("Live", { timeout: 100 });
    }).toPass();
  }
}

/** Two people say things in turn, and each hears all of it, once, in the same order. */
async function talk(webchat: Webchat, room: string, ada: Person, grace: Person, about: string) {
  for (let n = 0; n < 4; n++) {
    const speaker = [ada, grace][n % 2];
    await speaker.say(`${about} ${n}`);
    for (const person of [ada, grace]) {
      await expect(person.bodies.last()).toHaveText(`${about} ${n}`);
      await expect(person.pending).toHaveCount(0);
    }
  }
  const said = await webchat.said(room);
  for (const person of [ada, grace]) await expect(person.bodies).toHaveText(said);
}

/** Makes a tab remember that it needs a socket, and comes anew. */
async function bySocket(person: Person) {
  await person.page.evaluate(() => sessionStorage.setItem("socket", "socket"));
  await Promise.all([person.page.waitForEvent("websocket"), person.page.reload()]);
}

test("behind a proxy that buffers event streams the page uses WebSockets, and the tab remembers it", async ({
  webchat,
  way,
  travel,
}) => {
  const room = await webchat.room();
  await webchat.post(room, "linus", "before");
  const [ada, grace] = [await travel("ada"), await travel("grace")];
  way.buffers = true;
  for (const person of [ada, grace]) {
    await person.page.goto(room);
    await expect(person.connection).toHaveText("Connecting");
  }
  await heals(ada, grace);
  await talk(webchat, room, ada, grace, "over sockets");
  expect(ada.sockets.length).toBeGreaterThan(0);

  const streams: string[] = [];
  ada.page.on(
    "request",
    (request) => request.resourceType() === "eventsource" && streams.push(request.url()),
  );
  await Promise.all([ada.page.waitForEvent("websocket"), ada.page.reload()]);
  await ada.live();
  await talk(webchat, room, ada, grace, "after a reload");
  expect(streams).toEqual([]);
});

test("behind a proxy that refuses WebSockets the page uses event streams, also in a tab that remembers WebSockets", async ({
  webchat,
  way,
  travel,
}) => {
  const room = await webchat.room();
  const [ada, grace] = [await travel("ada"), await travel("grace")];
  way.refuses = true;
  for (const person of [ada, grace]) await person.enter(room);
  await talk(webchat, room, ada, grace, "over event streams");
  expect(ada.sockets).toEqual([]);
  await bySocket(ada);
  await heals(ada);
  await talk(webchat, room, ada, grace, "back on event streams");
  expect(await ada.page.evaluate(() => sessionStorage.getItem("socket"))).toBeNull();
});

test("a WebSocket that is refused late does not switch the page back to WebSockets", async ({
  webchat,
  way,
  travel,
}) => {
  const room = await webchat.room();
  const ada = await travel("ada");
  await ada.enter(room);
  way.refuses = true;
  // Whether the server answers is asked after each failure: the first answer comes while another socket is tried.
  const asked = gate();
  const mayAnswer = gate();
  const answered = gate();
  await ada.page.route("**/readyz", async (route) => {
    asked.open();
    await mayAnswer.passed;
    await route.continue();
  });
  ada.page.on("requestfinished", (request) => request.url().endsWith("/readyz") && answered.open());
  let late = 0;
  way.hesitates = async (nth) => {
    if (late || !asked.isOpen) return;
    late = nth;
    mayAnswer.open();
    await answered.passed;
    // The page hears of the answer before it hears of the socket.
    await ada.page.evaluate(() => fetch("/healthz"));
  };
  await bySocket(ada);
  await ada.live();
  expect(late).toBeGreaterThan(1);
  expect(way.upgrades).toBe(late);
  expect(await ada.page.evaluate(() => sessionStorage.getItem("socket"))).toBeNull();
});

for (const kind of ["event streams", "sockets"] as const) {
  test(`a silent connection over ${kind} is detected, and no message is missing after it recovers`, async ({
    webchat,
    way,
    travel,
  }) => {
    const room = await webchat.room();
    const [ada, grace] = [await travel("ada"), await travel("grace")];
    for (const person of [ada, grace]) {
      await person.enter(room);
      if (kind === "sockets") await bySocket(person);
      await person.live();
    }
    await talk(webchat, room, ada, grace, "before");
    way.fallSilent();
    for (let n = 0; n < 3; n++) await webchat.post(room, "linus", `meanwhile ${n}`);
    await notices(ada, grace);
    await ada.say("written in silence");
    await expect(ada.pending).toHaveCount(1);
    way.recover();
    await heals(ada, grace);
    await expect(ada.pending).toHaveCount(0);
    await expect(grace.bodies.last()).toHaveText("written in silence");
    await talk(webchat, room, ada, grace, "afterwards");
    const said = await webchat.said(room);
    expect(said.filter((text) => text === "written in silence")).toHaveLength(1);
  });
}
