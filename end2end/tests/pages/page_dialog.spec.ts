// Server-drawn pages shown in a dialog over the room.

import { button, chooseMenuItem, createOwnRoom, pageDialog } from "../../support/room_pages";
import { expect, test } from "../../support/webchat";

test("a page that cannot be loaded into the dialog opens as an ordinary page", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const room = await createOwnRoom(ada);
  await ada.waitUntilLive();
  await ada.page.route("**/settings/", (route) =>
    route.request().resourceType() === "fetch" ? route.abort() : route.continue(),
  );
  await chooseMenuItem(ada, "Room settings");
  await expect(ada.page.getByRole("heading", { level: 1, name: "Room settings" })).toBeVisible();
  expect(new URL(ada.page.url()).pathname).toBe(`${room}settings/`);
  // A form that cannot be sent shows the error and keeps its values.
  await ada.page.goBack();
  await ada.page.unroute("**/settings/");
  await ada.waitUntilLive();
  await chooseMenuItem(ada, "Room settings");
  const settings = pageDialog(ada, "Room settings");
  await settings.getByLabel("Name of the room").fill("Tea");
  await ada.page.context().setOffline(true);
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByRole("alert")).toContainText("cannot be reached");
  await expect(settings.getByLabel("Name of the room")).toHaveValue("Tea");
  await ada.page.context().setOffline(false);
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings.getByRole("status")).toHaveText("Saved.");
});

test("a page dialog is named by its heading, traps the focus and restores it", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await createOwnRoom(ada);
  await ada.waitUntilLive();
  await button(ada, "More").press("Enter");
  const link = ada.page.getByRole("link", { name: "Room settings" });
  await link.focus();
  await ada.page.keyboard.press("Enter");
  const settings = pageDialog(ada, "Room settings");
  await expect(settings.getByRole("heading", { name: "Room settings" })).toBeFocused();
  for (let i = 0; i < 20; i++) {
    await ada.page.keyboard.press("Tab");
    const inside = await ada.page.evaluate(
      () => document.activeElement === document.body || !!document.activeElement?.closest("dialog"),
    );
    expect(inside, "the focus stays in the dialog").toBe(true);
  }
  await ada.page.keyboard.press("Escape");
  await expect(settings).toBeHidden();
  await expect(button(ada, "More")).toBeFocused();
});
