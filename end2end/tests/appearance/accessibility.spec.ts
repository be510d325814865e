// Accessibility: axe finds no violation in any state of any page, in both themes.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type Come, type Person, type Webchat } from "../../support/webchat";

const nobody = "0123456789abcdef";
type Show = (ada: Person, webchat: Webchat, come: Come) => Promise<void>;

async function talk(webchat: Webchat): Promise<string> {
  const room = await webchat.room({ name: "Tea" });
  for (const [name, text] of [
    ["ada", "hello"],
    ["grace", "see https://example.org/ 👍"],
    ["李小龙", "👍"],
    ["ada", "a\nb"],
  ]) {
    await webchat.post(room, name, text);
  }
  return room;
}

/** Signs somebody in, and gives the token of somebody else, bob. */
async function people(ada: Person, webchat: Webchat): Promise<string> {
  await webchat.account("ada");
  await ada.signIn();
  return webchat.account("bob");
}

const states: Record<string, Show> = {
  "the home page": (ada) => ada.go("/"),
  "the home page with rooms and open options": async (ada, webchat) => {
    const room = await webchat.room({ name: "Visited", public: true });
    for (let i = 0; i < 6; i++)
      await webchat.room({ name: `Open ${i}`, public: true, timeout: "8m" });
    await ada.enter(room);
    await ada.go("/");
    await ada.page.getByText("Options", { exact: true }).click();
    await ada.page.getByRole("textbox", { name: "Join a room" }).fill("wrong");
    await ada.page.getByRole("button", { name: "Join" }).click();
    await expect(ada.page.getByText("That is neither a room's ID nor its link.")).toBeVisible();
  },
  "an empty room": async (ada, webchat) => ada.enter(await webchat.room()),
  "a room": async (ada, webchat) => ada.enter(await talk(webchat)),
  "a room with pending, refused and overlong messages": async (ada, webchat) => {
    await ada.enter(await talk(webchat));
    await ada.page.route("**/messages/", (route) =>
      route.fulfill({ status: 403, json: { type: "", title: "", status: 403, detail: "no" } }),
    );
    await ada.say("refused");
    await expect(ada.log.getByRole("alert")).toBeVisible();
    await ada.page.unroute("**/messages/");
    await ada.page.context().setOffline(true);
    await ada.say("waiting");
    await ada.say("x".repeat(4_001));
    await expect(ada.pending).toHaveCount(1);
    await expect(ada.connection).toHaveText("Offline");
  },
  "a long room scrolled up": async (ada, webchat) => {
    const room = await talk(webchat);
    for (let i = 0; i < 60; i++) await webchat.post(room, "grace", `number ${i}`);
    await ada.enter(room);
    await ada.log.evaluate((log) => (log.scrollTop = -500));
    await expect(ada.page.getByRole("button", { name: "Newest" })).toBeVisible();
  },
  "a room with other participants": async (ada, webchat, come) => {
    const room = await talk(webchat);
    const grace = await come("grace");
    await grace.enter(room);
    await ada.enter(room);
    await ada.page.getByRole("button", { name: "2 here" }).click();
    await grace.field.pressSequentially("hel");
    await expect(ada.page.getByText("is typing…")).toBeVisible();
  },
  "a room near its end": async (ada, webchat) => {
    await ada.enter(await webchat.room({ timeout: "60s" }));
    // Near enough by the page's clock.
    await ada.installClock();
    await ada.page.reload();
    await ada.page.clock.fastForward("00:56");
    await expect(ada.page.getByText("This room is deleted soon")).toBeVisible();
  },
  "the home page of an account": async (ada, webchat) => {
    await webchat.tell(await people(ada, webchat), "ada", "hello");
    await ada.go("/");
    await expect(ada.page.locator(".unread:not([hidden])")).toHaveText("1 unread");
  },
  "a room with authors of every kind": async (ada, webchat, come) => {
    const room = await talk(webchat);
    await people(ada, webchat);
    const grace = await come("grace2");
    for (const person of [ada, grace]) {
      await person.enter(room);
      await person.say("hello");
    }
    await expect(ada.bodies).toHaveCount(6);
    await ada.page.getByRole("button", { name: "More" }).click();
  },
  "a direct chat": async (ada, webchat) => {
    await webchat.tell(await people(ada, webchat), "ada", "hello");
    await ada.enter("/chats/bob");
  },
  "an empty direct chat": async (ada, webchat) => {
    await people(ada, webchat);
    await ada.enter("/chats/bob");
  },
  "a name that is taken": async (ada, webchat) => {
    await webchat.account("ada");
    await ada.enter(await webchat.room());
    await ada.say("hello");
    await expect(ada.page.getByRole("button", { name: "Use ada2" })).toBeVisible();
  },
  "the sign-up page": async (ada) => void (await ada.page.goto("/register")),
  "the sign-up page, refused": async (ada) => {
    await ada.page.goto("/register");
    await ada.page.getByLabel("Your name").fill("Ada");
    await ada.page.getByLabel("Username").fill("not a name");
    await ada.page.getByLabel("Password").fill("secret");
    await ada.page.getByRole("button", { name: "Create account" }).click();
    await expect(ada.page.getByRole("alert")).toBeVisible();
  },
  "the sign-in page, refused": async (ada) => {
    await ada.page.goto("/login");
    await ada.page.getByLabel("Username").fill("nobody");
    await ada.page.getByLabel("Password").fill("secret");
    await ada.page.getByRole("button", { name: "Sign in" }).click();
    await expect(ada.page.getByRole("alert")).toBeVisible();
  },
  "the profile page": async (ada, webchat) => {
    await people(ada, webchat);
    await ada.page.goto("/profile/?changed=name");
    await ada.page.getByText("Delete account", { exact: true }).click();
  },
  "the direct chats page": async (ada, webchat) => {
    await webchat.tell(await people(ada, webchat), "ada", "hello");
    await ada.page.goto("/chats/");
    await expect(ada.page.getByText("1 unread")).toBeVisible();
  },
  "a page that requires signing in": async (ada) => void (await ada.page.goto("/chats/")),
  "the share dialog": async (ada, webchat) => {
    await ada.enter(await talk(webchat));
    await ada.page.getByRole("button", { name: "Share" }).click();
    await expect(ada.page.getByRole("dialog", { name: "Share this room" })).toBeVisible();
  },
  "the room menu": async (ada, webchat) => {
    await ada.enter(await talk(webchat));
    await ada.page.getByRole("button", { name: "More" }).click();
    await expect(ada.page.getByRole("link", { name: "Save as text" })).toBeVisible();
  },
  "the keyboard shortcuts dialog": async (ada) => {
    await ada.go("/");
    await ada.page.keyboard.press("?");
    await expect(ada.page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  },
  "an unknown address": (ada) => ada.go("/nowhere"),
  "an unknown room": (ada) => ada.go(`/rooms/${nobody}/`),
  "a room that closes while open": async (ada, webchat) => {
    const room = await webchat.room({ timeout: "8s" });
    await webchat.post(room, "grace", "hello");
    await ada.enter(room);
    await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  },
  "a room that has closed": async (ada, webchat) => {
    const room = await webchat.room({ timeout: "1s" });
    await expect.poll(async () => (await fetch(webchat.url + room)).status).toBe(410);
    await ada.go(room);
  },
};

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`${colorScheme} theme`, () => {
    for (const [name, show] of Object.entries(states)) {
      test(`${name} passes axe`, async ({ webchat, come }) => {
        const ada = await come("ada", { colorScheme, reducedMotion: "reduce" });
        await show(ada, webchat, come);
        const { violations, passes } = await new AxeBuilder({ page: ada.page }).analyze();
        const found = violations.map(({ id, help, nodes }) => ({
          id,
          help,
          where: nodes.map((node) => node.html),
        }));
        expect(found).toEqual([]);
        expect(passes.length).toBeGreaterThan(10);
      });
    }
  });
}

test("pages without JavaScript pass axe", async ({ webchat, come }) => {
  // Axe is a script itself, so the scripts of the page are kept away instead.
  const ada = await come("ada");
  await ada.page.route("**/*.js", (route) => route.abort());
  for (const path of ["/", await talk(webchat), "/docs/"]) {
    await ada.page.goto(path);
    const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
    expect(
      violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => node.html) })),
      path,
    ).toEqual([]);
  }
});

test("axe reports a field without a label", async ({ come }) => {
  const ada = await come("ada");
  await ada.go("/");
  await ada.page
    .getByRole("textbox", { name: "Join a room" })
    .evaluate((field) => (field.id = "nameless"));
  const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
  expect(violations.map(({ id }) => id).join()).toMatch(/label/);
});

test("a room has landmarks, one heading and a skip link to the composer", async ({ webchat, come }) => {
  const ada = await come("ada");
  await ada.enter(await webchat.room({ name: "Tea" }));
  for (const role of ["banner", "main", "contentinfo"] as const)
    await expect(ada.page.getByRole(role)).toHaveCount(1);
  await expect(ada.page.getByRole("heading", { level: 1 })).toHaveText("Tea");
  await ada.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await ada.page.keyboard.press("Tab");
  await expect(ada.page.getByRole("link", { name: "To the message field" })).toBeFocused();
  await ada.page.keyboard.press("Enter");
  await ada.page.keyboard.press("Tab");
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toBeFocused();
});

test("reduced motion disables every animation", async ({ webchat, come }) => {
  const ada = await come("ada", { reducedMotion: "reduce" });
  await ada.enter(await talk(webchat));
  await ada.page.getByRole("button", { name: "Share" }).click();
  expect(await ada.page.evaluate(() => document.getAnimations().length)).toBe(0);
});

test("touch targets are at least 44 pixels in both directions", async ({ webchat, come }) => {
  const ada = await come("ada", {
    hasTouch: true,
    isMobile: true,
    viewport: { width: 360, height: 740 },
  });
  for (const path of ["/", await talk(webchat)]) {
    await ada.go(path);
    const small = await ada.page
      .locator(
        "button:visible, select:visible, summary:visible, textarea:visible, input:not(.unseen):visible, a.icon-button:visible, a.button:visible",
      )
      .evaluateAll((all) =>
        all
          .map((one) => ({ one, box: (one.closest("label.tick") ?? one).getBoundingClientRect() }))
          .filter(({ box }) => box.height < 43.5 || box.width < 43.5)
          .map(({ one, box }) => `${one.outerHTML.slice(0, 80)} ${box.width}×${box.height}`),
      );
    expect(small, path).toEqual([]);
  }
});
