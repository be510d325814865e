// How long a first visit takes on a slow device, and how much it loads. Measured and printed, not judged: the limit on
// size is the budget's, and times depend on the machine.

import { expect, test } from "../webchat";

for (const page of ["home", "room"]) {
  test(`a first visit to a ${page} page, with a processor four times as slow`, async ({ webchat, come }, info) => {
    const room = await webchat.room();
    for (let i = 1; i <= 50; i++) await webchat.post(room, i % 3 ? "ada" : "grace", `message number ${i}`);
    const times: number[] = [];
    let size = 0;
    for (let visit = 0; visit < 5; visit++) {
      const ada = await come("ada");
      const devtools = await ada.page.context().newCDPSession(ada.page);
      await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
      await ada.go(page === "room" ? room : "/");
      times.push((await ada.page.evaluate(() => window.alive)) ?? NaN);
      size = await ada.page.evaluate(() => {
        const loaded = performance.getEntries() as PerformanceResourceTiming[];
        return loaded.reduce((sum, entry) => sum + (entry.transferSize || 0), 0);
      });
      await ada.page.close();
    }
    const middle = times.sort((a, b) => a - b)[2];
    const words = `interactive after ${middle.toFixed(0)} ms (${times.map((time) => time.toFixed(0)).join(", ")}), ${(size / 1024).toFixed(1)} KiB loaded`;
    info.annotations.push({ type: page, description: words });
    console.log(`${page}: ${words}`);
    expect(size).toBeGreaterThan(0);
  });
}
