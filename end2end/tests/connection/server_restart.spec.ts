// Pages across a server restart, a wiped data directory and a restored backup.

import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { test as base, binary, expect, type Webchat } from "../../support/webchat";

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

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`after a restart by ${signal} the page reconnects and misses no message`, async ({
    server,
    come,
  }) => {
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

test("the page shows a countdown while it waits to reconnect", async ({ server, come }) => {
  const room = await server.now.room();
  const ada = await come("ada");
  await ada.enter(room);
  await server.now.stop();
  await expect(ada.page.locator(".connection")).toHaveText(/^Reconnecting in \d+ s$/);
  await server.start();
  await expect(ada.connection).toHaveText("Live", { timeout: 20_000 });
});

test("a server with other data closes the room and keeps the old messages readable", async ({ server, come }) => {
  const room = await server.now.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.say("in the old world");
  await expect(ada.pending).toHaveCount(0);
  await server.now.stop();
  await rm(server.now.data, { recursive: true });
  await server.start();
  await expect(
    ada.page.getByRole("heading", {
      name: /^(This room has closed|You are no longer in this room)$/,
    }),
  ).toBeVisible({ timeout: 20_000 });
  await expect(ada.bodies, "what was said stays on the page").toHaveText(["in the old world"]);
});

test("a server restored from a backup replaces the page's messages", async ({ server, come }) => {
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

for (const [why, status] of [
  ["access was revoked", 403],
  ["the server fails", 500],
] as const) {
  test(`a page stops reloading a log that it cannot get, because ${why}`, async ({
    server,
    come,
  }) => {
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
    const refusal = {
      status,
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "about:blank", title: "No", status, detail: "no" }),
    };
    await ada.page.route(`**${room}`, (route) =>
      asked ? route.fulfill(refusal) : route.continue(),
    );
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
    else
      await expect(ada.page.getByRole("heading", { name: /no longer in this room/ })).toBeVisible();
    const before = asked;
    for (let i = 0; i < 5; i++) await ada.page.clock.runFor(4_000);
    expect(asked).toBe(before);
  });
}
