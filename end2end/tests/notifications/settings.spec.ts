// Turning notifications on, the sound, the pause, the quiet hours, and the level of a room.

import {
  openRecordingBrowser,
  turnOnNotifications,
} from "../../support/notifications";
import { button, chooseMenuItem, pageDialog } from "../../support/room_pages";
import { expect, test, type User } from "../../support/webchat";

const SETTINGS = "/profile/notifications/";
const unreadBadge = (user: User, name: string) =>
  user.page.getByRole("link", { name }).locator(".unread:not([hidden])");

test("notifications are turned on by a click, stay on, and are turned off", async ({
  openBrowser,
}) => {
  const ada = await openRecordingBrowser(openBrowser, "ada");
  await ada.page.goto(SETTINGS);
  await expect(ada.page.getByText("asks you whether this page may show them")).toBeVisible();
  await turnOnNotifications(ada);
  await expect(button(ada, "Turn off notifications")).toBeFocused();
  await ada.page.reload();
  await expect(ada.page.getByText("Notifications are on")).toBeVisible();
  const sound = ada.page.getByRole("checkbox", { name: "Play a short sound" });
  await expect(sound).not.toBeChecked();
  await sound.check();
  await ada.page.reload();
  await expect(sound).toBeChecked();
  await button(ada, "Turn off notifications").click();
  await expect(button(ada, "Turn on notifications")).toBeFocused();
  await expect(ada.page.getByText("Notifications are on")).toBeHidden();
});

test("a refused permission is explained", async ({ openBrowser }) => {
  const ada = await openRecordingBrowser(openBrowser, "ada", "denied");
  await ada.page.goto(SETTINGS);
  await button(ada, "Turn on notifications").click();
  await expect(ada.page.getByText("Your browser blocks notifications of this page.")).toBeVisible();
  await expect(button(ada, "Turn on notifications")).toBeHidden();
});

test("a browser without notifications says so", async ({ openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.page.addInitScript(() => Reflect.deleteProperty(window, "Notification"));
  await ada.page.goto(SETTINGS);
  await expect(ada.page.getByText("cannot show notifications of this page")).toBeVisible();
});

test("the pause until tomorrow follows the time zone of the browser", async ({ openBrowser }) => {
  const ada = await openBrowser("ada", { timezoneId: "Pacific/Auckland" });
  await ada.page.goto(SETTINGS);
  await button(ada, "Until tomorrow").click();
  await expect(ada.page.getByText(/^Notifications are paused until .*8:00/)).toBeVisible();
  await button(ada, "Resume").click();
  await expect(ada.page.getByText("Notifications are not paused.")).toBeVisible();
});

test("quiet hours begin in the time zone of the browser, and a wrong time is explained", async ({
  openBrowser,
}) => {
  const ada = await openBrowser("ada", { timezoneId: "Europe/Berlin" });
  await ada.page.goto(SETTINGS);
  const field = (name: string) => ada.page.getByRole("textbox", { name, exact: true });
  await expect(field("Time zone")).toHaveValue("Europe/Berlin");
  await field("From").fill("25:00");
  await button(ada, "Save quiet hours").click();
  await expect(ada.page.getByRole("alert")).toContainText("must be a time from 00:00 to 23:59");
  await field("From").fill("21:30");
  await button(ada, "Save quiet hours").click();
  await expect(ada.page.getByText("Saved.")).toBeVisible();
  await expect(field("From")).toHaveValue("21:30");
  await button(ada, "No quiet hours").click();
  await expect(ada.page.getByText("There are no quiet hours yet.")).toBeVisible();
});

test("without JavaScript, pause, quiet hours and levels are forms", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea" });
  const ada = await openBrowser("ada", { javaScriptEnabled: false });
  await ada.page.goto(room);
  await chooseMenuItem(ada, "Notifications");
  await button(ada, "All").click();
  await expect(ada.page.getByText("notified of every message in this room")).toBeVisible();
  await ada.page.getByRole("link", { name: /sound and pause/ }).click();
  await expect(ada.page.getByText("only where scripts run")).toBeVisible();
  await button(ada, "For an hour").click();
  await expect(ada.page.getByText("Notifications are paused until")).toBeVisible();
  await ada.page.getByRole("textbox", { name: "Time zone" }).fill("Europe/Berlin");
  await button(ada, "Save quiet hours").click();
  await expect(ada.page.getByText("no notifications in these hours")).toBeVisible();
  await ada.page.getByRole("link", { name: "Back" }).click();
  await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();
});

test("a muted room is quiet in the lists and counts in no title, icon or badge of any tab", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const rum = await webchat.createRoom({ name: "Rum" });
  await ada.openRoom(rum);
  await ada.openRoom(await webchat.createRoom({ name: "Tea" }));
  const home = await ada.openTab();
  await home.visit("/");
  await webchat.postMessage(rum, "grace", "hello");
  for (const tab of [ada, home]) await expect(tab.page).toHaveTitle(/^\(1\) /);
  const muting = await ada.openTab();
  await muting.openRoom(rum);
  await chooseMenuItem(muting, "Notifications");
  const nothing = pageDialog(muting, "Notifications").getByRole("button", { name: "None" });
  await nothing.click();
  await expect(nothing).toHaveAttribute("aria-pressed", "true");
  await expect(nothing).toBeFocused();
  await muting.page.goto("/");
  await webchat.postMessage(rum, "grace", "hello again");
  for (const tab of [ada, home]) {
    await expect(unreadBadge(tab, "Rum")).toHaveText(/^\d unread$/);
    await expect(tab.page.getByRole("link", { name: "Rum" })).toHaveClass(/muted/);
    await expect(tab.page).not.toHaveTitle(/^\(/);
    const icon = await tab.page.locator("link[rel=icon]").getAttribute("href");
    expect(decodeURIComponent(icon ?? "")).not.toContain("<circle");
  }
});

test("a message in a hidden tab of a muted room does not count in its title", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const rum = await webchat.createRoom({ name: "Rum" });
  await ada.openRoom(rum);
  const level = { data: { level: "none" } };
  await ada.page.request.put(`${rum}notifications/`, level);
  await ada.page.reload();
  await ada.waitUntilLive();
  await ada.setHidden(true);
  await webchat.postMessage(rum, "grace", "hello");
  await expect(ada.messageBodies).toHaveText(["hello"]);
  await expect(ada.page).toHaveTitle("Rum · webchat");
});
