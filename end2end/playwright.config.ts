// How the browser tests run: the system's Chromium, fresh data and a fresh server for each test that asks for one.

import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";

const names = ["chromium", "chromium-browser", "google-chrome"].map((name) => `/usr/bin/${name}`);
const executablePath = process.env.CHROMIUM ?? names.find((path) => existsSync(path));

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  forbidOnly: !!process.env.CI,
  fullyParallel: true,
  workers: 2,
  // Enough for a machine that has other things to do: whoever waits for a fact goes on as soon as it is there.
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: process.env.CI ? [["list"], ["html", { open: "never" }]] : "list",
  use: {
    trace: "retain-on-failure",
    // Root has no sandbox in Chromium, and containers have a tiny /dev/shm.
    launchOptions: { executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] },
  },
});
