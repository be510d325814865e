// The members and invitations pages: inviting, removing, changing roles, muting and banning.

import { button, choose, company, invite, open, panel } from "../../support/room_pages";
import { expect, test } from "../../support/webchat";

test("a guest joins a private room by invitation, reads its history and is removed while watching", async ({
  webchat,
  come,
}) => {
  const [ada, bob] = [
    await come("ada", { permissions: ["clipboard-read", "clipboard-write"] }),
    await come("bob"),
  ];
  const room = await open(ada, "Private: only people you invite", "Den");
  await ada.live();
  await expect(ada.log).toContainText("Invite somebody and say the first word.");
  await expect(button(ada, "Copy link")).toHaveCount(0);
  await button(ada, "Share").click();
  const share = panel(ada, "Share this room");
  await expect(share).toContainText("This room is private");
  await expect(share).not.toContainText("Anyone");
  await share.getByRole("link", { name: "Invite people" }).click();
  await expect(share).toBeHidden();
  const invitations = panel(ada, "Invitations");
  await expect(invitations).toContainText("There is none yet");
  const link = await invite(ada);
  await expect(
    invitations.getByText("Reads and writes · as many as like · for 23 h 59 min"),
  ).toBeVisible();
  await invitations.getByRole("button", { name: /^Copy link/ }).click();
  await expect.poll(() => ada.page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await ada.page.keyboard.press("Escape");
  await ada.say("Welcome");
  await expect(ada.pending).toHaveCount(0);

  expect((await bob.page.goto(room))?.status()).toBe(404);
  await bob.page.goto(link);
  await expect(bob.page.getByRole("main")).toContainText(
    "The room is called Den. You may read and write there.",
  );
  await button(bob, "Join").click();
  await bob.live();
  expect(new URL(bob.page.url()).pathname).toBe(room);
  await expect(bob.bodies).toHaveText(["Welcome"]);
  await bob.say("Thank you");
  await expect(ada.bodies).toHaveText(["Welcome", "Thank you"]);

  await choose(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await button(ada, "Remove bob").click();
  await expect(ada.page.getByText("Manage bob")).toHaveCount(0);
  await expect(
    bob.page.getByRole("heading", { name: "You are no longer in this room" }),
  ).toBeVisible();
  await expect(bob.bodies).toHaveText(["Welcome", "Thank you"]);
  expect((await bob.page.goto(room))?.status()).toBe(404);
  // The panel says what was done, and the room behind it is still alive.
  await ada.page.getByText("What was done here").click();
  await expect(
    panel(ada, "People").getByRole("listitem").filter({ hasText: "ada removed bob · just now" }),
  ).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await ada.say("Alone");
  await expect(ada.pending).toHaveCount(0);
});

test("a room is transferred to another member and left", async ({ webchat, come }) => {
  const [ada, bob, room] = await company(webchat, come, "Private: only people you invite");
  await choose(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await panel(ada, "People").getByLabel("Role of bob").selectOption("reader");
  await button(ada, "Change role").click();
  await expect(panel(ada, "People").getByText("reader · since")).toBeVisible();
  await expect(bob.page.getByText("You read along here")).toBeVisible();
  await expect(bob.field).toBeHidden();

  await ada.page.getByText("Manage bob").click();
  await ada.page.getByText("Hand this room over to bob").click();
  await button(ada, "Hand it over").click();
  await expect(panel(ada, "People").getByText("owner · since")).toBeVisible();
  await expect(ada.page.getByText("Manage bob")).toHaveCount(0);
  await ada.page.keyboard.press("Escape");
  await button(ada, "More").click();
  await expect(ada.page.getByRole("link", { name: "About this room" })).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await choose(bob, "Room settings");
  await expect(panel(bob, "Room settings").getByRole("button", { name: "Save" })).toBeVisible();
  await bob.page.keyboard.press("Escape");
  await expect(bob.field).toBeVisible();

  await choose(ada, "People");
  await panel(ada, "People").getByText("Leave this room").click();
  await button(ada, "Leave").click();
  await ada.page.waitForURL("/");
  expect((await ada.page.goto(room))?.status()).toBe(404);
});

test("a mute and a ban take effect and can be lifted", async ({ webchat, come }) => {
  const [ada, bob, room] = await company(webchat, come, "Anyone with the link");
  await choose(ada, "People");
  const people = panel(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await people.getByLabel("Mute or ban bob for").selectOption("1 hour");
  await button(ada, "Mute bob").click();
  await expect(people.getByText("muted for another 59 min")).toBeVisible();
  await bob.say("But why");
  await expect(bob.log.getByRole("alert")).toContainText("You are muted in this room.");
  await button(ada, "Take back for bob").click();
  await expect(people.getByText("Nobody is muted or banned.")).toBeVisible();
  await button(bob, "Send again").click();
  await expect(ada.bodies).toHaveText(["Welcome", "hello", "But why"]);

  await ada.page.getByText("Manage bob").click();
  await people.getByLabel("Mute or ban bob for").selectOption("for good");
  await button(ada, "Ban bob").click();
  await expect(people.getByText("banned for good")).toBeVisible();
  await expect(
    bob.page.getByRole("heading", { name: "You are no longer in this room" }),
  ).toBeVisible();
  expect((await bob.page.goto(room))?.status()).toBe(403);
  await button(ada, "Take back for bob").click();
  await expect(people.getByText("Nobody is muted or banned.")).toBeVisible();
  await bob.enter(room);
  await bob.say("Back");
  await expect(ada.bodies.last()).toHaveText("Back");
});
