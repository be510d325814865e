// Compares what the start of the page costs the browser's main thread with another build:
//
//     node end2end/startup_cost.mjs OTHER/target/release/webchat [VISITS]
//
// Visits the home page with 46 public rooms, and a room with 50 messages beside them, by turns with
// both builds, each time in a new browser profile with a four times slower processor. Prints the
// medians of the processor time from the navigation until the app has taken over the page, of the
// largest contentful paint, and of the layout shift.

import { chromium } from "@playwright/test";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(import.meta.dirname, "..");
const [other, visits = "15"] = process.argv.slice(2);
const own = process.env.WEBCHAT_BINARY ?? join(root, "target/release/webchat");
const executablePath = ["chromium-headless-shell", "chromium"]
  .map((name) => `/usr/bin/${name}`)
  .find((path) => existsSync(path));

/** Starts a server and fills it. Returns the addresses of its pages, and what stops it. */
async function start(binary) {
  const data = await mkdtemp(join(tmpdir(), "webchat-"));
  const flags = ["--listen", "127.0.0.1:0", "--data-dir", data, "--rate-limit", "off"];
  const child = spawn(resolve(binary), flags, { cwd: data, stdio: ["ignore", "ignore", "pipe"] });
  const url = await new Promise((done) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      const found = /(?:listening|serving) on (http:\/\/[^\s/]+)/.exec(line)?.[1];
      if (found) done(found);
    });
  });
  const post = async (path, body) => {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    return fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  };
  for (let at = 1; at <= 46; at++) await post("/rooms/", { name: `Room ${at}`, public: true });
  const room = (await post("/rooms/", {})).headers.get("location");
  for (let at = 1; at <= 50; at++)
    await post(`${room}messages/`, { username: at % 3 ? "ada" : "grace", body: `message ${at}` });
  const stop = async () => {
    child.kill();
    await rm(data, { recursive: true });
  };
  return { pages: { home: `${url}/`, room: url + room }, stop };
}

/** Visits a page once. Returns milliseconds of processor time, milliseconds of paint, and shift. */
async function visit(browser, address) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const measure = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value;
  };
  let interactive;
  const end = new Promise((done) => (interactive = done));
  await page.exposeBinding("reportInteractive", async () => interactive(await measure()));
  await page.addInitScript(() => {
    const { setInterval } = window;
    // The app starts its clock as soon as it has taken over the page.
    window.setInterval = (...clock) => {
      window.reportInteractive?.();
      delete window.reportInteractive;
      return setInterval(...clock);
    };
    window.seen = { paint: 0, shift: 0 };
    const observe = (type, take) =>
      new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
    observe("largest-contentful-paint", (entry) => (window.seen.paint = entry.startTime));
    observe("layout-shift", (entry) => (window.seen.shift += entry.value));
  });
  const begin = await measure();
  await page.goto(address);
  const cpu = ((await end) - begin) * 1000;
  // What is drawn when the browser is idle may still move something.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 1_000)));
  const { paint, shift } = await page.evaluate(() => window.seen);
  await context.close();
  return { cpu, paint, shift };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const builds = [await start(other), await start(own)];
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  for (const name of ["home", "room"]) {
    const seen = [[], []];
    for (let turn = 0; turn < Number(visits); turn++)
      for (const at of turn % 2 ? [1, 0] : [0, 1])
        seen[at].push(await visit(browser, builds[at].pages[name]));
    const [before, after] = seen.map((all) =>
      Object.fromEntries(["cpu", "paint", "shift"].map((key) => [key, median(all.map((one) => one[key]))])),
    );
    console.log(
      `${name}: ${before.cpu.toFixed(0)} -> ${after.cpu.toFixed(0)} ms of processor time, ` +
        `ratio ${(after.cpu / before.cpu).toFixed(2)}; paint ${before.paint.toFixed(0)} -> ${after.paint.toFixed(0)} ms; ` +
        `shift ${before.shift.toFixed(3)} -> ${after.shift.toFixed(3)}`,
    );
  }
} finally {
  await browser.close();
  for (const build of builds) await build.stop();
}
