// How the pages look, at the widths of a phone, a tablet and a screen, in both themes. The pictures are kept in
// `artefacts` for people to judge; what a machine can judge is asserted: nothing scrolls sideways, nothing moves.

import { join, resolve } from "node:path";
import { type Come, expect, test, type Person, type Webchat } from "../webchat";

const artefacts = resolve(import.meta.dirname, "../artefacts");
const lines = [
  ["ada", "Shall we try the new kettle today?"],
  ["grace", "Yes. The old one takes four minutes, and I have timed it."],
  ["grace", "Twice"],
  ["linus", "Numbers: https://example.org/kettles?sort=minutes\n\n1. old: 4:02\n2. new: 2:47"],
  ["ada", "👍"],
  ["李小龙", "茶好了。我带了一些乌龙茶，还有几块饼干，够大家一起吃。"],
  ["Countess Ada of Lovelace the 1st", "A long word wraps: Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft, and so does a long sentence that goes on for so many words that no line of a readable measure could hold it."],
  ["grace", "שלום לכולם, התה מוכן"],
  ["ada", "On my way"],
];

async function tea(webchat: Webchat): Promise<string> {
  const room = await webchat.room({ name: "Tea at four", public: true });
  for (const [name, text] of lines) await webchat.post(room, name, text);
  return room;
}

/** Signs somebody in, and gives the tokens of two others. */
async function people(ada: Person, webchat: Webchat): Promise<string[]> {
  await webchat.account("ada", "Ada Lovelace");
  await ada.signIn();
  const others = [];
  for (const [username, name] of [["bob", "Bob"], ["grace", "Grace Brewster Murray Hopper, Rear Admiral, the one of the bug"], ["linus_t", "Linus"]]) {
    others.push(await webchat.account(username, name));
  }
  return others;
}

const pages: Record<string, (ada: Person, webchat: Webchat, come: Come) => Promise<void>> = {
  home: (ada) => ada.go("/"),
  async rooms(ada, webchat) {
    const room = await tea(webchat);
    for (const [name, timeout] of [["Kettles", "30m"], ["A room with quite a long name that no row of a phone can hold", "6h"], ["Quick one", "40s"], ["מטבח", "2h"]]) {
      await webchat.post(await webchat.room({ name, timeout, public: true }), "grace", "hello");
    }
    await webchat.room({ public: true });
    await ada.enter(room);
    await ada.go("/");
    await ada.page.getByText("Options", { exact: true }).click();
  },
  room: async (ada, webchat) => ada.enter(await tea(webchat)),
  empty: async (ada, webchat) => ada.enter(await webchat.room({ name: "Just opened" })),
  async writing(ada, webchat) {
    await ada.enter(await tea(webchat));
    await ada.page.route("**/messages/", (route) => route.fulfill({ status: 403, json: { type: "", title: "", status: 403, detail: "the room is full" } }));
    await ada.say("This one is refused");
    await expect(ada.log.getByRole("alert")).toBeVisible();
    await ada.page.unroute("**/messages/");
    await ada.page.context().setOffline(true);
    await ada.say("This one waits");
    await ada.say("So does this");
    await ada.field.fill("And this\nis still\nbeing written" + ".".repeat(3_900));
    await expect(ada.connection).toHaveText("Offline");
  },
  async scrolled(ada, webchat) {
    const room = await tea(webchat);
    for (let i = 1; i <= 40; i++) await webchat.post(room, "grace", `Cup number ${i}`);
    await ada.enter(room);
    await ada.log.evaluate((log) => (log.scrollTop = -400));
    await webchat.post(room, "linus", "one more");
    await expect(ada.page.getByRole("button", { name: "1 new message" })).toBeVisible();
  },
  async company(ada, webchat, come) {
    const room = await tea(webchat);
    for (const name of ["grace", "linus", "李小龙", "Countess Ada of Lovelace the 1st"]) await (await come(name)).enter(room);
    const grace = await come("grace");
    await ada.enter(room);
    await expect(ada.page.getByRole("button", { name: "5 here" })).toBeVisible();
    await ada.page.getByRole("button", { name: "5 here" }).click();
    await grace.enter(room);
    await grace.field.pressSequentially("Y");
    await expect(ada.page.locator(".typing")).toHaveText(/grace.* is typing…/);
  },
  async share(ada, webchat) {
    await ada.enter(await tea(webchat));
    await ada.page.getByRole("button", { name: "Share" }).click();
  },
  async menu(ada, webchat) {
    await ada.enter(await tea(webchat));
    await ada.page.getByRole("button", { name: "More" }).click();
  },
  async keys(ada, webchat) {
    await ada.enter(await tea(webchat));
    await ada.log.press("?");
  },
  async known(ada, webchat) {
    const room = await tea(webchat);
    await people(ada, webchat);
    await ada.enter(room);
    await ada.say("I have an account now");
    await ada.say("and one name everywhere");
    await expect(ada.pending).toHaveCount(0);
    await webchat.post(room, "linus", "So I see");
    await expect(ada.bodies).toHaveCount(lines.length + 3);
  },
  async "signed-in"(ada, webchat) {
    await webchat.tell((await people(ada, webchat))[0], "ada", "hello");
    await webchat.room({ name: "Tea at four", public: true });
    await ada.go("/");
  },
  async "menu-signed-in"(ada, webchat) {
    const room = await tea(webchat);
    await webchat.tell((await people(ada, webchat))[0], "ada", "hello");
    await ada.enter(room);
    await ada.page.getByRole("button", { name: "More" }).click();
  },
  async direct(ada, webchat) {
    const [bob] = await people(ada, webchat);
    await webchat.tell(bob, "ada", "Hello Ada, the kettle is yours now.");
    await ada.enter("/chats/bob");
    await ada.say("Thank you");
    await expect(ada.pending).toHaveCount(0);
  },
  async "direct-empty"(ada, webchat) {
    await people(ada, webchat);
    await ada.enter("/chats/bob");
  },
  async taken(ada, webchat) {
    const room = await tea(webchat);
    await webchat.account("ada");
    await ada.enter(room);
    await ada.say("Under whose name?");
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
    await people(ada, webchat);
    await ada.page.goto("/profile/?changed=name");
    await ada.page.getByText("Delete account", { exact: true }).click();
  },
  async chats(ada, webchat) {
    const [bob, grace] = await people(ada, webchat);
    for (const text of ["Hello Ada", "Are you there? This is a line that is so long that it does not fit into a row of any phone, nor of this page."]) await webchat.tell(bob, "ada", text);
    await webchat.tell(grace, "ada", "Tea?");
    await ada.page.goto("/chats/");
  },
  async "chats-empty"(ada, webchat) {
    await webchat.account("ada", "Ada Lovelace");
    await ada.signIn();
    await ada.page.goto("/chats/");
  },
  "sign-in-first": async (ada) => void (await ada.page.goto("/chats/")),
  "not-found": (ada) => ada.go("/rooms/0123456789abcdef/"),
  nowhere: (ada) => ada.go("/nowhere"),
  async closed(ada, webchat) {
    const room = await webchat.room({ name: "Short", timeout: "8s" });
    await webchat.post(room, "grace", "hello");
    await ada.enter(room);
    await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  },
  async gone(ada, webchat) {
    const room = await webchat.room({ timeout: "1s" });
    await expect.poll(async () => (await fetch(webchat.url + room)).status).toBe(410);
    await ada.go(room);
  },
};

for (const colorScheme of ["light", "dark"] as const) {
  for (const [name, show] of Object.entries(pages)) {
    test(`${name}, ${colorScheme}`, async ({ webchat, come }) => {
      const ada = await come("ada", { colorScheme, viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
      await show(ada, webchat, come);
      for (const [width, height] of [[1280, 800], [768, 1024], [360, 740]]) {
        await ada.page.setViewportSize({ width, height });
        const wide = await ada.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wide, `nothing scrolls sideways at ${width} pixels`).toBeLessThanOrEqual(0);
        await ada.page.screenshot({ path: join(artefacts, `${name}-${width}-${colorScheme}.png`), animations: "disabled" });
      }
    });
  }
}

test("on a very large screen the log stays a readable column in the middle", async ({ webchat, come }) => {
  const ada = await come("ada", { viewport: { width: 3840, height: 2160 } });
  await ada.enter(await tea(webchat));
  const column = await ada.log.locator(".column").boundingBox();
  expect(column?.width).toBeLessThan(1_000);
  const beside = (await ada.page.locator(".side").boundingBox())?.width ?? 0;
  expect(Math.abs((column?.x ?? 0) + (column?.width ?? 0) / 2 - (beside + 3840) / 2)).toBeLessThan(12);
});

/** What moved by itself since the page began to load, as browsers count it. */
const shifts = (person: Person) =>
  person.page.evaluate(() => {
    const observer = new PerformanceObserver(() => {});
    observer.observe({ type: "layout-shift", buffered: true });
    const moved = observer.takeRecords() as (PerformanceEntry & { value: number; sources?: { node?: Node }[] })[];
    return moved.map(({ value, sources }) => `${value.toFixed(4)} ${sources?.map(({ node }) => (node as Element)?.className ?? node?.nodeName)}`);
  });

for (const width of [360, 1280]) {
  test(`nothing moves while a page loads, at ${width} pixels`, async ({ webchat, come }) => {
    const room = await tea(webchat);
    // A zone where the hour is another one, and the day is not.
    const timezoneId = new Date().getUTCHours() < 12 ? "Asia/Kathmandu" : "America/St_Johns";
    const ada = await come("ada", { viewport: { width, height: 740 }, timezoneId });
    for (const path of ["/", room, await webchat.room(), "/nowhere"]) {
      // The app comes late, when everything else has been drawn.
      await ada.page.route("**/*.wasm", async (route) => {
        await ada.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
        await route.continue();
      });
      await ada.go(path);
      if (path.startsWith("/rooms/")) await ada.live();
      await ada.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      expect(await shifts(ada), path).toEqual([]);
    }
  });
}

test("a page that moves would be noticed", async ({ come }) => {
  const ada = await come("ada");
  await ada.go("/");
  await ada.page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    document.body.prepend(Object.assign(document.createElement("p"), { textContent: "late", style: "height: 200px" }));
    await frame();
    await frame();
  });
  await expect.poll(() => shifts(ada)).not.toEqual([]);
});

test("nothing moves when a message is pointed at, and nothing but the log when one arrives", async ({ webchat, come }) => {
  const room = await tea(webchat);
  const ada = await come("ada", { viewport: { width: 1280, height: 800 } });
  await ada.enter(room);
  const places = () => ada.page.locator("header, footer, article, .body").evaluateAll((all) => all.map((one) => JSON.stringify(one.getBoundingClientRect())));
  const before = await places();
  for (const message of (await ada.messages.all()).slice(-3)) await message.hover();
  expect(await places()).toEqual(before);
  const frame = () => ada.page.locator("header, footer").evaluateAll((all) => all.map((one) => JSON.stringify(one.getBoundingClientRect())));
  const still = await frame();
  await webchat.post(room, "grace", "new");
  await expect(ada.bodies.last()).toHaveText("new");
  expect(await frame()).toEqual(still);
});

test("on a phone the connection is said in full, whatever else stands beside it", async ({ webchat, come }) => {
  const ada = await come("ada", { viewport: { width: 360, height: 740 } });
  await ada.enter(await webchat.room({ name: "A room with quite a long name that no phone can hold" }));
  const cut = () =>
    ada.page.locator(".connection").evaluate((words) => {
      const [inner, outer] = [words.getBoundingClientRect(), words.parentElement?.getBoundingClientRect()];
      return words.scrollWidth > words.clientWidth || inner.right > (outer?.right ?? 0);
    });
  expect(await cut()).toBe(false);
  await ada.page.context().setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  expect(await cut()).toBe(false);
  await ada.page.route("**/stream?**", (route) => route.abort());
  await ada.page.context().setOffline(false);
  await expect(ada.page.locator(".connection")).toHaveText(/^Reconnecting in \d+ s$/);
  expect(await cut()).toBe(false);
});

test("what is copied from the log are its words", async ({ webchat, come }) => {
  const room = await tea(webchat);
  const ada = await come("ada");
  await ada.enter(room);
  const copied = await ada.log.evaluate((log) => (getSelection()?.selectAllChildren(log), getSelection()?.toString() ?? ""));
  expect(copied).toContain("Shall we try the new kettle today?");
  // The letters of a face, and how far somebody is known.
  for (const sign of [/^A$/m, /unverified/]) expect(copied).not.toMatch(sign);
});

test("on paper there is what was said, in black, and nothing to press", async ({ webchat, come }) => {
  const room = await tea(webchat);
  for (let i = 1; i <= 40; i++) await webchat.post(room, "grace", `Cup number ${i}`);
  const ada = await come("ada", { colorScheme: "dark" });
  await ada.enter(room);
  await ada.page.emulateMedia({ media: "print" });
  for (const message of [ada.messages.first(), ada.messages.last()]) await expect(message).toBeVisible();
  await expect(ada.page.getByRole("button").and(ada.page.locator(":visible"))).toHaveCount(0);
  await expect(ada.field).toBeHidden();
  expect(await ada.log.evaluate((log) => log.scrollHeight - log.clientHeight)).toBeLessThanOrEqual(1);
  expect(await ada.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("light");
  await ada.page.screenshot({ path: join(artefacts, "paper.png"), fullPage: true });
});

test("the theme can be chosen, is remembered, and is there from the first byte", async ({ come }) => {
  const ada = await come("ada", { colorScheme: "light" });
  await ada.go("/");
  const background = () => ada.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await ada.page.getByRole("radio", { name: "Dark" }).check({ force: true });
  const dark = await background();
  expect(dark).not.toBe(light);
  // Without the app: what the server sent.
  await ada.page.route("**/*.js", (route) => route.abort());
  await ada.page.goto("/");
  expect(await background()).toBe(dark);
  await ada.page.unroute("**/*.js");
  await ada.go("/nowhere");
  expect(await background()).toBe(dark);
  await ada.go("/");
  await ada.page.getByRole("radio", { name: "As the system" }).check({ force: true });
  expect(await background()).toBe(light);
});
