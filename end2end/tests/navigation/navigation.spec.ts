// Client-side navigation between the home page and rooms, with the browser's usual behaviour.

import { expect, test, type User } from "../../support/webchat";
import { Gate } from "../../support/gate";

const markPage = (user: User) => user.page.evaluate(() => (window.mark = "kept"));
const expectSamePage = async (user: User) =>
  expect(await user.page.evaluate(() => window.mark), "the page was not reloaded").toBe("kept");

test("creating a room and going home and back does not reload the page", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await markPage(ada);
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.waitUntilLive();
  const room = new URL(ada.page.url()).pathname;
  expect(room).toMatch(/^\/rooms\/[0-9a-f]{16}\/$/);
  await expect(ada.page).toHaveTitle(/^Room [0-9a-f]{4} · webchat$/);
  await ada.send("hello");
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["hello"]);

  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ada.page).toHaveTitle("webchat");
  const row = ada.page.getByRole("region", { name: "Your rooms" }).getByRole("link");
  await expect(row).toHaveAttribute("href", room);
  await row.click();
  await expect(ada.messageBodies).toHaveText(["hello"]);
  await expectSamePage(ada);
});

test("the browser's back and forward buttons move between the home page and rooms without a reload", async ({
  webchat,
  openBrowser,
}) => {
  const rooms = [
    await webchat.createRoom({ name: "First", public: true }),
    await webchat.createRoom({ name: "Second", public: true }),
  ];
  await webchat.postMessage(rooms[0], "grace", "in the first");
  await webchat.postMessage(rooms[1], "grace", "in the second");
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await markPage(ada);
  const open = ada.page.getByRole("region", { name: "Public rooms" });
  await open.getByRole("link", { name: "First" }).click();
  await expect(ada.messageBodies).toHaveText(["in the first"]);
  await ada.page.goBack();
  await open.getByRole("link", { name: "Second" }).click();
  await expect(ada.messageBodies).toHaveText(["in the second"]);
  await ada.page.goBack();
  await expect(open.getByRole("link")).toHaveText([/Second/, /First/]);
  await ada.page.goForward();
  await expect(ada.messageBodies).toHaveText(["in the second"]);
  await expect(ada.page).toHaveTitle("Second · webchat");
  await ada.waitUntilLive();
  await webchat.postMessage(rooms[1], "grace", "still in the second");
  await expect(ada.messageBodies).toHaveText(["in the second", "still in the second"]);
  await expectSamePage(ada);
});

test("the browser's back and forward buttons work across a full page load", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea" });
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.page.goto("/docs/");
  await webchat.postMessage(room, "grace", "meanwhile");
  await ada.page.goBack();
  await expect(ada.messageBodies).toHaveText(["meanwhile"]);
  await ada.waitUntilLive();
  await ada.page.goForward();
  await expect(ada.page).toHaveURL(/\/docs\/$/);
});

test("a late answer does not navigate away from the current room", async ({
  webchat,
  openBrowser,
}) => {
  const tea = await webchat.createRoom({ name: "Tea" });
  const rum = await webchat.createRoom({ name: "Rum", public: true });
  const ada = await openBrowser("ada");
  /**
   * Delays requests for this address until the user is in the other room, then continues or aborts
   * them.
   */
  const late = async (address: string, ask: () => Promise<void>, then: "continue" | "abort") => {
    const arrivalGate = new Gate();
    await ada.page.route(address, async (route) => {
      await arrivalGate.opened;
      await route[then]();
    });
    const answered = ada.page.waitForEvent(
      (then === "abort" ? "requestfailed" : "requestfinished") as "requestfinished",
      (request) => new URL(request.url()).pathname === address.slice(2),
    );
    await markPage(ada);
    await ask();
    await ada.page.getByRole("link", { name: "Rum" }).click();
    await expect(ada.page.getByRole("heading", { name: "Rum" })).toBeVisible();
    arrivalGate.open();
    await answered;
    await ada.page.unroute(address);
    const text = `still here after ${address}, ${then}`;
    await ada.send(text);
    await expect(ada.messageBodies.last()).toHaveText(text);
    expect(new URL(ada.page.url()).pathname).toBe(rum);
    await expect(ada.page.getByRole("dialog")).toHaveCount(0);
    await expectSamePage(ada);
  };
  await ada.visit("/");
  const join = async () => {
    await ada.page.getByRole("textbox", { name: "Join a room" }).fill(tea.split("/")[2]);
    await ada.page.getByRole("button", { name: "Join" }).click();
  };
  await late(`**${tea}`, join, "continue");
  await ada.visit("/");
  await late(
    "**/rooms/",
    () => ada.page.getByRole("button", { name: "New room" }).click(),
    "continue",
  );
  for (const then of ["continue", "abort"] as const) {
    await ada.openRoom(tea);
    const about = async () => {
      await ada.page.getByRole("button", { name: "More" }).click();
      await ada.page.getByRole("link", { name: "About this room" }).click();
    };
    await late(`**${tea}settings/`, about, then);
  }
});

test("a reload keeps the room and the author's identity", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.send("before");
  await expect(ada.pendingMessages).toHaveCount(0);
  await ada.page.reload();
  await ada.waitUntilLive();
  await ada.send("after");
  await expect(ada.messageBodies).toHaveText(["before", "after"]);
  await expect(ada.messages.last()).toHaveClass(/\bown\b/);
});

test("leaving a room ends its subscription", async ({ webchat, openBrowser }) => {
  const tea = await webchat.createRoom({ name: "Tea", public: true });
  const rum = await webchat.createRoom({ name: "Rum", public: true });
  const ada = await openBrowser("ada");
  await ada.openRoom(tea);
  // On a wide screen the sidebar shows the public rooms.
  await expect.poll(() => ada.subscribedPaths).toEqual(["/rooms/", tea]);
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect.poll(() => ada.subscribedPaths).toEqual(["/rooms/"]);
  await ada.page.getByRole("link", { name: "Rum" }).click();
  await expect.poll(() => ada.subscribedPaths).toEqual(["/rooms/", rum]);
  for (let i = 0; i < 5; i++) {
    await ada.page.goBack();
    await expect.poll(() => ada.subscribedPaths).toEqual(["/rooms/"]);
    await ada.page.goForward();
    await expect.poll(() => ada.subscribedPaths).toEqual(["/rooms/", rum]);
  }
});

test("messages and drafts of one room do not appear in another", async ({
  webchat,
  openBrowser,
}) => {
  const tea = await webchat.createRoom({ name: "Tea", public: true });
  await webchat.createRoom({ name: "Rum", public: true });
  await webchat.postMessage(tea, "grace", "about tea");
  const ada = await openBrowser("ada");
  await ada.openRoom(tea);
  await ada.messageField.fill("a thought on tea");
  const home = ada.page.getByRole("link", { name: "All rooms" });
  await home.click();
  await ada.page.getByRole("link", { name: "Rum" }).click();
  await ada.waitUntilLive();
  await expect(ada.messageBodies).toHaveCount(0);
  await expect(ada.messageField).toHaveValue("");
  await ada.send("about rum");
  await home.click();
  await ada.page
    .getByRole("region", { name: "Public rooms" })
    .getByRole("link", { name: "Tea" })
    .click();
  await expect(ada.messageBodies).toHaveText(["about tea"]);
  await expect(ada.messageField).toHaveValue("a thought on tea");
  await expect(ada.messageField).toBeFocused();
});

test("a link to a closed room shows the closed page without a reload, and history still works", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Passing", public: true, timeout: "8s" });
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await markPage(ada);
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
  await expectSamePage(ada);
});

test("a modified click opens the link in a new tab", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom({ name: "Tea", public: true });
  const ada = await openBrowser("ada");
  await ada.visit("/");
  const [tab] = await Promise.all([
    ada.page.context().waitForEvent("page"),
    ada.page.getByRole("link", { name: "Tea" }).click({ modifiers: ["ControlOrMeta"] }),
  ]);
  await expect(tab).toHaveURL(webchat.url + room);
  await expect(ada.page).toHaveURL(`${webchat.url}/`);
});

test("a room address without its trailing slash redirects to the room", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea" });
  const ada = await openBrowser("ada");
  await ada.openRoom(room.slice(0, -1));
  await expect(ada.page).toHaveURL(webchat.url + room);
});

test("two clients meet in a room by its name, leave it and come back", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom("/chat?room=Tea%20%26%20cake");
  await grace.openRoom("/chat?room=Tea+%26+cake");
  await expect(ada.page.getByRole("heading", { level: 1 })).toHaveText("Tea & cake");
  await ada.send("hello");
  await expect(grace.messageBodies).toHaveText(["hello"]);
  await markPage(grace);
  await grace.page.getByRole("link", { name: "All rooms" }).click();
  await expect(grace.page).toHaveURL(`${webchat.url}/`);
  await grace.page.goBack();
  await expect(grace.messageBodies).toHaveText(["hello"]);
  await grace.waitUntilLive();
  await expectSamePage(grace);
  await grace.send("hello again");
  await expect(ada.messageBodies).toHaveText(["hello", "hello again"]);
});
