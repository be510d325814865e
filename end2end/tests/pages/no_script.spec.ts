// The room's management pages without JavaScript.

import { button, chooseMenuItem, createOwnRoom } from "../../support/room_pages";
import { expect, type User, test } from "../../support/webchat";

test("every management form works without JavaScript", async ({ webchat, openBrowser }) => {
  const plain = { javaScriptEnabled: false };
  const ada = await openBrowser("ada", plain);
  const bob = await openBrowser("bob", plain);
  const room = await createOwnRoom(ada, "Private: only people you invite", "Den");
  const write = async (user: User, text: string) => {
    await user.messageField.fill(text);
    await button(user, "Send").click();
  };
  await write(ada, "Welcome");
  await chooseMenuItem(ada, "Invitations");
  await expect(ada.page.getByRole("heading", { level: 1, name: "Invitations" })).toBeVisible();
  await ada.page.getByLabel("Number of uses").fill("none");
  await button(ada, "Create invitation").click();
  await expect(ada.page.getByLabel("Number of uses")).toHaveAccessibleDescription(
    /whole number/,
  );
  await ada.page.getByLabel("Number of uses").fill("1");
  await button(ada, "Create invitation").click();
  const link = await ada.page.getByRole("textbox", { name: /^Link/ }).inputValue();
  await bob.page.goto(link);
  await button(bob, "Join").click();
  await expect(bob.messageBodies).toHaveText(["Welcome"]);
  await write(bob, "Thank you");

  await ada.page.getByRole("link", { name: "Back" }).click();
  await chooseMenuItem(ada, "People");
  await ada.page.getByText("Manage bob").click();
  await button(ada, "Mute bob").click();
  await expect(ada.page.getByText(/muted for another/)).toBeVisible();
  await bob.page.goto(room);
  await expect(bob.page.getByText(/^You are muted for/)).toBeVisible();
  await expect(button(bob, "Send")).toBeDisabled();
  await button(ada, "Unmute bob").click();
  await ada.page.getByText("Manage bob").click();
  await ada.page.getByLabel("Role of bob").selectOption("reader");
  await button(ada, "Change role").click();
  await bob.page.goto(room);
  await expect(bob.page.getByText("You read along here")).toBeVisible();
  await expect(bob.messageField).toBeHidden();

  await ada.page.getByRole("link", { name: "Back" }).click();
  await chooseMenuItem(ada, "Room settings");
  await ada.page.getByLabel("Name of the room").fill("The den");
  await button(ada, "Save").click();
  await expect(ada.page.getByRole("status")).toHaveText("Saved.");
  await ada.page.getByRole("link", { name: "Back" }).click();
  await expect(ada.page.getByRole("heading", { name: "The den" })).toBeVisible();

  await chooseMenuItem(bob, "People");
  await bob.page.getByText("Leave this room").click();
  await button(bob, "Leave").click();
  await bob.page.waitForURL("/");
  await chooseMenuItem(ada, "Room settings");
  await ada.page.getByText("Close this room now").click();
  await button(ada, "Close this room for good").click();
  await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
});
