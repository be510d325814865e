// People in one room talk with each other.

import { expect, test } from "../webchat";

test("two people see each other's messages without reloading", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea" });
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  for (const person of [ada, grace]) await person.page.evaluate(() => (window.mark = "kept"));

  await ada.say("hello, grace");
  await expect(grace.bodies).toHaveText(["hello, grace"]);
  await grace.say("hello, ada");
  await expect(ada.bodies).toHaveText(["hello, grace", "hello, ada"]);
  await expect(grace.bodies).toHaveText(["hello, grace", "hello, ada"]);

  await expect(ada.log.locator(".who")).toHaveText(["ada", "grace"]);
  await expect(ada.messages.first()).toHaveClass(/\bown\b/);
  await expect(ada.messages.last()).not.toHaveClass(/\bown\b/);
  for (const person of [ada, grace]) expect(await person.page.evaluate(() => window.mark)).toBe("kept");
});

test("who joins later sees everything that was said, then what is said next", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  await ada.say("first");
  await expect(grace.bodies).toHaveText(["first"]);
  await grace.say("second");
  await expect(ada.bodies).toHaveText(["first", "second"]);

  const linus = await come("linus");
  await linus.enter(room);
  await expect(linus.bodies).toHaveText(["first", "second"]);
  await ada.say("third");
  await expect(linus.bodies).toHaveText(["first", "second", "third"]);
});

test("an own message shows at once, and is delivered exactly once", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await ada.page.route("**/messages/", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });

  await ada.say("on my way");
  await expect(ada.pending).toHaveText(/on my way/);
  await expect(ada.field).toHaveValue("");
  const before = await ada.messages.boundingBox();
  expect(await webchat.said(room)).toEqual([]);

  answer();
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["on my way"]);
  expect(await ada.messages.boundingBox(), "nothing moves when it is delivered").toEqual(before);
  expect(await webchat.said(room)).toEqual(["on my way"]);
});

test("a message whose answer got lost is sent again, and still there once", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  let attempts = 0;
  await ada.page.route("**/messages/", async (route) => {
    attempts += 1;
    if (attempts > 1) return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  await ada.say("once");
  await ada.say("twice");
  await expect(grace.bodies).toHaveText(["once", "twice"]);
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["once", "twice"]);
  expect(attempts).toBe(3);
  expect(await webchat.said(room)).toEqual(["once", "twice"]);
});

test("a refused message says why, and can be sent again or removed", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const problem = { type: "about:blank", title: "Forbidden", status: 403, detail: "not today" };
  await ada.page.route("**/messages/", (route) =>
    route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify(problem) }),
  );
  await ada.say("please");
  await ada.say("or this");
  await expect(ada.log.getByRole("alert")).toHaveText([/Not sent. not today/i, /Not sent. not today/i]);
  await ada.page.unroute("**/messages/");
  await ada.messages.filter({ hasText: "or this" }).getByRole("button", { name: "Remove" }).press("Enter");
  await expect(ada.log).toBeFocused();
  await ada.page.getByRole("button", { name: "Send again" }).press("Enter");
  await expect(ada.log).toBeFocused();
  await expect(ada.log.getByRole("alert")).toHaveCount(0);
  await expect(ada.bodies).toHaveText(["please"]);
  await expect.poll(() => webchat.said(room)).toEqual(["please"]);
});

test("too many at once: what waits goes on by itself, after as long as the server said", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  const problem = { type: "about:blank", title: "Too Many Requests", status: 429, detail: "too many" };
  await ada.page.route("**/messages/", (route) =>
    route.fulfill({
      status: 429,
      headers: { "Content-Type": "application/problem+json", "Retry-After": "2" },
      body: JSON.stringify(problem),
    }),
  );
  await ada.say("one");
  await ada.say("two");
  await expect(ada.page.getByText(/2 waiting · going on in \d s/)).toBeVisible();
  await ada.page.unroute("**/messages/");
  await expect(ada.pending).toHaveCount(0);
  expect(await webchat.said(room)).toEqual(["one", "two"]);
});

test("a changed name is the name of what follows, here and in every room", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  await ada.say("as ada");
  await ada.page.getByRole("textbox", { name: "Writing as" }).fill("Countess Lovelace");
  await ada.say("as a countess");
  await expect(grace.log.locator(".who")).toHaveText(["ada", "Countess Lovelace"]);
  await ada.page.reload();
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue("Countess Lovelace");
  await ada.go("/");
  await expect(ada.page.getByRole("textbox", { name: "Your name" })).toHaveValue("Countess Lovelace");
});

test("a name that cannot be one is said at the field, and nothing is sent or lost", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.page.getByRole("textbox", { name: "Writing as" }).fill("x".repeat(33));
  await ada.say("hello");
  await expect(ada.page.getByRole("alert").filter({ hasText: "at most 32 characters" })).toBeVisible();
  await expect(ada.field).toHaveValue("hello");
  expect(await webchat.said(room)).toEqual([]);
});

test("Shift+Enter breaks the line; the field grows and shrinks again", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  const height = async () => (await ada.field.boundingBox())?.height ?? 0;
  const low = await height();
  await ada.field.pressSequentially("roses are red");
  for (const line of ["violets are blue", "", "  four"]) {
    await ada.field.press("Shift+Enter");
    await ada.field.pressSequentially(line);
  }
  expect(await height()).toBeGreaterThan(low + 48);
  await ada.field.press("Enter");
  await expect(grace.bodies).toHaveCount(1);
  expect(await grace.bodies.innerText()).toBe("roses are red\nviolets are blue\n\n  four");
  expect(await height()).toBe(low);
});

test("the button sends, and white space alone is nothing to send", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.say("   \t ");
  await ada.field.fill("by the button");
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(ada.bodies).toHaveText(["by the button"]);
  await expect(ada.field).toBeFocused();
  await expect.poll(() => webchat.said(room)).toEqual(["by the button"]);
});

test("Enter that ends a composed word does not send", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.field.fill("にほん");
  await ada.field.dispatchEvent("keydown", { key: "Enter", isComposing: true });
  // One browser has ended the composition by then, and tells by the code of the key.
  await ada.field.dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
  await expect(ada.field).toHaveValue("にほん");
  await ada.field.press("Enter");
  await expect(ada.bodies).toHaveText(["にほん"]);
  await expect.poll(() => webchat.said(room)).toEqual(["にほん"]);
});

test("characters are counted near the limit, and too many are not sent but kept", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.field.fill("é".repeat(3_990));
  await expect(ada.page.getByText("10 left")).toBeVisible();
  // Counted as people do: a pictogram is one, not two.
  await ada.say("😀".repeat(4_001));
  await expect(ada.page.getByText("1 too many", { exact: true })).toBeVisible();
  await expect(ada.page.getByRole("alert").filter({ hasText: "at most 4000 characters" })).toBeVisible();
  expect(await webchat.said(room)).toEqual([]);
  await ada.say("😀".repeat(4_000));
  await expect.poll(() => webchat.said(room)).toEqual(["😀".repeat(4_000)]);
});

test("only http and https become links, and they keep their distance", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  const text = "see https://example.org/a_(b)?q=1&r=2#c, http://[::1]:8080/; not javascript:alert(1) or www.example.org";
  await ada.say(text);
  await expect(grace.bodies).toHaveText([text]);
  const links = grace.bodies.getByRole("link");
  await expect(links).toHaveText(["https://example.org/a_(b)?q=1&r=2#c", "http://[::1]:8080/"]);
  for (const link of await links.all()) {
    await expect(link).toHaveAttribute("rel", /noopener.*nofollow/);
    await expect(link).toHaveAttribute("target", "_blank");
    expect(await link.getAttribute("href")).toBe(await link.innerText());
  }
});

test("a message of nothing but emoji is larger", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  for (const text of ["👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽", "👍 yes", "plain"]) {
    await ada.say(text);
    await expect(ada.bodies.last()).toHaveText(text);
  }
  const sizes = await ada.bodies.evaluateAll((all) => all.map((body) => parseFloat(getComputedStyle(body).fontSize)));
  expect(sizes[0]).toBeGreaterThan(sizes[1]);
  expect(sizes[1]).toBe(sizes[2]);
});

test("many messages from many people have one order, the same for everyone", async ({ webchat, come }) => {
  const room = await webchat.room();
  const people = [await come("ada"), await come("grace"), await come("linus")];
  for (const person of people) await person.enter(room);
  await Promise.all(
    people.map(async (person) => {
      for (let i = 1; i <= 10; i++) await person.say(`${person.name} ${i}`);
    }),
  );
  for (const person of people) {
    await expect(person.bodies).toHaveCount(30);
    await expect(person.pending).toHaveCount(0);
  }
  const order = await webchat.said(room);
  expect(order).toHaveLength(30);
  for (const person of people) {
    await expect(person.bodies).toHaveText(order);
    const own = order.filter((text) => text.startsWith(person.name));
    expect(own, "everybody's own stay in order").toEqual(Array.from({ length: 10 }, (_, i) => `${person.name} ${i + 1}`));
  }
});

test("messages of one person within a minute stand together, under one name and one time", async ({ webchat, come }) => {
  const room = await webchat.room();
  const sent = [];
  for (const [name, text] of [["ada", "1"], ["ada", "2"], ["grace", "3"], ["ada", "4"]]) {
    sent.push(await webchat.post(room, name, text));
  }
  const ada = await come("ada", { timezoneId: "Asia/Kolkata", locale: "en-GB" });
  await ada.enter(room);
  const minutes = new Set(sent.slice(0, 2).map((message) => message.sent_at.slice(0, 16)));
  await expect(ada.log.locator(".who")).toHaveText(minutes.size === 1 ? ["ada", "grace", "ada"] : ["ada", "ada", "grace", "ada"]);
  await expect(ada.log.locator(".day")).toHaveCount(1);
  const time = ada.log.locator("time").first();
  await expect(time).toHaveAttribute("datetime", sent[0].sent_at);
  const local = new Date(Date.parse(sent[0].sent_at) + 5.5 * 3_600_000).toISOString().slice(11, 16);
  await expect(time, "by the visitor's clock").toHaveText(local);
  await expect(time).toHaveAttribute("title", new RegExp(`${local}`));
});

test("a hidden page counts what it missed in its title", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea" });
  const ada = await come("ada");
  await ada.enter(room);
  await expect(ada.page).toHaveTitle("Tea · webchat");
  // A browser under test never hides a page, so it is told that it is hidden.
  const hide = (hidden: boolean) =>
    ada.page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }, hidden);
  await hide(true);
  await webchat.post(room, "grace", "are you there?");
  await webchat.post(room, "grace", "hello?");
  await expect(ada.page).toHaveTitle("(2) Tea · webchat");
  await hide(false);
  await expect(ada.page).toHaveTitle("Tea · webchat");
});

test("what is edited or deleted is so on every page at once, and after a reload", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  await ada.say("helo");
  await ada.say("oops");
  await expect(grace.bodies).toHaveText(["helo", "oops"]);
  // By the key that this browser holds as a cookie.
  const { request } = ada.page.context();
  expect((await request.patch(`${room}messages/1/`, { data: { body: "hello" } })).status()).toBe(200);
  expect((await request.delete(`${room}messages/2/`)).status()).toBe(200);
  for (const person of [ada, grace]) {
    await expect(person.bodies).toHaveText(["hello", "(deleted)"]);
    await expect(person.messages.first().getByText("edited")).toBeVisible();
    await expect(person.messages.last().getByText("edited")).toBeHidden();
  }
  await grace.say("I saw that");
  await expect(ada.bodies).toHaveText(["hello", "(deleted)", "I saw that"]);
  await grace.page.reload();
  await grace.live();
  await ada.say("you did");
  await expect(grace.bodies).toHaveText(["hello", "(deleted)", "I saw that", "you did"]);
});
