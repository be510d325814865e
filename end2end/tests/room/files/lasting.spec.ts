// Files that wait survive a reload, a crash and hours without a network, and are sent once, by one tab.

import { writeFile } from "node:fs/promises";
import { choose, largeFile, rowNames, strip, stripNames, textFile } from "../../../support/files";
import { expect, test, type User } from "../../../support/webchat";

/** Lets no file through until the returned function is called. */
async function holdUploads(user: User): Promise<() => Promise<void>> {
  const pattern = "**/uploads/**";
  await user.page.context().route(pattern, (route) => route.abort("connectionfailed"));
  return () => user.page.context().unroute(pattern);
}

/** The bodies and the names of the files of a room's messages. */
async function sent(webchat: { getJson<T>(path: string): Promise<T> }, room: string) {
  type Sent = { body: string; files?: { name: string }[] };
  const messages = await webchat.getJson<Sent[]>(`${room}messages/`);
  return messages.map(({ body, files = [] }) => [body, ...files.map(({ name }) => name)]);
}

test("a message with files that waits is sent after a reload, once", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const letThrough = await holdUploads(ada);
  await choose(ada.page, textFile("one.txt"), largeFile("two.bin", 300_000));
  await ada.send("later");
  await expect(strip(ada.page).getByText("Waiting for the connection").first()).toBeVisible();
  await ada.openRoom(room);
  await expect(stripNames(ada.page)).toHaveText(["one.txt", "two.bin"]);
  await letThrough();
  await expect(rowNames(ada.page)).toHaveText(["one.txt", "two.bin"]);
  await expect(strip(ada.page)).toBeHidden();
  expect(await sent(webchat, room)).toEqual([["later", "one.txt", "two.bin"]]);
});

test("what waits goes on from any page, after the tab was closed", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const letThrough = await holdUploads(ada);
  await choose(ada.page, textFile("one.txt"));
  await ada.send("from home");
  await expect(strip(ada.page).getByText("Waiting for the connection")).toBeVisible();
  const home = await ada.openTab();
  await ada.page.close();
  await letThrough();
  await home.visit("/");
  await expect.poll(() => sent(webchat, room)).toEqual([["from home", "one.txt"]]);
  expect(await home.page.evaluate(() => localStorage.getItem("files"))).toBeNull();
});

test("of several tabs one sends, and all show what waits", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const other = await ada.openTab();
  await other.openRoom(room);
  const letThrough = await holdUploads(ada);
  await choose(ada.page, textFile("one.txt"));
  await ada.send("from the first");
  await choose(other.page, textFile("two.txt"));
  await other.send("from the second");
  for (const tab of [ada, other])
    await expect(stripNames(tab.page)).toHaveText(["one.txt", "two.txt"]);
  let uploads = 0;
  ada.page.context().on("request", (request) => (uploads += request.method() === "POST" && request.url().endsWith("/uploads/") ? 1 : 0));
  await letThrough();
  for (const tab of [ada, other]) {
    await expect(rowNames(tab.page)).toHaveText(["one.txt", "two.txt"]);
    await expect(tab.messages.first()).toHaveClass(/own/);
    await expect(strip(tab.page)).toBeHidden();
  }
  expect(await sent(webchat, room)).toEqual([["from the first", "one.txt"], ["from the second", "two.txt"]]);
  expect(uploads, "each file is sent once").toBe(2);
});

test("another tab cancels what the sending tab sends", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const other = await ada.openTab();
  await other.openRoom(room);
  const letThrough = await holdUploads(ada);
  await choose(ada.page, textFile("one.txt"));
  await ada.send("no");
  await choose(other.page, textFile("two.txt"));
  await other.send("yes");
  await strip(other.page).getByRole("button", { name: "Cancel one.txt" }).click();
  for (const tab of [ada, other]) await expect(stripNames(tab.page)).toHaveText(["two.txt"]);
  await letThrough();
  await expect(rowNames(other.page)).toHaveText(["two.txt"]);
  expect(await sent(webchat, room)).toEqual([["yes", "two.txt"]]);
});

test("what the browser cannot keep is chosen again after a reload, and only the same file is taken", async ({
  webchat,
  openBrowser,
}, info) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  // A browser without space for the bytes.
  await ada.page.addInitScript(() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (value, key) {
      if (this.name === "bytes") throw new DOMException("no space", "QuotaExceededError");
      return put.call(this, value, key);
    };
  });
  await ada.openRoom(room);
  const letThrough = await holdUploads(ada);
  const film = info.outputPath("film.bin");
  await writeFile(film, largeFile("film.bin", 200_000).buffer);
  await ada.page.getByLabel("Attach files").setInputFiles(film);
  await ada.send("look");
  await expect(strip(ada.page).getByText("This browser cannot keep these files.")).toBeVisible();
  await ada.openRoom(room);
  const alert = strip(ada.page).getByRole("alert").filter({ hasText: "film.bin" });
  await expect(alert).toContainText("has not kept");
  await letThrough();
  const again = alert.getByLabel("Choose the file again");
  await again.setInputFiles(textFile("film.bin"));
  await expect(alert).toContainText("is another file");
  expect(await sent(webchat, room)).toEqual([]);
  await again.setInputFiles(film);
  await expect(rowNames(ada.page)).toHaveText(["film.bin"]);
  expect(await sent(webchat, room)).toEqual([["look", "film.bin"]]);
});
