// An app that panics, or that cannot start: the page says so, and works as without the app.

import { expect, test, type User } from "../../support/webchat";

const warning = (user: User) =>
  user.page.getByRole("alert").filter({ hasText: "This page has stopped working" });

const panics = /broken by the test|unreachable|panicked|previous WASM instance/;

/** Lets the app panic at the next element or text that it draws. */
async function breakDrawing(user: User) {
  user.expectProblems(panics);
  await user.page.evaluate(replaceDrawing);
}

const replaceDrawing = () => {
  const broken = () => {
    throw new Error("broken by the test");
  };
  Object.assign(Document.prototype, {
    createElement: broken,
    createElementNS: broken,
    createTextNode: broken,
  });
  Node.prototype.cloneNode = broken;
};

/** The page says that it has stopped, keeps the draft, and its forms and links work. */
async function expectPlainForms(user: User, room: string) {
  await expect(warning(user)).toBeVisible();
  await expect(user.page.getByRole("button", { name: "Reload" })).toBeVisible();
  await expect(user.connectionStatus).toBeHidden();
  await expect(user.messageField).toHaveValue("half a thought");
  await user.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(user.messageBodies.last()).toHaveText("half a thought");
  await user.waitUntilLive();
  await expect(warning(user)).toBeHidden();
  expect(new URL(user.page.url()).pathname).toBe(room);
  expect(user.expectedProblems.join("\n")).toMatch(panics);
}

test("an app that panics at an event of the stream", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "hello");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.messageField.fill("half a thought");
  await breakDrawing(ada);
  await webchat.postMessage(room, "grace", "more");
  await expectPlainForms(ada, room);
});

test("an app that panics in a dialog: the dialog does not hide the warning", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.messageField.fill("half a thought");
  await ada.page.getByRole("button", { name: "Share" }).click();
  await expect(ada.page.getByRole("dialog", { name: "Share" })).toBeVisible();
  await breakDrawing(ada);
  await webchat.postMessage(room, "grace", "more");
  await expectPlainForms(ada, room);
});

test("an app that panics at an action of the visitor", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await breakDrawing(ada);
  await ada.send("first");
  await expect(warning(ada)).toBeVisible();
  await ada.messageField.fill("half a thought");
  await expectPlainForms(ada, room);
});

test("a panicked app acts no more", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await breakDrawing(ada);
  await webchat.postMessage(room, "grace", "more");
  await expect(warning(ada)).toBeVisible();
  // A link leads to a new document, which the failed app does not hold up.
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await expect(ada.page.getByRole("textbox", { name: "Join a room" })).toBeVisible();
  await expect(warning(ada)).toBeHidden();
});

test("a browser without WebAssembly gets a page that says so, and plain forms", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "hello");
  const ada = await openBrowser("ada");
  ada.expectProblems(/WebAssembly/);
  await ada.page.addInitScript(() => Reflect.deleteProperty(window, "WebAssembly"));
  await ada.page.goto(room);
  await expect(
    ada.page.getByRole("alert").filter({ hasText: "does not run WebAssembly" }),
  ).toBeVisible();
  await expect(warning(ada)).toBeHidden();
  await expect(ada.page.getByRole("button", { name: "Reload" })).toBeHidden();
  await expect(ada.connectionStatus).toBeHidden();
  await expect(ada.page.getByRole("link", { name: "Reload for new messages" })).toBeVisible();
  await ada.messageField.fill("still here");
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(ada.messageBodies).toHaveText(["hello", "still here"]);
});

test("a page whose script is gone says so, and its forms work", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  ada.expectProblems(/dynamically imported module/);
  await ada.page.route("**/*.js", (route) => route.fulfill({ status: 404, body: "gone" }));
  await ada.page.goto(room);
  await expect(warning(ada)).toBeVisible();
  await ada.messageField.fill("still here");
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(ada.messageBodies).toHaveText(["still here"]);
});

test("an app that cannot start: the messages and rooms that wait for it are shown", async ({
  webchat,
  openBrowser,
}) => {
  for (let at = 1; at <= 20; at++) await webchat.createRoom({ name: `Room ${at}`, public: true });
  const room = await webchat.createRoom();
  for (let at = 1; at <= 60; at++) await webchat.postMessage(room, "grace", `number ${at} & more`);
  const ada = await openBrowser("ada");
  ada.expectProblems(/dynamically imported module/);
  await ada.page.route("**/*.js", (route) => route.fulfill({ status: 404, body: "gone" }));
  await ada.page.goto(room);
  await expect(warning(ada)).toBeVisible();
  await expect(ada.messageBodies).toHaveCount(60);
  await expect(ada.messageBodies.first()).toHaveText("number 1 & more");
  await expect(ada.messageBodies.last()).toBeInViewport();
  await ada.page.goto("/");
  const rooms = ada.page.getByRole("region", { name: "Public rooms" }).getByRole("listitem");
  await expect(rooms).toHaveCount(20);
});
