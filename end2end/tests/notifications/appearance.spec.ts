// Screenshots and axe checks of everything about notifications and one's own rooms, in both themes. The
// screenshots go to `artefacts` for review; horizontal overflow and axe violations fail the test.

import { AxeBuilder } from "@axe-core/playwright";
import { type BrowserContextOptions } from "@playwright/test";
import { join, resolve } from "node:path";
import { openRecordingBrowser, setLevel, turnOnNotifications } from "../../support/notifications";
import { button, chooseMenuItem, createOwnRoom, pageDialog } from "../../support/room_pages";
import { type OpenBrowser, expect, test, type User, type Webchat } from "../../support/webchat";

const artefacts = resolve(import.meta.dirname, "../../artefacts");
type Show = (
  webchat: Webchat,
  openBrowser: OpenBrowser,
  options: BrowserContextOptions,
) => Promise<User>;

const states: Record<string, Show> = {
  async "settings-off"(_webchat, openBrowser, options) {
    const ada = await openRecordingBrowser(openBrowser, "ada", "granted", options);
    await ada.page.goto("/profile/notifications/");
    await expect(button(ada, "Turn on notifications")).toBeVisible();
    return ada;
  },
  async "settings-denied"(_webchat, openBrowser, options) {
    const ada = await openRecordingBrowser(openBrowser, "ada", "denied", options);
    await ada.page.goto("/profile/notifications/");
    await button(ada, "Turn on notifications").click();
    await expect(ada.page.getByText("Your browser blocks")).toBeVisible();
    return ada;
  },
  async "settings-on"(_webchat, openBrowser, options) {
    const ada = await openRecordingBrowser(openBrowser, "ada", "granted", options);
    await turnOnNotifications(ada);
    await button(ada, "Save quiet hours").click();
    await button(ada, "For an hour").click();
    await expect(button(ada, "Resume")).toBeVisible();
    return ada;
  },
  async level(webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    await ada.openRoom(await webchat.createRoom({ name: "Tea" }));
    await chooseMenuItem(ada, "Notifications");
    await expect(pageDialog(ada, "Notifications")).toBeVisible();
    return ada;
  },
  async keep(webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    await ada.openRoom(await webchat.createRoom({ name: "Tea", public: true }));
    await chooseMenuItem(ada, "Keep or leave");
    await expect(button(ada, "Keep in my rooms")).toBeVisible();
    return ada;
  },
  async leave(_webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    await createOwnRoom(ada, "Anyone with the link", "Tea");
    await ada.waitUntilLive();
    await chooseMenuItem(ada, "Keep or leave");
    await ada.page.getByText("Leave this room", { exact: true }).click();
    return ada;
  },
  async "muted-list"(webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    const rum = await webchat.createRoom({ name: "Rum" });
    const tea = await webchat.createRoom({ name: "Tea" });
    for (const room of [rum, tea]) await ada.openRoom(room);
    await setLevel(ada, rum, "none");
    await ada.visit("/");
    for (const room of [rum, tea, tea]) await webchat.postMessage(room, "grace", "hello");
    await expect(ada.page).toHaveTitle("(2) webchat");
    return ada;
  },
};

for (const colorScheme of ["light", "dark"] as const) {
  for (const [name, show] of Object.entries(states)) {
    test(`${name}, ${colorScheme}: passes axe and does not overflow horizontally`, async ({
      webchat,
      openBrowser,
    }) => {
      const user = await show(webchat, openBrowser, {
        colorScheme,
        viewport: { width: 1280, height: 800 },
        reducedMotion: "reduce",
      });
      for (const [width, height] of [
        [1280, 800],
        [768, 1024],
        [360, 740],
      ]) {
        await user.page.setViewportSize({ width, height });
        const wide = await user.page.evaluate(() => {
          const all = [document.documentElement, ...document.querySelectorAll("dialog[open]")];
          return Math.max(...all.map((one) => one.scrollWidth - one.clientWidth));
        });
        expect(wide, `at ${width} pixels`).toBeLessThanOrEqual(0);
        const { violations } = await new AxeBuilder({ page: user.page }).analyze();
        expect(
          violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => node.html) })),
        ).toEqual([]);
        await user.page.screenshot({
          path: join(artefacts, `notifications-${name}-${width}-${colorScheme}.png`),
          animations: "disabled",
          fullPage: true,
        });
      }
    });
  }
}
