// Browser tests run in the system's Chromium, if possible in the one without windows; each test that uses the server gets its own, with
// empty data.

import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";

const names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"].map(
  (name) => `/usr/bin/${name}`,
);
const executablePath = process.env.CHROMIUM ?? names.find((path) => existsSync(path));

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  forbidOnly: !!process.env.CI,
  fullyParallel: true,
  workers: 2,
  // Generous for a busy machine: an assertion continues as soon as it holds.
  timeout: 240_000,
  expect: { timeout: 30_000 },
  reporter: process.env.CI ? [["list"], ["html", { open: "never" }]] : "list",
  use: {
    // English with 24 hours.
    locale: "en-GB",
    // Pictures of each step would cost more time than many a test.
    trace: { mode: "retain-on-failure", screenshots: false },
    // Chromium has no sandbox for root, and containers have a small /dev/shm.
    launchOptions: { executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] },
  },
});
