// Pages that browsers, extensions, proxies and translators change before the app starts.

import { Gate } from "../../support/gate";
import { expect, test, type User, type Webchat } from "../../support/webchat";

const texts = ["call 030 1234567 or write", "to nora@example.org", "on 3 May at 10:00"];

/** What the console says when the app draws the page again. */
const redrawn = /changed before the app started/;

/** Creates a room with messages and more than a screenful of them. */
async function createFullRoom(webchat: Webchat): Promise<string> {
  const room = await webchat.createRoom({ name: "Tea", public: true });
  for (let n = 1; n <= 30; n++) await webchat.postMessage(room, "linus", `number ${n}`);
  for (const text of texts) await webchat.postMessage(room, "grace", text);
  return room;
}

/** The changes that run in the page before the app starts. */
const changes: Record<string, () => void> = {
  "numbers are links": () => {
    for (const body of document.querySelectorAll("article .body")) {
      const text = body.firstChild;
      const number = text instanceof Text && /\d+/.exec(text.data);
      if (!number) continue;
      const rest = text.splitText(number.index);
      rest.splitText(number[0].length);
      const link = document.createElement("a");
      link.href = `tel:${number[0]}`;
      rest.replaceWith(link);
      link.append(rest);
    }
  },
  "texts are split": () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found: Text[] = [];
    while (walker.nextNode()) found.push(walker.currentNode as Text);
    for (const text of found) if (text.data.length > 1) text.splitText(1);
  },
  "the page is translated": () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found: Text[] = [];
    while (walker.nextNode()) found.push(walker.currentNode as Text);
    for (const text of found) {
      const font = document.createElement("font");
      font.append(document.createElement("font"));
      font.firstElementChild?.append(text.data.toUpperCase());
      text.replaceWith(font);
    }
  },
  "elements stand beside the fields": () => {
    for (const field of document.querySelectorAll("input, textarea"))
      field.after(document.createElement("extension-icon"));
  },
  "an element stands first in the app": () => {
    document.querySelector("main")?.prepend(document.createElement("div"));
    document.querySelector("#app")?.prepend(document.createElement("div"));
  },
  "comments are stripped": () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_COMMENT);
    const found: Comment[] = [];
    while (walker.nextNode()) found.push(walker.currentNode as Comment);
    found.forEach((comment) => comment.remove());
  },
  "e-mail addresses are rewritten": () => {
    const links = document.querySelectorAll<HTMLAnchorElement>("a[href^='mailto:']");
    if (links.length === 0) throw new Error("no address to rewrite");
    for (const link of links) {
      const hidden = document.createElement("span");
      hidden.textContent = "[email protected]";
      link.href = "/email-protection#1";
      link.replaceChildren(hidden);
    }
  },
};

/** Opens a room, and changes the page and enters a text before the app starts. */
async function openChanged(user: User, room: string, change: () => void) {
  const gate = new Gate();
  await user.page.route("**/*.wasm", async (route) => {
    await gate.opened;
    await route.continue();
  });
  await user.page.goto(room, { waitUntil: "commit" });
  // The rest waits for the app.
  await expect(user.messages).toHaveCount(24);
  await user.messageField.fill("typed early");
  await user.log.evaluate((log) => (log.scrollTop = -150));
  await user.page.evaluate(change);
  expect(await user.page.evaluate(() => window.hydratedAt)).toBeUndefined();
  gate.open();
  await user.waitUntilLive();
}

/** The page shows what the server sent, keeps what the visitor did, and all of it works. */
async function expectAlive(webchat: Webchat, user: User, room: string) {
  await expect(user.page.locator("html")).not.toHaveAttribute("data-failed");
  expect((await user.messageBodies.allTextContents()).slice(-3)).toEqual(texts);
  await expect(user.messageField).toHaveValue("typed early");
  await expect(user.messageField).toBeFocused();
  expect(await user.log.evaluate((log) => log.scrollTop)).toBe(-150);
  await user.page.getByRole("button", { name: "Share" }).click();
  await expect(user.page.getByRole("dialog", { name: "Share" })).toBeVisible();
  await user.page.keyboard.press("Escape");
  await user.messageField.press("Enter");
  await expect(user.messageBodies.last()).toHaveText("typed early");
  await expect(user.pendingMessages).toHaveCount(0);
  await webchat.postMessage(room, "linus", "and on");
  await expect(user.messageBodies.last()).toHaveText("and on");
  await expect(user.messages).toHaveCount(35);
}

for (const [what, change] of Object.entries(changes)) {
  test(`where ${what}, the app draws the page again and keeps what was entered`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await createFullRoom(webchat);
    const ada = await openBrowser("ada");
    ada.expectProblems(redrawn);
    const redraw = ada.page.waitForEvent("console", (message) => redrawn.test(message.text()));
    await openChanged(ada, room, change);
    await redraw;
    await expectAlive(webchat, ada, room);
    expect(ada.expectedProblems).toHaveLength(1);
  });
}

test("an element beside the app does not disturb it", async ({ webchat, openBrowser }) => {
  const room = await createFullRoom(webchat);
  const ada = await openBrowser("ada");
  await openChanged(ada, room, () => {
    document.body.prepend(document.createElement("div"));
    document.body.append(document.createElement("extension-bar"));
  });
  await expectAlive(webchat, ada, room);
});

test("a page whose white space a proxy has changed is drawn again", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  ada.expectProblems(redrawn);
  const room = await webchat.createRoom({ name: "Tea", public: true });
  await ada.page.route(webchat.url + room, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({
      response: answer,
      body: (await answer.text()).replaceAll("><", ">\n<"),
    });
  });
  await ada.openRoom(room);
  await ada.send("hello");
  await expect(ada.messageBodies).toHaveText(["hello"]);
  await expect(ada.pendingMessages).toHaveCount(0);
  expect(ada.expectedProblems).toHaveLength(1);
});

test("hydration that fails all the same ends in a page that is drawn again", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "one");
  const ada = await openBrowser("ada");
  ada.expectProblems(redrawn);
  ada.expectProblems(/hydration error|panicked|unreachable|previous WASM instance/);
  const state = /(<script[^>]*id="initial-state"[^>]*>)(.*?)<\/script>/s;
  const earlier = await (await ada.page.context().request.get(room, html)).text();
  await webchat.postMessage(room, "grace", "two");
  // The elements are those that the server sent, but the data has one more message.
  await ada.page.route(webchat.url + room, async (route) => {
    const answer = await route.fetch();
    const [, , later] = state.exec(await answer.text()) ?? [];
    const body = earlier.replace(state, (_, tag: string) => `${tag}${later}</script>`);
    const nonce = /nonce-([^']+)/.exec(answer.headers()["content-security-policy"])?.[1];
    await route.fulfill({ response: answer, body: body.replace(/nonce="[^"]*"/g, `nonce="${nonce}"`) });
  });
  await ada.page.goto(room);
  await ada.waitUntilLive();
  await expect(ada.messageBodies).toHaveText(["one", "two"]);
  await ada.send("three");
  await expect(ada.messageBodies).toHaveText(["one", "two", "three"]);
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.page.locator("html")).not.toHaveAttribute("data-failed");
  expect(ada.expectedProblems).toContainEqual(expect.stringMatching(redrawn));
});

const html = { headers: { Accept: "text/html" } };

test("browsers and translators are asked to leave the page as it is", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea", public: true });
  await webchat.postMessage(room, "grace", "hello");
  const ada = await openBrowser("ada");
  const answer = await ada.page.goto(room);
  expect(answer?.headers()["cache-control"]).toContain("no-transform");
  await expect(ada.page.locator('meta[name="format-detection"]')).toHaveAttribute(
    "content",
    "telephone=no,date=no,address=no,email=no",
  );
  await ada.waitUntilLive();
  for (const name of [".author", ".room-id", "h1", ".entry-name", ".participant-name"]) {
    const kept = ada.page.locator(name).first();
    await expect(kept).toBeAttached();
    expect(await kept.evaluate((element: HTMLElement) => element.translate), name).toBe(false);
  }
  expect(
    await ada.page.locator(".body").evaluate((element: HTMLElement) => element.translate),
  ).toBe(true);
});
