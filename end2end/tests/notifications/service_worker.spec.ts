// Notifications that the service worker shows, and clicks on them. A browser without windows shows none, so
// the calls are recorded, for all tabs.

import {
  openRecordingBrowser,
  openRoomWithNotifications,
  setLevel,
  turnOnNotifications,
} from "../../support/notifications";
import { expect, type OpenBrowser, test, type User, type Webchat } from "../../support/webchat";

interface Shown {
  tag: string;
  data: string;
}

/** What a click on a notification did in the service worker. */
declare const self: { opened?: string; clients: object } & EventTarget;

/** Runs in every page before its own scripts. */
function recordWorkerNotifications() {
  const read = () => JSON.parse(localStorage.getItem("test-shown") ?? "[]") as Shown[];
  const write = (shown: Shown[]) => localStorage.setItem("test-shown", JSON.stringify(shown));
  const without = (tag: string) => read().filter((one) => one.tag !== tag);
  Object.assign(ServiceWorkerRegistration.prototype, {
    async showNotification(_title: string, { tag, data }: Shown) {
      write([...without(tag), { tag, data }]);
    },
    async getNotifications() {
      return read().map(({ tag, data }) => ({ tag, data, close: () => write(without(tag)) }));
    },
  });
}

const shownIn = (user: User) =>
  user.page.evaluate(() => JSON.parse(localStorage.getItem("test-shown") ?? "[]") as Shown[]);

/** Ada has Tea open; Rum notifies her of everything. */
async function openTea(webchat: Webchat, openBrowser: OpenBrowser) {
  const tea = await webchat.createRoom({ name: "Tea" });
  const rum = await webchat.createRoom({ name: "Rum" });
  const ada = await openRecordingBrowser(openBrowser, "ada", "granted", {
    serviceWorkers: "allow",
  });
  await ada.page.context().addInitScript(recordWorkerNotifications);
  await turnOnNotifications(ada);
  await ada.openRoom(rum);
  await ada.page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await setLevel(ada, rum, "all");
  await openRoomWithNotifications(ada, tea);
  return { ada, tea, rum };
}

/** Clicks a notification with this data, and returns the address that the worker opened, if any. */
async function clickNotification(user: User, data: string): Promise<string | undefined> {
  const [worker] = user.page.context().serviceWorkers();
  return worker.evaluate(async (data) => {
    // Only a real click lets a worker open a window or focus one.
    Object.assign(self.clients, { openWindow: (address: string) => (self.opened = address) });
    let done: Promise<unknown> = Promise.resolve();
    const event = new Event("notificationclick");
    Object.assign(event, {
      notification: { close: () => undefined, data },
      waitUntil: (work: Promise<unknown>) => (done = work),
    });
    self.dispatchEvent(event);
    await done;
    return self.opened;
  }, data);
}

test("a room has one notification of the service worker, which is closed when a tab shows the room", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, rum } = await openTea(webchat, openBrowser);
  await webchat.postMessage(rum, "grace", "one");
  const second = await webchat.postMessage(rum, "grace", "two");
  const shown = { tag: rum.split("/")[2], data: `${rum}#m${second.id}` };
  await expect.poll(() => shownIn(ada)).toEqual([shown]);
  const other = await ada.openTab();
  await other.openRoom(rum);
  await expect.poll(() => shownIn(ada)).toEqual([]);
});

test("a click goes to the tab of the room, and opens the room where there is none", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, tea, rum } = await openTea(webchat, openBrowser);
  for (let at = 1; at <= 30; at++) await webchat.postMessage(tea, "grace", `line ${at}`);
  await expect(ada.messageBodies.last()).toHaveText("line 30");
  expect(await clickNotification(ada, `${tea}#m2`)).toBeUndefined();
  await expect(ada.page).toHaveURL(/#m2$/);
  await expect(ada.messageBodies.filter({ hasText: /^line 2$/ })).toBeInViewport();
  expect(await clickNotification(ada, `${rum}#m7`)).toBe(`${rum}#m7`);
});

test("after signing out, the notifications of the account are closed", async ({
  webchat,
  openBrowser,
}) => {
  await webchat.createAccount("ada");
  const bob = await webchat.createAccount("bob");
  const { ada, tea } = await openTea(webchat, openBrowser);
  await ada.signIn();
  await openRoomWithNotifications(ada, tea);
  await webchat.sendDirectMessage(bob, "ada", "for your account");
  await expect.poll(async () => (await shownIn(ada)).length).toBe(1);
  const loadedAgain = ada.page.waitForEvent("load");
  await ada.page.request.post("/logout");
  await loadedAgain;
  await expect.poll(() => shownIn(ada)).toEqual([]);
});
