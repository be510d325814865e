// What a page loads: from where, how it is cached and compressed.

import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, expect, User, test, Webchat } from "../../support/webchat";

test("no page sends a request to another origin", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom({ public: true });
  const ada = await openBrowser("ada");
  const asked: string[] = [];
  ada.page.on("request", (request) => asked.push(request.url()));
  for (const path of ["/", room, "/docs/", "/nowhere"])
    await ada.page.goto(path, { waitUntil: "networkidle" });
  await ada.page.goto(room);
  await ada.page.getByRole("button", { name: "Share" }).click();
  expect(asked.length).toBeGreaterThan(8);
  expect(
    asked.filter((url) => !url.startsWith(`${webchat.url}/`) && !url.startsWith("data:")),
  ).toEqual([]);
});

/** The headers and the transferred size of a response. */
function fetchRaw(url: string, encodings: string) {
  return new Promise<{ headers: Record<string, unknown>; size: number }>((resolve, reject) => {
    const sent = request(url, { headers: { "Accept-Encoding": encodings } }, (answer) => {
      let size = 0;
      answer.on("data", (chunk: Buffer) => (size += chunk.length));
      answer.on("end", () => resolve({ headers: answer.headers, size }));
    });
    sent.on("error", reject).end();
  });
}

test("assets are immutable and compressed, and pages are not cached", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const parts = new Set<string>();
  ada.page.on(
    "request",
    (request) => /\.(js|wasm|css)$/.test(request.url()) && parts.add(request.url()),
  );
  await ada.visit("/");
  expect([...parts].map((part) => part.split(".").pop()).sort()).toEqual(["css", "js", "wasm"]);
  for (const part of parts) {
    const plain = await fetchRaw(part, "identity");
    expect(plain.headers["cache-control"]).toMatch(
      /max-age=31536000.*immutable|immutable.*max-age=31536000/,
    );
    expect(plain.headers["content-encoding"]).toBeUndefined();
    for (const encoding of ["br", "gzip"]) {
      const packed = await fetchRaw(part, `${encoding}, deflate`);
      expect(packed.headers["content-encoding"]).toBe(encoding);
      expect(packed.headers["vary"]).toMatch(/accept-encoding/i);
      expect(packed.size).toBeLessThan(plain.size * 0.7);
    }
  }
  expect((await fetchRaw(`${webchat.url}/`, "br")).headers["cache-control"]).toMatch(
    /no-store|no-cache/,
  );
});

test("a second visit loads no asset again", async ({ webchat, openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  const tab = await ada.page.context().newPage();
  await tab.goto(webchat.url, { waitUntil: "networkidle" });
  const loaded = await tab.evaluate(() =>
    (performance.getEntriesByType("resource") as PerformanceResourceTiming[])
      .filter((entry) => entry.transferSize > 0 && entry.initiatorType !== "eventsource")
      .map((entry) => new URL(entry.name).pathname)
      .filter((path) => path !== "/rooms/"),
  );
  expect(loaded).toEqual([]);
});

test("the binary alone serves a working site from an empty directory", async ({ browser }) => {
  const folder = await mkdtemp(join(tmpdir(), "webchat-alone-"));
  const program = join(folder, "webchat");
  await copyFile(binary, program);
  const webchat = await Webchat.start({ program, cwd: folder, data: join(folder, "webchat-data") });
  const ada = await User.open(browser, webchat.url, "ada");
  await ada.visit("/");
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.waitUntilLive();
  await ada.send("alone");
  await expect(ada.messageBodies).toHaveText(["alone"]);
  await expect(ada.pendingMessages).toHaveCount(0);
  await ada.close();
  expect(ada.problems).toEqual([]);
  expect(await webchat.stop()).toBe(0);
  expect((await readdir(folder)).sort()).toEqual(["webchat", "webchat-data"]);
  await rm(folder, { recursive: true });
});
