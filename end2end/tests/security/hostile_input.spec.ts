// Hostile input is shown as text: it never runs, links to a script or breaks the layout.

import naughty from "big-list-of-naughty-strings" with { type: "json" };
import { expect, type Message, test, type User } from "../../support/webchat";

const rightToLeft = "\u202egnp.exe\u2066\u200f";
const rightToLeftName = "נורה";

const hostileTexts = [
  "<script>window.harmed = 1</script>",
  "</script><script>window.harmed = 1</script>",
  "<img src=x onerror='window.harmed = 1'>",
  "<svg onload='window.harmed = 1'>",
  "<!-- --!><script>window.harmed = 1</script>",
  "\"'><a href='javascript:window.harmed=1'>x</a>",
  "javascript:window.harmed=1",
  "data:text/html,<script>opener.harmed = 1</script>",
  'https://example.org/"onmouseover="window.harmed=1',
  "{{constructor.constructor('window.harmed=1')()}}${window.harmed=1}",
  rightToLeft,
  "\u200b\u200c\u200d\u2060\ufeff.",
  "a\u0301".repeat(400),
  "Z" + "\u0355\u0310\u0489".repeat(200),
  "x".repeat(4_000),
  "https://example.org/" + "y".repeat(3_900),
  "👨‍👩‍👧‍👦".repeat(300),
  "\u2028line\u2029paragraph",
  "&lt;b&gt;&#0;&amp;",
  "]]>\\u003cscript>",
];

const controlCharacter = /\p{Cc}/u;

/** A message as the server stores it: line ends as \n, no blank lines before, no space after. */
const storedBody = (text: string) =>
  text
    .replace(/\r\n?/g, "\n")
    .replace(/\p{White_Space}+$/u, "")
    .replace(/^(?:\p{White_Space}*\n)+/u, "");

/** A name as the server stores it: in Normalization Form C, with single spaces. */
const storedName = (text: string) =>
  text
    .normalize("NFC")
    .replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "")
    .replace(/[ \u3000]+/g, " ");

/** Whether nothing is drawn for a text. */
const isBlank = (text: string) =>
  /^[\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb]*$/u.test(text);

/** Whether a text has characters that the server allows in a name only where a script needs them. */
const hasInvisible = (text: string) =>
  /[\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb]|(?! )\p{White_Space}/u.test(text);

/** Whether a text begins with a mark that is drawn over the character before it. */
const beginsWithMark = (text: string) => /^\p{Mn}/u.test(text);

const isPlainName = (text: string) =>
  !isBlank(text) && !hasInvisible(text) && !beginsWithMark(text) && !controlCharacter.test(text);

/** Checks that no text ran, became markup, linked to a script or widened the page. */
async function expectUnharmed(user: User) {
  const { page } = user;
  expect(await page.evaluate(() => window.harmed)).toBeUndefined();
  expect(await page.locator("script:not([nonce]):not([type='application/json'])").count()).toBe(0);
  expect(
    await page
      .locator(
        "article :is(script, img, iframe, svg, object, style, form, input):not(.message-menu-button *)",
      )
      .count(),
  ).toBe(0);
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(wide, "the page is not wider than the window").toBeLessThanOrEqual(0);
  for (const href of await page
    .locator("article a:not(.author, .mention)")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href")))) {
    expect(href).toMatch(/^https?:\/\//);
  }
  for (const href of await page
    .locator("article :is(.author, .mention)")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href")))) {
    expect(href).toMatch(/^\/rooms\/[0-9a-f]{16}\/person\/\?(message=\d+|name=[\w.%-]+)$/);
  }
  await user.collectPolicyViolations();
  expect(user.problems).toEqual([]);
}

/** How far the log overflows horizontally. */
const horizontalOverflow = (user: User) =>
  user.log.evaluate((log) => log.scrollWidth - log.clientWidth);

for (const width of [360, 1280]) {
  test(`hostile messages are shown as text, live and after a reload, at ${width} pixels`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await webchat.createRoom();
    const ada = await openBrowser("ada", { viewport: { width, height: 700 } });
    await ada.openRoom(room);
    for (const text of hostileTexts) {
      const name = storedName([...text].slice(0, 32).join(""));
      await webchat.postMessage(room, isPlainName(name) ? name : "x", text);
    }
    await expect(ada.messageBodies).toHaveCount(hostileTexts.length);
    const shown = () => ada.messageBodies.evaluateAll((all) => all.map((body) => body.textContent));
    expect(await shown()).toEqual(hostileTexts.map(storedBody));
    await expectUnharmed(ada);
    expect(await horizontalOverflow(ada)).toBeLessThanOrEqual(0);
    await ada.page.reload();
    await ada.waitUntilLive();
    expect(await shown()).toEqual(hostileTexts.map(storedBody));
    await expectUnharmed(ada);
    expect(await horizontalOverflow(ada)).toBeLessThanOrEqual(0);
  });
}

test("hostile room names are shown as text in the list, the title and the header", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada", { viewport: { width: 360, height: 700 } });
  await ada.visit("/");
  const short = hostileTexts.filter((text) => [...storedName(text)].length <= 80);
  for (const name of short.filter((name) => !isPlainName(name)))
    expect((await webchat.postJson("/rooms/", { name })).status, name).toBe(422);
  const names = short.filter(isPlainName);
  const rooms = [];
  for (const name of names) rooms.push(await webchat.createRoom({ name, public: true }));
  const list = ada.page.getByRole("region", { name: "Public rooms" }).locator(".entry-name");
  await expect(list).toHaveCount(names.length);
  expect((await list.allTextContents()).sort()).toEqual(names.map(storedName).sort());
  await expectUnharmed(ada);
  await ada.page.reload();
  await ada.waitForHydration();
  expect((await list.allTextContents()).sort()).toEqual(names.map(storedName).sort());
  await expectUnharmed(ada);
  for (const [i, room] of rooms.entries()) {
    await ada.openRoom(room);
    expect(await ada.page.getByRole("heading", { level: 1 }).textContent()).toBe(
      storedName(names[i]),
    );
    await expectUnharmed(ada);
  }
});

test("a right-to-left name does not reorder the text beside it", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: rightToLeftName });
  await webchat.postMessage(room, rightToLeftName, `${rightToLeft} and on`);
  await webchat.postMessage(room, "grace", "hello");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  for (const by of await ada.log.locator(".byline").all()) {
    const who = await by.locator(".author").boundingBox();
    const when = await by.locator("time").boundingBox();
    expect(who && when && who.x + who.width <= when.x, "the time follows the name").toBe(true);
  }
  await expect(ada.log.locator("time").first()).toHaveText(/^\d\d:\d\d$/);
  // The text direction of the header does not change either.
  expect(
    await ada.page.locator(".room-status").evaluate((about) => getComputedStyle(about).direction),
  ).toBe("ltr");
});

/** The text of a message without the characters of its markup. */
function withoutSyntax({ body, marks = [] }: Message): string {
  const characters = [...body];
  for (const mark of marks.filter((mark) => mark.kind === "syntax"))
    characters.fill("", mark.from, mark.to);
  return characters.join("");
}

test("every naughty string is shown as text as a message and as an author name", async ({
  webchat,
  openBrowser,
}) => {
  test.setTimeout(120_000);
  const ada = await openBrowser("ada", { viewport: { width: 360, height: 700 } });
  const good = naughty.filter(
    (text) => !isBlank(text) && [...storedBody(text)].length <= 4_000,
  );
  let taken = 0;
  for (let start = 0; start < good.length; start += 90) {
    const room = await webchat.createRoom();
    await ada.openRoom(room);
    const said: string[] = [];
    for (const text of good.slice(start, start + 90)) {
      const whole = await webchat.postJson(`${room}messages/`, { username: text, body: text });
      // Names are shorter and have one line; a text refused as a name may be a valid message.
      const answer =
        whole.status === 201
          ? whole
          : await webchat.postJson(`${room}messages/`, { username: "grace", body: text });
      const allowed = !controlCharacter.test(storedBody(text).replace(/[\n\t]/g, ""));
      expect(answer.status, JSON.stringify(text)).toBe(allowed ? 201 : 422);
      if (answer.status !== 201) continue;
      const message = (await answer.json()) as Message;
      expect(message.body).toBe(storedBody(text));
      said.push(withoutSyntax(message));
    }
    taken += said.length;
    await expect(ada.messageBodies).toHaveCount(said.length);
    expect(
      await ada.messageBodies.evaluateAll((all) => all.map((body) => body.textContent)),
    ).toEqual(said);
    await expectUnharmed(ada);
    await ada.page.reload();
    await ada.waitUntilLive();
    await expect(ada.messageBodies).toHaveCount(said.length);
    expect(
      await ada.messageBodies.evaluateAll((all) => all.map((body) => body.textContent)),
    ).toEqual(said);
    await expectUnharmed(ada);
    expect(await horizontalOverflow(ada)).toBeLessThanOrEqual(0);
  }
  expect(taken).toBeGreaterThan(naughty.length - 40);
});

test("every naughty string is shown as text as a room name", async ({ webchat, openBrowser }) => {
  test.setTimeout(180_000);
  const ada = await openBrowser("ada", { viewport: { width: 360, height: 700 } });
  const rooms: [string, string][] = [];
  for (const text of naughty) {
    const answer = await webchat.postJson("/rooms/", { name: text, public: true });
    const name = storedName(text);
    const allowed = answer.status === 201;
    const mayBeEither = !isBlank(name) && [...name].length <= 80 && hasInvisible(name);
    const expected = isPlainName(name) && [...name].length <= 80 ? 201 : 422;
    expect(answer.status, JSON.stringify(text)).toBe(mayBeEither ? answer.status : expected);
    if (allowed) rooms.push([answer.headers.get("location") ?? "", name]);
    // The list shows the newest hundred rooms, so each name is drawn once by the server and by the
    // app.
    if (rooms.length % 100 === 0 && allowed) await expectListed(ada, rooms.slice(-100));
  }
  expect(rooms.length).toBeGreaterThan(300);
  await expectListed(ada, rooms.slice(-100));
  // The app draws the room header; every twentieth name covers each kind of string.
  const heading = ada.page.getByRole("heading", { level: 1 });
  for (const [room, name] of rooms.filter((_, i) => i % 20 === 0)) {
    await ada.page.evaluate((room) => {
      history.pushState(null, "", room);
      dispatchEvent(new PopStateEvent("popstate"));
    }, room);
    await expect(ada.page.locator(".room-id")).toHaveText(room.split("/")[2]);
    expect(await heading.textContent()).toBe(name);
  }
  await expectUnharmed(ada);
  // The server's HTML of every room, as the browser parses it.
  const scripts = await ada.page.evaluate(() => document.scripts.length);
  for (let start = 0; start < rooms.length; start += 50) {
    const some = rooms.slice(start, start + 50);
    const read = await ada.page.evaluate(
      readPages,
      some.map(([room]) => room),
    );
    // Browsers collapse white space in a title.
    const title = expect.stringMatching(/ · webchat$/);
    expect(read).toEqual(
      some.map(([, name]) => ({ title, heading: name, handed: name, scripts, handlers: 0 })),
    );
  }
});

/** Checks that the list of public rooms shows exactly these names and that they do no harm. */
async function expectListed(user: User, rooms: [string, string][]) {
  await user.visit("/");
  const entries = user.page.getByRole("region", { name: "Public rooms" }).locator(".entry");
  // The rooms that are not on the first screen follow.
  await expect(entries).toHaveCount(rooms.length);
  const read = (all: Element[]) =>
    all.map((entry) => [
      entry.getAttribute("href"),
      entry.querySelector(".entry-name")?.textContent,
    ]);
  expect((await entries.evaluateAll(read)).sort()).toEqual([...rooms].sort());
  // The server sends all of them, for browsers without scripts.
  const sent = await user.page.evaluate(async () => {
    const html = await (await fetch("/", { headers: { Accept: "text/html" } })).text();
    const page = new DOMParser().parseFromString(html, "text/html");
    const entries = page.querySelectorAll("[aria-labelledby=public-title] .entry");
    return [...entries].map((entry) => [
      entry.getAttribute("href"),
      entry.querySelector(".entry-name")?.textContent,
    ]);
  });
  expect(sent.sort()).toEqual([...rooms].sort());
  await expectUnharmed(user);
}

/** Fetches and parses the server's HTML of these rooms; runs in the browser. */
async function readPages(rooms: string[]) {
  const read = [];
  for (const room of rooms) {
    const html = await (await fetch(room, { headers: { Accept: "text/html" } })).text();
    const page = new DOMParser().parseFromString(html, "text/html");
    read.push({
      title: page.querySelector("title")?.textContent,
      heading: page.querySelector("h1")?.textContent,
      handed: JSON.parse(page.querySelector("#initial-state")?.textContent ?? "").content.room.room
        .name as string,
      scripts: page.querySelectorAll("script").length,
      handlers: page.querySelectorAll("[onerror], [onload], [onclick], [onmouseover]").length,
    });
  }
  return read;
}

test("hostile text is harmless in the name field, the draft and the join field", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await webchat.createRoom({ name: "Tea", public: true });
  await ada.visit("/");
  for (const text of ["<img src=x onerror='harmed=1'>", '"><script>harmed=1']) {
    await ada.page.getByRole("textbox", { name: "Your name" }).fill(text);
    await ada.page.getByRole("textbox", { name: "Join a room" }).fill(text);
    await ada.page.getByRole("button", { name: "Join" }).click();
    await expect(ada.page.getByText("That is neither a room's ID nor its link.")).toBeVisible();
    await ada.page.goto(`/?room=${encodeURIComponent(text)}`);
    await ada.waitForHydration();
    await expect(ada.page.getByRole("textbox", { name: "Join a room" })).toHaveValue(text);
    await expect(ada.page.getByRole("textbox", { name: "Your name" })).toHaveValue(text);
    await expectUnharmed(ada);
  }
  const room = await webchat.createRoom();
  await ada.openRoom(room);
  await ada.send("<img src=x onerror='harmed=1'>");
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect(ada.log.locator(".author")).toHaveText(['"><script>harmed=1']);
  await expectUnharmed(ada);
});

test("tampered cookies and storage do not break the page", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom({ name: "Tea" });
  const ada = await openBrowser("ada");
  const id = room.split("/")[2];
  for (const [name, value] of [
    ["name", "%"],
    ["name", "%ff%fe"],
    ["name", "%00"],
    ["name", "x".repeat(3_000)],
    ["visits", "7.../..//.%2e"],
    ["theme", "%22%3E"],
  ]) {
    await ada.page.context().addCookies([{ name, value, url: webchat.url }]);
  }
  await ada.visit("/");
  await webchat.createRoom({ name: "Coffee", public: true });
  await expect(ada.page.getByRole("link", { name: "Coffee" })).toBeVisible();
  // The first visit creates the database.
  await ada.openRoom(room);
  await ada.page.evaluate(
    (id) =>
      new Promise<void>((resolve, reject) => {
        for (const storage of [localStorage, sessionStorage])
          storage.setItem(`draft/${id}`, "<b>draft</b>");
        sessionStorage.setItem(`edit/${id}`, "x <b>");
        const opening = indexedDB.open("webchat");
        opening.onerror = reject;
        opening.onsuccess = () => {
          const store = opening.result.transaction("outbox", "readwrite").objectStore("outbox");
          for (const [key, value] of Object.entries({
            1: "{",
            2: '{"key":1}',
            3: "null",
            4: 5,
            5: null,
          }))
            store.put(value, `${id}/${key}`);
          store.transaction.oncomplete = () => (opening.result.close(), resolve());
        };
      }),
    id,
  );
  await ada.openRoom(room);
  await expect(ada.messageField).toHaveValue("<b>draft</b>");
  await expect(ada.page.getByRole("textbox", { name: /Writing as|Your name/ })).not.toHaveValue("");
  await ada.messageField.press("Enter");
  await expect(ada.messageBodies).toHaveText(["<b>draft</b>"]);
  await expectUnharmed(ada);
});

test("a message of ten megabytes is refused and the room keeps working", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const status = await ada.page.evaluate(async (path) => {
    const body = JSON.stringify({ username: "ada", body: "x".repeat(10_000_000) });
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    return answer.status;
  }, `${room}messages/`);
  expect(status).toBe(413);
  // Pasted into the field, the text is refused but not lost.
  await ada.messageField.fill("y".repeat(100_000));
  await ada.messageField.press("Enter");
  await expect(
    ada.page
      .getByRole("alert")
      .filter({ hasText: "at most 4000 characters; this is 96000 too many" }),
  ).toBeVisible();
  expect((await ada.messageField.inputValue()).length).toBe(100_000);
  await ada.send("still here");
  await expect(ada.messageBodies).toHaveText(["still here"]);
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["still here"]);
});
