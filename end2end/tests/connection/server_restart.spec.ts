// Pages across a server restart, a wiped data directory and a restored backup.

import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { test as base, binary, expect, type Webchat } from "../../support/webchat";

/** Tests that stop their server and start it again on the same port with the same data. */
const test = base.extend<{ server: { current: Webchat; start(): Promise<void> } }>({
  server: async ({ webchat }, use) => {
    const server = {
      current: webchat,
      async start() {
        server.current = await server.current.restart();
      },
    };
    await use(server);
    await server.current.stop();
  },
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`after a restart by ${signal} the page reconnects and misses no message`, async ({
    server,
    openBrowser,
  }) => {
    const room = await server.current.createRoom();
    const ada = await openBrowser("ada");
    const grace = await openBrowser("grace");
    await ada.openRoom(room);
    await grace.openRoom(room);
    await ada.send("before");
    await expect(grace.messageBodies).toHaveText(["before"]);
    for (const user of [ada, grace]) await user.page.evaluate(() => (window.mark = "kept"));

    await server.current.stop(signal);
    await expect(ada.connectionStatus).toHaveText(/Reconnecting|Connecting/);
    await ada.send("while it was down");
    await expect(ada.pendingMessages).toHaveCount(1);
    await server.start();
    await server.current.postMessage(room, "linus", "right after the start");

    const all = ["before", "right after the start", "while it was down"];
    for (const user of [ada, grace]) {
      await expect(user.connectionStatus).toHaveText("Live");
      await expect(user.messageBodies).toHaveCount(3);
      await expect(user.pendingMessages).toHaveCount(0);
      expect((await user.messageBodies.allInnerTexts()).sort()).toEqual([...all].sort());
      expect(await user.messageBodies.allInnerTexts()).toEqual(
        await server.current.messageTexts(room),
      );
      expect(await user.page.evaluate(() => window.mark)).toBe("kept");
    }
  });
}

test("the page shows a countdown while it waits to reconnect", async ({ server, openBrowser }) => {
  const room = await server.current.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await server.current.stop();
  await expect(ada.page.locator(".connection")).toHaveText(/^Reconnecting in \d+ s$/);
  await server.start();
  await expect(ada.connectionStatus).toHaveText("Live");
});

test("a server with other data closes the room and keeps the old messages readable", async ({
  server,
  openBrowser,
}) => {
  const room = await server.current.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.send("in the old world");
  await expect(ada.pendingMessages).toHaveCount(0);
  await server.current.stop();
  await rm(server.current.data, { recursive: true });
  await server.start();
  await expect(
    ada.page.getByRole("heading", {
      name: /^(This room has closed|You are no longer in this room)$/,
    }),
  ).toBeVisible();
  await expect(ada.messageBodies, "the old messages stay on the page").toHaveText([
    "in the old world",
  ]);
});

test("a server restored from a backup replaces the page's messages", async ({
  server,
  openBrowser,
}) => {
  const room = await server.current.createRoom();
  const ada = await openBrowser("ada");
  const backup = `${server.current.data}-backup`;
  const run = promisify(execFile);
  await server.current.postMessage(room, "grace", "kept");
  await run(binary, ["backup", backup, "--data-dir", server.current.data]);
  await ada.openRoom(room);
  await server.current.postMessage(room, "grace", "lost with the disk");
  await expect(ada.messageBodies).toHaveText(["kept", "lost with the disk"]);

  await server.current.stop();
  await run(binary, ["restore", backup, "--data-dir", server.current.data]);
  await rm(backup);
  await server.start();
  await server.current.postMessage(room, "grace", "said again");
  await server.current.postMessage(room, "grace", "and more");
  await expect(ada.messageBodies).toHaveText(["kept", "said again", "and more"]);
  await ada.waitUntilLive();
});

for (const [why, status] of [
  ["access was revoked", 403],
  ["the server fails", 500],
] as const) {
  test(`a page stops reloading a log that it cannot get, because ${why}`, async ({
    server,
    openBrowser,
  }) => {
    const room = await server.current.createRoom();
    const ada = await openBrowser("ada");
    const backup = `${server.current.data}-backup`;
    const run = promisify(execFile);
    await server.current.postMessage(room, "grace", "kept");
    await run(binary, ["backup", backup, "--data-dir", server.current.data]);
    await ada.installClock();
    await ada.openRoom(room);
    await server.current.postMessage(room, "grace", "lost with the disk");
    await expect(ada.messageBodies).toHaveText(["kept", "lost with the disk"]);
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
    await server.current.stop();
    await run(binary, ["restore", backup, "--data-dir", server.current.data]);
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
