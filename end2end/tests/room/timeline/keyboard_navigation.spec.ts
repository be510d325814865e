// Keyboard navigation: Tab, shortcut keys and arrow keys.

import { expect, test, type User } from "../../../support/webchat";

/** Presses Tab until the control of this name has the focus. */
async function pressTabUntil(user: User, name: RegExp) {
  const focusedName = () =>
    user.page.evaluate(() => {
      const { activeElement: at } = document;
      const label = at instanceof HTMLInputElement ? at.labels?.[0]?.innerText : "";
      return at?.getAttribute("aria-label") || label || (at as HTMLElement | null)?.innerText || "";
    });
  for (let i = 0; i < 30; i++) {
    if (name.test(await focusedName())) return;
    await user.page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${name}`);
}

test("a room can be created, used, shared and left with the keyboard alone", async ({
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  const { page } = ada;
  const { keyboard } = page;
  await pressTabUntil(ada, /^Your name$/);
  await keyboard.press("ControlOrMeta+A");
  await keyboard.type("Ada");
  await pressTabUntil(ada, /^New room$/);
  await keyboard.press("Enter");
  await ada.waitUntilLive();
  await expect(ada.messageField, "the message field has the focus").toBeFocused();
  await keyboard.type("hello");
  await keyboard.press("Shift+Enter");
  await keyboard.type("world");
  await keyboard.press("Enter");
  await expect(ada.messageBodies).toHaveText(["hello\nworld"]);
  await expect(ada.messageField).toBeFocused();
  await expect(ada.log.locator(".author")).toHaveText(["Ada"]);

  const share = page.getByRole("button", { name: "Share" });
  await pressTabUntil(ada, /^Share$/);
  await keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Share this room" });
  await expect(dialog).toBeVisible();
  for (let i = 0; i < 8; i++) {
    await keyboard.press("Tab");
    const inside = await page.evaluate(
      () => document.activeElement === document.body || !!document.activeElement?.closest("dialog"),
    );
    expect(inside, "the focus stays in the dialog").toBe(true);
  }
  await keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(share).toBeFocused();

  await pressTabUntil(ada, /^More$/);
  await keyboard.press("Enter");
  await pressTabUntil(ada, /^Keyboard shortcuts$/);
  await keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeHidden();

  await pressTabUntil(ada, /^All rooms$/);
  await keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Your name" })).toHaveValue("Ada");
});

test("shortcut keys type their character while the message field has the focus", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.openRoom(await webchat.createRoom());
  await ada.messageField.press("Control+A");
  await ada.page.keyboard.type("is that so?/");
  await expect(ada.messageField).toHaveValue("is that so?/");
  await expect(ada.page.getByRole("dialog")).toHaveCount(0);
  await ada.log.focus();
  await ada.page.keyboard.press("/");
  await expect(ada.messageField).toBeFocused();
  await expect(ada.messageField).toHaveValue("is that so?/");
});

test("arrow keys move the focus from message to message", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  for (let i = 1; i <= 110; i++)
    await webchat.postMessage(room, "grace", i === 100 ? "long\n".repeat(100) : `number ${i}`);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const { keyboard } = ada.page;
  const at = () =>
    ada.page.evaluate(() => document.activeElement?.querySelector(".body")?.textContent?.trim());
  const moveTo = async (text: string, key: string) => {
    for (let i = 0; i < 200 && (await at()) !== text; i++) {
      await keyboard.press(key);
      await expect(ada.page.locator("article:focus")).toBeInViewport();
    }
    expect(await at()).toBe(text);
  };
  await ada.send("the last word");
  await expect(ada.pendingMessages).toHaveCount(0);
  await ada.log.focus();
  await keyboard.press("ArrowUp");
  expect(await at()).toBe("the last word");
  await keyboard.press("ArrowUp");
  expect(await at()).toBe("number 110");
  await expect(ada.page.locator("article:focus")).toHaveAccessibleName(
    /^grace, [^:]+:[^:]+: number 110$/,
  );
  await keyboard.press("ArrowDown");
  expect(await at()).toBe("the last word");
  await keyboard.press("ArrowDown");
  expect(await at(), "the last message is the end").toBe("the last word");
  await ada.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await keyboard.press("ArrowUp");
  expect(await at(), "also when nothing has the focus").toBe("the last word");
  // The next Tab stops are the author's card and the menu button.
  await keyboard.press("Tab");
  await expect(ada.messages.last().getByRole("link", { name: "ada" })).toBeFocused();
  await keyboard.press("Tab");
  await expect(
    ada.messages.last().getByRole("button", { name: "Message actions" }),
  ).toBeFocused();
  await keyboard.press("ArrowUp");
  expect(await at()).toBe("number 110");
  await moveTo("number 101", "ArrowUp");
  await keyboard.press("ArrowUp");
  const long = await at();
  await keyboard.press("ArrowUp");
  expect(await at(), "a message longer than the view is scrolled first").toBe(long);
  // Older messages load on the way.
  await moveTo("number 1", "ArrowUp");
  await moveTo("number 2", "ArrowDown");
});
