// The join form of the home page.

import { chooseMenuItem, createInvitation, createOwnRoom } from "../../support/room_pages";
import { expect, test } from "../../support/webchat";

const missingRoomId = "0123456789abcdef";

test("an invalid ID is refused at the field and stays editable", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.visit("/");
  const field = ada.page.getByRole("textbox", { name: "Join a room" });
  const join = ada.page.getByRole("button", { name: "Join" });
  for (const [typed, words] of [
    ["", "Paste the ID or the link of a room."],
    ["tea room", "That is neither a room's ID nor its link."],
    ["012345678", "That is neither a room's ID nor its link."],
    [missingRoomId, "There is no room with that ID or link."],
    [`https://example.org/rooms/${missingRoomId}/`, "There is no room with that ID or link."],
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
  await ada.waitUntilLive();
  expect(new URL(ada.page.url()).pathname).toBe(room);
});

test("an ID in capital letters joins the room", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await ada.page
    .getByRole("textbox", { name: "Join a room" })
    .fill(room.split("/")[2].toUpperCase());
  await ada.page.getByRole("button", { name: "Join" }).click();
  await ada.waitUntilLive();
});

test("a room that has closed says why at the field", async ({ openBrowser }) => {
  const ada = await openBrowser("ada");
  const room = await createOwnRoom(ada);
  await ada.page.context().request.delete(room);
  await ada.visit("/");
  await ada.page.getByRole("textbox", { name: "Join a room" }).fill(room.split("/")[2]);
  await ada.page.getByRole("button", { name: "Join" }).click();
  await expect(ada.page.getByRole("alert").filter({ hasText: "its owner closed it" })).toBeVisible();
  expect(ada.path).toBe("/");
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with" : "without";
  test(`links of invitations and of named rooms lead there, ${how} JavaScript`, async ({
    webchat,
    openBrowser,
  }) => {
    const ada = await openBrowser("ada");
    await createOwnRoom(ada, "Private: only people you invite", "Den");
    await ada.waitUntilLive();
    await chooseMenuItem(ada, "Invitations");
    const invitation = await createInvitation(ada);
    const bob = await openBrowser("bob", { javaScriptEnabled });
    const join = async (link: string) => {
      await bob.page.goto("/");
      if (javaScriptEnabled) await bob.waitForHydration();
      await bob.page.getByRole("textbox", { name: "Join a room" }).fill(link);
      await bob.page.getByRole("button", { name: "Join" }).click();
    };
    await join(` ${invitation} `);
    await expect(bob.page.getByRole("heading", { name: "You are invited" })).toBeVisible();
    await bob.page.getByRole("button", { name: "Join" }).click();
    await expect(bob.page.getByRole("heading", { name: "Den" })).toBeVisible();
    await join(`${webchat.url}/chat?room=tea%20time`);
    await expect(bob.page.getByRole("heading", { name: "tea time" })).toBeVisible();
    await join(`${webchat.url}/invitations/0123/`);
    await expect(bob.page.getByRole("heading", { name: "not valid" })).toBeVisible();
  });
}
