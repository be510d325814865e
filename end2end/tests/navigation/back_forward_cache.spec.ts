// Pages that the browser keeps whole when the user leaves them, to show them again without loading. The browser without windows keeps
// none, so the tests send the events of a kept page; one test needs the browser with windows.

import { chromium } from "@playwright/test";
import { existsSync } from "node:fs";
import { expect, test, User } from "../../support/webchat";

declare global {
  interface Window {
    /** How many of the browser's own registries there are. */
    registries: number;
    isKept?: boolean;
    freed: string[];
    held: object;
  }
}

const withWindows = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => `/usr/bin/${name}`)
  .find((path) => existsSync(path));

const leave = (user: User) =>
  user.page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));

const comeBack = (user: User) =>
  user.page.evaluate(() => void dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));

test("a kept room goes on with what was written in the meantime", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "one");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.messageField.fill("half a thought");
  await leave(ada);
  await expect.poll(() => ada.openStreams.size).toBe(0);
  await webchat.postMessage(room, "grace", "two");
  await comeBack(ada);
  await expect(ada.messageBodies).toHaveText(["one", "two"]);
  await expect(ada.messageField).toHaveValue("half a thought");
});

test("a kept page of another session is loaded again", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("ada");
  const ada = await openBrowser("ada");
  await ada.signIn();
  await ada.visit("/");
  await expect(ada.page.getByRole("link", { name: "ADA" })).toBeVisible();
  await leave(ada);
  await comeBack(ada);
  await expect(ada.page.getByRole("link", { name: "ADA" })).toBeVisible();
  await leave(ada);
  const signedOut = await ada.page.context().request.post("/logout", { maxRedirects: 0 });
  expect(signedOut.status()).toBeLessThan(400);
  await comeBack(ada);
  await expect(ada.page.getByRole("link", { name: "Sign in" })).toBeVisible();
});

test("a page that is kept before its app runs is loaded again too", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("ada");
  const ada = await openBrowser("ada");
  await ada.signIn();
  await ada.page.route("**/*.wasm", () => {});
  await ada.page.goto("/", { waitUntil: "domcontentloaded" });
  await leave(ada);
  await ada.page.context().request.post("/logout", { maxRedirects: 0 });
  await ada.page.unroute("**/*.wasm");
  await comeBack(ada);
  await expect(ada.page.getByRole("link", { name: "Sign in" })).toBeVisible();
});

test("the browser keeps the home page and a room", async ({ webchat }) => {
  const browser = await chromium.launch({
    executablePath: withWindows,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--headless=new"],
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  const room = await webchat.createRoom();
  /** Whether the browser kept the page at a path. The page may not be the reason if it did not. */
  const isKept = async (path: string) => {
    const ada = await User.open(browser, webchat.url, "ada");
    await ada.page.addInitScript(() =>
      addEventListener("pageshow", ({ persisted }) => (window.isKept = persisted)),
    );
    const inspector = await ada.page.context().newCDPSession(ada.page);
    const reasons: string[] = [];
    inspector.on("Page.backForwardCacheNotUsed", ({ notRestoredExplanations }) =>
      reasons.push(...notRestoredExplanations.map(({ type, reason }) => `${type}: ${reason}`)),
    );
    await inspector.send("Page.enable");
    await ada.visit(path);
    await ada.page.goto("/docs/");
    // A kept page does not load again.
    await ada.page.goBack({ waitUntil: "commit" });
    await expect.poll(() => ada.page.evaluate(() => window.isKept), path).toBeDefined();
    const isKept = await ada.page.evaluate(() => window.isKept);
    expect(reasons.filter((reason) => !reason.startsWith("Circumstantial")), path).toEqual([]);
    await ada.close();
    return isKept;
  };
  // A busy browser sometimes drops a kept page for a reason of its own.
  for (const path of ["/", room])
    await expect.poll(() => isKept(path), { message: path, intervals: [0] }).toBe(true);
  await browser.close();
});

test("no script of the page runs by itself when objects are freed, and what they held is freed", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.installClock();
  await ada.page.addInitScript(() => {
    const Native = FinalizationRegistry;
    window.registries = 0;
    self.FinalizationRegistry = class<T> extends Native<T> {
      constructor(callback: (value: T) => void) {
        super(callback);
        window.registries += 1;
      }
    };
  });
  await ada.openRoom(await webchat.createRoom());
  expect(await ada.page.evaluate(() => window.registries)).toBe(0);
  await ada.page.evaluate(() => {
    window.freed = [];
    window.held = {};
    const registry = new FinalizationRegistry((value: string) => window.freed.push(value));
    const token = {};
    registry.register({}, "gone");
    registry.register({}, "unregistered", token);
    registry.register(window.held, "held");
    registry.unregister(token);
  });
  const devtools = await ada.page.context().newCDPSession(ada.page);
  await devtools.send("HeapProfiler.collectGarbage");
  await ada.page.clock.runFor(20_000);
  expect(await ada.page.evaluate(() => window.freed)).toEqual(["gone"]);
});
