// The message menu: authors edit and delete, moderators delete, mute and ban.

import { expect, type Person, test, type Webchat } from "../../../support/webchat";

/** The menu of the message with this text. */
async function menu(person: Person, text: string) {
  const message = person.messages.filter({ hasText: text });
  await message.hover();
  await message.getByRole("button", { name: "What to do with this message" }).click();
  return person.page.getByRole("group", { name: "This message" });
}

async function choose(person: Person, text: string, what: string): Promise<void> {
  await (await menu(person, text)).getByRole("button", { name: what }).click();
}

async function two(
  webchat: Webchat,
  come: (name: string) => Promise<Person>,
): Promise<[Person, Person]> {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  for (const person of [ada, grace]) await person.enter(room);
  await ada.say("hello");
  await expect(grace.bodies).toHaveText(["hello"]);
  await expect(ada.pending).toHaveCount(0);
  return [ada, grace];
}

test("an author edits a message and every reader sees the new text", async ({ webchat, come }) => {
  const [ada, grace] = await two(webchat, come);
  await ada.field.fill("a draft");
  await choose(ada, "hello", "Edit");
  await expect(ada.field).toHaveValue("hello");
  await expect(ada.field).toBeFocused();
  await ada.say("hello, all");
  for (const person of [ada, grace]) {
    await expect(person.bodies).toHaveText(["hello, all"]);
    await expect(person.messages.getByText("edited")).toBeVisible();
  }
  // What was being written before is still there.
  await expect(ada.field).toHaveValue("a draft");
  await expect(ada.page.getByText("Editing a message")).toBeHidden();
});

test("arrow up in an empty field edits the last own message, and Escape discards the edit", async ({
  webchat,
  come,
}) => {
  const [ada, grace] = await two(webchat, come);
  await grace.say("hi");
  await expect(ada.bodies).toHaveText(["hello", "hi"]);
  await ada.field.press("ArrowUp");
  await expect(ada.field).toHaveValue("hello");
  await ada.field.fill("nothing of this stays");
  await ada.field.press("Escape");
  await expect(ada.field).toHaveValue("");
  await ada.field.press("ArrowUp");
  await expect(ada.field).toHaveValue("hello");
  await ada.field.press("End");
  await ada.field.press("ArrowUp");
  await expect(ada.field).toHaveValue("hello");
  await ada.say("hello again");
  await expect(grace.bodies).toHaveText(["hello again", "hi"]);
});

test("editing does not move the field, and an empty edit is refused", async ({
  webchat,
  come,
}) => {
  const [ada, grace] = await two(webchat, come);
  await expect(ada.field).toHaveValue("");
  const before = await ada.field.boundingBox();
  await choose(ada, "hello", "Edit");
  await expect(ada.page.getByText("Editing a message")).toBeVisible();
  expect(await ada.field.boundingBox()).toEqual(before);
  await ada.say(" ");
  await expect(
    ada.page.getByRole("alert").filter({ hasText: "To remove a message, delete it." }),
  ).toBeVisible();
  await ada.page.getByRole("button", { name: "Cancel" }).click();
  await expect(ada.page.getByText("Editing a message")).toBeHidden();
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toBeVisible();
  await expect(grace.bodies).toHaveText(["hello"]);
});

test("an edit that fails keeps its text in the field and shows the error", async ({ webchat, come }) => {
  const [ada] = await two(webchat, come);
  await choose(ada, "hello", "Edit");
  await ada.page.route("**/messages/*/", (route) => route.abort());
  await ada.say("hello, all");
  await expect(ada.page.getByRole("alert").filter({ hasText: "cannot be reached" })).toBeVisible();
  await expect(ada.field).toHaveValue("hello, all");
  await ada.page.unroute("**/messages/*/");
  await ada.field.press("Enter");
  await expect(ada.bodies).toHaveText(["hello, all"]);
});

test("an author deletes a message after confirming", async ({ webchat, come }) => {
  const [ada, grace] = await two(webchat, come);
  const opened = await menu(ada, "hello");
  await opened.getByRole("button", { name: "Delete" }).click();
  await expect(opened.getByRole("button", { name: "Delete for good?" })).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await expect(grace.bodies).toHaveText(["hello"]);
  // It asks anew.
  await choose(ada, "hello", "Delete");
  await expect(opened.getByRole("button", { name: "Delete for good?" })).toBeVisible();
  await opened.getByRole("button", { name: "Delete for good?" }).click();
  for (const person of [ada, grace]) await expect(person.bodies).toHaveText(["(deleted)"]);
  await expect(
    ada.messages.getByRole("button", { name: "What to do with this message" }),
  ).toBeHidden();
});

test("readers have no menu on messages of others, nor on unverified messages", async ({
  webchat,
  come,
}) => {
  const [, grace] = await two(webchat, come);
  await webchat.post(new URL(grace.page.url()).pathname, "grace2", "as anybody");
  await expect(grace.messages).toHaveCount(2);
  for (const message of await grace.messages.all()) {
    await message.hover();
    await expect(message.getByRole("button")).toBeHidden();
  }
});

test("the owner deletes a message and mutes and bans its author from the menu", async ({ come }) => {
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.go("/");
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.live();
  await grace.enter(new URL(ada.page.url()).pathname);
  await grace.say("rude");
  await expect(ada.bodies).toHaveText(["rude"]);
  await choose(ada, "rude", "Delete");
  await ada.page.getByRole("button", { name: "Delete for good?" }).click();
  await expect(grace.bodies).toHaveText(["(deleted)"]);

  await grace.say("ruder");
  await expect(ada.bodies).toHaveText(["(deleted)", "ruder"]);
  await choose(ada, "ruder", "Mute the author for 10 minutes");
  await expect(ada.page.getByText("grace cannot write for 10 minutes.")).toBeVisible();
  await grace.say("still here");
  await expect(grace.log.getByRole("alert")).toContainText("muted");
  await choose(ada, "ruder", "Ban the author for a day");
  await expect(ada.page.getByText("grace is banned for a day.")).toBeVisible();
  await expect(grace.page.getByRole("heading", { name: /no longer in this room/ })).toBeVisible();
});

for (const width of [360, 1280]) {
  test(`the message menu opens inside the viewport and moves nothing, at ${width} pixels`, async ({
    webchat,
    come,
  }) => {
    const room = await webchat.room();
    const ada = await come("ada", { viewport: { width, height: 740 } });
    await ada.enter(room);
    for (let n = 0; n < 20; n++) {
      await ada.say(`message ${n}`);
      await expect(ada.pending).toHaveCount(0);
    }
    const before = await ada.messages.last().boundingBox();
    for (const text of ["message 19", "message 12"]) {
      const opened = await menu(ada, text);
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
