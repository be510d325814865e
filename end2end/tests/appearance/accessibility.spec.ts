// Accessibility: axe finds no violation in any state of any page, in both themes.

import { AxeBuilder } from "@axe-core/playwright";
import { choose, picture, postFiles, samples, strip, stripNames, textFile } from "../../support/files";
import { expect, test, type OpenBrowser, type User, type Webchat } from "../../support/webchat";

const missingRoomId = "0123456789abcdef";
type ShowState = (ada: User, webchat: Webchat, openBrowser: OpenBrowser) => Promise<void>;

async function createConversation(webchat: Webchat): Promise<string> {
  const room = await webchat.createRoom({ name: "Tea" });
  for (const [name, text] of [
    ["ada", "hello"],
    ["grace", "see https://example.org/ 👍"],
    ["李小龙", "👍"],
    ["ada", "a\nb"],
  ]) {
    await webchat.postMessage(room, name, text);
  }
  return room;
}

/** Signs ada in and returns the token of another account, bob. */
async function signInWithContact(ada: User, webchat: Webchat): Promise<string> {
  await webchat.createAccount("ada");
  await ada.signIn();
  return webchat.createAccount("bob");
}

const states: Record<string, ShowState> = {
  "the home page": (ada) => ada.visit("/"),
  "the home page with rooms and open options": async (ada, webchat) => {
    const room = await webchat.createRoom({ name: "Visited", public: true });
    for (let i = 0; i < 6; i++)
      await webchat.createRoom({ name: `Open ${i}`, public: true, timeout: "8m" });
    await ada.openRoom(room);
    await ada.visit("/");
    await ada.page.getByText("Options", { exact: true }).click();
    await ada.page.getByRole("textbox", { name: "Join a room" }).fill("wrong");
    await ada.page.getByRole("button", { name: "Join" }).click();
    await expect(ada.page.getByText("That is neither a room's ID nor its link.")).toBeVisible();
  },
  "an empty room": async (ada, webchat) => ada.openRoom(await webchat.createRoom()),
  "a room": async (ada, webchat) => ada.openRoom(await createConversation(webchat)),
  "a room with pending, refused and overlong messages": async (ada, webchat) => {
    await ada.openRoom(await createConversation(webchat));
    await ada.page.route("**/messages/", (route) =>
      route.fulfill({ status: 403, json: { type: "", title: "", status: 403, detail: "no" } }),
    );
    await ada.send("refused");
    await expect(ada.log.getByRole("alert")).toBeVisible();
    await ada.page.unroute("**/messages/");
    await ada.page.context().setOffline(true);
    await ada.send("waiting");
    await ada.send("x".repeat(4_001));
    await expect(ada.pendingMessages).toHaveCount(1);
    await expect(ada.connectionStatus).toHaveText("Offline");
  },
  "a room with files, and some to send": async (ada, webchat) => {
    const room = await createConversation(webchat);
    await postFiles(webchat, room, "see", ...samples());
    await ada.openRoom(room);
    await ada.page.route("**/uploads/**", (route) =>
      route.fulfill({ status: 413, json: { type: "", title: "", status: 413, detail: "no space" } }),
    );
    await choose(ada.page, textFile("refused.txt"));
    await ada.send("refused");
    await expect(strip(ada.page).getByText("Not sent: No space")).toBeVisible();
    await ada.page.unroute("**/uploads/**");
    await ada.page.route("**/uploads/**", () => undefined);
    await choose(ada.page, textFile("waits.txt"));
    await ada.send("waits");
    await choose(ada.page, picture("next.png", 40, 30));
    await expect(stripNames(ada.page)).toHaveText(["refused.txt", "waits.txt", "next.png"]);
  },
  "a picture, large": async (ada, webchat) => {
    const room = await createConversation(webchat);
    await postFiles(webchat, room, "see", ...samples());
    await ada.openRoom(room);
    await ada.log.getByRole("img", { name: "wide.png" }).click();
    await expect(ada.page.getByRole("dialog", { name: "Picture" })).toBeVisible();
  },
  "the list of a room's files": async (ada, webchat) => {
    const room = await createConversation(webchat);
    await postFiles(webchat, room, "see", ...samples());
    await ada.openRoom(room);
    await ada.page.getByRole("button", { name: "More" }).click();
    await ada.page.getByRole("link", { name: "Files" }).click();
    await expect(ada.page.getByRole("heading", { name: "Files" })).toBeVisible();
  },
  "a room with markup, mentions and offered names": async (ada, webchat) => {
    const room = await webchat.createRoom();
    const text = "**@ada** and @grace, `code`\n> quote\n- item\n1. step\n```\nlet a;\n```\nhttps://bücher.example";
    await webchat.postMessage(room, "grace", text);
    await webchat.postMessage(room, "grace", "https://a.example@b.example");
    await ada.openRoom(room);
    await ada.messageBodies.locator("pre").hover();
    await ada.messageField.pressSequentially("@");
    await expect(ada.page.getByRole("option")).toHaveCount(1);
  },
  "a long room scrolled up": async (ada, webchat) => {
    const room = await createConversation(webchat);
    for (let i = 0; i < 60; i++) await webchat.postMessage(room, "grace", `number ${i}`);
    await ada.openRoom(room);
    await ada.log.evaluate((log) => (log.scrollTop = -500));
    await expect(ada.page.getByRole("button", { name: "Newest" })).toBeVisible();
  },
  "a room with other participants": async (ada, webchat, openBrowser) => {
    const room = await createConversation(webchat);
    const grace = await openBrowser("grace");
    await grace.openRoom(room);
    await ada.openRoom(room);
    await ada.page.getByRole("button", { name: "2 here" }).click();
    await grace.messageField.pressSequentially("hel");
    await expect(ada.page.getByText("is typing…")).toBeVisible();
  },
  "a room near its end": async (ada, webchat) => {
    await ada.openRoom(await webchat.createRoom({ timeout: "10m" }));
    // The page's clock reaches the warning; the server's clock does not.
    await ada.installClock();
    await ada.page.reload();
    await ada.page.clock.fastForward("09:10");
    await expect(ada.page.getByText("This room will be deleted in")).toBeVisible();
  },
  "the home page of an account": async (ada, webchat) => {
    await webchat.sendDirectMessage(await signInWithContact(ada, webchat), "ada", "hello");
    await ada.visit("/");
    await expect(ada.page.locator(".unread:not([hidden])")).toHaveText("1 unread");
  },
  "a room with authors of every kind": async (ada, webchat, openBrowser) => {
    const room = await createConversation(webchat);
    await signInWithContact(ada, webchat);
    const grace = await openBrowser("grace2");
    for (const user of [ada, grace]) {
      await user.openRoom(room);
      await user.send("hello");
    }
    await expect(ada.messageBodies).toHaveCount(6);
    await ada.page.getByRole("button", { name: "More" }).click();
  },
  "direct messages": async (ada, webchat) => {
    await webchat.sendDirectMessage(await signInWithContact(ada, webchat), "ada", "hello");
    await ada.openRoom("/chats/bob");
  },
  "direct messages without any": async (ada, webchat) => {
    await signInWithContact(ada, webchat);
    await ada.openRoom("/chats/bob");
  },
  "a name that is taken": async (ada, webchat) => {
    await webchat.createAccount("ada");
    await ada.openRoom(await webchat.createRoom());
    await ada.send("hello");
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
    await signInWithContact(ada, webchat);
    await ada.page.goto("/profile/?changed=name");
    await ada.page.getByText("Delete account", { exact: true }).click();
  },
  "the page for a new message": async (ada, webchat) => {
    await signInWithContact(ada, webchat);
    await ada.page.goto("/chats/");
    await expect(ada.page.getByRole("link", { name: /BOB/ })).toBeVisible();
  },
  "a page that requires signing in": async (ada) => void (await ada.page.goto("/chats/")),
  "the share dialog": async (ada, webchat) => {
    await ada.openRoom(await createConversation(webchat));
    await ada.page.getByRole("button", { name: "Share" }).click();
    await expect(ada.page.getByRole("dialog", { name: "Share this room" })).toBeVisible();
  },
  "the room menu": async (ada, webchat) => {
    await ada.openRoom(await createConversation(webchat));
    await ada.page.getByRole("button", { name: "More" }).click();
    await expect(ada.page.getByRole("link", { name: "Save as text" })).toBeVisible();
  },
  "the keyboard shortcuts dialog": async (ada) => {
    await ada.visit("/");
    await ada.page.keyboard.press("?");
    await expect(ada.page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  },
  "an unknown address": (ada) => ada.visit("/nowhere"),
  "an unknown room": (ada) => ada.visit(`/rooms/${missingRoomId}/`),
  "a room that closes while open": async (ada, webchat) => {
    const room = await webchat.createRoom({ timeout: "8s" });
    await webchat.postMessage(room, "grace", "hello");
    await ada.openRoom(room);
    await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  },
  "a room that has closed": async (ada, webchat) => {
    const room = await webchat.createRoom({ timeout: "1s" });
    await expect.poll(async () => (await fetch(webchat.url + room)).status).toBe(410);
    await ada.visit(room);
  },
};

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`${colorScheme} theme`, () => {
    for (const [name, show] of Object.entries(states)) {
      test(`${name} passes axe in the ${colorScheme} theme`, async ({ webchat, openBrowser }) => {
        const ada = await openBrowser("ada", { colorScheme, reducedMotion: "reduce" });
        await show(ada, webchat, openBrowser);
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

const PAGES_WITHOUT_SCRIPT: Record<string, (webchat: Webchat) => Promise<string>> = {
  "the home page": async () => "/",
  "a room": createConversation,
  "the description of the API": async () => "/docs/",
};

for (const [name, findPath] of Object.entries(PAGES_WITHOUT_SCRIPT)) {
  test(`${name} passes axe without JavaScript`, async ({ webchat, openBrowser }) => {
    // Axe is a script itself, so the app is held back instead of disabling JavaScript.
    const ada = await openBrowser("ada");
    await ada.holdBackApp();
    await ada.page.goto(await findPath(webchat));
    const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
    expect(
      violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => node.html) })),
    ).toEqual([]);
  });
}

test("axe reports a field without a label", async ({ openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await ada.page
    .getByRole("textbox", { name: "Join a room" })
    .evaluate((field) => (field.id = "nameless"));
  const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
  expect(violations.map(({ id }) => id).join()).toMatch(/label/);
});

test("a room has landmarks, one heading and a skip link to the composer", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.openRoom(await webchat.createRoom({ name: "Tea" }));
  for (const role of ["banner", "main", "contentinfo"] as const)
    await expect(ada.page.getByRole(role)).toHaveCount(1);
  await expect(ada.page.getByRole("heading", { level: 1 })).toHaveText("Tea");
  // The message field has the focus, so the link is reached backwards.
  await ada.page.getByRole("link", { name: "To the message field" }).focus();
  await ada.page.keyboard.press("Enter");
  await ada.page.keyboard.press("Tab");
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toBeFocused();
});

test("reduced motion disables every animation", async ({ webchat, openBrowser }) => {
  const ada = await openBrowser("ada", { reducedMotion: "reduce" });
  await ada.openRoom(await createConversation(webchat));
  await ada.page.getByRole("button", { name: "Share" }).click();
  expect(await ada.page.evaluate(() => document.getAnimations().length)).toBe(0);
});

test("touch targets are at least 44 pixels in both directions", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada", {
    hasTouch: true,
    isMobile: true,
    viewport: { width: 360, height: 740 },
  });
  for (const path of ["/", await createConversation(webchat)]) {
    await ada.visit(path);
    const small = await ada.page
      .locator(
        "button:visible, select:visible, summary:visible, textarea:visible, input:not(.visually-hidden):visible, a.icon-button:visible, a.button:visible",
      )
      .evaluateAll((all) =>
        all
          .map((one) => ({
            one,
            box: (one.closest("label.choice") ?? one).getBoundingClientRect(),
          }))
          .filter(({ box }) => box.height < 43.5 || box.width < 43.5)
          .map(({ one, box }) => `${one.outerHTML.slice(0, 80)} ${box.width}×${box.height}`),
      );
    expect(small, path).toEqual([]);
  }
});
