// The home page and rooms without JavaScript: everything is readable, and every form works.

import { expect, test } from "../../support/webchat";

const withoutJavaScript = { javaScriptEnabled: false };

test("a room is created, written to and read without JavaScript", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada", withoutJavaScript);
  await ada.page.goto("/");
  await ada.page.getByRole("textbox", { name: "Your name" }).fill("Ada L.");
  await ada.page.getByText("Options", { exact: true }).click();
  await ada.page.getByRole("textbox", { name: "Name of the room" }).fill("Tea");
  await ada.page.getByRole("radio", { name: "Anyone; listed under Public rooms" }).check();
  await ada.page.getByRole("button", { name: "New room" }).click();
  await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();
  const room = new URL(ada.page.url()).pathname;
  expect(room).toMatch(/^\/rooms\/[0-9a-f]{16}\/$/);

  await ada.page.getByRole("textbox", { name: "Writing as" }).fill("Ada L.");
  await ada.messageField.fill("one\n  two & <three>");
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(ada.messageBodies).toHaveText(["one\n  two & <three>"]);
  expect(new URL(ada.page.url()).pathname).toBe(room);
  await expect(ada.log.locator(".author")).toHaveText(["Ada L."]);
  await expect(ada.messageField).toHaveValue("");
  expect(await webchat.messageTexts(room)).toEqual(["one\n  two & <three>"]);

  await webchat.postMessage(room, "grace", "hello");
  await ada.page.getByRole("link", { name: "Reload for new messages" }).click();
  await expect(ada.messageBodies).toHaveText(["one\n  two & <three>", "hello"]);
  await ada.page.getByRole("link", { name: "All rooms" }).click();
  await ada.page.getByRole("link", { name: /Tea/ }).first().click();
  await expect(ada.messageBodies).toHaveCount(2);
});

test("without JavaScript a room opens at the newest message and scrolls to older ones", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  for (let i = 1; i <= 60; i++) await webchat.postMessage(room, "grace", `number ${i}`);
  const ada = await openBrowser("ada", withoutJavaScript);
  await ada.page.goto(room);
  await expect(ada.messageBodies).toHaveCount(60);
  await expect(ada.messageBodies.last()).toBeInViewport();
  await ada.messageBodies.first().scrollIntoViewIfNeeded();
  await expect(ada.messageBodies.first()).toBeInViewport();
});

test("joining by link works without JavaScript, and an invalid one is refused at the field", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea" });
  const ada = await openBrowser("ada", withoutJavaScript);
  await ada.page.goto("/");
  const field = ada.page.getByRole("textbox", { name: "Join a room" });
  for (const [invalid, words] of [
    ["no room", "That is neither a room's ID nor its link."],
    ["0123456789abcdef", "There is no room with that ID or link."],
  ]) {
    await field.fill(invalid);
    await ada.page.getByRole("button", { name: "Join" }).click();
    await expect(ada.page.getByRole("alert").filter({ hasText: words })).toBeVisible();
    await expect(field).toHaveValue(invalid);
    await expect(field).toHaveAttribute("aria-invalid", "true");
  }
  await field.fill(`${webchat.url}${room}`);
  await field.press("Enter");
  await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();
  expect(new URL(ada.page.url()).pathname).toBe(room);
});

test("without JavaScript a refused message shows the reason on its own page, and Back keeps the text", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada", withoutJavaScript);
  await ada.page.goto(room);
  await ada.messageField.fill("   ");
  const [answer] = await Promise.all([
    ada.page.waitForResponse((response) => response.request().method() === "POST"),
    ada.page.getByRole("button", { name: "Send", exact: true }).click(),
  ]);
  expect(answer.status()).toBe(422);
  await expect(ada.page.getByText(/must have 1 to 4000 characters/)).toBeVisible();
  await ada.page.goBack();
  await expect(ada.messageField).toHaveValue("   ");
  expect(await webchat.messageTexts(room)).toEqual([]);
});

test("without JavaScript a refused room shows the reason", async ({ openBrowser }) => {
  const ada = await openBrowser("ada", withoutJavaScript);
  await ada.page.goto("/");
  await ada.page.getByText("Options", { exact: true }).click();
  await ada.page.getByRole("textbox", { name: "Name of the room" }).fill("x".repeat(81));
  await ada.page.getByRole("button", { name: "New room" }).click();
  await expect(ada.page.getByText(/1 to 80 characters/)).toBeVisible();
  await ada.page.getByRole("link", { name: "Go to the rooms" }).click();
  await expect(ada.page.getByRole("textbox", { name: "Your name" })).toBeVisible();
});

test("controls that need JavaScript are hidden without it", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada", withoutJavaScript);
  await ada.page.goto(room);
  await expect(ada.page.getByRole("button", { name: "Share" })).toBeHidden();
  await expect(ada.connectionStatus).toBeHidden();
  await expect(ada.page.getByRole("button", { name: "Copy link" })).toBeHidden();
  await ada.page.getByRole("button", { name: "More" }).click();
  await expect(ada.page.getByRole("link", { name: "Save as text" })).toBeVisible();
  await expect(ada.page.getByRole("button", { name: "Keyboard shortcuts" })).toBeHidden();
  await expect(ada.page.getByRole("group", { name: "Colours" })).toBeHidden();
});
