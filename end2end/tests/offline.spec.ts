// The connection goes and comes back: nothing is missing, nothing is doubled, nothing written is lost.

import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { binary, expect, test as base, type Person, type Webchat } from "../webchat";

/** How many messages the browser keeps to be sent. */
const kept = (person: Person) =>
  person.page.evaluate(
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

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `number ${from + i}`);

/** Tests that stop their server and start it again, on the same port and with the same data. */
const test = base.extend<{ server: { now: Webchat; start(): Promise<void> } }>({
  server: async ({ webchat }, use) => {
    const server = {
      now: webchat,
      async start() {
        server.now = await server.now.again();
      },
    };
    await use(server);
    await server.now.stop();
  },
});

test("offline is said, what is written waits in order, and goes out when back", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  await ada.say("before");
  await expect(grace.bodies).toHaveText(["before"]);

  await ada.page.context().setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  for (const text of numbers(1, 5)) await ada.say(text);
  await expect(ada.page.getByText("5 waiting")).toBeVisible();
  await expect(ada.pending).toHaveCount(5);
  await grace.say("while ada is away");
  await expect(grace.bodies).toHaveText(["before", "while ada is away"]);

  await ada.page.context().setOffline(false);
  await ada.live();
  const all = ["before", "while ada is away", ...numbers(1, 5)];
  await expect(grace.bodies).toHaveText(all);
  await expect(ada.bodies).toHaveText(all);
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.page.getByText(/waiting/)).toHaveCount(0);
  expect(await webchat.said(room)).toEqual(all);
});

test("nothing is missing and nothing doubled when the connection comes and goes under load", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  let talking = true;
  const talk = (async () => {
    for (let i = 1; talking; i++) await webchat.post(room, "grace", `number ${i}`);
  })();
  for (let i = 0; i < 5; i++) {
    await ada.page.context().setOffline(true);
    await expect(ada.connection).toHaveText("Offline");
    await ada.say(`offline ${i}`);
    await ada.page.context().setOffline(false);
    await ada.live();
    await expect(ada.pending).toHaveCount(0);
  }
  talking = false;
  await talk;
  const said = await webchat.said(room);
  expect(said.filter((text) => text.startsWith("offline"))).toEqual([0, 1, 2, 3, 4].map((i) => `offline ${i}`));
  // A page draws the newest only; those are all there, in order, once.
  await expect.poll(async () => (await ada.bodies.allInnerTexts()).at(-1)).toBe(said.at(-1));
  const drawn = await ada.bodies.allInnerTexts();
  expect(drawn).toEqual(said.slice(-drawn.length));
  expect(drawn.length).toBeGreaterThanOrEqual(Math.min(said.length, 100));
});

for (const [how, end] of [
  ["reloading the page", (ada: Person) => ada.page.reload()],
  ["closing the tab", (ada: Person) => ada.page.close()],
  ["a crash", async (ada: Person) => {
    await Promise.all([ada.page.waitForEvent("crash"), ada.page.goto("chrome://crash").catch(() => {})]);
    await ada.page.close();
  }],
] as const) {
  test(`what waits survives ${how}, and is delivered once, in order, by the next visit`, async ({ webchat, come }) => {
    const room = await webchat.room();
    const ada = await come("ada");
    await ada.enter(room);
    const context = ada.page.context();
    await context.route("**/messages/", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
    for (const text of numbers(1, 5)) await ada.say(text);
    await expect(ada.pending).toHaveCount(5);
    await expect.poll(() => kept(ada)).toBe(5);
    await end(ada);
    const again = await ada.tab();
    await again.enter(room);
    await expect(again.bodies).toHaveText(numbers(1, 5));
    await expect(again.pending).toHaveCount(5);
    expect(await webchat.said(room)).toEqual([]);

    await context.unroute("**/messages/");
    await again.page.reload();
    await expect.poll(() => webchat.said(room)).toEqual(numbers(1, 5));
    await expect(again.bodies).toHaveText(numbers(1, 5));
    await expect(again.pending).toHaveCount(0);
    await expect.poll(() => kept(again)).toBe(0);
  });
}

test("of many tabs in a room one sends; all show what waits, and the next one goes on", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const tabs = [ada, await ada.tab(), await ada.tab()];
  for (const tab of tabs) await tab.enter(room);
  const context = ada.page.context();
  const senders = new Set<number>();
  let answer = false;
  await context.route("**/messages/", async (route) => {
    const request = route.request();
    if (request.method() === "POST") senders.add(tabs.findIndex((tab) => tab.page === request.frame().page()));
    // What got no answer has arrived all the same.
    if (request.method() === "POST" && !answer) await route.fetch().then(() => route.abort());
    else await route.continue();
  });
  for (const [i, text] of numbers(1, 6).entries()) {
    await tabs[i % 3].say(text);
    for (const tab of tabs) await expect(tab.bodies).toHaveText(numbers(1, i + 1));
  }
  expect([...senders]).toEqual([0]);
  expect(await webchat.said(room)).toEqual(["number 1"]);
  await tabs[0].page.close();
  answer = true;
  for (const tab of tabs.slice(1)) {
    await expect(tab.pending).toHaveCount(0);
    await expect(tab.bodies).toHaveText(numbers(1, 6));
  }
  expect(await webchat.said(room)).toEqual(numbers(1, 6));
  expect(senders.size).toBe(2);
});

test("a message that arrived though its page was closed before the answer is there once", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const { page } = ada;
  let attempts = 0;
  await page.route("**/messages/", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    attempts += 1;
    if (attempts === 1) await route.fetch();
    if (attempts === 1) return route.abort("connectionreset");
    await route.continue();
  });
  await Promise.all([page.waitForEvent("requestfailed", (request) => request.method() === "POST"), ada.say("once")]);
  await page.reload();
  await ada.live();
  await expect.poll(() => attempts).toBe(2);
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["once"]);
  expect(await webchat.said(room)).toEqual(["once"]);
});

test("what is not sent yet is kept for each room, across reloads", async ({ webchat, come }) => {
  const [tea, rum] = [await webchat.room(), await webchat.room()];
  const ada = await come("ada");
  await ada.enter(tea);
  await ada.field.fill("half a thought\non two lines");
  await ada.page.reload();
  await ada.live();
  await expect(ada.field).toHaveValue("half a thought\non two lines");
  await ada.enter(rum);
  await expect(ada.field).toHaveValue("");
  await ada.enter(tea);
  await ada.field.press("Control+End");
  await ada.field.pressSequentially(", whole now");
  await ada.field.press("Enter");
  await expect(ada.bodies).toHaveText(["half a thought\non two lines, whole now"]);
  await ada.page.reload();
  await ada.live();
  await expect(ada.field).toHaveValue("");
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`after the server was restarted by ${signal} the page goes on, and nothing is missing`, async ({ server, come }) => {
    const room = await server.now.room();
    const [ada, grace] = [await come("ada"), await come("grace")];
    await ada.enter(room);
    await grace.enter(room);
    await ada.say("before");
    await expect(grace.bodies).toHaveText(["before"]);
    for (const person of [ada, grace]) await person.page.evaluate(() => (window.mark = "kept"));

    await server.now.stop(signal);
    await expect(ada.connection).toHaveText(/Reconnecting|Connecting/);
    await ada.say("while it was down");
    await expect(ada.pending).toHaveCount(1);
    await server.start();
    await server.now.post(room, "linus", "right after the start");

    const all = ["before", "right after the start", "while it was down"];
    for (const person of [ada, grace]) {
      await expect(person.connection).toHaveText("Live", { timeout: 20_000 });
      await expect(person.bodies).toHaveCount(3, { timeout: 20_000 });
      await expect(person.pending).toHaveCount(0);
      expect((await person.bodies.allInnerTexts()).sort()).toEqual([...all].sort());
      expect(await person.bodies.allInnerTexts()).toEqual(await server.now.said(room));
      expect(await person.page.evaluate(() => window.mark)).toBe("kept");
    }
  });
}

test("while it waits to reconnect, it says so and counts down", async ({ server, come }) => {
  const room = await server.now.room();
  const ada = await come("ada");
  await ada.enter(room);
  await server.now.stop();
  await expect(ada.page.locator(".connection")).toHaveText(/^Reconnecting in \d+ s$/);
  await server.start();
  await expect(ada.connection).toHaveText("Live", { timeout: 20_000 });
});

test("a server with other data is a new beginning, not a mixture", async ({ server, come }) => {
  const room = await server.now.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.say("in the old world");
  await expect(ada.pending).toHaveCount(0);
  await server.now.stop();
  await rm(server.now.data, { recursive: true });
  await server.start();
  await expect(ada.page.getByRole("heading", { name: /^(This room has closed|You are no longer in this room)$/ })).toBeVisible({ timeout: 20_000 });
  await expect(ada.bodies, "what was said stays on the page").toHaveText(["in the old world"]);
});

test("a server that went back to a backup is read anew", async ({ server, come }) => {
  const room = await server.now.room();
  const [ada, backup] = [await come("ada"), `${server.now.data}-backup`];
  const run = promisify(execFile);
  await server.now.post(room, "grace", "kept");
  await run(binary, ["backup", backup, "--data-dir", server.now.data]);
  await ada.enter(room);
  await server.now.post(room, "grace", "lost with the disk");
  await expect(ada.bodies).toHaveText(["kept", "lost with the disk"]);

  await server.now.stop();
  await run(binary, ["restore", backup, "--data-dir", server.now.data]);
  await rm(backup);
  await server.start();
  await server.now.post(room, "grace", "said again");
  await server.now.post(room, "grace", "and more");
  await expect(ada.bodies).toHaveText(["kept", "said again", "and more"], { timeout: 20_000 });
  await ada.live();
});

for (const [why, status] of [["it may no longer", 403], ["the server fails and the room is left", 500]] as const) {
  test(`a page does not ask for ever for a log that it does not get, as ${why}`, async ({ server, come }) => {
    const room = await server.now.room();
    const [ada, backup] = [await come("ada"), `${server.now.data}-backup`];
    const run = promisify(execFile);
    await server.now.post(room, "grace", "kept");
    await run(binary, ["backup", backup, "--data-dir", server.now.data]);
    await ada.installClock();
    await ada.enter(room);
    await server.now.post(room, "grace", "lost with the disk");
    await expect(ada.bodies).toHaveText(["kept", "lost with the disk"]);
    let asked = 0;
    const refusal = { status, contentType: "application/problem+json", body: JSON.stringify({ type: "about:blank", title: "No", status, detail: "no" }) };
    await ada.page.route(`**${room}`, (route) => (asked ? route.fulfill(refusal) : route.continue()));
    await ada.page.route("**/messages/?limit=*", (route) => {
      asked += 1;
      return route.fulfill(refusal);
    });
    await server.now.stop();
    await run(binary, ["restore", backup, "--data-dir", server.now.data]);
    await rm(backup);
    await server.start();
    await expect
      .poll(async () => {
        await ada.page.clock.runFor(1_000);
        return asked;
      })
      .toBeGreaterThan(0);
    if (status === 500) await ada.page.getByRole("link", { name: "All rooms" }).first().click();
    else await expect(ada.page.getByRole("heading", { name: /no longer in this room/ })).toBeVisible();
    const before = asked;
    for (let i = 0; i < 5; i++) await ada.page.clock.runFor(4_000);
    expect(asked).toBe(before);
  });
}

test("a room that closed while its page was offline is closed when it comes back", async ({ webchat, come }) => {
  const room = await webchat.room({ timeout: "8s" });
  const ada = await come("ada");
  await ada.enter(room);
  await ada.page.context().setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  await ada.field.fill("too late");
  await expect.poll(async () => (await fetch(webchat.url + room)).status).toBe(410);
  await ada.page.context().setOffline(false);
  await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
});

test("two tabs of one person never send each other's waiting messages twice", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const context = ada.page.context();
  const second = await context.newPage();
  await second.goto(room);
  await expect(second.locator(".connection [role=status]")).toHaveText("Live");
  await context.setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  await ada.say("from the first");
  await second.getByRole("textbox", { name: "Message", exact: true }).fill("from the second");
  await second.keyboard.press("Enter");
  await context.setOffline(false);
  await expect(ada.bodies).toHaveCount(2);
  await expect(second.locator("article .body")).toHaveCount(2);
  await ada.page.reload();
  await ada.live();
  await expect(ada.bodies).toHaveCount(2);
  expect((await webchat.said(room)).sort()).toEqual(["from the first", "from the second"]);
});
