// What is typed and not sent: in several tabs, across reloads, and while a message is edited.

import { expect, test } from "../../support/webchat";

test("two tabs have drafts of their own, which survive the reload and the sending of the other", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const tab = await ada.openTab();
  for (const user of [ada, tab]) await user.openRoom(room);
  const [first, second] = ["first ", "second "].map((word) => word.repeat(300));
  await ada.messageField.fill(first);
  await tab.messageField.fill(second);
  for (const user of [ada, tab]) {
    await user.page.reload();
    await user.waitUntilLive();
  }
  await expect(ada.messageField).toHaveValue(first);
  await expect(tab.messageField).toHaveValue(second);

  await ada.messageField.press("Enter");
  await expect(tab.messageBodies).toHaveText([first.trim()]);
  for (const user of [ada, tab]) {
    await user.page.reload();
    await user.waitUntilLive();
  }
  await expect(ada.messageField, "the other tab's draft is not offered here").toHaveValue("");
  await expect(tab.messageField).toHaveValue(second);
});

test("the newest draft of a closed tab is offered in a new tab", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const tab = await ada.openTab();
  for (const user of [ada, tab]) await user.openRoom(room);
  await tab.messageField.fill("kept for later");
  await ada.send("said at once");
  await expect(tab.messageBodies).toHaveText(["said at once"]);
  await tab.page.close({ runBeforeUnload: true });
  await expect.poll(() => tab.page.isClosed()).toBe(true);
  const next = await ada.openTab();
  await next.openRoom(room);
  await expect(next.messageField).toHaveValue("kept for later");
});

test("an edit goes on after a reload, and cancelling it brings the draft back", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  for (const text of ["one", "two"]) await ada.send(text);
  await expect(ada.pendingMessages).toHaveCount(0);
  await ada.messageField.press("ArrowUp");
  await expect(ada.messageField).toHaveValue("two");
  await ada.page.getByRole("button", { name: "Cancel" }).click();
  await ada.messageField.fill("a draft");
  const menu = await ada.openMessageMenu(ada.messages.first());
  await menu.getByRole("button", { name: "Edit" }).click();
  await expect(ada.messageField).toHaveValue("one");
  await ada.messageField.fill("one, changed");

  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.page.getByText("Editing a message")).toBeVisible();
  await expect(ada.messageField).toHaveValue("one, changed");
  await ada.page.getByRole("button", { name: "Cancel" }).click();
  await expect(ada.messageField).toHaveValue("a draft");
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.page.getByText("Editing a message")).toBeHidden();
  await expect(ada.messageField).toHaveValue("a draft");
  expect(await webchat.messageTexts(room)).toEqual(["one", "two"]);
});
