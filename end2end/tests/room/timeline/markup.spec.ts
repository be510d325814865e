// The markup in the text of a message: drawn for readers with and without JavaScript, kept as written
// everywhere else.

import { expect, test } from "../../../support/webchat";
import { Gate } from "../../../support/gate";

const text = [
  "**Tea** at _four_, ~~three~~, in `snake_case_room`:",
  "> who brings",
  "> the *cake*?",
  "- ada",
  "- grace",
  "  - a spoon",
  "3. boil",
  "4. pour",
  "```rust",
  `fn main() { let long = "${"x".repeat(200)}"; }`,
  "",
  "// **not bold**",
  "```",
  "see https://example.org/a_b_c.",
].join("\n");

test("markup is drawn, with and without JavaScript, and the body stays as written", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.send(text);
  const plain = await openBrowser("linus", { javaScriptEnabled: false });
  await expect(ada.log.locator("article:not(.pending)")).toHaveCount(1);
  await plain.page.goto(room);
  for (const { messageBodies: body } of [ada, plain]) {
    await expect(body.locator("strong")).toHaveText("Tea");
    await expect(body.locator("em")).toHaveText(["four", "cake"]);
    await expect(body.locator("s")).toHaveText("three");
    await expect(body.locator("code:not(pre code)")).toHaveText("snake_case_room");
    await expect(body.locator("blockquote")).toHaveText("who brings\nthe cake?");
    await expect(body.locator("ul > li > ul > li")).toHaveText("a spoon");
    await expect(body.locator("ol > li")).toHaveText(["boil", "pour"]);
    await expect(body.locator("ol > li").first()).toHaveAttribute("value", "3");
    await expect(body.locator("pre")).toContainText("// **not bold**");
    await expect(body.getByRole("link")).toHaveText("https://example.org/a_b_c");
  }
  // What the server draws and what the browser draws is the same.
  const html = () => ada.messageBodies.evaluate((body) => body.outerHTML);
  const drawn = await html();
  await ada.openRoom(room);
  await ada.waitForHydration();
  expect(await html()).toBe(drawn);
  expect(await webchat.messageTexts(room)).toEqual([text]);
});

test("code has the colours of its language, and its nodes stay as they are", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const loaded: string[] = [];
  const ada = await openBrowser("ada");
  ada.page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
  await ada.openRoom(room);
  await webchat.postMessage(room, "grace", "```\nfn plain() {}\n```");
  await webchat.postMessage(room, "grace", "```klingon\nfn unknown() {}\n```");
  await expect(ada.messageBodies).toHaveCount(2);
  const isScript = (path: string) => /code_colours|highlighter/.test(path);
  const lines = ["fn main() {", '    let a = "<b> &amp;"; // note', "    call(42);", "}"];
  await webchat.postMessage(room, "grace", ["```rust", ...lines, "```"].join("\n"));

  /** What has a colour, by its kind. */
  const coloured = () =>
    ada.page.evaluate(() =>
      [...CSS.highlights].flatMap(([kind, highlight]) =>
        [...highlight].map((range) => {
          const text = range.startContainer.textContent ?? "";
          return `${kind}: ${text.slice(range.startOffset, range.endOffset)}`;
        }),
      ),
    );
  await expect
    .poll(async () => (await coloured()).sort())
    .toEqual(
      expect.arrayContaining([
        "code-comment: // note",
        "code-keyword: fn",
        "code-keyword: let",
        "code-number: 42",
        'code-string: "<b> &amp;"',
      ]),
    );
  expect(loaded.filter(isScript)).toHaveLength(2);
  const code = ada.messageBodies.last().locator("code");
  expect(await code.evaluate((code) => [...code.childNodes].map(({ nodeType }) => nodeType))).toEqual([3]);
  await expect(code).toHaveText(lines.join("\n") + "\n", { useInnerText: false });
  // A message that is gone has no colours.
  const before = (await coloured()).length;
  expect(before).toBeGreaterThan(0);
});

test("a code block scrolls sideways, and its button copies the code", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", text);
  const ada = await openBrowser("ada", { permissions: ["clipboard-read", "clipboard-write"] });
  await ada.openRoom(room);
  const code = ada.messageBodies.locator("pre");
  const width = await code.evaluate((code) => [code.scrollWidth > code.clientWidth, document.body.scrollWidth <= innerWidth]);
  expect(width).toEqual([true, true]);
  const button = ada.messageBodies.getByRole("button", { name: "Copy the code" });
  await expect(button).toHaveCSS("opacity", "0");
  await code.hover();
  await expect(button).toHaveCSS("opacity", "1");
  await ada.page.mouse.move(0, 0);
  await expect(button).toHaveCSS("opacity", "0");
  // With the keyboard: a key first, so that the browser shows the focus.
  await ada.messageField.press("Shift+Tab");
  await button.focus();
  await expect(button).toHaveCSS("opacity", "1");
  await ada.page.keyboard.press("Enter");
  await expect(ada.messageBodies.getByRole("button", { name: "Copied" })).toHaveAttribute("aria-live", "polite");
  const copied = await ada.page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(text.split("\n").slice(9, 12).join("\n"));
  await expect(button).toHaveAttribute("aria-live", "off");
  // The label of the button is no part of the text.
  expect(await ada.messageBodies.innerText()).not.toContain("Copy");
  await code.focus();
  await expect(code).toBeFocused();
});

test("the button of a code block is always visible on a touch screen", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "```\na\n```");
  const ada = await openBrowser("ada", { hasTouch: true, isMobile: true, viewport: { width: 360, height: 640 } });
  await ada.openRoom(room);
  const button = ada.messageBodies.getByRole("button", { name: "Copy the code" });
  await expect(button).toHaveCSS("opacity", "1");
  const box = await button.boundingBox();
  expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
});

test("a message has its markup when it is delivered, and another one after an edit", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  const gate = new Gate();
  await ada.page.route("**/messages/", async (route) => {
    await gate.opened;
    await route.continue();
  });
  await ada.send("**one**");
  await expect(ada.pendingMessages).toHaveCount(1);
  await expect(ada.messageBodies).toHaveText("**one**");
  gate.open();
  for (const { messageBodies } of [ada, grace]) await expect(messageBodies.locator("strong")).toHaveText("one");
  await ada.messageField.press("ArrowUp");
  await expect(ada.messageField).toHaveValue("**one**");
  await ada.send("_two_");
  for (const { messageBodies } of [ada, grace]) {
    await expect(messageBodies).toHaveText("two");
    await expect(messageBodies.locator("em")).toHaveText("two");
    await expect(messageBodies.locator("strong")).toHaveCount(0);
  }
});

test("a link reads as its address, whatever the text around it does", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await webchat.postMessage(room, "eve", "\u202ehttps://example.org/elpmaxe.moc");
  await webchat.postMessage(room, "eve", "https://аррӏе.com/ and https://bank.example@evil.example");
  const [turned, alike] = [ada.messageBodies.nth(0), ada.messageBodies.nth(1)];
  const link = turned.getByRole("link");
  await expect(link).toHaveAttribute("href", "https://example.org/elpmaxe.moc");
  await expect(link).toHaveCSS("unicode-bidi", "isolate");
  await expect(link).toHaveCSS("direction", "ltr");
  await expect(alike.locator(".link-host")).toHaveText(["(xn--80ak6aa92e.com)", "(evil.example)"]);
  await expect(alike.getByRole("link").first()).toHaveAttribute("title", "https://xn--80ak6aa92e.com/");
});

test("more than two blank lines are drawn as two", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const [few, many] = ["a\n\n\nb", `a${"\n".repeat(40)}b`];
  for (const body of [few, many]) await webchat.postMessage(room, "grace", body);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const heights = await ada.messageBodies.evaluateAll((all) => all.map((body) => body.clientHeight));
  expect(heights[1]).toBe(heights[0]);
  expect(await webchat.messageTexts(room)).toEqual([few, many]);
});
