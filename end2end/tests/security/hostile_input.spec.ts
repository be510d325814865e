// Hostile input is shown as text: it never runs, links to a script or breaks the layout.

import naughty from "big-list-of-naughty-strings" with { type: "json" };
import { expect, test, type Person } from "../../support/webchat";

const rtl = "\u202egnp.exe\u2066\u200f";

const texts = [
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
  rtl,
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

const control = /\p{Cc}/u;

/** As the server keeps a text: line ends as \n, without white space around it. */
const kept = (text: string) =>
  text.replace(/\r\n?/g, "\n").replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");

/** What the page must never do, however hostile the texts on it. */
async function unharmed(person: Person) {
  const { page } = person;
  expect(await page.evaluate(() => window.harmed)).toBeUndefined();
  expect(await page.locator("script:not([nonce]):not([type='application/json'])").count()).toBe(0);
  expect(
    await page
      .locator("article :is(script, img, iframe, svg, object, style, form, input):not(.act *)")
      .count(),
  ).toBe(0);
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(wide, "nothing makes the page wider than the window").toBeLessThanOrEqual(0);
  for (const href of await page
    .locator("article a")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href")))) {
    expect(href).toMatch(/^https?:\/\//);
  }
  await person.collect();
  expect(person.complaints).toEqual([]);
}

/** A log may scroll down only, whatever is in it. */
const sideways = (person: Person) =>
  person.log.evaluate((log) => log.scrollWidth - log.clientWidth);

for (const width of [360, 1280]) {
  test(`hostile messages are shown as text, live and after a reload, at ${width} pixels`, async ({ webchat, come }) => {
    const room = await webchat.room();
    const ada = await come("ada", { viewport: { width, height: 700 } });
    await ada.enter(room);
    for (const text of texts)
      await webchat.post(room, [...text].slice(0, 32).join("").trim() || "x", text);
    await expect(ada.bodies).toHaveCount(texts.length);
    const shown = () => ada.bodies.evaluateAll((all) => all.map((body) => body.textContent));
    expect(await shown()).toEqual(texts.map(kept));
    await unharmed(ada);
    expect(await sideways(ada)).toBeLessThanOrEqual(0);
    await ada.page.reload();
    await ada.live();
    expect(await shown()).toEqual(texts.map(kept));
    await unharmed(ada);
    expect(await sideways(ada)).toBeLessThanOrEqual(0);
  });
}

test("hostile room names are shown as text in the list, the title and the header", async ({ webchat, come }) => {
  const ada = await come("ada", { viewport: { width: 360, height: 700 } });
  await ada.go("/");
  const names = texts.filter((text) => [...kept(text)].length <= 80);
  const rooms = [];
  for (const name of names) rooms.push(await webchat.room({ name, public: true }));
  const list = ada.page.getByRole("region", { name: "Open rooms" }).locator(".entry-name");
  await expect(list).toHaveCount(names.length);
  expect((await list.allTextContents()).sort()).toEqual(names.map(kept).sort());
  await unharmed(ada);
  await ada.page.reload();
  await ada.alive();
  expect((await list.allTextContents()).sort()).toEqual(names.map(kept).sort());
  await unharmed(ada);
  for (const [i, room] of rooms.entries()) {
    await ada.enter(room);
    expect(await ada.page.getByRole("heading", { level: 1 }).textContent()).toBe(kept(names[i]));
    await unharmed(ada);
  }
});

test("a right-to-left name does not reorder the text beside it", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room({ name: rtl });
  await webchat.post(room, rtl, `${rtl} and on`);
  await webchat.post(room, "grace", "hello");
  const ada = await come("ada");
  await ada.enter(room);
  for (const by of await ada.log.locator(".by").all()) {
    const [who, when] = [
      await by.locator(".who").boundingBox(),
      await by.locator("time").boundingBox(),
    ];
    expect(who && when && who.x + who.width <= when.x, "the time stands after the name").toBe(true);
  }
  await expect(ada.log.locator("time").first()).toHaveText(/^\d\d:\d\d$/);
  // The words of the page around the name are not turned around either.
  expect(
    await ada.page.locator(".about").evaluate((about) => getComputedStyle(about).direction),
  ).toBe("ltr");
});

test("every naughty string is shown as text as a message and as an author name", async ({
  webchat,
  come,
}) => {
  test.setTimeout(120_000);
  const ada = await come("ada", { viewport: { width: 360, height: 700 } });
  const good = naughty.filter((text) => kept(text) !== "" && [...kept(text)].length <= 4_000);
  let taken = 0;
  for (let start = 0; start < good.length; start += 90) {
    const room = await webchat.room();
    await ada.enter(room);
    const said: string[] = [];
    for (const text of good.slice(start, start + 90)) {
      const whole = await webchat.ask(`${room}messages/`, { username: text, body: text });
      // A name is shorter and of one line; a message refused as a name is still a message.
      const answer =
        whole.status === 201
          ? whole
          : await webchat.ask(`${room}messages/`, { username: "grace", body: text });
      const allowed = !control.test(kept(text).replace(/[\n\t]/g, ""));
      expect(answer.status, JSON.stringify(text)).toBe(allowed ? 201 : 422);
      if (answer.status === 201) said.push(kept(text));
    }
    taken += said.length;
    await expect(ada.bodies).toHaveCount(said.length);
    expect(await ada.bodies.evaluateAll((all) => all.map((body) => body.textContent))).toEqual(
      said,
    );
    await unharmed(ada);
    await ada.page.reload();
    await ada.live();
    expect(await ada.bodies.evaluateAll((all) => all.map((body) => body.textContent))).toEqual(
      said,
    );
    await unharmed(ada);
    expect(await sideways(ada)).toBeLessThanOrEqual(0);
  }
  expect(taken).toBeGreaterThan(naughty.length - 40);
});

test("every naughty string is shown as text as a room name", async ({ webchat, come }) => {
  test.setTimeout(180_000);
  const ada = await come("ada", { viewport: { width: 360, height: 700 } });
  const rooms: [string, string][] = [];
  for (const text of naughty) {
    const answer = await webchat.ask("/rooms/", { name: text, public: true });
    const name = kept(text);
    const allowed = name !== "" && [...name].length <= 80 && !control.test(name);
    expect(answer.status, JSON.stringify(text)).toBe(allowed ? 201 : 422);
    if (allowed) rooms.push([answer.headers.get("location") ?? "", name]);
    // The list shows the newest hundred; so every name is drawn there once, by the server and by the app.
    if (rooms.length % 100 === 0 && allowed) await listed(ada, rooms.slice(-100));
  }
  expect(rooms.length).toBeGreaterThan(300);
  await listed(ada, rooms.slice(-100));
  // In the header of the room itself, drawn by the app: some of every kind, as the list has its kinds in order.
  const heading = ada.page.getByRole("heading", { level: 1 });
  for (const [room, name] of rooms.filter((_, i) => i % 20 === 0)) {
    await ada.page.evaluate((room) => {
      history.pushState(null, "", room);
      dispatchEvent(new PopStateEvent("popstate"));
    }, room);
    await expect(ada.page.locator(".id")).toHaveText(room.split("/")[2]);
    expect(await heading.textContent()).toBe(name);
  }
  await unharmed(ada);
  // As the server draws them all, read as a browser reads a page.
  const scripts = await ada.page.evaluate(() => document.scripts.length);
  for (let start = 0; start < rooms.length; start += 50) {
    const some = rooms.slice(start, start + 50);
    const read = await ada.page.evaluate(
      readPages,
      some.map(([room]) => room),
    );
    // A title's white space is the browser's to show.
    const title = expect.stringMatching(/ · webchat$/);
    expect(read).toEqual(
      some.map(([, name]) => ({ title, heading: name, handed: name, scripts, handlers: 0 })),
    );
  }
});

/** The names of these rooms are in the list of open rooms, as they are, and do no harm. */
async function listed(person: Person, rooms: [string, string][]) {
  await person.go("/");
  const drawn = await person.page
    .getByRole("region", { name: "Open rooms" })
    .locator(".entry")
    .evaluateAll((all) =>
      all.map((entry) => [
        entry.getAttribute("href"),
        entry.querySelector(".entry-name")?.textContent,
      ]),
    );
  expect(drawn.sort()).toEqual([...rooms].sort());
  await unharmed(person);
}

/** What is in the pages of these rooms, as the server sends them; runs in the browser. */
async function readPages(rooms: string[]) {
  const read = [];
  for (const room of rooms) {
    const html = await (await fetch(room, { headers: { Accept: "text/html" } })).text();
    const page = new DOMParser().parseFromString(html, "text/html");
    read.push({
      title: page.querySelector("title")?.textContent,
      heading: page.querySelector("h1")?.textContent,
      handed: JSON.parse(page.querySelector("#opening")?.textContent ?? "").scene.room.room
        .name as string,
      scripts: page.querySelectorAll("script").length,
      handlers: page.querySelectorAll("[onerror], [onload], [onclick], [onmouseover]").length,
    });
  }
  return read;
}

test("hostile text is harmless in the name field, the draft and the join field", async ({
  webchat,
  come,
}) => {
  const ada = await come("ada");
  await webchat.room({ name: "Tea", public: true });
  await ada.go("/");
  for (const text of ["<img src=x onerror='harmed=1'>", '"><script>harmed=1']) {
    await ada.page.getByRole("textbox", { name: "Your name" }).fill(text);
    await ada.page.getByRole("textbox", { name: "Join a room" }).fill(text);
    await ada.page.getByRole("button", { name: "Join" }).click();
    await expect(ada.page.getByText("That is neither a room's ID nor its link.")).toBeVisible();
    await ada.page.goto(`/?room=${encodeURIComponent(text)}`);
    await ada.alive();
    await expect(ada.page.getByRole("textbox", { name: "Join a room" })).toHaveValue(text);
    await expect(ada.page.getByRole("textbox", { name: "Your name" })).toHaveValue(text);
    await unharmed(ada);
  }
  const room = await webchat.room();
  await ada.enter(room);
  await ada.say("<img src=x onerror='harmed=1'>");
  await expect(ada.pending).toHaveCount(0);
  await expect(ada.log.locator(".who")).toHaveText(['"><script>harmed=1']);
  await unharmed(ada);
});

test("tampered cookies and storage do not break the page", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea" });
  const ada = await come("ada");
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
  await ada.go("/");
  await webchat.room({ name: "Coffee", public: true });
  await expect(ada.page.getByRole("link", { name: "Coffee" })).toBeVisible();
  // The first visit makes the database.
  await ada.enter(room);
  await ada.page.evaluate(
    (id) =>
      new Promise<void>((resolve, reject) => {
        localStorage.setItem(`draft/${id}`, "<b>draft</b>");
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
  await ada.enter(room);
  await expect(ada.field).toHaveValue("<b>draft</b>");
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).not.toHaveValue("");
  await ada.field.press("Enter");
  await expect(ada.bodies).toHaveText(["<b>draft</b>"]);
  await unharmed(ada);
});

test("a message of ten megabytes is refused and the room keeps working", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
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
  // Pasted into the field it is said, not sent, and not lost.
  await ada.field.fill("y".repeat(100_000));
  await ada.field.press("Enter");
  await expect(
    ada.page
      .getByRole("alert")
      .filter({ hasText: "at most 4000 characters; this is 96000 too many" }),
  ).toBeVisible();
  expect((await ada.field.inputValue()).length).toBe(100_000);
  await ada.say("still here");
  await expect(ada.bodies).toHaveText(["still here"]);
  await expect.poll(() => webchat.said(room)).toEqual(["still here"]);
});
