// Phones: small viewports, touch input and on-screen keyboards.

import { expect, test, type Come, type Person } from "../../support/webchat";

const countess = "Countess Ada of Lovelace the 1st";
const phone = (come: Come, name = "ada", height = 740) =>
  come(name, { hasTouch: true, isMobile: true, viewport: { width: 360, height } });

/** Whether all of a text can be seen. */
const whole = (person: Person, selector: string) =>
  person.page.locator(selector).evaluate((words) => {
    const text = document.createRange();
    text.selectNodeContents(words);
    const [inner, outer] = [
      text.getBoundingClientRect(),
      (words.closest("form, footer") ?? words).getBoundingClientRect(),
    ];
    const cut =
      words.scrollWidth > words.clientWidth || inner.left < outer.left || inner.right > outer.right;
    return inner.width > 0 && inner.height < 30 && !cut;
  });

for (const name of ["ada", countess]) {
  test(`the status of queued messages is never cut off, for the author ${name}`, async ({ webchat, come }) => {
    const ada = await phone(come, name);
    await ada.enter(await webchat.room());
    await ada.page.route("**/messages/", (route) =>
      route.fulfill({
        status: 429,
        headers: { "Retry-After": "50" },
        json: { type: "", title: "", status: 429, detail: "too many" },
      }),
    );
    for (const text of ["one", "two"])
      await ada.field
        .fill(text)
        .then(() => ada.page.getByRole("button", { name: "Send", exact: true }).tap());
    const waiting = ada.page.locator(".waiting");
    await expect(waiting).toHaveText(/^2 waiting · going on in \d+ s$/);
    expect(await whole(ada, ".waiting")).toBe(true);
    await ada.page.context().setOffline(true);
    expect(await whole(ada, ".waiting")).toBe(true);
    await ada.field.fill("x".repeat(4_010));
    await expect(ada.page.locator(".count")).toHaveText("10 too many");
    for (const words of [".waiting", ".count"]) expect(await whole(ada, words), words).toBe(true);
  });
}

test("the typing indicator fits the phone, however long the names", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "A room whose name is longer than a phone is wide" });
  const ada = await phone(come);
  await ada.enter(room);
  expect(
    (await ada.page.getByRole("heading", { level: 1 }).boundingBox())?.width,
    "the name of the room has some, too",
  ).toBeGreaterThan(130);
  for (const name of [countess, "Grace Brewster Murray Hopper, RA"]) {
    const other = await come(name);
    await other.enter(room);
    await other.field.pressSequentially("h");
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

test("on a phone Enter inserts a line break and the button sends", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await phone(come);
  await ada.enter(room);
  await ada.field.pressSequentially("a line");
  await ada.field.press("Enter");
  await ada.field.pressSequentially("and another");
  await expect(ada.field).toHaveValue("a line\nand another");
  await ada.page.getByRole("button", { name: "Send", exact: true }).tap();
  await expect(ada.bodies).toHaveText(["a line\nand another"]);
  // Whoever has a keyboard besides has a key to send.
  await ada.field.fill("by the key");
  await ada.field.press("Control+Enter");
  await expect.poll(() => webchat.said(room)).toEqual(["a line\nand another", "by the key"]);
});

test("a tap on a menu button reaches its own message", async ({ webchat, come }) => {
  const ada = await phone(come);
  await ada.enter(await webchat.room());
  const texts = ["one", "two", "three"];
  for (const text of texts)
    await ada.field
      .fill(text)
      .then(() => ada.page.getByRole("button", { name: "Send", exact: true }).tap());
  await expect(ada.pending).toHaveCount(0);
  const rows = await ada.messages.evaluateAll((all) =>
    all.map((row) => {
      const [{ top, bottom }, button] = [
        row.getBoundingClientRect(),
        row.querySelector(".act")?.getBoundingClientRect(),
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

test("a menu taller than the page scrolls", async ({ come }) => {
  const ada = await phone(come, "ada", 320);
  await ada.go("/");
  await ada.page.getByRole("button", { name: "New room" }).tap();
  await ada.live();
  await ada.page.getByRole("button", { name: "More" }).tap();
  const menu = ada.page.locator("#menu");
  const bottom = () => menu.evaluate((menu) => menu.getBoundingClientRect().bottom - innerHeight);
  expect(await bottom()).toBeLessThanOrEqual(0);
  await menu.evaluate((menu) => menu.scrollTo(0, menu.scrollHeight));
  await expect(menu.locator("label").last()).toBeInViewport({ ratio: 1 });
});

test("navigating on a phone moves the focus to the heading", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room({ name: "Tea", public: true });
  const ada = await phone(come);
  await ada.go("/");
  await expect(ada.page.locator("body")).toBeFocused();
  await ada.page.getByRole("link", { name: "Tea" }).tap();
  await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeFocused();
  await ada.page.goBack();
  await expect(ada.page.getByRole("heading", { name: "webchat" })).toBeFocused();
  await ada.page.goto(room);
  await ada.live();
  await expect(
    ada.page.locator("body"),
    "a page that is loaded begins at its beginning",
  ).toBeFocused();
});

test("a page with large text fits the phone", async ({ come }) => {
  const ada = await phone(come);
  await ada.go("/");
  await ada.page.evaluate(() => (document.documentElement.style.fontSize = "24px"));
  const options = await ada.page.getByText("Options", { exact: true }).boundingBox();
  expect((options?.x ?? 0) + (options?.width ?? 400)).toBeLessThanOrEqual(360 - 16);
});

test("the connection status is never cut off on a phone", async ({
  webchat,
  come,
}) => {
  const ada = await come("ada", { viewport: { width: 360, height: 740 } });
  await ada.enter(
    await webchat.room({ name: "A room with quite a long name that no phone can hold" }),
  );
  const cut = () =>
    ada.page.locator(".connection").evaluate((words) => {
      const [inner, outer] = [
        words.getBoundingClientRect(),
        words.parentElement?.getBoundingClientRect(),
      ];
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
