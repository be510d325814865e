// Layout: pages load without a layout shift, and hovering or receiving a message moves nothing
// else.

import { createSampleRoom } from "../../support/sample_room";
import { expect, test, type User } from "../../support/webchat";

test("on a 4K screen the log is a centred column of readable width", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada", { viewport: { width: 3840, height: 2160 } });
  await ada.openRoom(await createSampleRoom(webchat));
  const column = await ada.log.locator(".column").boundingBox();
  expect(column?.width).toBeLessThan(1_000);
  const beside = (await ada.page.locator(".sidebar").boundingBox())?.width ?? 0;
  expect(Math.abs((column?.x ?? 0) + (column?.width ?? 0) / 2 - (beside + 3840) / 2)).toBeLessThan(
    12,
  );
});

/** The browser's layout-shift entries since the page began to load. */
const layoutShifts = (user: User) =>
  user.page.evaluate(() => {
    const observer = new PerformanceObserver(() => {});
    observer.observe({ type: "layout-shift", buffered: true });
    const moved = observer.takeRecords() as (PerformanceEntry & {
      value: number;
      sources?: { node?: Node }[];
    })[];
    return moved.map(
      ({ value, sources }) =>
        `${value.toFixed(4)} ${sources?.map(({ node }) => (node as Element)?.className ?? node?.nodeName)}`,
    );
  });

/** Waits until the page has been drawn as it is. */
const waitForFrame = (user: User) =>
  user.page.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
  );

for (const width of [360, 1280]) {
  test(`pages load without a layout shift, at ${width} pixels`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await createSampleRoom(webchat);
    // A time zone with another hour but the same day.
    const timezoneId = new Date().getUTCHours() < 12 ? "Asia/Kathmandu" : "America/St_Johns";
    const ada = await openBrowser("ada", { viewport: { width, height: 740 }, timezoneId });
    for (const path of ["/", room, await webchat.createRoom(), "/nowhere"]) {
      // The app loads after the server's HTML has been drawn.
      await ada.page.route("**/*.wasm", async (route) => {
        await waitForFrame(ada);
        await route.continue();
      });
      await ada.visit(path);
      if (path.startsWith("/rooms/")) await ada.waitUntilLive();
      await waitForFrame(ada);
      expect(await layoutShifts(ada), path).toEqual([]);
    }
  });
}

test("a page that arrives slowly moves nothing that is drawn", async ({ webchat, openBrowser }) => {
  const room = await createSampleRoom(webchat);
  const ada = await openBrowser("ada");
  await ada.holdBackApp();
  const network = await ada.page.context().newCDPSession(ada.page);
  const limit = (downloadThroughput: number) =>
    network.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput,
      uploadThroughput: -1,
    });
  for (const path of ["/", room, await webchat.createRoom(), "/nowhere"]) {
    // The style sheet is in the browser's cache when the page arrives.
    await ada.page.goto("/docs/");
    await limit(12_000);
    await ada.page.goto(path, { waitUntil: "domcontentloaded" });
    await limit(-1);
    await waitForFrame(ada);
    expect(await layoutShifts(ada), path).toEqual([]);
  }
});

test("the layout shift check detects a shift", async ({ openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await ada.page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    document.body.prepend(
      Object.assign(document.createElement("p"), { textContent: "late", style: "height: 200px" }),
    );
    await frame();
    await frame();
  });
  await expect.poll(() => layoutShifts(ada)).not.toEqual([]);
});

test("hovering a message moves nothing, and a new message moves only the log", async ({
  webchat,
  openBrowser,
}) => {
  const room = await createSampleRoom(webchat);
  const ada = await openBrowser("ada", { viewport: { width: 1280, height: 800 } });
  await ada.openRoom(room);
  const places = () =>
    ada.page
      .locator("header, footer, article, .body")
      .evaluateAll((all) => all.map((one) => JSON.stringify(one.getBoundingClientRect())));
  const before = await places();
  for (const message of (await ada.messages.all()).slice(-3)) await message.hover();
  expect(await places()).toEqual(before);
  const frame = () =>
    ada.page
      .locator("header, footer")
      .evaluateAll((all) => all.map((one) => JSON.stringify(one.getBoundingClientRect())));
  const still = await frame();
  await webchat.postMessage(room, "grace", "new");
  await expect(ada.messageBodies.last()).toHaveText("new");
  expect(await frame()).toEqual(still);
});
