// Phones: small viewports, touch input and on-screen keyboards.

import { expect, test, type OpenBrowser, type User } from "../../support/webchat";

const longName = "Countess Ada of Lovelace the 1st";
const openPhone = (openBrowser: OpenBrowser, name = "ada", locale = "en-GB", height = 740) =>
  openBrowser(name, { hasTouch: true, isMobile: true, viewport: { width: 360, height }, locale });

/** Whether a text is visible completely, on one line. */
const isFullyVisible = (user: User, selector: string) =>
  user.page.locator(selector).evaluate((words) => {
    const text = document.createRange();
    text.selectNodeContents(words);
    const inner = text.getBoundingClientRect();
    const outer = (words.closest("form, footer") ?? words).getBoundingClientRect();
    const cut =
      words.scrollWidth > words.clientWidth || inner.left < outer.left || inner.right > outer.right;
    return inner.width > 0 && inner.height < 30 && !cut;
  });

for (const name of ["ada", longName]) {
  test(`the status of queued messages is never cut off, for the author ${name}`, async ({
    webchat,
    openBrowser,
  }) => {
    const ada = await openPhone(openBrowser, name);
    await ada.openRoom(await webchat.createRoom());
    await ada.page.route("**/messages/", (route) =>
      route.fulfill({
        status: 429,
        headers: { "Retry-After": "50" },
        json: { type: "", title: "", status: 429, detail: "too many" },
      }),
    );
    for (const text of ["one", "two"])
      await ada.messageField
        .fill(text)
        .then(() => ada.page.getByRole("button", { name: "Send", exact: true }).tap());
    const waiting = ada.page.locator(".queue-status");
    await expect(waiting).toHaveText(/^2 waiting · going on in \d+ s$/);
    expect(await isFullyVisible(ada, ".queue-status")).toBe(true);
    await ada.page.context().setOffline(true);
    expect(await isFullyVisible(ada, ".queue-status")).toBe(true);
    await ada.messageField.fill("x".repeat(4_010));
    await expect(ada.page.locator(".character-count")).toHaveText("10 too many");
    for (const words of [".queue-status", ".character-count"])
      expect(await isFullyVisible(ada, words), words).toBe(true);
  });
}

test("what stands above a text that is too long does not overlap", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openPhone(openBrowser, "Countess Ada of Lovelace", "de-DE");
  await ada.openRoom(await webchat.createRoom());
  await ada.page.context().setOffline(true);
  const field = ada.page.getByRole("textbox", { name: "Nachricht", exact: true });
  await field.fill("waiting");
  await ada.page.getByRole("button", { name: "Senden", exact: true }).tap();
  await field.fill("too long ".repeat(500));
  await expect(ada.page.getByText("1 ausstehend")).toBeVisible();
  await expect(ada.page.getByRole("button", { name: "Als 2 Nachrichten senden" })).toBeVisible();
  const overlaps = await ada.page.locator(".composer-status > *").evaluateAll((all) => {
    const boxes = all
      .map((one) => one.getBoundingClientRect())
      .filter(({ width, height }) => width && height);
    const areApart = (one: DOMRect, other: DOMRect) =>
      one.right <= other.left ||
      other.right <= one.left ||
      one.bottom <= other.top ||
      other.bottom <= one.top;
    return boxes.flatMap((one, i) => boxes.slice(i + 1).filter((other) => !areApart(one, other)));
  });
  expect(overlaps).toEqual([]);
  expect(await ada.page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

test("the text at the end of the home page has the width of the phone", async ({ openBrowser }) => {
  const ada = await openPhone(openBrowser);
  await ada.visit("/");
  const text = await ada.page.getByText("A room lives as long as people write in it.").boundingBox();
  expect(text?.width).toBeGreaterThan(300);
});

test("the typing indicator fits the phone, however long the names", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({
    name: "A room whose name is longer than a phone is wide",
  });
  const ada = await openPhone(openBrowser);
  await ada.openRoom(room);
  expect(
    (await ada.page.getByRole("heading", { level: 1 }).boundingBox())?.width,
    "the room name keeps some width",
  ).toBeGreaterThan(130);
  for (const name of [longName, "Grace Brewster Murray Hopper, RA"]) {
    const other = await openBrowser(name);
    await other.openRoom(room);
    await other.messageField.pressSequentially("h");
  }
  const typing = ada.page.locator(".typing");
  await expect(typing).toHaveText(/are typing…$/);
  const [end, edge] = await typing.evaluate((typing) => {
    const words = document.createRange();
    words.selectNode(typing.lastChild ?? typing);
    return [words.getBoundingClientRect().right, typing.getBoundingClientRect().right];
  });
  expect(end).toBeLessThanOrEqual(edge);
});

test("on a phone Enter inserts a line break and the button sends", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openPhone(openBrowser);
  await ada.openRoom(room);
  await ada.messageField.pressSequentially("a line");
  await ada.messageField.press("Enter");
  await ada.messageField.pressSequentially("and another");
  await expect(ada.messageField).toHaveValue("a line\nand another");
  await ada.page.getByRole("button", { name: "Send", exact: true }).tap();
  await expect(ada.messageBodies).toHaveText(["a line\nand another"]);
  // A hardware keyboard sends with Control+Enter.
  await ada.messageField.fill("by the key");
  await ada.messageField.press("Control+Enter");
  await expect
    .poll(() => webchat.messageTexts(room))
    .toEqual(["a line\nand another", "by the key"]);
});

test("a tap on a menu button reaches its own message", async ({ webchat, openBrowser }) => {
  const ada = await openPhone(openBrowser);
  await ada.openRoom(await webchat.createRoom());
  const texts = ["one", "two", "three"];
  for (const text of texts)
    await ada.messageField
      .fill(text)
      .then(() => ada.page.getByRole("button", { name: "Send", exact: true }).tap());
  await expect(ada.pendingMessages).toHaveCount(0);
  const rows = await ada.messages.evaluateAll((all) =>
    all.map((row) => {
      const [{ top, bottom }, button] = [
        row.getBoundingClientRect(),
        row.querySelector(".message-menu-button")?.getBoundingClientRect(),
      ];
      const at = (y: number) =>
        document
          .elementFromPoint((button?.left ?? 0) + 20, y)
          ?.closest("article")
          ?.querySelector(".body")?.textContent;
      return [at(bottom - 25), at(bottom - 13), at(bottom - 1)].concat(
        top <= (button?.top ?? 0) && (button?.bottom ?? 0) <= bottom ? [] : ["and beyond"],
      );
    }),
  );
  expect(rows).toEqual(texts.map((text) => [text, text, text]));
});

test("a menu taller than the page scrolls", async ({ openBrowser }) => {
  const ada = await openPhone(openBrowser, "ada", "en-GB", 320);
  await ada.visit("/");
  await ada.page.getByRole("button", { name: "New room" }).tap();
  await ada.waitUntilLive();
  await ada.page.getByRole("button", { name: "More" }).tap();
  const menu = ada.page.locator("#menu");
  const bottom = () => menu.evaluate((menu) => menu.getBoundingClientRect().bottom - innerHeight);
  expect(await bottom()).toBeLessThanOrEqual(0);
  await menu.evaluate((menu) => menu.scrollTo(0, menu.scrollHeight));
  await expect(menu.locator("label").last()).toBeInViewport({ ratio: 1 });
});

test("navigating on a phone moves the focus to the heading", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom({ name: "Tea", public: true });
  const ada = await openPhone(openBrowser);
  await ada.visit("/");
  await expect(ada.page.locator("body")).toBeFocused();
  await ada.page.getByRole("link", { name: "Tea" }).tap();
  await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeFocused();
  await ada.page.goBack();
  await expect(ada.page.getByRole("heading", { name: "webchat" })).toBeFocused();
  await ada.page.goto(room);
  await ada.waitUntilLive();
  await expect(ada.page.locator("body"), "a page load does not move the focus").toBeFocused();
});

test("a page with large text fits the phone", async ({ openBrowser }) => {
  const ada = await openPhone(openBrowser);
  await ada.visit("/");
  await ada.page.evaluate(() => (document.documentElement.style.fontSize = "24px"));
  const options = await ada.page.getByText("Options", { exact: true }).boundingBox();
  expect((options?.x ?? 0) + (options?.width ?? 400)).toBeLessThanOrEqual(360 - 16);
});

test("the connection status is never cut off on a phone", async ({ webchat, openBrowser }) => {
  const ada = await openBrowser("ada", { viewport: { width: 360, height: 740 } });
  await ada.openRoom(
    await webchat.createRoom({ name: "A room with quite a long name that no phone can hold" }),
  );
  const cut = () =>
    ada.page.locator(".connection").evaluate((words) => {
      const inner = words.getBoundingClientRect();
      const outer = words.parentElement?.getBoundingClientRect();
      return words.scrollWidth > words.clientWidth || inner.right > (outer?.right ?? 0);
    });
  expect(await cut()).toBe(false);
  await ada.page.context().setOffline(true);
  await expect(ada.connectionStatus).toHaveText("Offline");
  expect(await cut()).toBe(false);
  await ada.page.route("**/stream?**", (route) => route.abort());
  await ada.page.context().setOffline(false);
  await expect(ada.page.locator(".connection")).toHaveText(/^Reconnecting in \d+ s$/);
  expect(await cut()).toBe(false);
});
