// Layout: pages load without a layout shift, and hovering or receiving a message moves nothing else.

import { tea } from "../../support/sample_room";
import { expect, test, type Person } from "../../support/webchat";

test("on a 4K screen the log is a centred column of readable width", async ({
  webchat,
  come,
}) => {
  const ada = await come("ada", { viewport: { width: 3840, height: 2160 } });
  await ada.enter(await tea(webchat));
  const column = await ada.log.locator(".column").boundingBox();
  expect(column?.width).toBeLessThan(1_000);
  const beside = (await ada.page.locator(".side").boundingBox())?.width ?? 0;
  expect(Math.abs((column?.x ?? 0) + (column?.width ?? 0) / 2 - (beside + 3840) / 2)).toBeLessThan(
    12,
  );
});

/** What moved by itself since the page began to load, as browsers count it. */
const shifts = (person: Person) =>
  person.page.evaluate(() => {
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

for (const width of [360, 1280]) {
  test(`pages load without a layout shift, at ${width} pixels`, async ({ webchat, come }) => {
    const room = await tea(webchat);
    // A zone where the hour is another one, and the day is not.
    const timezoneId = new Date().getUTCHours() < 12 ? "Asia/Kathmandu" : "America/St_Johns";
    const ada = await come("ada", { viewport: { width, height: 740 }, timezoneId });
    for (const path of ["/", room, await webchat.room(), "/nowhere"]) {
      // The app comes late, when everything else has been drawn.
      await ada.page.route("**/*.wasm", async (route) => {
        await ada.page.evaluate(
          () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
        );
        await route.continue();
      });
      await ada.go(path);
      if (path.startsWith("/rooms/")) await ada.live();
      await ada.page.evaluate(
        () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
      );
      expect(await shifts(ada), path).toEqual([]);
    }
  });
}

test("the layout shift check detects a shift", async ({ come }) => {
  const ada = await come("ada");
  await ada.go("/");
  await ada.page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    document.body.prepend(
      Object.assign(document.createElement("p"), { textContent: "late", style: "height: 200px" }),
    );
    await frame();
    await frame();
  });
  await expect.poll(() => shifts(ada)).not.toEqual([]);
});

test("hovering a message moves nothing, and a new message moves only the log", async ({
  webchat,
  come,
}) => {
  const room = await tea(webchat);
  const ada = await come("ada", { viewport: { width: 1280, height: 800 } });
  await ada.enter(room);
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
  await webchat.post(room, "grace", "new");
  await expect(ada.bodies.last()).toHaveText("new");
  expect(await frame()).toEqual(still);
});
