// Keyboard navigation.

import { expect, test, type Person } from "../../../support/webchat";

/** Presses Tab until the focus is there; what cannot be reached so cannot be reached. */
async function tabTo(person: Person, name: RegExp) {
  const here = () =>
    person.page.evaluate(() => {
      const { activeElement: at } = document;
      const label = at instanceof HTMLInputElement ? at.labels?.[0]?.innerText : "";
      return at?.getAttribute("aria-label") || label || (at as HTMLElement | null)?.innerText || "";
    });
  for (let i = 0; i < 30; i++) {
    if (name.test(await here())) return;
    await person.page.keyboard.press("Tab");
  }
  throw new Error(`not reached by Tab: ${name}`);
}

test("a room can be created, used, shared and left with the keyboard alone", async ({
  come,
}) => {
  const ada = await come("ada");
  await ada.go("/");
  const { page } = ada;
  const { keyboard } = page;
  await tabTo(ada, /^Your name$/);
  await keyboard.press("ControlOrMeta+A");
  await keyboard.type("Ada");
  await tabTo(ada, /^New room$/);
  await keyboard.press("Enter");
  await ada.live();
  await expect(ada.field, "ready to write").toBeFocused();
  await keyboard.type("hello");
  await keyboard.press("Shift+Enter");
  await keyboard.type("world");
  await keyboard.press("Enter");
  await expect(ada.bodies).toHaveText(["hello\nworld"]);
  await expect(ada.field).toBeFocused();
  await expect(ada.log.locator(".who")).toHaveText(["Ada"]);

  const share = page.getByRole("button", { name: "Share" });
  await tabTo(ada, /^Share$/);
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

  await tabTo(ada, /^More$/);
  await keyboard.press("Enter");
  await tabTo(ada, /^Keyboard$/);
  await keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeHidden();

  await tabTo(ada, /^All rooms$/);
  await keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Your name" })).toHaveValue("Ada");
});

test("shortcut keys type their character while the message field has the focus", async ({ webchat, come }) => {
  const ada = await come("ada");
  await ada.enter(await webchat.room());
  await ada.field.press("Control+A");
  await ada.page.keyboard.type("is that so?/");
  await expect(ada.field).toHaveValue("is that so?/");
  await expect(ada.page.getByRole("dialog")).toHaveCount(0);
  await ada.log.focus();
  await ada.page.keyboard.press("/");
  await expect(ada.field).toBeFocused();
  await expect(ada.field).toHaveValue("is that so?/");
});

test("arrow keys move the focus from message to message", async ({ webchat, come }) => {
  const room = await webchat.room();
  for (let i = 1; i <= 110; i++)
    await webchat.post(room, "grace", i === 100 ? "long\n".repeat(100) : `number ${i}`);
  const ada = await come("ada");
  await ada.enter(room);
  const { keyboard } = ada.page;
  const at = () =>
    ada.page.evaluate(() => document.activeElement?.querySelector(".body")?.textContent?.trim());
  const walkTo = async (text: string, key: string) => {
    for (let i = 0; i < 200 && (await at()) !== text; i++) {
      await keyboard.press(key);
      await expect(ada.page.locator("article:focus")).toBeInViewport();
    }
    expect(await at()).toBe(text);
  };
  await ada.say("the last word");
  await expect(ada.pending).toHaveCount(0);
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
  expect(await at(), "there is nothing below").toBe("the last word");
  await ada.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await keyboard.press("ArrowUp");
  expect(await at(), "from nowhere, too").toBe("the last word");
  // Its button is next.
  await keyboard.press("Tab");
  await expect(
    ada.messages.last().getByRole("button", { name: "What to do with this message" }),
  ).toBeFocused();
  await keyboard.press("ArrowUp");
  expect(await at()).toBe("number 110");
  await walkTo("number 101", "ArrowUp");
  await keyboard.press("ArrowUp");
  const long = await at();
  await keyboard.press("ArrowUp");
  expect(await at(), "what is longer than the view is scrolled first").toBe(long);
  // Earlier messages come in on the way.
  await walkTo("number 1", "ArrowUp");
  await walkTo("number 2", "ArrowDown");
});
