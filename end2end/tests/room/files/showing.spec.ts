// Files in the log: drawn by the server and by the script alike, with the space of pictures, and large in the viewer.

import { choose, picture, postFiles, rowNames, samples, textFile } from "../../../support/files";
import { expect, test, type User } from "../../../support/webchat";

/** The HTML of the files in each message. */
const drawn = (user: User) =>
  user.log.locator("message-files").evaluateAll((all) => all.map((files) => files.innerHTML));

test("the script draws files as the server does", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await postFiles(webchat, room, "all kinds", ...samples());
  await postFiles(webchat, room, "again", textFile("again.txt"));
  await expect(rowNames(ada.page)).toHaveText(["notes & <b>more.txt", "archive.tar.gz", "sound.wav", "Straße", "again.txt"]);
  const byScript = await drawn(ada);
  await ada.openRoom(room);
  expect(await drawn(ada)).toEqual(byScript);
  const withoutScript = await openBrowser("reader", { javaScriptEnabled: false });
  await withoutScript.page.goto(room);
  await expect(withoutScript.log.locator("message-files").first()).toBeVisible();
  await expect(withoutScript.log.locator(".file-name")).toHaveCount(5);
  const high = await withoutScript.log.getByRole("img", { name: "high.png" }).boundingBox();
  expect(high?.height).toBeGreaterThan(330);
  expect(high?.height).toBeLessThanOrEqual(360);
});

test("a page with 50 pictures does not move while they load", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  for (let i = 0; i < 10; i++) {
    const pictures = Array.from({ length: 5 }, (_, j) => picture(`${i}-${j}.png`, 200 + 37 * i, 100 + 53 * j, [20 * i, 50 * j, 90]));
    await postFiles(webchat, room, `pictures ${i}`, ...pictures);
  }
  const ada = await openBrowser("ada");
  await ada.page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
    }).observe({ type: "layout-shift", buffered: true });
  });
  await ada.openRoom(room);
  const pictures = ada.log.getByRole("img");
  await expect(pictures).toHaveCount(50);
  for (const at of [49, 25, 0, 49]) {
    await pictures.nth(at).scrollIntoViewIfNeeded();
    await expect(pictures.nth(at)).toHaveJSProperty("complete", true);
  }
  expect(await ada.page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)).toEqual([]);
});

test("pictures open large, by keyboard and mouse, and close by Escape and by Back", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  await postFiles(webchat, room, "two", picture("one.png", 300, 200), picture("two.png", 200, 300, [190, 80, 60]));
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.log.getByRole("img", { name: "one.png" }).click();
  const viewer = ada.page.getByRole("dialog", { name: "Picture" });
  await expect(viewer.getByText("1 of 2")).toBeVisible();
  await ada.page.keyboard.press("ArrowRight");
  await expect(viewer.getByRole("img", { name: "two.png" })).toHaveJSProperty("naturalWidth", 200);
  await expect(viewer.getByRole("button", { name: "Next picture" })).toBeDisabled();
  const width = () => viewer.getByRole("img").evaluate((shown) => shown.getBoundingClientRect().width);
  const before = await width();
  await viewer.getByRole("button", { name: "Zoom in" }).click();
  expect(await width()).toBeGreaterThan(before * 1.4);
  await ada.page.keyboard.press("0");
  expect(await width()).toBe(before);
  const download = ada.page.waitForEvent("download");
  await viewer.getByRole("link", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toBe("two.png");
  await ada.page.keyboard.press("Escape");
  await expect(viewer).toBeHidden();
  await expect(ada.log.getByRole("link", { name: "two.png" }), "the focus is where the reader was").toBeFocused();
  expect(ada.path).toBe(room);

  await ada.page.keyboard.press("Enter");
  await expect(viewer).toBeVisible();
  await ada.page.goBack();
  await expect(viewer).toBeHidden();
  expect(ada.path).toBe(room);
  await ada.waitUntilLive();
});

test("a deleted file leaves its message", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await choose(ada.page, textFile("stays.txt"), textFile("goes.txt"));
  await ada.send("two");
  await expect(rowNames(ada.page)).toHaveText(["stays.txt", "goes.txt"]);
  const url = await ada.log.getByRole("link", { name: "Download" }).nth(1).getAttribute("href");
  await ada.page.evaluate((url) => fetch(url.replace(/\/[^/]*$/, ""), { method: "DELETE" }), url!);
  await expect(rowNames(ada.page)).toHaveText(["stays.txt"]);
});
