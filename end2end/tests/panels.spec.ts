// A room's settings, people and invitations: as panels over the room, and as pages without a script.

import { AxeBuilder } from "@axe-core/playwright";
import { type BrowserContextOptions } from "@playwright/test";
import jsQR from "jsqr";
import { join, resolve } from "node:path";
import { type Come, expect, type Person, test, type Webchat } from "../webchat";

const artefacts = resolve(import.meta.dirname, "../artefacts");
const panel = (person: Person, name: string) => person.page.getByRole("dialog", { name });
const button = (person: Person, name: string | RegExp) => person.page.getByRole("button", { name });

/** Opens a room of one's own by the form of the home page, and gives its path. */
async function open(person: Person, who = "Anyone with the link", name = ""): Promise<string> {
  await person.page.goto("/");
  await person.page.getByText("Options", { exact: true }).click();
  await person.page.getByRole("textbox", { name: "Name of the room" }).fill(name);
  await person.page.getByRole("radio", { name: who }).check();
  await button(person, "New room").click();
  await person.page.waitForURL(/\/rooms\/[0-9a-f]{16}\/$/);
  return new URL(person.page.url()).pathname;
}

/** Goes to a page of the room by its menu. */
async function choose(person: Person, name: string): Promise<void> {
  await button(person, "More").click();
  await person.page.getByRole("link", { name, exact: true }).click();
}

/** Makes an invitation in the panel, and gives its link. */
async function invite(person: Person): Promise<string> {
  await button(person, "Make an invitation").click();
  const link = panel(person, "Invitations").getByRole("textbox", { name: /^Link/ }).first();
  await expect(link).toHaveValue(/\/invitations\/[0-9a-f]{32}\/$/);
  return link.inputValue();
}

/** Comes by an invitation, and says something to be known by. */
async function comeBy(person: Person, link: string, says = "hello"): Promise<void> {
  await person.page.goto(link);
  await button(person, "Join").click();
  await person.live();
  await person.say(says);
  await expect(person.bodies.filter({ hasText: says })).toHaveCount(1);
  await expect(person.pending).toHaveCount(0);
}

/** A room with its owner, ada, and bob who belongs to it. */
async function company(webchat: Webchat, come: Come, who: string, options?: BrowserContextOptions): Promise<[Person, Person, string]> {
  const [ada, bob] = [await come("ada", options), await come("bob")];
  const room = await open(ada, who, "Den");
  await ada.live();
  await ada.say("Welcome");
  await choose(ada, "Invitations");
  await comeBy(bob, await invite(ada));
  await ada.page.keyboard.press("Escape");
  await expect(panel(ada, "Invitations")).toBeHidden();
  return [ada, bob, room];
}

test("a private room by invitation: a guest joins by the link, reads what was said, and is removed while watching", async ({ webchat, come }) => {
  const [ada, bob] = [await come("ada", { permissions: ["clipboard-read", "clipboard-write"] }), await come("bob")];
  const room = await open(ada, "Private: only people you invite", "Den");
  await ada.live();
  await expect(ada.log).toContainText("Invite somebody and say the first word.");
  await expect(button(ada, "Copy link")).toHaveCount(0);
  await button(ada, "Share").click();
  const share = panel(ada, "Share this room");
  await expect(share).toContainText("This room is private");
  await expect(share).not.toContainText("Anyone");
  await share.getByRole("link", { name: "Invite people" }).click();
  await expect(share).toBeHidden();
  const invitations = panel(ada, "Invitations");
  await expect(invitations).toContainText("There is none yet");
  const link = await invite(ada);
  await expect(invitations.getByText("Reads and writes · as many as like · for 23 h 59 min")).toBeVisible();
  await invitations.getByRole("button", { name: /^Copy link/ }).click();
  await expect.poll(() => ada.page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await ada.page.keyboard.press("Escape");
  await ada.say("Welcome");
  await expect(ada.pending).toHaveCount(0);

  expect((await bob.page.goto(room))?.status()).toBe(404);
  await bob.page.goto(link);
  await expect(bob.page.getByRole("main")).toContainText("The room is called Den. You may read and write there.");
  await button(bob, "Join").click();
  await bob.live();
  expect(new URL(bob.page.url()).pathname).toBe(room);
  await expect(bob.bodies).toHaveText(["Welcome"]);
  await bob.say("Thank you");
  await expect(ada.bodies).toHaveText(["Welcome", "Thank you"]);

  await choose(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await button(ada, "Remove bob").click();
  await expect(ada.page.getByText("Manage bob")).toHaveCount(0);
  await expect(bob.page.getByRole("heading", { name: "You are no longer in this room" })).toBeVisible();
  await expect(bob.bodies).toHaveText(["Welcome", "Thank you"]);
  expect((await bob.page.goto(room))?.status()).toBe(404);
  // The panel says what was done, and the room behind it is still alive.
  await ada.page.getByText("What was done here").click();
  await expect(panel(ada, "People").getByRole("listitem").filter({ hasText: "ada removed bob · just now" })).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await ada.say("Alone");
  await expect(ada.pending).toHaveCount(0);
});

test("an owner changes what the room is like, and everybody there sees it; a refused change says why at its field", async ({ webchat, come }) => {
  const [ada, bob] = [await come("ada"), await come("bob")];
  const room = await open(ada);
  await ada.live();
  await bob.enter(room);
  await choose(ada, "Room settings");
  const settings = panel(ada, "Room settings");
  await settings.getByLabel("Name of the room").fill("x".repeat(81));
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByLabel("Name of the room")).toBeFocused();
  await expect(settings.getByLabel("Name of the room")).toHaveAccessibleDescription(/1 to 80 characters/);
  await settings.getByLabel("Name of the room").fill("Tea");
  await settings.getByLabel("What it is about").fill("Kettles, and what to do with them");
  await settings.getByLabel("Only moderators write").check();
  await settings.getByLabel("Deleted when nobody writes for").selectOption("30 minutes");
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByRole("status")).toHaveText("Saved.");
  await ada.page.keyboard.press("Escape");
  await expect(ada.page.getByRole("heading", { name: "Tea", exact: true })).toBeVisible();
  await expect(ada.log).toContainText("Kettles, and what to do with them");
  await expect(ada.page.locator(".bar .left")).toHaveText(/^(30|29) min/);
  await ada.say("Mine");
  await expect(bob.bodies).toHaveText(["Mine"]);
  await expect(bob.page.getByRole("heading", { name: "Tea", exact: true })).toBeVisible();
  await expect(bob.log).toContainText("Kettles, and what to do with them");
  await expect(bob.page.locator(".bar .left")).toHaveText(/^(30|29) min/);
  await expect(bob.page.getByText("Only moderators write here.")).toBeVisible();
  await expect(bob.field).toBeHidden();
  await choose(bob, "About this room");
  await expect(panel(bob, "About this room")).toContainText("Only the owner of a room changes what it is like");
  await expect(panel(bob, "About this room").getByRole("button")).toHaveCount(1);
});

test("a room is handed over, and left", async ({ webchat, come }) => {
  const [ada, bob, room] = await company(webchat, come, "Private: only people you invite");
  await choose(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await panel(ada, "People").getByLabel("Role of bob").selectOption("reader");
  await button(ada, "Change role").click();
  await expect(panel(ada, "People").getByText("reader · since")).toBeVisible();
  await expect(bob.page.getByText("You read along here")).toBeVisible();
  await expect(bob.field).toBeHidden();

  await ada.page.getByText("Manage bob").click();
  await ada.page.getByText("Hand this room over to bob").click();
  await button(ada, "Hand it over").click();
  await expect(panel(ada, "People").getByText("owner · since")).toBeVisible();
  await expect(ada.page.getByText("Manage bob")).toHaveCount(0);
  await ada.page.keyboard.press("Escape");
  await button(ada, "More").click();
  await expect(ada.page.getByRole("link", { name: "About this room" })).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await choose(bob, "Room settings");
  await expect(panel(bob, "Room settings").getByRole("button", { name: "Save" })).toBeVisible();
  await bob.page.keyboard.press("Escape");
  await expect(bob.field).toBeVisible();

  await choose(ada, "People");
  await panel(ada, "People").getByText("Leave this room").click();
  await button(ada, "Leave").click();
  await ada.page.waitForURL("/");
  expect((await ada.page.goto(room))?.status()).toBe(404);
});

test("muting and banning for a while, and taking it back", async ({ webchat, come }) => {
  const [ada, bob, room] = await company(webchat, come, "Anyone with the link");
  await choose(ada, "People");
  const people = panel(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await people.getByLabel("Mute or ban bob for").selectOption("1 hour");
  await button(ada, "Mute bob").click();
  await expect(people.getByText("muted for another 59 min")).toBeVisible();
  await bob.say("But why");
  await expect(bob.log.getByRole("alert")).toContainText("You are muted in this room.");
  await button(ada, "Take back for bob").click();
  await expect(people.getByText("Nobody is muted or banned.")).toBeVisible();
  await button(bob, "Send again").click();
  await expect(ada.bodies).toHaveText(["Welcome", "hello", "But why"]);

  await ada.page.getByText("Manage bob").click();
  await people.getByLabel("Mute or ban bob for").selectOption("for good");
  await button(ada, "Ban bob").click();
  await expect(people.getByText("banned for good")).toBeVisible();
  await expect(bob.page.getByRole("heading", { name: "You are no longer in this room" })).toBeVisible();
  expect((await bob.page.goto(room))?.status()).toBe(403);
  await button(ada, "Take back for bob").click();
  await expect(people.getByText("Nobody is muted or banned.")).toBeVisible();
  await bob.enter(room);
  await bob.say("Back");
  await expect(ada.bodies.last()).toHaveText("Back");
});

test("an owner closes a room, and everybody reads why it is no more", async ({ webchat, come }) => {
  const [ada, bob, room] = await company(webchat, come, "Anyone with the link");
  await choose(ada, "Room settings");
  await ada.page.getByText("Close this room now").click();
  await button(ada, "Close this room for good").click();
  for (const person of [ada, bob]) {
    await expect(person.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
    await expect(person.page.getByText("It fell quiet, or its owner closed it.")).toBeVisible();
    await expect(person.page.getByRole("dialog")).toHaveCount(0);
  }
  await bob.page.goto(room);
  await expect(bob.page.getByRole("main")).toContainText("its owner closed it");
});

test("all of it without a script", async ({ webchat, come }) => {
  const plain = { javaScriptEnabled: false };
  const [ada, bob] = [await come("ada", plain), await come("bob", plain)];
  const room = await open(ada, "Private: only people you invite", "Den");
  const write = async (person: Person, text: string) => {
    await person.field.fill(text);
    await button(person, "Send").click();
  };
  await write(ada, "Welcome");
  await choose(ada, "Invitations");
  await expect(ada.page.getByRole("heading", { level: 1, name: "Invitations" })).toBeVisible();
  await ada.page.getByLabel("How many may use it").fill("none");
  await button(ada, "Make an invitation").click();
  await expect(ada.page.getByLabel("How many may use it")).toHaveAccessibleDescription(/whole number/);
  await ada.page.getByLabel("How many may use it").fill("1");
  await button(ada, "Make an invitation").click();
  const link = await ada.page.getByRole("textbox", { name: /^Link/ }).inputValue();
  await bob.page.goto(link);
  await button(bob, "Join").click();
  await expect(bob.bodies).toHaveText(["Welcome"]);
  await write(bob, "Thank you");

  await ada.page.getByRole("link", { name: "Back" }).click();
  await choose(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await button(ada, "Mute bob").click();
  await expect(ada.page.getByText(/muted for another/)).toBeVisible();
  await write(bob, "psst");
  await expect(bob.page.getByText("You are muted in this room.")).toBeVisible();
  await button(ada, "Take back for bob").click();
  await ada.page.getByText("Manage bob").click();
  await ada.page.getByLabel("Role of bob").selectOption("reader");
  await button(ada, "Change role").click();
  await bob.page.goto(room);
  await expect(bob.page.getByText("You read along here")).toBeVisible();
  await expect(bob.field).toBeHidden();

  await ada.page.getByRole("link", { name: "Back" }).click();
  await choose(ada, "Room settings");
  await ada.page.getByLabel("Name of the room").fill("The den");
  await button(ada, "Save").click();
  await expect(ada.page.getByRole("status")).toHaveText("Saved.");
  await ada.page.getByRole("link", { name: "Back" }).click();
  await expect(ada.page.getByRole("heading", { name: "The den" })).toBeVisible();

  await choose(bob, "People");
  await bob.page.getByText("Leave this room").click();
  await button(bob, "Leave").click();
  await bob.page.waitForURL("/");
  await choose(ada, "Room settings");
  await ada.page.getByText("Close this room now").click();
  await button(ada, "Close this room for good").click();
  await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
});

test("where a panel cannot be had, its link is an ordinary one", async ({ webchat, come }) => {
  const ada = await come("ada");
  const room = await open(ada);
  await ada.live();
  await ada.page.route("**/settings/", (route) => (route.request().resourceType() === "fetch" ? route.abort() : route.continue()));
  await choose(ada, "Room settings");
  await expect(ada.page.getByRole("heading", { level: 1, name: "Room settings" })).toBeVisible();
  expect(new URL(ada.page.url()).pathname).toBe(`${room}settings/`);
  // A form that cannot be sent says so, and what was typed is still there.
  await ada.page.goBack();
  await ada.page.unroute("**/settings/");
  await ada.live();
  await choose(ada, "Room settings");
  const settings = panel(ada, "Room settings");
  await settings.getByLabel("Name of the room").fill("Tea");
  await ada.page.context().setOffline(true);
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByRole("alert")).toContainText("cannot be reached");
  await expect(settings.getByLabel("Name of the room")).toHaveValue("Tea");
  await ada.page.context().setOffline(false);
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByRole("status")).toHaveText("Saved.");
});

test("a panel is named by its heading, keeps the focus, and gives it back", async ({ webchat, come }) => {
  const ada = await come("ada");
  await open(ada);
  await ada.live();
  await button(ada, "More").press("Enter");
  const link = ada.page.getByRole("link", { name: "Room settings" });
  await link.focus();
  await ada.page.keyboard.press("Enter");
  const settings = panel(ada, "Room settings");
  await expect(settings.getByRole("heading", { name: "Room settings" })).toBeFocused();
  for (let i = 0; i < 20; i++) {
    await ada.page.keyboard.press("Tab");
    const inside = await ada.page.evaluate(() => document.activeElement === document.body || !!document.activeElement?.closest("dialog"));
    expect(inside, "the focus stays in the dialog").toBe(true);
  }
  await ada.page.keyboard.press("Escape");
  await expect(settings).toBeHidden();
  await expect(button(ada, "More")).toBeFocused();
});

test("the code is read by a machine, with the seal in its middle", async ({ webchat, come }) => {
  const ada = await come("ada");
  const room = await webchat.room();
  await ada.page.goto(room);
  const pixels = await ada.page.evaluate(async (src) => {
    const image = Object.assign(new Image(600, 600), { src });
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 600, height: 600 });
    const place = canvas.getContext("2d");
    place?.drawImage(image, 0, 0, 600, 600);
    return [...(place?.getImageData(0, 0, 600, 600).data ?? [])];
  }, `${room}code.svg`);
  expect(jsQR(new Uint8ClampedArray(pixels), 600, 600)?.data).toBe(webchat.url + room);
});

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
    await ada.page.getByText(/^QR code/).first().click();
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
    test(`${name}, ${colorScheme}: no barriers, and nothing scrolls sideways`, async ({ webchat, come }) => {
      const person = await show(webchat, come, { colorScheme, viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
      for (const [width, height] of [[1280, 800], [360, 740]]) {
        await person.page.setViewportSize({ width, height });
        const wide = await person.page.evaluate(() => {
          const all = [document.documentElement, ...document.querySelectorAll("dialog[open]")];
          return Math.max(...all.map((one) => one.scrollWidth - one.clientWidth));
        });
        expect(wide, `at ${width} pixels`).toBeLessThanOrEqual(0);
        const { violations, passes } = await new AxeBuilder({ page: person.page }).analyze();
        expect(violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.html) }))).toEqual([]);
        expect(passes.length).toBeGreaterThan(10);
        await person.page.screenshot({ path: join(artefacts, `panel-${name}-${width}-${colorScheme}.png`), animations: "disabled" });
      }
    });
  }
}
