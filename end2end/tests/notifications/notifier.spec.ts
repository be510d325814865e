// Which messages notify, where, and how often.

import {
  expectNothingBefore,
  expectNotified,
  notifiedOf,
  openRecordingBrowser,
  openRoomWithNotifications,
  setAway,
  setLevel,
  turnOnNotifications,
} from "../../support/notifications";
import { expect, type OpenBrowser, test, type User, type Webchat } from "../../support/webchat";

interface Overview {
  rooms: { id: string; message_count: number }[];
  notifications?: object;
}

declare global {
  interface Window {
    heard: BroadcastChannel;
    overview?: Overview;
  }
}

/** Ada has turned on notifications, and has Tea open; Rum notifies her of everything. */
async function openTea(webchat: Webchat, openBrowser: OpenBrowser) {
  const tea = await webchat.createRoom({ name: "Tea" });
  const rum = await webchat.createRoom({ name: "Rum" });
  const ada = await openRecordingBrowser(openBrowser, "ada");
  await turnOnNotifications(ada);
  await ada.openRoom(rum);
  await setLevel(ada, rum, "all");
  await openRoomWithNotifications(ada, tea);
  return { ada, tea, rum };
}

/** Another room of the user, which notifies of everything. */
async function keepLoudRoom(webchat: Webchat, user: User): Promise<string> {
  const room = await webchat.createRoom({ name: "Gin" });
  await user.page.request.put(`${room}listing/`, { data: { listed: true } });
  await setLevel(user, room, "all");
  return room;
}

async function openSecondTab(ada: User, room: string): Promise<User> {
  const tab = await ada.openTab();
  await openRoomWithNotifications(tab, room);
  return tab;
}

const idOf = (room: string) => room.split("/")[2];

test("of several tabs exactly one notifies, with the room, the author and the text", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, tea, rum } = await openTea(webchat, openBrowser);
  const second = await openSecondTab(ada, tea);
  const third = await openSecondTab(ada, tea);
  await webchat.postMessage(rum, "grace", "**hello** `there`");
  await expectNotified(["grace: hello there"], ada, second, third);
  const [notified] = await notifiedOf(ada, second, third);
  expect(notified).toMatchObject({ title: "Rum", tag: idOf(rum), silent: true });
  await webchat.postMessage(rum, "grace", "x".repeat(200));
  const shown = `grace: ${"x".repeat(140)}…`;
  await expectNotified(["grace: hello there", shown], ada, second, third);
});

test("the notification of a room without a name is in the language of the page", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openRecordingBrowser(openBrowser, "ada", "granted", { locale: "de-DE" });
  await ada.page.context().addInitScript(() => {
    localStorage.setItem("notifications", "on");
    localStorage.setItem("test-permission", "granted");
  });
  const room = await webchat.createRoom();
  await ada.openRoom(room);
  await openRoomWithNotifications(ada, await webchat.createRoom({ name: "Tee" }));
  await webchat.postMessage(room, "grace", "@ada hello");
  await expectNotified(["grace: @ada hello"], ada);
  const [{ title }] = await notifiedOf(ada);
  expect(title).toBe(`Raum ${idOf(room).slice(0, 4)}`);
});

test("without permission, or while they are off, no script for notifications is loaded", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openRecordingBrowser(openBrowser, "ada");
  const requested: string[] = [];
  ada.page.on("request", (request) => requested.push(request.url()));
  await ada.openRoom(room);
  expect(requested.filter((url) => url.includes("notifications"))).toEqual([]);
  const settings = await ada.openTab();
  const loaded = ada.page.waitForRequest(/notifications/);
  await turnOnNotifications(settings);
  await loaded;
});

test("a room in view in any tab does not notify, and one in a tab without the focus does", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, tea, rum } = await openTea(webchat, openBrowser);
  const gin = await keepLoudRoom(webchat, ada);
  const other = await openSecondTab(ada, rum);
  await setLevel(ada, tea, "all");
  await webchat.postMessage(rum, "grace", "in view");
  await expectNothingBefore(webchat, gin, [], ada, other);
  await setAway(other, true);
  await webchat.postMessage(rum, "grace", "not in view");
  const notified = ["grace: for certain", "grace: not in view"];
  await expectNotified(notified, ada, other);
  await setAway(other, false);
  await expect.poll(async () => (await notifiedOf(ada, other))[1]?.isClosed).toBe(true);
  // The tab goes to another room without loading a page.
  await other.page.getByRole("link", { name: "Tea" }).click();
  await other.waitUntilLive();
  await webchat.postMessage(rum, "grace", "left");
  await expectNotified([...notified, "grace: left"], ada, other);
});

test("by default, mentions and direct messages notify, and own messages never", async ({
  webchat,
  openBrowser,
}) => {
  await webchat.createAccount("ada");
  const bob = await webchat.createAccount("bob");
  const tea = await webchat.createRoom({ name: "Tea" });
  const rum = await webchat.createRoom({ name: "Rum" });
  const ada = await openRecordingBrowser(openBrowser, "ada");
  await ada.signIn();
  await turnOnNotifications(ada);
  const gin = await keepLoudRoom(webchat, ada);
  await ada.openRoom(rum);
  await openRoomWithNotifications(ada, tea);
  await webchat.postMessage(rum, "grace", "for everyone");
  await webchat.sendDirectMessage(bob, "ada", "for you");
  await expectNotified(["for you"], ada);
  expect((await notifiedOf(ada))[0].title).toBe("BOB");
  await webchat.postMessage(rum, "grace", "hello @Ada");
  await expectNotified(["for you", "grace: hello @Ada"], ada);
  await setLevel(ada, rum, "all");
  const phone = await openBrowser("ada");
  await phone.signIn();
  await phone.openRoom(rum);
  await phone.send("from my phone");
  await expect(phone.pendingMessages).toHaveCount(0);
  await expectNothingBefore(webchat, gin, ["for you", "grace: hello @Ada"], ada);
});

test("a guest is notified of mentions by the name that the browser stores", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, rum } = await openTea(webchat, openBrowser);
  await setLevel(ada, rum, "mentions");
  await webchat.postMessage(rum, "grace", "hello @adam");
  await webchat.postMessage(rum, "grace", "hello @ada");
  await expectNotified(["grace: hello @ada"], ada);
});

test("a muted room, a pause and quiet hours notify of nothing", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, rum } = await openTea(webchat, openBrowser);
  const gin = await keepLoudRoom(webchat, ada);
  await setLevel(ada, rum, "none");
  await webchat.postMessage(rum, "grace", "@ada muted");
  await expectNothingBefore(webchat, gin, [], ada);

  await recordOverview(ada);
  const isQuiet = { from: "00:00", to: "23:59", zone: "UTC" };
  const isPaused = { pause_until: new Date(Date.now() + 3_600_000).toISOString() };
  let messages = 1;
  for (const settings of [isPaused, { quiet: isQuiet }]) {
    await changeSettings(ada, settings);
    await webchat.postMessage(gin, "grace", "not now");
    messages += 1;
    await expect
      .poll(async () => (await overviewOf(ada)).rooms.find(({ id }) => id === idOf(gin)))
      .toMatchObject({ message_count: messages });
  }
  await changeSettings(ada, {});
  await expectNothingBefore(webchat, gin, ["grace: for certain"], ada);
});

/** Records the overview that the tabs hear, when the script of the notifications hears it. */
async function recordOverview(user: User): Promise<void> {
  const [, channel] = /script\.start\("([^"]+)"/.exec(await user.page.content()) ?? [];
  await user.page.evaluate((channel) => {
    window.heard = new BroadcastChannel(channel);
    window.heard.onmessage = ({ data: [kind, topic, , json] }) => {
      if (kind === "event" && topic === "overview") window.overview = JSON.parse(json);
    };
  }, channel);
}

const overviewOf = (user: User) => user.page.evaluate(() => window.overview ?? { rooms: [] });

/** Replaces the settings, and waits until the tab has heard of them. */
async function changeSettings(user: User, change: object): Promise<void> {
  const data = { pause_until: null, quiet: null, ...change };
  const answer = await user.page.request.put("/profile/notifications/", { data });
  expect(answer.status()).toBe(200);
  await expect.poll(async () => (await overviewOf(user)).notifications).toEqual(data);
}

test("another tab notifies when the one that did is closed or frozen", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, tea, rum } = await openTea(webchat, openBrowser);
  const second = await openSecondTab(ada, tea);
  const third = await openSecondTab(ada, tea);
  await webchat.postMessage(rum, "grace", "one");
  await expectNotified(["grace: one"], ada);
  await ada.page.close();
  await second.waitUntilLive();
  await webchat.postMessage(rum, "grace", "two");
  await expectNotified(["grace: two"], second, third);
  const [holder, other] = (await notifiedOf(second)).length ? [second, third] : [third, second];
  await holder.page.evaluate(() => document.dispatchEvent(new Event("freeze", { bubbles: true })));
  await other.waitUntilLive();
  await webchat.postMessage(rum, "grace", "three");
  await expectNotified(["grace: three"], other);
  await expectNotified(["grace: two"], holder);
});

test("a room has one notification, which a click leads to the message", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, rum } = await openTea(webchat, openBrowser);
  await webchat.postMessage(rum, "grace", "one");
  await expectNotified(["grace: one"], ada);
  const message = await webchat.postMessage(rum, "grace", "two");
  await expectNotified(["grace: one", "grace: two"], ada);
  expect(new Set((await notifiedOf(ada)).map(({ tag }) => tag)).size).toBe(1);
  await ada.page.evaluate(() => window.notified[1].onclick?.());
  expect(await ada.page.evaluate(() => window.opened)).toEqual([`${rum}#m${message.id}`]);
});

test("a click in the tab of the room shows the message there", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, tea } = await openTea(webchat, openBrowser);
  await setLevel(ada, tea, "all");
  for (let at = 1; at <= 30; at++) await webchat.postMessage(tea, "grace", `line ${at}`);
  await expect(ada.messageBodies.last()).toHaveText("line 30");
  await setAway(ada, true);
  await webchat.postMessage(tea, "grace", "look here");
  await expectNotified(["grace: look here"], ada);
  await ada.page.evaluate(() => window.notified[0].onclick?.());
  await expect(ada.page).toHaveURL(/#m31$/);
  expect(await ada.page.evaluate(() => window.opened)).toEqual([]);
});

test("the sound is off until it is turned on, and then plays once for a notification", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, rum } = await openTea(webchat, openBrowser);
  const sounds = () => ada.page.evaluate(() => window.sounds);
  await webchat.postMessage(rum, "grace", "one");
  await expectNotified(["grace: one"], ada);
  expect(await sounds()).toBe(0);
  await ada.page.evaluate(() => localStorage.setItem("notification-sound", "on"));
  // Browsers allow sounds in pages that were used.
  await ada.messageField.click();
  await webchat.postMessage(rum, "grace", "two");
  await expect.poll(sounds).toBe(2);
});

test("after signing out, nothing of the account notifies", async ({
  webchat,
  openBrowser,
}) => {
  await webchat.createAccount("ada");
  const bob = await webchat.createAccount("bob");
  const tea = await webchat.createRoom({ name: "Tea" });
  const ada = await openRecordingBrowser(openBrowser, "ada");
  await ada.signIn();
  await turnOnNotifications(ada);
  await openRoomWithNotifications(ada, tea);
  await webchat.sendDirectMessage(bob, "ada", "for your account");
  await expectNotified(["for your account"], ada);
  await ada.page.request.post("/logout");
  await ada.page.waitForFunction(() => window.notified.length === 0);
  await ada.waitUntilLive();
  await ada.page.request.put(`${tea}notifications/`, { data: { level: "all" } });
  await setAway(ada, true);
  await webchat.sendDirectMessage(bob, "ada", "for your account, too");
  await expectNothingBefore(webchat, tea, [], ada);
});
