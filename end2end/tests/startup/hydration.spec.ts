// Hydration: the app takes over the server's HTML unchanged, and the page works before and without
// it.

import { expect, test } from "../../support/webchat";
import { Gate } from "../../support/gate";

test("hydration succeeds without an error or a failed request", async ({ openBrowser }) => {
  const ada = await openBrowser("ada");
  const failed: string[] = [];
  ada.page.on("response", (response) => response.status() >= 400 && failed.push(response.url()));
  await ada.page.goto("/", { waitUntil: "networkidle" });
  await ada.waitForHydration();
  expect(await ada.page.locator("html").getAttribute("data-failed")).toBeNull();
  expect(failed).toEqual([]);
});

test("the hydrated text equals the server's text on every page", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea", public: true });
  for (const [name, text] of [
    ["ada", "a\nb https://example.org/ c"],
    ["grace", "👍"],
    ["<b>", "&amp; \u202e"],
  ]) {
    await webchat.postMessage(room, name, text);
  }
  // In the server's time zone, where the app has nothing to change.
  const ada = await openBrowser("ada", { timezoneId: "UTC" });
  for (const path of [
    "/",
    "/?room=wrong",
    room,
    await webchat.createRoom(),
    "/nowhere",
    "/rooms/0123456789abcdef/",
  ]) {
    await ada.visit(path);
    const words = async () => {
      // After this the app has taken over all parts of the page.
      await ada.page.evaluate(() => window.dispatchEvent(new Event("scroll")));
      // The server does not draw presence.
      await ada.page
        .locator(".presence-button")
        .evaluateAll((all) => all.forEach((one) => one.remove()));
      return ada.page.locator("body").innerText();
    };
    const settled = (text: string) =>
      text.replace(/Connecting|Live/, "").replace(/\d+ (s|min|h)|just now/g, "");
    const alive = settled(await words());
    await ada.holdBackApp();
    await ada.page.goto(path);
    expect(settled(await words()), path).toBe(alive);
    await ada.page.unroute("**/*.js");
  }
});

test("a page is readable before hydration and keeps what was typed", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea" });
  await webchat.postMessage(room, "grace", "hello");
  const ada = await openBrowser("ada");
  const arrivalGate = new Gate();
  await ada.page.route("**/*.wasm", async (route) => {
    await arrivalGate.opened;
    await route.continue();
  });
  await ada.page.goto(room, { waitUntil: "commit" });
  await expect(ada.messageBodies).toHaveText(["hello"]);
  await ada.messageField.fill("typed early");
  expect(await ada.page.evaluate(() => window.hydratedAt)).toBeUndefined();
  arrivalGate.open();
  await ada.waitUntilLive();
  await expect(ada.messageField).toHaveValue("typed early");
  await ada.messageField.press("Enter");
  await expect(ada.messageBodies).toHaveText(["hello", "typed early"]);
});

test("a page whose app cannot start shows a warning, and its forms still work", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  ada.expectProblems(/WebAssembly/);
  await ada.page.route("**/*.wasm", (route) =>
    route.fulfill({ status: 200, contentType: "application/wasm", body: "" }),
  );
  await ada.page.goto(room);
  await expect(
    ada.page.getByRole("alert").filter({ hasText: "This page has stopped working" }),
  ).toBeVisible();
  await expect(ada.page.getByRole("button", { name: "Reload" })).toBeVisible();
  await expect.poll(() => ada.expectedProblems).not.toEqual([]);
  await ada.page.unroute("**/*.wasm");
  await ada.messageField.fill("still here");
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(ada.messageBodies).toHaveText(["still here"]);
});
