// Rate limits: the page shows how long it waits, then sends everything in order, exactly once.

import { test as base, expect, type User, type Webchat } from "../../support/webchat";

/** Sends requests in eight parallel loops until it is stopped. */
class Flood {
  private running = true;
  private readonly streams: Promise<void>[] = [];

  start(say: (n: number) => Promise<unknown>) {
    const stream = async (n: number) => {
      for (; this.running; n += 8) {
        const answer = await say(n);
        if (answer instanceof Response) await answer.arrayBuffer();
      }
    };
    for (let n = 0; n < 8; n++) this.streams.push(stream(n));
  }

  async stop() {
    this.running = false;
    await Promise.all(this.streams);
  }
}

const test = base.extend<{ flood: Flood }>({
  flood: async ({ webchat: _ }, use) => {
    const flood = new Flood();
    await use(flood);
    await flood.stop();
  },
});

const texts = ["one", "two", "three", "four"];

/**
 * Sends messages until the page shows that it waits, stops the flood and checks that each was
 * stored once, in order.
 */
async function expectQueueIsDelivered(webchat: Webchat, ada: User, room: string, flood: Flood) {
  const waiting = ada.page.locator(".queue-status");
  const written: string[] = [];
  await expect(async () => {
    const text = `number ${written.length}`;
    written.push(text);
    await ada.send(text);
    await expect(waiting).toHaveText(/\d+ waiting · going on in \d+ s/, { timeout: 500 });
  }).toPass();
  for (const text of texts) await ada.send(text);
  written.push(...texts);
  await flood.stop();
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(waiting).toHaveText("");
  const own = (await webchat.messageTexts(room)).filter((text) => written.includes(text));
  expect(own).toEqual(written);
}

test.describe("with limits", () => {
  test.use({ flags: ["--rate-limit", "on", "--trusted-proxies", "127.0.0.1"] });

  test("a guest who exceeds the limit across rooms waits, then everything is sent in order", async ({
    webchat,
    openBrowser,
    flood,
  }) => {
    const room = await webchat.createRoom();
    const other = await webchat.createRoom();
    const ada = await openBrowser("ada");
    await ada.openRoom(room);
    // The same browser is the same guest; varying addresses keep the address limit out of the way.
    const { request } = ada.page.context();
    flood.start((n) => {
      const headers = { "X-Forwarded-For": `192.0.2.${n % 100}`, Accept: "application/json" };
      return request.post(`${other}messages/`, {
        data: { username: "ada", body: "flood" },
        headers,
      });
    });
    await expectQueueIsDelivered(webchat, ada, room, flood);
  });

  test("an address that exceeds the limit waits, whichever client writes", async ({
    webchat,
    openBrowser,
    flood,
  }) => {
    const [room, ...others] = await Promise.all(
      Array.from({ length: 9 }, () => webchat.createRoom()),
    );
    const ada = await openBrowser("ada");
    await ada.openRoom(room);
    flood.start((n) =>
      webchat.postJson(`${others[n % 8]}messages/`, { username: "grace", body: "flood" }),
    );
    await expectQueueIsDelivered(webchat, ada, room, flood);
  });
});

test("slow mode delays each writer's next message", async ({ webchat, openBrowser }) => {
  const guest = (await (await webchat.postJson("/guests/", {})).json()) as { token: string };
  const headers = {
    Authorization: `Bearer ${guest.token}`,
    "Content-Type": "application/json",
    Accept: "application/json",
  };
  const made = await fetch(`${webchat.url}/rooms/`, { method: "POST", headers, body: "{}" });
  const room = made.headers.get("location") ?? "";
  const slow = await fetch(webchat.url + room, {
    method: "PATCH",
    headers,
    body: JSON.stringify({ slow_mode: 2 }),
  });
  expect(slow.status).toBe(200);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  for (const text of texts.slice(0, 3)) await ada.send(text);
  await expect(ada.page.locator(".queue-status")).toHaveText(/2 waiting · going on in [12] s/);
  await expect(ada.pendingMessages).toHaveCount(0);
  expect(await webchat.messageTexts(room)).toEqual(texts.slice(0, 3));
});

test("queued messages are sent after the Retry-After delay without user action", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const problem = {
    type: "about:blank",
    title: "Too Many Requests",
    status: 429,
    detail: "too many",
  };
  await ada.page.route("**/messages/", (route) =>
    route.fulfill({
      status: 429,
      headers: { "Content-Type": "application/problem+json", "Retry-After": "2" },
      body: JSON.stringify(problem),
    }),
  );
  await ada.send("one");
  await ada.send("two");
  await expect(ada.page.getByText(/2 waiting · going on in \d s/)).toBeVisible();
  await ada.page.unroute("**/messages/");
  await expect(ada.pendingMessages).toHaveCount(0);
  expect(await webchat.messageTexts(room)).toEqual(["one", "two"]);
});
