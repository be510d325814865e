// Screenshots and axe checks of the room's management pages, in both themes. The screenshots go to
// `artefacts` for review; horizontal overflow and axe violations fail the test.

import { AxeBuilder } from "@axe-core/playwright";
import { type BrowserContextOptions } from "@playwright/test";
import { join, resolve } from "node:path";
import {
  button,
  chooseMenuItem,
  acceptInvitation,
  createRoomWithMember,
  createInvitation,
  createOwnRoom,
  pageDialog,
} from "../../support/room_pages";
import { type OpenBrowser, expect, type User, test, type Webchat } from "../../support/webchat";

const artefacts = resolve(import.meta.dirname, "../../artefacts");
type Show = (
  webchat: Webchat,
  openBrowser: OpenBrowser,
  options: BrowserContextOptions,
) => Promise<User>;

/** Each state by the name of its screenshot: as a dialog over the room, or as a page. */
const states: Record<string, Show> = {
  async settings(webchat, openBrowser, options) {
    const { ada } = await createRoomWithMember(
      webchat,
      openBrowser,
      "Anyone; listed under Public rooms",
      options,
    );
    await chooseMenuItem(ada, "Room settings");
    await ada.page.getByText("Close this room now").click();
    return ada;
  },
  async "settings-refused"(webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    await createOwnRoom(ada);
    await ada.waitUntilLive();
    await chooseMenuItem(ada, "Room settings");
    await ada.page.getByLabel("Name of the room").fill("x".repeat(81));
    await button(ada, "Save").click();
    await expect(ada.page.getByLabel("Name of the room")).toBeFocused();
    return ada;
  },
  async rules(webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    await ada.openRoom(await webchat.createRoom());
    await chooseMenuItem(ada, "About this room");
    await expect(pageDialog(ada, "About this room")).toBeVisible();
    return ada;
  },
  async users(webchat, openBrowser, options) {
    const { ada, room } = await createRoomWithMember(
      webchat,
      openBrowser,
      "Private: only people you invite",
      options,
    );
    await chooseMenuItem(ada, "Invitations");
    const link = await createInvitation(ada);
    await acceptInvitation(
      await openBrowser("Countess Ada of Lovelace the 1st"),
      link,
      "hello too",
    );
    await ada.page.goto(room);
    await ada.waitUntilLive();
    await chooseMenuItem(ada, "People");
    await ada.page.getByText("Manage bob").click();
    await button(ada, "Mute bob").click();
    await expect(ada.page.getByText(/muted for another/)).toBeVisible();
    await ada.page.getByText("Manage bob").click();
    await ada.page.getByText("Moderation log").click();
    return ada;
  },
  async person(webchat, openBrowser, options) {
    const { ada } = await createRoomWithMember(
      webchat,
      openBrowser,
      "Anyone with the link",
      options,
    );
    await ada.log.getByRole("link", { name: "bob", exact: true }).click();
    await button(ada, "Mute bob for 10 minutes").click();
    await expect(ada.page.getByText("bob is muted for 10 minutes.")).toBeVisible();
    return ada;
  },
  async "person-quiet"(webchat, openBrowser, options) {
    const room = await webchat.createRoom({ name: "Tea" });
    await webchat.createAccount("ada", "Ada Lovelace");
    await webchat.createAccount("grace", "Grace Brewster Murray Hopper, Rear Admiral");
    const grace = await openBrowser("grace");
    await grace.signIn();
    await grace.openRoom(room);
    await grace.send("hello");
    await expect(grace.pendingMessages).toHaveCount(0);
    const ada = await openBrowser("ada", options);
    await ada.signIn();
    await ada.openRoom(room);
    await ada.log.getByRole("link", { name: /^Grace/ }).click();
    await expect(ada.page.getByRole("link", { name: "Message", exact: true })).toBeVisible();
    return ada;
  },
  async "person-alone"(webchat, openBrowser, options) {
    const { ada, room } = await createRoomWithMember(
      webchat,
      openBrowser,
      "Anyone with the link",
      options,
    );
    await ada.page.goto(`${room}person/?name=bob`);
    return ada;
  },
  async "menu-sanction"(webchat, openBrowser, options) {
    const { ada } = await createRoomWithMember(
      webchat,
      openBrowser,
      "Anyone with the link",
      options,
    );
    const menu = await ada.openMessageMenu("hello");
    await menu.getByRole("button", { name: "Mute bob" }).click();
    await expect(ada.page.getByText("bob is muted for 10 minutes.")).toBeVisible();
    return ada;
  },
  async trail(webchat, openBrowser, options) {
    const { ada, room } = await createRoomWithMember(
      webchat,
      openBrowser,
      "Anyone with the link",
      options,
    );
    await ada.page.goto(`${room}audit/`);
    return ada;
  },
  async invitations(webchat, openBrowser, options) {
    const { ada } = await createRoomWithMember(
      webchat,
      openBrowser,
      "Private: only people you invite",
      options,
    );
    await chooseMenuItem(ada, "Invitations");
    await pageDialog(ada, "Invitations").getByLabel("Number of uses").fill("5");
    await button(ada, "Create invitation").click();
    await ada.page.getByText("for 5 more").waitFor();
    await ada.page
      .getByText(/^QR code/)
      .first()
      .click();
    return ada;
  },
  async "empty-private"(_webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    await createOwnRoom(ada, "Private: only people you invite");
    await ada.waitUntilLive();
    return ada;
  },
  async "share-private"(_webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    await createOwnRoom(ada, "Private: only people you invite");
    await ada.waitUntilLive();
    await button(ada, "Share").click();
    return ada;
  },
  async "menu-owner"(_webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    await createOwnRoom(ada);
    await ada.waitUntilLive();
    await button(ada, "More").click();
    return ada;
  },
  async reader(webchat, openBrowser, options) {
    const ada = await openBrowser("ada");
    const room = await createOwnRoom(ada);
    await ada.waitUntilLive();
    await chooseMenuItem(ada, "Room settings");
    await ada.page.getByLabel("What it is about").fill("News of the kettle, and nothing else");
    await ada.page.getByLabel("Only moderators write").check();
    await button(ada, "Save").click();
    await expect(ada.page.getByText("Saved.")).toBeVisible();
    const bob = await openBrowser("bob", options);
    await bob.openRoom(room);
    return bob;
  },
  async invited(webchat, openBrowser, options) {
    const ada = await openBrowser("ada");
    await createOwnRoom(ada, "Private: only people you invite", "Den");
    await ada.waitUntilLive();
    await chooseMenuItem(ada, "Invitations");
    const link = await createInvitation(ada);
    const bob = await openBrowser("bob", options);
    await bob.page.goto(link);
    return bob;
  },
  async "not-invited"(_webchat, openBrowser, options) {
    const bob = await openBrowser("bob", options);
    await bob.page.goto("/invitations/0123456789abcdef0123456789abcdef/");
    return bob;
  },
  async options(_webchat, openBrowser, options) {
    const ada = await openBrowser("ada", options);
    await ada.visit("/");
    await ada.page.getByText("Options", { exact: true }).click();
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
        [360, 740],
      ]) {
        await user.page.setViewportSize({ width, height });
        const wide = await user.page.evaluate(() => {
          const all = [document.documentElement, ...document.querySelectorAll("dialog[open]")];
          return Math.max(...all.map((one) => one.scrollWidth - one.clientWidth));
        });
        expect(wide, `at ${width} pixels`).toBeLessThanOrEqual(0);
        const { violations, passes } = await new AxeBuilder({ page: user.page }).analyze();
        expect(
          violations.map(({ id, help, nodes }) => ({
            id,
            help,
            where: nodes.map((node) => node.html),
          })),
        ).toEqual([]);
        expect(passes.length).toBeGreaterThan(10);
        await user.page.screenshot({
          path: join(artefacts, `panel-${name}-${width}-${colorScheme}.png`),
          animations: "disabled",
        });
      }
    });
  }
}
