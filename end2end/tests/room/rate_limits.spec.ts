// Rate limits: the page shows how long it waits, then sends everything in order, exactly once.

import { test as base, expect, type Person, type Webchat } from "../../support/webchat";

/** Says something as fast as it goes, until it ebbs. */
class Flood {
  private flowing = true;
  private readonly streams: Promise<void>[] = [];

  begin(say: (n: number) => Promise<unknown>) {
    const stream = async (n: number) => {
      for (; this.flowing; n += 8) {
        const answer = await say(n);
        if (answer instanceof Response) await answer.arrayBuffer();
      }
    };
    for (let n = 0; n < 8; n++) this.streams.push(stream(n));
  }

  async ebb() {
    this.flowing = false;
    await Promise.all(this.streams);
  }
}

const test = base.extend<{ flood: Flood }>({
  flood: async ({ webchat: _ }, use) => {
    const flood = new Flood();
    await use(flood);
    await flood.ebb();
  },
});

const texts = ["one", "two", "three", "four"];

/** Writes until the page says that it waits, lets the flood ebb, and looks that all of it arrived, in order, once. */
async function waits(webchat: Webchat, ada: Person, room: string, flood: Flood) {
  const waiting = ada.page.locator(".waiting");
  const written: string[] = [];
  await expect(async () => {
    const text = `number ${written.length}`;
    written.push(text);
    await ada.say(text);
    await expect(waiting).toHaveText(/\d+ waiting · going on in \d+ s/, { timeout: 500 });
  }).toPass();
  for (const text of texts) await ada.say(text);
  written.push(...texts);
  await flood.ebb();
  await expect(ada.pending).toHaveCount(0);
  await expect(waiting).toHaveText("");
  const own = (await webchat.said(room)).filter((text) => written.includes(text));
  expect(own).toEqual(written);
}

test.describe("with limits", () => {
  test.use({ flags: ["--rate-limit", "on", "--trusted-proxies", "127.0.0.1"] });

  test("a guest who exceeds the limit across rooms waits, then everything is sent in order", async ({
    webchat,
    come,
    flood,
  }) => {
    const [room, other] = [await webchat.room(), await webchat.room()];
    const ada = await come("ada");
    await ada.enter(room);
    // The same browser, so the same guest; from other addresses, so that nothing else is too much.
    const { request } = ada.page.context();
    flood.begin((n) => {
      const headers = { "X-Forwarded-For": `192.0.2.${n % 100}`, Accept: "application/json" };
      return request.post(`${other}messages/`, {
        data: { username: "ada", body: "flood" },
        headers,
      });
    });
    await waits(webchat, ada, room, flood);
  });

  test("an address that exceeds the limit waits, whoever writes from it", async ({
    webchat,
    come,
    flood,
  }) => {
    const [room, ...others] = await Promise.all(Array.from({ length: 9 }, () => webchat.room()));
    const ada = await come("ada");
    await ada.enter(room);
    flood.begin((n) =>
      webchat.ask(`${others[n % 8]}messages/`, { username: "grace", body: "flood" }),
    );
    await waits(webchat, ada, room, flood);
  });

  test("a room that exceeds the limit makes its writers wait, from whatever address", async ({
    webchat,
    come,
    flood,
  }) => {
    // A slow machine takes its time to write more than a room takes in.
    test.slow();
    const room = await webchat.room();
    const ada = await come("ada");
    await ada.enter(room);
    flood.begin((n) => {
      const headers = {
        "Content-Type": "application/json",
        "X-Forwarded-For": `192.0.2.${n % 200}`,
      };
      const body = JSON.stringify({ username: "grace", body: "flood" });
      return fetch(`${webchat.url}${room}messages/`, { method: "POST", headers, body });
    });
    await waits(webchat, ada, room, flood);
  });
});

test("slow mode delays each writer's next message", async ({ webchat, come }) => {
  const guest = (await (await webchat.ask("/guests/", {})).json()) as { token: string };
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
  const ada = await come("ada");
  await ada.enter(room);
  for (const text of texts.slice(0, 3)) await ada.say(text);
  await expect(ada.page.locator(".waiting")).toHaveText(/2 waiting · going on in [12] s/);
  await expect(ada.pending).toHaveCount(0);
  expect(await webchat.said(room)).toEqual(texts.slice(0, 3));
});

test("queued messages are sent after the Retry-After delay without user action", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
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
  await ada.say("one");
  await ada.say("two");
  await expect(ada.page.getByText(/2 waiting · going on in \d s/)).toBeVisible();
  await ada.page.unroute("**/messages/");
  await expect(ada.pending).toHaveCount(0);
  expect(await webchat.said(room)).toEqual(["one", "two"]);
});
