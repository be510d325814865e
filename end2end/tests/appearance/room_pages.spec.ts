// Screenshots and axe checks of the room's management pages, in both themes.
// The screenshots go to `artefacts` for review; horizontal overflow and axe violations fail the test.

import { AxeBuilder } from "@axe-core/playwright";
import { type BrowserContextOptions } from "@playwright/test";
import { join, resolve } from "node:path";
import { button, choose, comeBy, company, invite, open, panel } from "../../support/room_pages";
import { type Come, expect, type Person, test, type Webchat } from "../../support/webchat";

const artefacts = resolve(import.meta.dirname, "../../artefacts");
type Show = (webchat: Webchat, come: Come, options: BrowserContextOptions) => Promise<Person>;

/** As a panel, and as a page of its own. */
const states: Record<string, Show> = {
  async settings(webchat, come, options) {
    const [ada] = await company(webchat, come, "Shown to everyone under open rooms", options);
    await choose(ada, "Room settings");
    await ada.page.getByText("Close this room now").click();
    return ada;
  },
  async "settings-refused"(webchat, come, options) {
    const ada = await come("ada", options);
    await open(ada);
    await ada.live();
    await choose(ada, "Room settings");
    await ada.page.getByLabel("Name of the room").fill("x".repeat(81));
    await button(ada, "Save").click();
    await expect(ada.page.getByLabel("Name of the room")).toBeFocused();
    return ada;
  },
  async rules(webchat, come, options) {
    const ada = await come("ada", options);
    await ada.enter(await webchat.room());
    await choose(ada, "About this room");
    await expect(panel(ada, "About this room")).toBeVisible();
    return ada;
  },
  async people(webchat, come, options) {
    const [ada, , room] = await company(webchat, come, "Private: only people you invite", options);
    await choose(ada, "Invitations");
    const link = await invite(ada);
    await comeBy(await come("Countess Ada of Lovelace the 1st"), link, "hello too");
    await ada.page.goto(room);
    await ada.live();
    await choose(ada, "People");
    await ada.page.getByText("Manage bob").click();
    await button(ada, "Mute bob").click();
    await expect(ada.page.getByText(/muted for another/)).toBeVisible();
    await ada.page.getByText("Manage bob").click();
    await ada.page.getByText("What was done here").click();
    return ada;
  },
  async trail(webchat, come, options) {
    const [ada, , room] = await company(webchat, come, "Anyone with the link", options);
    await ada.page.goto(`${room}audit/`);
    return ada;
  },
  async invitations(webchat, come, options) {
    const [ada] = await company(webchat, come, "Private: only people you invite", options);
    await choose(ada, "Invitations");
    await panel(ada, "Invitations").getByLabel("How many may use it").fill("5");
    await button(ada, "Make an invitation").click();
    await ada.page.getByText("for 5 more").waitFor();
    await ada.page
      .getByText(/^QR code/)
      .first()
      .click();
    return ada;
  },
  async "empty-private"(_webchat, come, options) {
    const ada = await come("ada", options);
    await open(ada, "Private: only people you invite");
    await ada.live();
    return ada;
  },
  async "share-private"(_webchat, come, options) {
    const ada = await come("ada", options);
    await open(ada, "Private: only people you invite");
    await ada.live();
    await button(ada, "Share").click();
    return ada;
  },
  async "menu-owner"(_webchat, come, options) {
    const ada = await come("ada", options);
    await open(ada);
    await ada.live();
    await button(ada, "More").click();
    return ada;
  },
  async reader(webchat, come, options) {
    const ada = await come("ada");
    const room = await open(ada);
    await ada.live();
    await choose(ada, "Room settings");
    await ada.page.getByLabel("What it is about").fill("News of the kettle, and nothing else");
    await ada.page.getByLabel("Only moderators write").check();
    await button(ada, "Save").click();
    await expect(ada.page.getByText("Saved.")).toBeVisible();
    const bob = await come("bob", options);
    await bob.enter(room);
    return bob;
  },
  async invited(webchat, come, options) {
    const ada = await come("ada");
    await open(ada, "Private: only people you invite", "Den");
    await ada.live();
    await choose(ada, "Invitations");
    const link = await invite(ada);
    const bob = await come("bob", options);
    await bob.page.goto(link);
    return bob;
  },
  async "not-invited"(_webchat, come, options) {
    const bob = await come("bob", options);
    await bob.page.goto("/invitations/0123456789abcdef0123456789abcdef/");
    return bob;
  },
  async options(_webchat, come, options) {
    const ada = await come("ada", options);
    await ada.go("/");
    await ada.page.getByText("Options", { exact: true }).click();
    return ada;
  },
};

for (const colorScheme of ["light", "dark"] as const) {
  for (const [name, show] of Object.entries(states)) {
    test(`${name}, ${colorScheme}: passes axe and does not overflow horizontally`, async ({
      webchat,
      come,
    }) => {
      const person = await show(webchat, come, {
        colorScheme,
        viewport: { width: 1280, height: 800 },
        reducedMotion: "reduce",
      });
      for (const [width, height] of [
        [1280, 800],
        [360, 740],
      ]) {
        await person.page.setViewportSize({ width, height });
        const wide = await person.page.evaluate(() => {
          const all = [document.documentElement, ...document.querySelectorAll("dialog[open]")];
          return Math.max(...all.map((one) => one.scrollWidth - one.clientWidth));
        });
        expect(wide, `at ${width} pixels`).toBeLessThanOrEqual(0);
        const { violations, passes } = await new AxeBuilder({ page: person.page }).analyze();
        expect(
          violations.map(({ id, help, nodes }) => ({
            id,
            help,
            where: nodes.map((node) => node.html),
          })),
        ).toEqual([]);
        expect(passes.length).toBeGreaterThan(10);
        await person.page.screenshot({
          path: join(artefacts, `panel-${name}-${width}-${colorScheme}.png`),
          animations: "disabled",
        });
      }
    });
  }
}
