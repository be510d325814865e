// A room lives as long as people write in it, and says so; what is not there says that, too.

import { readFile } from "node:fs/promises";
import { expect, test } from "../webchat";

const nobody = "0123456789abcdef";

test.describe("a room of seconds", () => {
  test.use({ flags: ["--timeout", "12s"] });

  test("warns, closes for everybody in it, and leaves its transcript", async ({ webchat, come }) => {
    const room = await webchat.room({ name: "Short" });
    const [ada, grace] = [await come("ada"), await come("grace")];
    await ada.enter(room);
    await grace.enter(room);
    await ada.say("a line\nand another");
    await expect(grace.bodies).toHaveCount(1);

    const words = "This room is deleted soon, unless somebody writes";
    const warning = (person: typeof ada) => person.page.getByText(words);
    // The warning stands for little more than a second, so the page itself looks out for it, frame by frame.
    const warned = (person: typeof ada) =>
      person.page.evaluate(
        (words) =>
          new Promise<void>((done) => {
            const look = () => {
              const shown = [...document.querySelectorAll("p:not([hidden])")].some((p) => p.textContent?.includes(words));
              shown ? done() : requestAnimationFrame(look);
            };
            look();
          }),
        words,
      );
    const closed = (person: typeof ada) => person.page.getByRole("heading", { name: "This room has closed" });
    await Promise.all([ada, grace].map(warned));
    await Promise.all([ada, grace].map((person) => expect(closed(person)).toBeVisible()));
    for (const person of [ada, grace]) {
      await expect(warning(person)).toBeHidden();
      await expect(person.connection).toHaveText("Closed");
      await expect(person.field).toHaveCount(0);
      await expect(person.bodies).toHaveText(["a line\nand another"]);
    }
    await expect.poll(() => grace.listening).toEqual(["/rooms/"]);

    const [file] = await Promise.all([
      grace.page.waitForEvent("download"),
      grace.page.getByRole("button", { name: "Save transcript" }).click(),
    ]);
    expect(file.suggestedFilename()).toBe(`${room.split("/")[2]}.txt`);
    expect(await readFile(await file.path(), "utf8")).toMatch(/^Short\n\n.+\n\n\d\d:\d\d ada: a line\n +and another\n$/);

    expect((await ada.page.reload())?.status()).toBe(410);
    await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
    await grace.page.getByRole("button", { name: "New room" }).click();
    await expect(grace.field).toBeVisible();
    expect(new URL(grace.page.url()).pathname).not.toBe(room);
    await ada.page.getByRole("link", { name: "Go to the rooms" }).click();
    await expect(ada.page.getByRole("heading", { name: "Your rooms" })).toBeHidden();
  });

  test("closes over what is being written, and that can still be copied", async ({ webchat, come }) => {
    const ada = await come("ada");
    await ada.enter(await webchat.room());
    await ada.field.fill("a long thought");
    const heading = ada.page.getByRole("heading", { name: "This room has closed" });
    await expect(heading).toBeVisible();
    await expect(heading).toBeFocused();
    await expect(ada.page.getByRole("textbox", { name: "What you had not sent" })).toHaveValue("a long thought");
    await ada.enter(await webchat.room());
    await ada.say("said");
    await expect(ada.pending).toHaveCount(0);
    await ada.page.keyboard.press("ArrowUp");
    await expect(ada.field).toHaveValue("said");
    await expect(heading).toBeFocused();
    await expect(ada.page.getByRole("textbox")).toHaveCount(0);
    // Who has nothing to lose and is somewhere else stays there.
    const grace = await come("grace");
    await grace.enter(await webchat.room());
    await grace.log.focus();
    await expect(grace.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
    await expect(grace.log).toBeFocused();
    await expect(grace.page.getByRole("textbox")).toHaveCount(0);
  });

  test("a message gives it its whole time again", async ({ webchat, come }) => {
    const room = await webchat.room();
    const ada = await come("ada");
    await ada.enter(room);
    const line = async () => Number(await ada.page.locator(".room > .life rect").getAttribute("width"));
    await expect.poll(line).toBeLessThan(700);
    // It shortens again at once, so the page itself looks out for it.
    const grown = ada.page.evaluate(
      () =>
        new Promise<void>((done) => {
          const look = () => Number(document.querySelector(".room > .life rect")?.getAttribute("width")) > 800;
          new MutationObserver((_, observer) => look() && (observer.disconnect(), done())).observe(document.body, { attributes: true, subtree: true });
        }),
    );
    await webchat.post(room, "grace", "wait");
    await expect(ada.bodies).toHaveText(["wait"]);
    await grown;
  });

  test("an open room leaves the list of the home page when it closes", async ({ webchat, come }) => {
    const ada = await come("ada");
    await ada.go("/");
    await webchat.room({ name: "Passing", public: true, timeout: "6s" });
    await expect(ada.page.getByRole("link", { name: "Passing" })).toBeVisible();
    await expect(ada.page.getByRole("link", { name: "Passing" })).toHaveCount(0);
  });
});

test("everything a room has to be kept by can be saved while it lives", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Kept" });
  await webchat.post(room, "grace", "hello");
  const ada = await come("ada");
  await ada.enter(room);
  for (const [name, content] of [
    ["Save as text", /grace: hello/],
    ["Save as archive (JSON lines)", /"body":"hello".*\n.*sha256/s],
  ] as const) {
    await ada.page.getByRole("button", { name: "More" }).click();
    const [file] = await Promise.all([
      ada.page.waitForEvent("download"),
      ada.page.getByRole("link", { name }).click(),
    ]);
    expect(await readFile(await file.path(), "utf8")).toMatch(content);
    await ada.page.keyboard.press("Escape");
  }
  await expect(ada.connection).toHaveText("Live");
});

test("a wrong ID is said at the field, and stays there to be corrected", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.go("/");
  const field = ada.page.getByRole("textbox", { name: "Join a room" });
  const join = ada.page.getByRole("button", { name: "Join" });
  for (const [typed, words] of [
    ["", "Paste the ID or the link of a room."],
    ["tea room", "That is neither a room's ID nor its link."],
    ["012345678", "That is neither a room's ID nor its link."],
    [nobody, "There is no open room with that ID or link."],
    [`https://example.org/rooms/${nobody}/`, "There is no open room with that ID or link."],
  ]) {
    await field.fill(typed);
    await join.click();
    await expect(ada.page.getByRole("alert").filter({ hasText: words })).toBeVisible();
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveValue(typed);
    expect(new URL(ada.page.url()).pathname).toBe("/");
  }
  await field.fill(`  ${webchat.url}${room}  `);
  await field.press("Enter");
  await ada.live();
  expect(new URL(ada.page.url()).pathname).toBe(room);
});

test("an ID alone is enough to join", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.go("/");
  await ada.page.getByRole("textbox", { name: "Join a room" }).fill(room.split("/")[2].toUpperCase());
  await ada.page.getByRole("button", { name: "Join" }).click();
  await ada.live();
});

for (const [path, heading] of [
  [`/rooms/${nobody}/`, "No such room"],
  ["/rooms/nonsense/", "There is nothing here"],
  ["/nowhere", "There is nothing here"],
]) {
  test(`${path} is not found, and leads on`, async ({ come }) => {
    const ada = await come("ada");
    expect((await ada.page.goto(path))?.status()).toBe(404);
    await ada.alive();
    await expect(ada.page.getByRole("heading", { name: heading })).toBeVisible();
    await ada.page.getByRole("link", { name: "Go to the rooms" }).click();
    await expect(ada.page.getByRole("textbox", { name: "Your name" })).toBeVisible();
    await expect.poll(() => ada.listening).toEqual(["/rooms/"]);
  });
}

test("the list of open rooms is alive", async ({ webchat, come }) => {
  const first = await webchat.room({ name: "First", public: true });
  const ada = await come("ada");
  await ada.go("/");
  await ada.page.evaluate(() => (window.mark = "kept"));
  const rows = ada.page.getByRole("region", { name: "Open rooms" }).getByRole("listitem");
  await expect(rows).toHaveText([/First.*no messages/]);
  await webchat.room({ name: "Second", public: true });
  await webchat.room({ name: "Secret" });
  await expect(rows).toHaveText([/Second/, /First/]);
  await webchat.post(first, "grace", "hello");
  await expect(rows).toHaveText([/First.*1 message/, /Second/]);
  await webchat.post(first, "grace", "hello");
  await expect(rows.first()).toHaveText(/2 messages/);
  expect(await ada.page.evaluate(() => window.mark)).toBe("kept");
});

test("open rooms are found by a part of their name or ID", async ({ webchat, come }) => {
  const ada = await come("ada");
  for (const name of ["Tea", "Coffee", "Äpfel", "Water"]) await webchat.room({ name, public: true });
  await ada.go("/");
  const filter = ada.page.getByRole("searchbox", { name: "Search rooms and chats" });
  const rows = ada.page.getByRole("region", { name: "Open rooms" }).getByRole("listitem");
  await expect(rows).toHaveCount(4);
  await expect(filter).toBeHidden();
  await webchat.room({ name: "Iced tea", public: true });
  const last = await webchat.room({ public: true });
  await expect(rows).toHaveCount(6);

  await ada.page.keyboard.press("/");
  await expect(filter).toBeFocused();
  await ada.page.keyboard.type("TEA");
  await expect(rows).toHaveText([/Iced tea/, /Tea/]);
  await filter.fill("ÄPF");
  await expect(rows).toHaveText([/Äpfel/]);
  await filter.fill(last.slice(9, 17));
  await expect(rows.getByRole("link")).toHaveAttribute("href", last);
  await filter.fill("wine");
  await expect(ada.page.getByText("Nothing here has that in its name or ID.")).toBeVisible();
  await webchat.room({ name: "Wine", public: true });
  await expect(rows).toHaveText([/Wine/]);
  await filter.fill("");
  await expect(rows).toHaveCount(7);
});

test("rooms visited lately are remembered, and told apart from those that closed", async ({ webchat, come }) => {
  const [kept, short] = [await webchat.room({ name: "Kept" }), await webchat.room({ name: "Short", timeout: "8s" })];
  const ada = await come("ada");
  await ada.enter(kept);
  await ada.enter(short);
  await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  await ada.go("/");
  const rows = ada.page.getByRole("region", { name: "Your rooms" }).getByRole("listitem");
  await expect(rows).toHaveText([/Kept/]);
});

test("a room with all its options does what they say", async ({ webchat, come }) => {
  const ada = await come("ada");
  await ada.go("/");
  await ada.page.getByText("Options", { exact: true }).click();
  await ada.page.getByRole("textbox", { name: "Name of the room" }).fill("  Tea & <cake>  ");
  await ada.page.getByRole("combobox").selectOption("30 minutes");
  await ada.page.getByRole("radio", { name: "Shown to everyone under open rooms" }).check();
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.live();
  await expect(ada.page.getByRole("heading", { name: "Tea & <cake>" })).toBeVisible();
  await expect(ada.page.locator(".bar .left")).toHaveText(/^(30 min|29 min.*) left$/);
  const rooms = await webchat.read<{ name: string; public: boolean }[]>("/rooms/");
  expect(rooms).toMatchObject([{ name: "Tea & <cake>", public: true }]);
});

test("a refused room says why at the field that is wrong", async ({ come }) => {
  const ada = await come("ada");
  await ada.go("/");
  await ada.page.getByText("Options", { exact: true }).click();
  await ada.page.getByRole("textbox", { name: "Name of the room" }).fill("x".repeat(81));
  await ada.page.getByRole("button", { name: "New room" }).click();
  await expect(ada.page.getByRole("alert").filter({ hasText: "1 to 80 characters" })).toBeVisible();
  await expect(ada.page.getByRole("textbox", { name: "Name of the room" })).toHaveValue("x".repeat(81));
});

test("handing a room on: its link, its ID, its code", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada", { permissions: ["clipboard-read", "clipboard-write"] });
  await ada.enter(room);
  await ada.page.getByRole("button", { name: "Share" }).click();
  const dialog = ada.page.getByRole("dialog", { name: "Share this room" });
  const copied = () => ada.page.evaluate(() => navigator.clipboard.readText());
  await expect(dialog.getByRole("textbox", { name: "Link" })).toHaveValue(webchat.url + room);
  const code = dialog.getByRole("img", { name: "QR code of the link" });
  await expect(code).toBeVisible();
  await expect.poll(() => code.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth)).toBeGreaterThan(0);
  await dialog.getByRole("button", { name: "Copy link" }).click();
  await expect.poll(copied).toBe(webchat.url + room);
  await expect(dialog.getByRole("button", { name: "Copied" })).toBeVisible();
  await dialog.getByRole("button", { name: "Copy ID" }).click();
  await expect.poll(copied).toBe(room.split("/")[2]);
});
