// Sending files: chosen, pasted and dropped, with progress, cancelled and refused.

import { choose, give, largeFile, picture, rowNames, strip, stripNames, textFile } from "../../../support/files";
import { expect, test } from "../../../support/webchat";
import { Gate } from "../../../support/gate";

/** A message with files in the JSON API. */
interface FileMessage {
  body: string;
  files?: { name: string; size: number; url: string }[];
}

test("files that were chosen are sent with the text, in their order, and others see them", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const [ada, grace] = [await openBrowser("ada"), await openBrowser("grace")];
  await ada.openRoom(room);
  await grace.openRoom(room);
  await choose(ada.page, textFile("b.txt"), textFile("a.txt"));
  await choose(ada.page, textFile("c.md"));
  await expect(stripNames(ada.page)).toHaveText(["b.txt", "a.txt", "c.md"]);
  await strip(ada.page).getByRole("button", { name: "Remove a.txt" }).click();
  await expect(stripNames(ada.page)).toHaveText(["b.txt", "c.md"]);
  expect(await webchat.messageTexts(room), "nothing is sent before the message").toEqual([]);
  await ada.send("two of three");
  for (const user of [ada, grace]) {
    await expect(rowNames(user.page)).toHaveText(["b.txt", "c.md"]);
    await expect(user.messages).toHaveText([/two of three/]);
  }
  await expect(strip(ada.page)).toBeHidden();
  await expect(ada.messageField).toHaveValue("");
  await expect(ada.messages.first(), "the message is the visitor's own").toHaveClass(/own/);
  const [message] = await webchat.getJson<FileMessage[]>(`${room}messages/`);
  expect(message.files?.map(({ name, size }) => [name, size])).toEqual([["b.txt", 17], ["c.md", 16]]);
  const download = grace.page.waitForEvent("download");
  await grace.log.getByRole("link", { name: "Download" }).first().click();
  expect((await download).suggestedFilename()).toBe("b.txt");
});

test("a message may have files and no text", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await choose(ada.page, textFile("alone.txt"));
  await expect(stripNames(ada.page)).toHaveText(["alone.txt"]);
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(rowNames(ada.page)).toHaveText(["alone.txt"]);
});

test("a picture has the description of its sender, and keeps its metadata only if they want it", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const [ada, grace] = [await openBrowser("ada"), await openBrowser("grace")];
  await ada.openRoom(room);
  await grace.openRoom(room);
  await choose(ada.page, picture("cat.png", 60, 40), picture("dog.png", 60, 40));
  await strip(ada.page).getByLabel("Describe cat.png").fill("a cat on a <keyboard>");
  const row = strip(ada.page).getByRole("listitem").filter({ hasText: "dog.png" });
  await expect(row.getByText("May contain a place")).toBeHidden();
  await row.getByLabel("Original, with all metadata").check();
  await expect(row.getByText("May contain a place")).toBeVisible();
  await ada.send("pets");
  await expect(grace.log.getByRole("img", { name: "a cat on a <keyboard>" })).toBeVisible();
  await expect(grace.log.getByRole("img", { name: "dog.png" })).toBeVisible();
  await expect(grace.log.getByText("May contain a place")).toHaveCount(1);
});

test("a message that is sent before its files are taken waits for them", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const gate = new Gate();
  await ada.page.route("**/pkg/files.*.js", async (route) => {
    await gate.opened;
    await route.continue();
  });
  await ada.openRoom(room);
  await choose(ada.page, textFile("slow.txt"));
  await ada.send("quick");
  await expect(ada.messageField).toHaveValue("quick");
  gate.open();
  await expect(rowNames(ada.page)).toHaveText(["slow.txt"]);
  expect(await webchat.messageTexts(room)).toEqual(["quick"]);
});

for (const how of ["paste", "drop"] as const) {
  test(`a file is attached by ${how}`, async ({ webchat, openBrowser }) => {
    const room = await webchat.createRoom();
    const ada = await openBrowser("ada");
    await ada.openRoom(room);
    await give(ada.page, how, textFile("given.txt"));
    await expect(stripNames(ada.page)).toHaveText(["given.txt"]);
    await ada.send("here");
    await expect(rowNames(ada.page)).toHaveText(["given.txt"]);
  });
}

test("pasted text stays text, also beside a picture of it", async ({ webchat, openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.openRoom(await webchat.createRoom());
  const isTaken = await ada.page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text/plain", "cells");
    data.items.add(new File(["x"], "cells.png", { type: "image/png" }));
    const paste = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: data });
    return !document.getElementById("message")!.dispatchEvent(paste);
  });
  expect(isTaken).toBe(false);
});

test("the whole room is a target that shows while files are dragged over it", async ({ webchat, openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.openRoom(await webchat.createRoom());
  const drag = (name: string) =>
    ada.page.evaluate((name) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["x"], "x.txt"));
      const event = new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer });
      document.querySelector("h1")!.dispatchEvent(event);
    }, name);
  await drag("dragover");
  const target = ada.page.getByText("Drop files here to attach them");
  await expect(target).toBeVisible();
  await drag("dragleave");
  await expect(target).toBeHidden();
  await drag("dragover");
  await expect(target).toBeVisible();
  await drag("drop");
  await expect(target).toBeHidden();
  await expect(stripNames(ada.page)).toHaveText(["x.txt"]);
});

test.describe("with small limits", () => {
  test.use({ flags: ["--file-max", "1KB", "--room-files", "1500B"] });

  test("what is too large or too much is known before the first byte", async ({ webchat, openBrowser }) => {
    const ada = await openBrowser("ada");
    await ada.openRoom(await webchat.createRoom());
    const uploads: string[] = [];
    ada.page.on("request", (request) => request.method() === "POST" && uploads.push(request.url()));
    await choose(ada.page, largeFile("large.bin", 1_001), textFile("small.txt"));
    await expect(strip(ada.page).getByRole("alert")).toHaveText(/large.bin.* has 1.0 KB. A file may have at most 1.0 KB./);
    await expect(stripNames(ada.page)).toHaveText(["small.txt"]);
    await choose(ada.page, ...Array.from({ length: 10 }, (_, i) => textFile(`${i}.txt`)));
    await expect(strip(ada.page).getByRole("alert")).toHaveText("A message may have 10 files.");
    await expect(stripNames(ada.page)).toHaveCount(10);
    expect(uploads.filter((url) => url.includes("/files/"))).toEqual([]);
  });

  test("a file that is cancelled is not sent, and counts no longer", async ({ webchat, openBrowser }) => {
    const room = await webchat.createRoom();
    const ada = await openBrowser("ada");
    await ada.openRoom(room);
    const gate = new Gate();
    await ada.page.route("**/messages/", async (route) => {
      await gate.opened;
      await route.continue();
    });
    // The first file arrives, and the second one is held back.
    const isSecond = (metadata?: string) => metadata?.includes(btoa("second.bin"));
    await ada.page.route("**/uploads/", (route) =>
      isSecond(route.request().headers()["upload-metadata"]) ? undefined : route.continue(),
    );
    await choose(ada.page, largeFile("first.bin", 900), largeFile("second.bin", 500));
    await ada.send("with two files");
    await expect(strip(ada.page).getByRole("progressbar", { name: "first.bin" })).toHaveJSProperty("value", 900);
    await strip(ada.page).getByRole("button", { name: "Cancel second.bin" }).click();
    await expect(stripNames(ada.page)).toHaveText(["first.bin"]);
    gate.open();
    await expect(rowNames(ada.page)).toHaveText(["first.bin"]);

    await choose(ada.page, largeFile("second.bin", 500));
    await ada.send("given up");
    await strip(ada.page).getByRole("button", { name: "Cancel second.bin" }).click();
    await expect(strip(ada.page)).toBeHidden();
    await expect(ada.messageField, "the text comes back").toHaveValue("given up");
    // The room has space for 1,500 bytes, of which the first file has 900.
    await ada.page.unroute("**/uploads/");
    await choose(ada.page, largeFile("last.bin", 600));
    await ada.messageField.press("Enter");
    await expect(rowNames(ada.page)).toHaveText(["first.bin", "last.bin"]);
    expect(await webchat.messageTexts(room)).toEqual(["with two files", "given up"]);
  });

  test("a refusal is shown in words, and can be tried again", async ({ webchat, openBrowser }) => {
    const room = await webchat.createRoom();
    const ada = await openBrowser("ada");
    await ada.openRoom(room);
    const sendFile = async (name: string, size: number) => {
      await choose(ada.page, largeFile(name, size));
      await ada.send(name);
    };
    await sendFile("one.bin", 1_000);
    await expect(rowNames(ada.page)).toHaveText(["one.bin"]);
    await sendFile("two.bin", 600);
    const alert = strip(ada.page).getByRole("alert").filter({ hasText: "Not sent" });
    await expect(alert).toHaveText(/Not sent: The files of (this|a) room/);
    // The refused message holds up no other.
    await sendFile("three.bin", 400);
    await expect(rowNames(ada.page)).toHaveText(["one.bin", "three.bin"]);
    await alert.getByRole("button", { name: "Try again" }).click();
    await expect(alert).toBeVisible();
    const [message] = await webchat.getJson<FileMessage[]>(`${room}messages/?limit=2`);
    const menu = await ada.openMessageMenu(ada.messages.first());
    await menu.getByRole("button", { name: "Delete" }).click();
    await menu.getByRole("button", { name: /Delete/ }).click();
    await expect.poll(async () => (await fetch(webchat.url + message.files![0].url)).status).toBe(404);
    await alert.getByRole("button", { name: "Try again" }).click();
    await expect(rowNames(ada.page)).toHaveText(["three.bin", "two.bin"]);
    await expect(strip(ada.page)).toBeHidden();
  });
});

test.describe("without files", () => {
  test.use({ flags: ["--files", "off"] });

  test("there is no button to attach files, and messages are sent", async ({ webchat, openBrowser }) => {
    const ada = await openBrowser("ada");
    await ada.openRoom(await webchat.createRoom());
    await expect(ada.page.getByLabel("Attach files")).toBeHidden();
    await ada.send("hello");
    await expect(ada.messageBodies).toHaveText(["hello"]);
  });
});
