// The cost of a first visit on a slow device. Measured and printed, not judged: the size budget is
// checked by `make budget`, and times depend on the machine.

import type { CDPSession } from "@playwright/test";
import { expect, test, type User } from "../../support/webchat";

for (const page of ["home", "room", "full home"]) {
  test(`the ${page} page becomes interactive with a four times slower processor`, async ({
    webchat,
    openBrowser,
  }, info) => {
    for (let i = 1; page === "full home" && i <= 100; i++)
      await webchat.createRoom({ name: `Public room ${i}`, public: true });
    const room = await webchat.createRoom();
    for (let i = 1; i <= 50; i++)
      await webchat.postMessage(room, i % 3 ? "ada" : "grace", `message number ${i}`);
    const times: number[] = [];
    let size = 0;
    let busy = 0;
    for (let visit = 0; visit < 5; visit++) {
      const ada = await openBrowser("ada");
      const devtools = await ada.page.context().newCDPSession(ada.page);
      await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
      await ada.visit(page === "room" ? room : "/");
      times.push((await ada.page.evaluate(() => window.hydratedAt)) ?? NaN);
      size = await ada.page.evaluate(() => {
        const loaded = performance.getEntries() as PerformanceResourceTiming[];
        return loaded.reduce((sum, entry) => sum + (entry.transferSize || 0), 0);
      });
      busy = await scriptShare(ada, devtools);
      await ada.page.close();
    }
    const middle = times.sort((a, b) => a - b)[2];
    const words = `interactive after ${middle.toFixed(0)} ms (${times.map((time) => time.toFixed(0)).join(", ")}), ${(size / 1024).toFixed(1)} KiB loaded, then busy for ${(busy * 1000).toFixed(0)} ms a second`;
    info.annotations.push({ type: page, description: words });
    console.log(`${page}: ${words}`);
    expect(size).toBeGreaterThan(0);
  });
}

/** The share of time that an idle page spends in scripts, measured over three seconds. */
async function scriptShare(user: User, devtools: CDPSession): Promise<number> {
  const now = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    const [scripts, at] = ["ScriptDuration", "Timestamp"].map(
      (name) => metrics.find((metric) => metric.name === name)?.value ?? NaN,
    );
    return { scripts, at };
  };
  const ticks = () => new Promise<void>((done) => window.setTimeout(done, 3_000));
  await devtools.send("Performance.enable");
  const before = await now();
  await user.page.evaluate(ticks);
  const after = await now();
  return (after.scripts - before.scripts) / (after.at - before.at);
}
