// Client-side navigation between the home page and rooms, with the browser's usual behaviour.

import { expect, test, type Person } from "../../support/webchat";

const mark = (person: Person) => person.page.evaluate(() => (window.mark = "kept"));
const kept = async (person: Person) =>
  expect(await person.page.evaluate(() => window.mark), "not loaded anew").toBe("kept");

test("creating a room and going home and back does not reload the page", async ({ webchat, come }) => {
  const ada = await come("ada");
  await ada.go("/");
  await mark(ada);
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.live();
  const room = new URL(ada.page.url()).pathname;
  expect(room).toMatch(/^\/rooms\/[0-9a-f]{16}\/$/);
  await expect(ada.page).toHaveTitle(/^Room [0-9a-f]{4} · webchat$/);
  await ada.say("hello");
  await expect.poll(() => webchat.said(room)).toEqual(["hello"]);

  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ada.page).toHaveTitle("webchat");
  const row = ada.page.getByRole("region", { name: "Your rooms" }).getByRole("link");
  await expect(row).toHaveAttribute("href", room);
  await row.click();
  await expect(ada.bodies).toHaveText(["hello"]);
  await kept(ada);
});

test("the browser's back and forward buttons move between the home page and rooms without a reload", async ({ webchat, come }) => {
  const rooms = [
    await webchat.room({ name: "First", public: true }),
    await webchat.room({ name: "Second", public: true }),
  ];
  await webchat.post(rooms[0], "grace", "in the first");
  await webchat.post(rooms[1], "grace", "in the second");
  const ada = await come("ada");
  await ada.go("/");
  await mark(ada);
  const open = ada.page.getByRole("region", { name: "Open rooms" });
  await open.getByRole("link", { name: "First" }).click();
  await expect(ada.bodies).toHaveText(["in the first"]);
  await ada.page.goBack();
  await open.getByRole("link", { name: "Second" }).click();
  await expect(ada.bodies).toHaveText(["in the second"]);
  await ada.page.goBack();
  await expect(ada.page.getByRole("region", { name: "Your rooms" }).getByRole("link")).toHaveText([
    /Second/,
    /First/,
  ]);
  await ada.page.goForward();
  await expect(ada.bodies).toHaveText(["in the second"]);
  await expect(ada.page).toHaveTitle("Second · webchat");
  await ada.live();
  await webchat.post(rooms[1], "grace", "still in the second");
  await expect(ada.bodies).toHaveText(["in the second", "still in the second"]);
  await kept(ada);
});

test("the browser's back and forward buttons work across a full page load", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea" });
  const ada = await come("ada");
  await ada.enter(room);
  await ada.page.goto("/docs/");
  await webchat.post(room, "grace", "meanwhile");
  await ada.page.goBack();
  await expect(ada.bodies).toHaveText(["meanwhile"]);
  await ada.live();
  await ada.page.goForward();
  await expect(ada.page).toHaveURL(/\/docs\/$/);
});

test("a late answer does not navigate away from the current room", async ({
  webchat,
  come,
}) => {
  const [tea, rum] = [
    await webchat.room({ name: "Tea" }),
    await webchat.room({ name: "Rum", public: true }),
  ];
  const ada = await come("ada");
  /** Lets requests for these addresses wait until the visitor is in the other room; what comes of them then. */
  const late = async (address: string, ask: () => Promise<void>, then: "continue" | "abort") => {
    let arrive = () => {};
    const there = new Promise<void>((resolve) => (arrive = resolve));
    await ada.page.route(address, async (route) => {
      await there;
      await route[then]();
    });
    const answered = ada.page.waitForEvent(
      then === "abort" ? "requestfailed" : "requestfinished",
      (request) => new URL(request.url()).pathname === address.slice(2),
    );
    await mark(ada);
    await ask();
    await ada.page.getByRole("link", { name: "Rum" }).click();
    await expect(ada.page.getByRole("heading", { name: "Rum" })).toBeVisible();
    arrive();
    await answered;
    await ada.page.unroute(address);
    const text = `still here after ${address}, ${then}`;
    await ada.say(text);
    await expect(ada.bodies.last()).toHaveText(text);
    expect(new URL(ada.page.url()).pathname).toBe(rum);
    await expect(ada.page.getByRole("dialog")).toHaveCount(0);
    await kept(ada);
  };
  await ada.go("/");
  const join = async () => {
    await ada.page.getByRole("textbox", { name: "Join a room" }).fill(tea.split("/")[2]);
    await ada.page.getByRole("button", { name: "Join" }).click();
  };
  await late(`**${tea}`, join, "continue");
  await ada.go("/");
  await late(
    "**/rooms/",
    () => ada.page.getByRole("button", { name: "New room" }).click(),
    "continue",
  );
  for (const then of ["continue", "abort"] as const) {
    await ada.enter(tea);
    const about = async () => {
      await ada.page.getByRole("button", { name: "More" }).click();
      await ada.page.getByRole("link", { name: "About this room" }).click();
    };
    await late(`**${tea}settings/`, about, then);
  }
});

test("a reload keeps the room and the author's identity", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.say("before");
  await expect(ada.pending).toHaveCount(0);
  await ada.page.reload();
  await ada.live();
  await ada.say("after");
  await expect(ada.bodies).toHaveText(["before", "after"]);
  await expect(ada.messages.last()).toHaveClass(/\bown\b/);
});

test("leaving a room ends its subscription", async ({ webchat, come }) => {
  const [tea, rum] = [
    await webchat.room({ name: "Tea", public: true }),
    await webchat.room({ name: "Rum", public: true }),
  ];
  const ada = await come("ada");
  await ada.enter(tea);
  // On a wide screen the open rooms are seen beside the room.
  await expect.poll(() => ada.listening).toEqual(["/rooms/", tea]);
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect.poll(() => ada.listening).toEqual(["/rooms/"]);
  await ada.page.getByRole("link", { name: "Rum" }).click();
  await expect.poll(() => ada.listening).toEqual(["/rooms/", rum]);
  for (let i = 0; i < 5; i++) {
    await ada.page.goBack();
    await expect.poll(() => ada.listening).toEqual(["/rooms/"]);
    await ada.page.goForward();
    await expect.poll(() => ada.listening).toEqual(["/rooms/", rum]);
  }
});

test("messages and drafts of one room do not appear in another", async ({
  webchat,
  come,
}) => {
  const [tea, rum] = [
    await webchat.room({ name: "Tea", public: true }),
    await webchat.room({ name: "Rum", public: true }),
  ];
  await webchat.post(tea, "grace", "about tea");
  const ada = await come("ada");
  await ada.enter(tea);
  await ada.field.fill("a thought on tea");
  const home = ada.page.getByRole("link", { name: "All rooms" });
  await home.click();
  await ada.page.getByRole("link", { name: "Rum" }).click();
  await ada.live();
  await expect(ada.bodies).toHaveCount(0);
  await expect(ada.field).toHaveValue("");
  await ada.say("about rum");
  await home.click();
  await ada.page
    .getByRole("region", { name: "Your rooms" })
    .getByRole("link", { name: "Tea" })
    .click();
  await expect(ada.bodies).toHaveText(["about tea"]);
  await expect(ada.field).toHaveValue("a thought on tea");
  await expect(ada.field).toBeFocused();
});

test("a link to a closed room shows the closed page without a reload, and history still works", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room({ name: "Passing", public: true, timeout: "8s" });
  const ada = await come("ada");
  await ada.go("/");
  await mark(ada);
  await ada.page.getByRole("link", { name: "Passing" }).click();
  await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  await ada.page.goBack();
  await expect(ada.page.getByRole("textbox", { name: "Your name" })).toBeVisible();
  await ada.page.goForward();
  await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  await expect(ada.page).toHaveTitle("This room has closed · webchat");
  expect(new URL(ada.page.url()).pathname).toBe(room);
  await ada.page.getByRole("link", { name: "Go to the rooms" }).click();
  await expect(ada.page.getByRole("textbox", { name: "Your name" })).toBeVisible();
  await kept(ada);
});

test("a modified click opens the link in a new tab", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea", public: true });
  const ada = await come("ada");
  await ada.go("/");
  const [tab] = await Promise.all([
    ada.page.context().waitForEvent("page"),
    ada.page.getByRole("link", { name: "Tea" }).click({ modifiers: ["ControlOrMeta"] }),
  ]);
  await expect(tab).toHaveURL(webchat.url + room);
  await expect(ada.page).toHaveURL(`${webchat.url}/`);
});

test("a room address without its trailing slash redirects to the room", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea" });
  const ada = await come("ada");
  await ada.enter(room.slice(0, -1));
  await expect(ada.page).toHaveURL(webchat.url + room);
});

test("two clients meet in a room by its name, leave it and come back", async ({
  webchat,
  come,
}) => {
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter("/chat?room=Tea%20%26%20cake");
  await grace.enter("/chat?room=Tea+%26+cake");
  await expect(ada.page.getByRole("heading", { level: 1 })).toHaveText("Tea & cake");
  await ada.say("hello");
  await expect(grace.bodies).toHaveText(["hello"]);
  await mark(grace);
  await grace.page.getByRole("link", { name: "All rooms" }).click();
  await expect(grace.page).toHaveURL(`${webchat.url}/`);
  await grace.page.goBack();
  await expect(grace.bodies).toHaveText(["hello"]);
  await grace.live();
  await kept(grace);
  await grace.say("hello again");
  await expect(ada.bodies).toHaveText(["hello", "hello again"]);
});
