// Screenshots of every state at phone, tablet and desktop widths, in both themes; of every page also in German, and with longer texts
// from right to left.
// They go to `artefacts` for review; horizontal overflow fails the test.

import { join, resolve } from "node:path";
import { choose, picture, postFiles, samples, stripNames, textFile } from "../../support/files";
import { sampleMessages, createAccounts, createSampleRoom } from "../../support/sample_room";
import { expect, test, type OpenBrowser, type User, type Webchat } from "../../support/webchat";

const artefacts = resolve(import.meta.dirname, "../../artefacts");

const pages: Record<
  string,
  (ada: User, webchat: Webchat, openBrowser: OpenBrowser) => Promise<void>
> = {
  home: (ada) => ada.visit("/"),
  async rooms(ada, webchat) {
    const room = await createSampleRoom(webchat);
    for (const [name, timeout] of [
      ["Kettles", "30m"],
      ["A room with quite a long name that no row of a phone can hold", "6h"],
      ["Quick one", "40s"],
      ["מטבח", "2h"],
    ]) {
      await webchat.postMessage(
        await webchat.createRoom({ name, timeout, public: true }),
        "grace",
        "hello",
      );
    }
    await webchat.createRoom({ public: true });
    await ada.openRoom(room);
    await ada.visit("/");
    await ada.page.getByText("Options", { exact: true }).click();
  },
  room: async (ada, webchat) => ada.openRoom(await createSampleRoom(webchat)),
  empty: async (ada, webchat) => ada.openRoom(await webchat.createRoom({ name: "Just opened" })),
  async writing(ada, webchat) {
    await ada.openRoom(await createSampleRoom(webchat));
    await ada.page.route("**/messages/", (route) =>
      route.fulfill({
        status: 403,
        json: { type: "", title: "", status: 403, detail: "the room is full" },
      }),
    );
    await ada.send("This one is refused");
    await expect(ada.log.getByRole("alert")).toBeVisible();
    await ada.page.unroute("**/messages/");
    await ada.page.context().setOffline(true);
    await ada.send("This one waits");
    await ada.send("So does this");
    await ada.messageField.fill("And this\nis still\nbeing written" + ".".repeat(3_900));
    await expect(ada.connectionStatus).toHaveText("Offline");
  },
  async files(ada, webchat) {
    const room = await createSampleRoom(webchat);
    await postFiles(webchat, room, "Some cups", ...samples());
    await ada.openRoom(room);
    await ada.page.route("**/uploads/**", () => undefined);
    await choose(ada.page, textFile("A rather long name for a list of all the kettles.txt"));
    await ada.send("This one is on its way");
    await choose(ada.page, picture("cup.png", 400, 300), textFile("saucer.pdf"));
    await expect(stripNames(ada.page)).toHaveCount(3);
  },
  async picture(ada, webchat) {
    const room = await createSampleRoom(webchat);
    await postFiles(webchat, room, "Some cups", ...samples());
    await ada.openRoom(room);
    await ada.log.getByRole("img", { name: "wide.png" }).click();
    await expect(ada.page.getByRole("dialog", { name: "Picture" })).toBeVisible();
  },
  async "file-list"(ada, webchat) {
    const room = await createSampleRoom(webchat);
    await postFiles(webchat, room, "Some cups", ...samples());
    await ada.openRoom(room);
    await ada.page.getByRole("button", { name: "More" }).click();
    await ada.page.getByRole("link", { name: "Files" }).click();
    await expect(ada.page.getByRole("heading", { name: "Files" })).toBeVisible();
  },
  async scrolled(ada, webchat) {
    const room = await createSampleRoom(webchat);
    for (let i = 1; i <= 40; i++) await webchat.postMessage(room, "grace", `Cup number ${i}`);
    await ada.openRoom(room);
    await ada.log.evaluate((log) => (log.scrollTop = -400));
    await webchat.postMessage(room, "linus", "one more");
    await expect(ada.page.getByRole("button", { name: "1 new message" })).toBeVisible();
  },
  async company(ada, webchat, openBrowser) {
    const room = await createSampleRoom(webchat);
    for (const name of ["grace", "linus", "李小龙", "Countess Ada of Lovelace the 1st"])
      await (await openBrowser(name)).openRoom(room);
    const grace = await openBrowser("grace");
    await ada.openRoom(room);
    await expect(ada.page.getByRole("button", { name: "5 here" })).toBeVisible();
    await ada.page.getByRole("button", { name: "5 here" }).click();
    await grace.openRoom(room);
    await grace.messageField.pressSequentially("Y");
    await expect(ada.page.locator(".typing")).toHaveText(/grace.* is typing…/);
  },
  async share(ada, webchat) {
    await ada.openRoom(await createSampleRoom(webchat));
    await ada.page.getByRole("button", { name: "Share" }).click();
  },
  async menu(ada, webchat) {
    await ada.openRoom(await createSampleRoom(webchat));
    await ada.page.getByRole("button", { name: "More" }).click();
  },
  async keys(ada, webchat) {
    await ada.openRoom(await createSampleRoom(webchat));
    await ada.log.press("?");
  },
  async known(ada, webchat) {
    const room = await createSampleRoom(webchat);
    await createAccounts(ada, webchat);
    await ada.openRoom(room);
    await ada.send("I have an account now");
    await ada.send("and one name everywhere");
    await expect(ada.pendingMessages).toHaveCount(0);
    await webchat.postMessage(room, "linus", "So I see");
    await expect(ada.messageBodies).toHaveCount(sampleMessages.length + 3);
  },
  async "signed-in"(ada, webchat) {
    await webchat.sendDirectMessage((await createAccounts(ada, webchat))[0], "ada", "hello");
    await webchat.createRoom({ name: "Tea at four", public: true });
    await ada.visit("/");
  },
  async "menu-signed-in"(ada, webchat) {
    const room = await createSampleRoom(webchat);
    await webchat.sendDirectMessage((await createAccounts(ada, webchat))[0], "ada", "hello");
    await ada.openRoom(room);
    await ada.page.getByRole("button", { name: "More" }).click();
  },
  async direct(ada, webchat) {
    const [bob] = await createAccounts(ada, webchat);
    await webchat.sendDirectMessage(bob, "ada", "Hello Ada, the kettle is yours now.");
    await ada.openRoom("/chats/bob");
    await ada.send("Thank you");
    await expect(ada.pendingMessages).toHaveCount(0);
  },
  async "direct-empty"(ada, webchat) {
    await createAccounts(ada, webchat);
    await ada.openRoom("/chats/bob");
  },
  async taken(ada, webchat) {
    const room = await createSampleRoom(webchat);
    await webchat.createAccount("ada");
    await ada.openRoom(room);
    await ada.send("Under whose name?");
    await expect(ada.page.getByRole("button", { name: "Use ada2" })).toBeVisible();
  },
  "sign-up": async (ada) => void (await ada.page.goto("/register")),
  async "sign-up-refused"(ada) {
    await ada.page.goto("/register");
    await ada.page.getByLabel("Your name").fill("Ada");
    await ada.page.getByLabel("Username").fill("not a name");
    await ada.page.getByLabel("Password").fill("secret");
    await ada.page.getByRole("button", { name: "Create account" }).click();
    await expect(ada.page.getByRole("alert")).toBeVisible();
  },
  async "sign-in-refused"(ada) {
    await ada.page.goto("/login");
    await ada.page.getByLabel("Username").fill("nobody");
    await ada.page.getByLabel("Password").fill("secret");
    await ada.page.getByRole("button", { name: "Sign in" }).click();
    await expect(ada.page.getByRole("alert")).toBeVisible();
  },
  async profile(ada, webchat) {
    await createAccounts(ada, webchat);
    await ada.page.goto("/profile/?changed=name");
    await ada.page.getByText("Delete account", { exact: true }).click();
  },
  async "home-direct-messages"(ada, webchat) {
    const [bob, grace] = await createAccounts(ada, webchat);
    for (const text of [
      "Hello Ada",
      "Are you there? This is a line that is so long that it does not fit into a row of any phone, nor of this page.",
    ])
      await webchat.sendDirectMessage(bob, "ada", text);
    await webchat.sendDirectMessage(grace, "ada", "Tea?");
    await ada.visit("/");
  },
  async "new-message"(ada, webchat) {
    await createAccounts(ada, webchat);
    await ada.page.goto("/chats/");
  },
  async "new-message-empty"(ada, webchat) {
    await webchat.createAccount("ada", "Ada Lovelace");
    await ada.signIn();
    await ada.page.goto("/chats/");
  },
  "sign-in-first": async (ada) => void (await ada.page.goto("/chats/")),
  "not-found": (ada) => ada.visit("/rooms/0123456789abcdef/"),
  nowhere: (ada) => ada.visit("/nowhere"),
  async closed(ada, webchat) {
    const room = await webchat.createRoom({ name: "Short", timeout: "8s" });
    await webchat.postMessage(room, "grace", "hello");
    await ada.openRoom(room);
    await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  },
  async gone(ada, webchat) {
    const room = await webchat.createRoom({ timeout: "1s" });
    await expect.poll(async () => (await fetch(webchat.url + room)).status).toBe(410);
    await ada.visit(room);
  },
};

/** What a page has besides its state in English. */
const variants = [
  { colorScheme: "light", language: "de" },
  { colorScheme: "dark", language: "en-XA" },
] as const;

for (const { colorScheme, language } of variants) {
  for (const [name, show] of Object.entries(pages)) {
    test(`${name}: no horizontal overflow, ${colorScheme}`, async ({ webchat, openBrowser }) => {
      const ada = await openBrowser("ada", {
        colorScheme,
        viewport: { width: 1280, height: 800 },
        reducedMotion: "reduce",
      });
      await show(ada, webchat, openBrowser);
      await takeScreenshots(ada, `${name}-${colorScheme}`);
      await ada.page.context().setOffline(false);
      await ada.page.context().addCookies([{ name: "language", value: language, url: webchat.url }]);
      await ada.page.goto(ada.page.url());
      await takeScreenshots(ada, `${name}-${language}`);
    });
  }
}

/** Takes a screenshot at each width, after checking that nothing scrolls sideways there. */
async function takeScreenshots(ada: User, name: string) {
      for (const [width, height] of [
        [1280, 800],
        [768, 1024],
        [360, 740],
      ]) {
        await ada.page.setViewportSize({ width, height });
        const wide = await ada.page.evaluate(
          () => document.documentElement.scrollWidth - innerWidth,
        );
        expect(wide, `nothing scrolls sideways at ${width} pixels`).toBeLessThanOrEqual(0);
        await ada.page.screenshot({
          path: join(artefacts, `${name}-${width}.png`),
          animations: "disabled",
        });
      }
}
