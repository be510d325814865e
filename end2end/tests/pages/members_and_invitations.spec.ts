// The members and invitations pages: inviting, removing, changing roles, muting and banning.

import {
  button,
  chooseMenuItem,
  createRoomWithMember,
  createInvitation,
  createOwnRoom,
  pageDialog,
} from "../../support/room_pages";
import { expect, test } from "../../support/webchat";

test("a guest joins a private room by invitation, reads its history and is removed while watching", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada", { permissions: ["clipboard-read", "clipboard-write"] });
  const bob = await openBrowser("bob");
  const room = await createOwnRoom(ada, "Private: only people you invite", "Den");
  await ada.waitUntilLive();
  await expect(ada.log).toContainText("Invite someone, and write the first message.");
  await expect(button(ada, "Copy link")).toHaveCount(0);
  await button(ada, "Share").click();
  const share = pageDialog(ada, "Share this room");
  await expect(share).toContainText("This room is private");
  await expect(share).not.toContainText("Anyone");
  await share.getByRole("link", { name: "Invite people" }).click();
  await expect(share).toBeHidden();
  const invitations = pageDialog(ada, "Invitations");
  await expect(invitations).toContainText("None yet");
  const link = await createInvitation(ada);
  await expect(
    invitations.getByText("Reads and writes · no limit · for 23 h 59 min"),
  ).toBeVisible();
  await invitations.getByRole("button", { name: /^Copy link/ }).click();
  await expect.poll(() => ada.page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await ada.page.keyboard.press("Escape");
  await ada.send("Welcome");
  await expect(ada.pendingMessages).toHaveCount(0);

  expect((await bob.page.goto(room))?.status()).toBe(404);
  await bob.page.goto(link);
  await expect(bob.page.getByRole("main")).toContainText(
    "The room is called Den. You may read and write there.",
  );
  await button(bob, "Join").click();
  await bob.waitUntilLive();
  expect(new URL(bob.page.url()).pathname).toBe(room);
  await expect(bob.messageBodies).toHaveText(["Welcome"]);
  await bob.send("Thank you");
  await expect(ada.messageBodies).toHaveText(["Welcome", "Thank you"]);

  await chooseMenuItem(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await button(ada, "Remove bob").click();
  await expect(ada.page.getByText("Manage bob")).toHaveCount(0);
  await expect(
    bob.page.getByRole("heading", { name: "You are no longer in this room" }),
  ).toBeVisible();
  await expect(bob.messageBodies).toHaveText(["Welcome", "Thank you"]);
  expect((await bob.page.goto(room))?.status()).toBe(404);
  // The dialog shows the audit log, and the room behind it is still live.
  await ada.page.getByText("Moderation log").click();
  await expect(
    pageDialog(ada, "People")
      .getByRole("listitem")
      .filter({ hasText: "ada removed bob · just now" }),
  ).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await ada.send("Alone");
  await expect(ada.pendingMessages).toHaveCount(0);
});

test("a room is transferred to another member and left", async ({ webchat, openBrowser }) => {
  const { ada, bob, room } = await createRoomWithMember(
    webchat,
    openBrowser,
    "Private: only people you invite",
  );
  await chooseMenuItem(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await pageDialog(ada, "People").getByLabel("Role of bob").selectOption("reader");
  await button(ada, "Change role").click();
  await expect(pageDialog(ada, "People").getByText("reader · joined")).toBeVisible();
  await expect(bob.page.getByText("You read along here")).toBeVisible();
  await expect(bob.messageField).toBeHidden();

  await ada.page.getByText("Manage bob").click();
  await ada.page.getByText("Hand this room over to bob").click();
  await button(ada, "Hand it over").click();
  await expect(pageDialog(ada, "People").getByText("owner · joined")).toBeVisible();
  await expect(ada.page.getByText("Manage bob")).toHaveCount(0);
  await ada.page.keyboard.press("Escape");
  await button(ada, "More").click();
  await expect(ada.page.getByRole("link", { name: "About this room" })).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await chooseMenuItem(bob, "Room settings");
  await expect(
    pageDialog(bob, "Room settings").getByRole("button", { name: "Save" }),
  ).toBeVisible();
  await bob.page.keyboard.press("Escape");
  await expect(bob.messageField).toBeVisible();

  await chooseMenuItem(ada, "People");
  await pageDialog(ada, "People").getByText("Leave this room").click();
  await button(ada, "Leave").click();
  await ada.page.waitForURL("/");
  expect((await ada.page.goto(room))?.status()).toBe(404);
});

test("a mute and a ban take effect and can be lifted", async ({ webchat, openBrowser }) => {
  const { ada, bob, room } = await createRoomWithMember(
    webchat,
    openBrowser,
    "Anyone with the link",
  );
  await chooseMenuItem(ada, "People");
  const users = pageDialog(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await users.getByLabel("Mute or ban bob for").selectOption("1 hour");
  await button(ada, "Mute bob").click();
  await expect(users.getByText("muted for another 59 min")).toBeVisible();
  await expect(bob.page.getByText(/^You are muted for 59 min/)).toBeVisible();
  await bob.send("But why");
  await button(ada, "Unmute bob").click();
  await expect(users.getByText("No one is muted or banned.")).toBeVisible();
  await expect(bob.page.getByText(/^You are muted/)).toBeHidden();
  await button(bob, "Send").click();
  await expect(ada.messageBodies).toHaveText(["Welcome", "hello", "But why"]);

  await ada.page.getByText("Manage bob").click();
  await users.getByLabel("Mute or ban bob for").selectOption("for good");
  await button(ada, "Ban bob").click();
  await expect(users.getByText("banned for good")).toBeVisible();
  await expect(
    bob.page.getByRole("heading", { name: "You are no longer in this room" }),
  ).toBeVisible();
  expect((await bob.page.goto(room))?.status()).toBe(403);
  await button(ada, "Unban bob").click();
  await expect(users.getByText("No one is muted or banned.")).toBeVisible();
  await bob.openRoom(room);
  await bob.send("Back");
  await expect(ada.messageBodies.last()).toHaveText("Back");
});
