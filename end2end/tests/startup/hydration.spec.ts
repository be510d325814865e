// Hydration: the app takes over the server's HTML unchanged, and the page works before and without it.

import { expect, test } from "../../support/webchat";

test("hydration succeeds without an error or a failed request", async ({ come }) => {
  const ada = await come("ada");
  const failed: string[] = [];
  ada.page.on("response", (response) => response.status() >= 400 && failed.push(response.url()));
  await ada.page.goto("/", { waitUntil: "networkidle" });
  await ada.alive();
  expect(await ada.page.locator("html").getAttribute("data-dead")).toBeNull();
  expect(failed).toEqual([]);
});

test("the hydrated text equals the server's text on every page", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room({ name: "Tea", public: true });
  for (const [name, text] of [
    ["ada", "a\nb https://example.org/ c"],
    ["grace", "👍"],
    ["<b>", "&amp; \u202e"],
  ]) {
    await webchat.post(room, name, text);
  }
  // By the clock of the server, where the app has nothing to change.
  const ada = await come("ada", { timezoneId: "UTC" });
  for (const path of [
    "/",
    "/?room=wrong",
    room,
    await webchat.room(),
    "/nowhere",
    "/rooms/0123456789abcdef/",
  ]) {
    await ada.go(path);
    const words = async () => {
      // Who is here is not the server's to draw.
      await ada.page.locator(".people").evaluateAll((all) => all.forEach((one) => one.remove()));
      return ada.page.locator("body").innerText();
    };
    const settled = (text: string) =>
      text.replace(/Connecting|Live/, "").replace(/\d+ (s|min|h)|just now/g, "");
    const alive = settled(await words());
    await ada.page.route("**/*.js", (route) => route.abort());
    await ada.page.goto(path);
    expect(settled(await words()), path).toBe(alive);
    await ada.page.unroute("**/*.js");
  }
});

test("a page is readable before hydration and keeps what was typed", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room({ name: "Tea" });
  await webchat.post(room, "grace", "hello");
  const ada = await come("ada");
  let arrive = () => {};
  const held = new Promise<void>((resolve) => (arrive = resolve));
  await ada.page.route("**/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await ada.page.goto(room, { waitUntil: "commit" });
  await expect(ada.bodies).toHaveText(["hello"]);
  await ada.field.fill("typed early");
  expect(await ada.page.evaluate(() => window.alive)).toBeUndefined();
  arrive();
  await ada.live();
  await expect(ada.field).toHaveValue("typed early");
  await ada.field.press("Enter");
  await expect(ada.bodies).toHaveText(["hello", "typed early"]);
});

test("a page whose app cannot start shows a warning, and its forms still work", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.page.route("**/*.wasm", (route) =>
    route.fulfill({ status: 200, contentType: "application/wasm", body: "" }),
  );
  await ada.page.goto(room);
  await expect(
    ada.page.getByRole("alert").filter({ hasText: "This page has stopped working" }),
  ).toBeVisible();
  await expect(ada.page.getByRole("button", { name: "Reload" })).toBeVisible();
  expect(ada.complaints.splice(0).join()).toMatch(/WebAssembly/);
  await ada.page.unroute("**/*.wasm");
  await ada.field.fill("still here");
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(ada.bodies).toHaveText(["still here"]);
});
