// Notifications of the browser, recorded instead of shown, and which tab has the focus. Playwright gives
// every tab the focus, and a browser without windows shows no notifications.

import { type BrowserContextOptions } from "@playwright/test";
import { type OpenBrowser, expect, type User, type Webchat } from "./webchat";

/** A notification as a page asked for it. */
export interface Notified {
  title: string;
  body: string;
  tag: string;
  silent: boolean;
  isClosed: boolean;
}

declare global {
  interface Window {
    /** The notifications that this tab has asked for, in order. */
    notified: (Notified & { onclick?: () => void })[];
    /** Whether the person looks at another window. */
    isAway?: boolean;
    /** The addresses that this tab has opened in new tabs. */
    opened: string[];
    /** How many sounds this tab has played. */
    sounds: number;
  }
}

/** Runs in every page before its own scripts. */
function recordNotifications(answer: NotificationPermission) {
  window.notified = [];
  window.opened = [];
  window.sounds = 0;
  const stored = (value?: string) => {
    if (value) localStorage.setItem("test-permission", value);
    return localStorage.getItem("test-permission") ?? "default";
  };
  class RecordedNotification {
    isClosed = false;
    onclose?: () => void;
    static get permission() {
      return stored();
    }
    static requestPermission = () => Promise.resolve(stored(answer));
    constructor(title: string, options: NotificationOptions) {
      Object.assign(this, options, { title });
      window.notified.push(this as unknown as Window["notified"][number]);
    }
    close() {
      this.isClosed = true;
      this.onclose?.();
    }
  }
  Object.assign(window, { Notification: RecordedNotification });
  window.open = ((address: string) => void window.opened.push(address)) as typeof window.open;
  Document.prototype.hasFocus = () => !window.isAway;
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (at?: number) {
    window.sounds += 1;
    return start.call(this, at);
  };
}

/** Opens a browser that answers the question for permission like this. */
export async function openRecordingBrowser(
  openBrowser: OpenBrowser,
  name: string,
  answer: NotificationPermission = "granted",
  options?: BrowserContextOptions,
): Promise<User> {
  const user = await openBrowser(name, options);
  await user.page.context().addInitScript(recordNotifications, answer);
  return user;
}

/** Turns on notifications on the page for them, as a person does. */
export async function turnOnNotifications(user: User): Promise<void> {
  await user.page.goto("/profile/notifications/");
  await user.page.getByRole("button", { name: "Turn on notifications" }).click();
  await expect(user.page.getByText("Notifications are on")).toBeVisible();
}

/** Opens a room and waits until the script of the notifications knows what is new. */
export async function openRoomWithNotifications(user: User, room: string): Promise<void> {
  const overview = user.page.waitForResponse((answer) => answer.url().includes("/overview/?"));
  await user.openRoom(room);
  await (await overview).finished();
}

/** Looks at another window, or back at this tab. */
export async function setAway(user: User, isAway: boolean): Promise<void> {
  await user.page.evaluate((isAway) => {
    window.isAway = isAway;
    window.dispatchEvent(new Event(isAway ? "blur" : "focus"));
  }, isAway);
}

/** Sets which messages of a room notify the user. */
export async function setLevel(user: User, room: string, level: string): Promise<void> {
  const answer = await user.page.request.put(`${room}notifications/`, { data: { level } });
  expect(answer.status()).toBe(200);
}

/** The notifications that these tabs have asked for. */
export async function notifiedOf(...tabs: User[]): Promise<Notified[]> {
  const read = (user: User) =>
    user.page.evaluate(() =>
      window.notified.map(({ title, body, tag, silent, isClosed }) => ({
        // Names are isolated from the text around them.
        title: title.replace(/[\u2068\u2069]/g, ""),
        body: body.replace(/[\u2068\u2069]/g, ""),
        tag,
        silent,
        isClosed,
      })),
    );
  return (await Promise.all(tabs.map(read))).flat();
}

/** Waits until these tabs together have asked for notifications with these texts, in this order. */
export async function expectNotified(texts: string[], ...tabs: User[]): Promise<void> {
  await expect
    .poll(async () => (await notifiedOf(...tabs)).map(({ body }) => body))
    .toEqual(texts);
}

/**
 * Checks that no earlier message has notified: a message that notifies for certain is the only one.
 * It is sent in a room of its own.
 */
export async function expectNothingBefore(
  webchat: Webchat,
  certain: string,
  earlier: string[],
  ...tabs: User[]
): Promise<void> {
  await webchat.postMessage(certain, "grace", "for certain");
  await expectNotified([...earlier, "grace: for certain"], ...tabs);
}
