// The room settings page.

import {
  button,
  chooseMenuItem,
  createRoomWithMember,
  createOwnRoom,
  pageDialog,
} from "../../support/room_pages";
import { expect, test } from "../../support/webchat";

test("an owner's changed settings reach every reader, and a refused change shows the reason at its field", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const bob = await openBrowser("bob");
  const room = await createOwnRoom(ada);
  await ada.waitUntilLive();
  await bob.openRoom(room);
  await chooseMenuItem(ada, "Room settings");
  const settings = pageDialog(ada, "Room settings");
  await settings.getByLabel("Name of the room").fill("x".repeat(81));
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByLabel("Name of the room")).toBeFocused();
  await expect(settings.getByLabel("Name of the room")).toHaveAccessibleDescription(
    /1 to 80 characters/,
  );
  await settings.getByLabel("Name of the room").fill("Tea");
  await settings.getByLabel("What it is about").fill("Kettles, and what to do with them");
  await settings.getByLabel("Only moderators write").check();
  await settings.getByLabel("Deleted when no one writes for").selectOption("30 minutes");
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByRole("status")).toHaveText("Saved.");
  await ada.page.keyboard.press("Escape");
  await expect(ada.page.getByRole("heading", { name: "Tea", exact: true })).toBeVisible();
  await expect(ada.log).toContainText("Kettles, and what to do with them");
  await expect(ada.page.locator(".room-header .time-left")).toHaveText(/^(30|29) min/);
  await ada.send("Mine");
  await expect(bob.messageBodies).toHaveText(["Mine"]);
  await expect(bob.page.getByRole("heading", { name: "Tea", exact: true })).toBeVisible();
  await expect(bob.log).toContainText("Kettles, and what to do with them");
  await expect(bob.page.locator(".room-header .time-left")).toHaveText(/^(30|29) min/);
  await expect(bob.page.getByText("Only moderators write here.")).toBeVisible();
  await expect(bob.messageField).toBeHidden();
  await chooseMenuItem(bob, "About this room");
  await expect(pageDialog(bob, "About this room")).toContainText(
    "Only the owner of a room can change its settings",
  );
  await expect(pageDialog(bob, "About this room").getByRole("button")).toHaveCount(1);
});

test("a room that its owner closes shows the reason to every reader", async ({
  webchat,
  openBrowser,
}) => {
  const { ada, bob, room } = await createRoomWithMember(
    webchat,
    openBrowser,
    "Anyone with the link",
  );
  await chooseMenuItem(ada, "Room settings");
  await ada.page.getByText("Close this room now").click();
  await button(ada, "Close this room for good").click();
  for (const user of [ada, bob]) {
    await expect(user.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
    await expect(user.page.getByText("This room was deleted: its owner closed it.")).toBeVisible();
    await expect(user.page.getByRole("dialog")).toHaveCount(0);
  }
  await bob.page.goto(room);
  await expect(bob.page.getByRole("main")).toContainText("its owner closed it");
});
