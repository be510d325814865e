// The clock of the device is set to another time while the page is open.

import { expect, test } from "../../support/webchat";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

for (const [what, by] of [
  ["ten minutes forward", 10 * MINUTE],
  ["ten minutes back", -10 * MINUTE],
  ["two days forward", 2 * DAY],
  ["two days back", -2 * DAY],
] as const) {
  test(`dates, times and pauses stay right when the clock is set ${what}`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await webchat.createRoom({ timeout: "1h" });
    await webchat.postMessage(room, "grace", "today");
    const ada = await openBrowser("ada");
    // The clock is wrong at first, and corrected later.
    await ada.page.addInitScript((by) => {
      const { now } = Date;
      window.mark = String(-by);
      Date.now = () => now() + Number(window.mark);
    }, by);
    await ada.openRoom(room);
    const day = ada.page.locator(".day-separator");
    const left = ada.page.locator(".room-status .time-left");
    await expect(day).toHaveText(["Today"]);
    await expect(left).toHaveText(/^(1 h|59 min.*) left$/);
    await ada.page.route("**/messages/", (route) =>
      route.fulfill({ status: 429, headers: { "Retry-After": "200" }, body: "" }),
    );
    await ada.send("waits");
    const queue = ada.page.locator(".queue-status");
    await expect(queue).toHaveText(/^1 waiting · going on in (200|19\d) s$/);
    await expect(day, "the waiting message is of today, too").toHaveText(["Today"]);

    const asked = ada.page.waitForResponse("**/readyz");
    await ada.page.evaluate(() => (window.mark = "0"));
    await asked;
    await expect(queue).toHaveText(/^1 waiting · going on in 1\d\d s$/);
    await expect(day).toHaveText(["Today"]);
    await expect(left).toHaveText(/^(1 h|5\d min.*) left$/);
    await ada.page.unroute("**/messages/");
    await ada.page.evaluate(() => window.dispatchEvent(new Event("online")));
    await expect(ada.pendingMessages).toHaveCount(0);
    await expect(day).toHaveText(["Today"]);
  });
}
