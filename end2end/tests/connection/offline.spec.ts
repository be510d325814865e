// Losing and regaining the network: no message is missed, duplicated or lost.

import { expect, test } from "../../support/webchat";

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `number ${from + i}`);

test("messages written offline wait in order and are sent when the network returns", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  await ada.say("before");
  await expect(grace.bodies).toHaveText(["before"]);

  await ada.page.context().setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  for (const text of numbers(1, 5)) await ada.say(text);
  await expect(ada.page.getByText("5 waiting")).toBeVisible();
  await expect(ada.pending).toHaveCount(5);
  await grace.say("while ada is away");
  await expect(grace.bodies).toHaveText(["before", "while ada is away"]);

  await ada.page.context().setOffline(false);
  await ada.live();
  const all = ["before", "while ada is away", ...numbers(1, 5)];
  await expect(grace.bodies).toHaveText(all);
  await expect(ada.bodies).toHaveText(all);
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.page.getByText(/waiting/)).toHaveCount(0);
  expect(await webchat.said(room)).toEqual(all);
});

test("no message is missing or duplicated when the network fails repeatedly under load", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  let talking = true;
  const talk = (async () => {
    for (let i = 1; talking; i++) await webchat.post(room, "grace", `number ${i}`);
  })();
  for (let i = 0; i < 5; i++) {
    await ada.page.context().setOffline(true);
    await expect(ada.connection).toHaveText("Offline");
    await ada.say(`offline ${i}`);
    await ada.page.context().setOffline(false);
    await ada.live();
    await expect(ada.pending).toHaveCount(0);
  }
  talking = false;
  await talk;
  const said = await webchat.said(room);
  expect(said.filter((text) => text.startsWith("offline"))).toEqual(
    [0, 1, 2, 3, 4].map((i) => `offline ${i}`),
  );
  // A page draws the newest only; those are all there, in order, once.
  await expect.poll(async () => (await ada.bodies.allInnerTexts()).at(-1)).toBe(said.at(-1));
  const drawn = await ada.bodies.allInnerTexts();
  expect(drawn).toEqual(said.slice(-drawn.length));
  expect(drawn.length).toBeGreaterThanOrEqual(Math.min(said.length, 100));
});

test("a room that closed while the page was offline is shown as closed after reconnecting", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room({ timeout: "8s" });
  const ada = await come("ada");
  await ada.enter(room);
  await ada.page.context().setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  await ada.field.fill("too late");
  await expect.poll(async () => (await fetch(webchat.url + room)).status).toBe(410);
  await ada.page.context().setOffline(false);
  await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
});
