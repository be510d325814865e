// The message menu: authors edit and delete, moderators delete, mute and ban.

import { expect, type User, test, type Webchat } from "../../../support/webchat";

async function chooseAction(user: User, text: string, what: string): Promise<void> {
  await (await user.openMessageMenu(text)).getByRole("button", { name: what }).click();
}

async function startConversation(
  webchat: Webchat,
  openBrowser: (name: string) => Promise<User>,
): Promise<{ ada: User; grace: User }> {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  for (const user of [ada, grace]) await user.openRoom(room);
  await ada.send("hello");
  await expect(grace.messageBodies).toHaveText(["hello"]);
  await expect(ada.pendingMessages).toHaveCount(0);
  return { ada, grace };
}

test("an author edits a message and every reader sees the new text", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, grace } = await startConversation(webchat, openBrowser);
  await ada.messageField.fill("a draft");
  await chooseAction(ada, "hello", "Edit");
  await expect(ada.messageField).toHaveValue("hello");
  await expect(ada.messageField).toBeFocused();
  await ada.send("hello, all");
  for (const user of [ada, grace]) {
    await expect(user.messageBodies).toHaveText(["hello, all"]);
    await expect(user.messages.getByText("edited")).toBeVisible();
  }
  // The draft from before the edit is restored.
  await expect(ada.messageField).toHaveValue("a draft");
  await expect(ada.page.getByText("Editing a message")).toBeHidden();
});

test("arrow up in an empty field edits the last own message, and Escape discards the edit", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, grace } = await startConversation(webchat, openBrowser);
  await grace.send("hi");
  await expect(ada.messageBodies).toHaveText(["hello", "hi"]);
  await ada.messageField.press("ArrowUp");
  await expect(ada.messageField).toHaveValue("hello");
  await ada.messageField.fill("nothing of this stays");
  await ada.messageField.press("Escape");
  await expect(ada.messageField).toHaveValue("");
  await ada.messageField.press("ArrowUp");
  await expect(ada.messageField).toHaveValue("hello");
  await ada.messageField.press("End");
  await ada.messageField.press("ArrowUp");
  await expect(ada.messageField).toHaveValue("hello");
  await ada.send("hello again");
  await expect(grace.messageBodies).toHaveText(["hello again", "hi"]);
});

test("editing does not move the field, and an empty edit is refused", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, grace } = await startConversation(webchat, openBrowser);
  await expect(ada.messageField).toHaveValue("");
  const before = await ada.messageField.boundingBox();
  await chooseAction(ada, "hello", "Edit");
  await expect(ada.page.getByText("Editing a message")).toBeVisible();
  expect(await ada.messageField.boundingBox()).toEqual(before);
  await ada.send(" ");
  await expect(
    ada.page.getByRole("alert").filter({ hasText: "To remove a message, delete it." }),
  ).toBeVisible();
  await ada.page.getByRole("button", { name: "Cancel" }).click();
  await expect(ada.page.getByText("Editing a message")).toBeHidden();
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toBeVisible();
  await expect(grace.messageBodies).toHaveText(["hello"]);
});

test("an edit that fails keeps its text in the field and shows the error", async ({
  webchat,
  openBrowser,
}) => {
  const { ada } = await startConversation(webchat, openBrowser);
  await chooseAction(ada, "hello", "Edit");
  await ada.page.route("**/messages/*/", (route) => route.abort());
  await ada.send("hello, all");
  await expect(ada.page.getByRole("alert").filter({ hasText: "cannot be reached" })).toBeVisible();
  await expect(ada.messageField).toHaveValue("hello, all");
  await ada.page.unroute("**/messages/*/");
  await ada.messageField.press("Enter");
  await expect(ada.messageBodies).toHaveText(["hello, all"]);
});

test("an author deletes a message after confirming", async ({ webchat, openBrowser }) => {
  const { ada, grace } = await startConversation(webchat, openBrowser);
  const opened = await ada.openMessageMenu("hello");
  await opened.getByRole("button", { name: "Delete" }).click();
  await expect(opened.getByRole("button", { name: "Delete for good?" })).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await expect(grace.messageBodies).toHaveText(["hello"]);
  // Closing the menu has reset the confirmation.
  await chooseAction(ada, "hello", "Delete");
  await expect(opened.getByRole("button", { name: "Delete for good?" })).toBeVisible();
  await opened.getByRole("button", { name: "Delete for good?" }).click();
  for (const user of [ada, grace]) await expect(user.messageBodies).toHaveText(["(deleted)"]);
  await ada.openMessageMenu("(deleted)");
  await expect(opened.getByRole("button")).toHaveText(["Copy link"]);
});

test("the menu of another's or an unverified message copies its text and its link, and offers nothing else", async ({
  webchat,
  openBrowser,
}) => {
  const { grace } = await startConversation(webchat, openBrowser);
  const room = new URL(grace.page.url()).pathname;
  await webchat.postMessage(room, "grace2", "as *usual*");
  await expect(grace.messages).toHaveCount(2);
  await grace.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const copied = () => grace.page.evaluate(() => navigator.clipboard.readText());
  for (const [text, body, id] of [
    ["hello", "hello", "m1"],
    ["as usual", "as *usual*", "m2"],
  ]) {
    const opened = await grace.openMessageMenu(text);
    await expect(opened.getByRole("button")).toHaveText(["Copy text", "Copy link"]);
    await opened.getByRole("button", { name: "Copy text" }).click();
    await expect.poll(copied).toBe(body);
    await opened.getByRole("button", { name: "Copy link" }).click();
    await expect.poll(copied).toBe(`${webchat.url}${room}#${id}`);
    await grace.page.keyboard.press("Escape");
    await expect(opened).toBeHidden();
  }
});

test("the owner deletes a message and mutes and bans its author from the menu", async ({
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.visit("/");
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.waitUntilLive();
  await grace.openRoom(new URL(ada.page.url()).pathname);
  await grace.send("rude");
  await expect(ada.messageBodies).toHaveText(["rude"]);
  await chooseAction(ada, "rude", "Delete");
  await ada.page.getByRole("button", { name: "Delete for good?" }).click();
  await expect(grace.messageBodies).toHaveText(["(deleted)"]);

  await grace.send("ruder");
  await expect(ada.messageBodies).toHaveText(["(deleted)", "ruder"]);
  await chooseAction(ada, "ruder", "Mute grace for 10 minutes");
  await expect(ada.page.getByText("grace is muted for 10 minutes.")).toBeVisible();
  await expect(grace.page.getByText(/^You are muted for/)).toBeVisible();
  await expect(grace.page.getByRole("button", { name: "Send" })).toBeDisabled();
  await chooseAction(ada, "ruder", "Ban grace for a day");
  await expect(ada.page.getByText("grace is banned for 1 day.")).toBeVisible();
  await expect(grace.page.getByRole("heading", { name: /no longer in this room/ })).toBeVisible();
});

for (const width of [360, 1280]) {
  test(`the message menu opens inside the viewport and moves nothing, at ${width} pixels`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await webchat.createRoom();
    const ada = await openBrowser("ada", { viewport: { width, height: 740 } });
    await ada.openRoom(room);
    for (let n = 0; n < 20; n++) {
      await ada.send(`message ${n}`);
      await expect(ada.pendingMessages).toHaveCount(0);
    }
    const before = await ada.messages.last().boundingBox();
    for (const text of ["message 19", "message 12"]) {
      const opened = await ada.openMessageMenu(text);
      const box = await opened.boundingBox();
      expect(
        box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= 740,
      ).toBe(true);
      await ada.page.keyboard.press("Escape");
      await expect(opened).toBeHidden();
    }
    expect(await ada.messages.last().boundingBox()).toEqual(before);
  });
}
