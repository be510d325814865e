// Losing and regaining the network: no message is missed, duplicated or lost.

import { expect, test } from "../../support/webchat";
import { numberedTexts } from "../../support/numbered_texts";

test("messages written offline wait in order and are sent when the network returns", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  await ada.send("before");
  await expect(grace.messageBodies).toHaveText(["before"]);

  await ada.page.context().setOffline(true);
  await expect(ada.connectionStatus).toHaveText("Offline");
  for (const text of numberedTexts(1, 5)) await ada.send(text);
  await expect(ada.page.getByText("5 waiting")).toBeVisible();
  await expect(ada.pendingMessages).toHaveCount(5);
  await grace.send("while ada is away");
  await expect(grace.messageBodies).toHaveText(["before", "while ada is away"]);

  await ada.page.context().setOffline(false);
  await ada.waitUntilLive();
  const all = ["before", "while ada is away", ...numberedTexts(1, 5)];
  await expect(grace.messageBodies).toHaveText(all);
  await expect(ada.messageBodies).toHaveText(all);
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.page.getByText(/waiting/)).toHaveCount(0);
  expect(await webchat.messageTexts(room)).toEqual(all);
});

test("no message is missing or duplicated when the network fails repeatedly under load", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  let talking = true;
  const talk = (async () => {
    for (let i = 1; talking; i++) await webchat.postMessage(room, "grace", `number ${i}`);
  })();
  for (let i = 0; i < 5; i++) {
    await ada.page.context().setOffline(true);
    await expect(ada.connectionStatus).toHaveText("Offline");
    await ada.send(`offline ${i}`);
    await ada.page.context().setOffline(false);
    await ada.waitUntilLive();
    await expect(ada.pendingMessages).toHaveCount(0);
  }
  talking = false;
  await talk;
  const said = await webchat.messageTexts(room);
  expect(said.filter((text) => text.startsWith("offline"))).toEqual(
    [0, 1, 2, 3, 4].map((i) => `offline ${i}`),
  );
  // A page draws only the newest messages, so compare the end of the log.
  await expect.poll(async () => (await ada.messageBodies.allInnerTexts()).at(-1)).toBe(said.at(-1));
  const drawn = await ada.messageBodies.allInnerTexts();
  expect(drawn).toEqual(said.slice(-drawn.length));
  expect(drawn.length).toBeGreaterThanOrEqual(Math.min(said.length, 100));
});

test("a room that closed while the page was offline is shown as closed after reconnecting", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ timeout: "8s" });
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.page.context().setOffline(true);
  await expect(ada.connectionStatus).toHaveText("Offline");
  await ada.messageField.fill("too late");
  await expect.poll(async () => (await fetch(webchat.url + room)).status).toBe(410);
  await ada.page.context().setOffline(false);
  await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
});

test("messages are sent and received although the browser takes the device for offline", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "onLine", { get: () => false });
  });
  await ada.openRoom(room);
  await ada.send("from ada");
  await expect(ada.pendingMessages).toHaveCount(0);
  await webchat.postMessage(room, "grace", "to ada");
  await expect(ada.messageBodies).toHaveText(["from ada", "to ada"]);
  const opened = ada.openStreams.size;
  await Promise.all([
    ada.page.waitForRequest((request) => request.resourceType() === "eventsource"),
    ada.page.evaluate(() => window.dispatchEvent(new Event("offline"))),
  ]);
  await ada.waitUntilLive();
  expect(opened).toBe(1);
});
