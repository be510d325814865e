// The pages and files that the service worker keeps for times without a network.

import { createOwnRoom } from "../../support/room_pages";
import { test as base, expect, type User, type Webchat } from "../../support/webchat";

const test = base.extend<{ server: { current: Webchat } }>({
  server: async ({ webchat }, use) => {
    const server = { current: webchat };
    await use(server);
    await server.current.stop();
  },
});

const options = { serviceWorkers: "allow" } as const;

/** The paths of the kept pages. */
const keptPages = (user: User) =>
  user.page.evaluate(async () => {
    const names = await caches.keys();
    const kept = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    const paths = kept.flat().map(({ url }) => new URL(url).pathname);
    return paths.filter((path) => !path.startsWith("/pkg/")).sort();
  });

test("a reload without the server shows the room as last seen, with what waits", async ({
  server,
  openBrowser,
}) => {
  const room = await server.current.createRoom();
  await server.current.postMessage(room, "grace", "first");
  const ada = await openBrowser("ada", options);
  await ada.openRoom(room);
  await expect.poll(() => keptPages(ada)).toEqual([room]);
  await server.current.postMessage(room, "grace", "while ada watched");
  await expect(ada.messageBodies).toHaveText(["first", "while ada watched"]);

  await server.current.stop();
  await expect(ada.connectionStatus).toHaveText(/onnecting/);
  await ada.send("for later");
  await expect(ada.pendingMessages).toHaveCount(1);
  const all = ["first", "while ada watched", "for later"];
  for (let reloads = 0; reloads < 2; reloads++) {
    await ada.page.reload();
    await expect(ada.messageBodies).toHaveText(all);
    await expect(ada.pendingMessages).toHaveText([/for later/]);
    await expect(ada.page.locator(".day-separator")).toHaveText(["Today"]);
  }

  server.current = await server.current.restart();
  await ada.waitUntilLive();
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.messageBodies).toHaveText(all);
  await expect.poll(() => server.current.messageTexts(room)).toEqual(all);
});

test("a room that was opened by a link within the app is kept, too", async ({
  server,
  openBrowser,
}) => {
  const room = await server.current.createRoom({ name: "Tea", public: true });
  const ada = await openBrowser("ada", options);
  await ada.visit("/");
  await expect.poll(() => keptPages(ada)).toEqual(["/"]);
  await ada.page.getByRole("link", { name: /Tea/ }).first().click();
  await ada.waitUntilLive();
  await expect.poll(() => keptPages(ada)).toEqual(["/", room]);
  await server.current.stop();
  await ada.page.reload();
  await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();
  await ada.page.goto("/");
  await expect(ada.page.getByRole("button", { name: "New room" })).toBeVisible();
});

test("nothing is kept after signing out, and nothing of another person", async ({
  webchat,
  openBrowser,
}) => {
  for (const username of ["ada", "bob"]) await webchat.createAccount(username);
  const ada = await openBrowser("ada", options);
  await ada.signIn();
  const room = await createOwnRoom(ada, "Private: only people you invite", "Den");
  await ada.waitUntilLive();
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect.poll(() => keptPages(ada)).toContain(room);

  // The cookie changes without a request that the worker sees.
  await ada.signIn("bob");
  await ada.visit("/");
  await expect.poll(() => keptPages(ada)).toEqual(["/"]);
  expect((await ada.page.goto(room))?.status()).toBe(404);
  await expect.poll(() => keptPages(ada)).toEqual(["/"]);

  await ada.page.evaluate(() => fetch("/logout", { method: "POST" }));
  await expect.poll(() => keptPages(ada)).toEqual([]);
});

test("pages of another version are deleted, and management pages are not kept", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada", options);
  await ada.openRoom(room);
  await expect.poll(() => keptPages(ada)).toEqual([room]);
  await ada.page.evaluate(async () => {
    for (const name of ["webchat-0 ", "webchat-1  /pkg/webchat.00000000.js"])
      await (await caches.open(name)).put("/", new Response("old"));
  });
  for (const path of ["/login", "/docs/", "/nowhere/", room]) await ada.page.goto(path);
  await ada.waitUntilLive();
  await expect.poll(() => keptPages(ada)).toEqual([room]);
  expect(await ada.page.evaluate(() => caches.keys())).toHaveLength(1);
});

for (const part of ["js", "wasm", "css"]) {
  test(`a page whose ${part} file is gone can be read and used, and offers to reload`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await webchat.createRoom();
    await webchat.postMessage(room, "grace", "still readable");
    const ada = await openBrowser("ada");
    ada.expectProblems(/dynamically imported module|failed to fetch Wasm/);
    await ada.page.route(`**/pkg/*.${part}`, (route) =>
      route.fulfill({ status: 404, body: "gone" }),
    );
    await ada.page.goto(room);
    await expect(ada.messageBodies).toHaveText(["still readable"]);
    const reload = ada.page.getByRole("button", { name: "Reload" });
    await expect(reload).toBeVisible();
    if (part !== "css") {
      await ada.messageField.fill("by a plain form");
      await ada.page.getByRole("button", { name: "Send" }).click();
      await expect(ada.messageBodies).toHaveText(["still readable", "by a plain form"]);
      await expect(reload).toBeVisible();
    }
    await ada.page.unroute(`**/pkg/*.${part}`);
    await reload.click();
    await ada.waitUntilLive();
  });
}
