// The new room form of the home page.

import { expect, test } from "../../support/webchat";

test("a room is created with every chosen option", async ({ webchat, openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await ada.page.getByText("Options", { exact: true }).click();
  await ada.page.getByRole("textbox", { name: "Name of the room" }).fill("  Tea & <cake>  ");
  await ada.page.getByRole("combobox").selectOption("30 minutes");
  await ada.page.getByRole("radio", { name: "Shown to everyone under open rooms" }).check();
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.waitUntilLive();
  await expect(ada.page.getByRole("heading", { name: "Tea & <cake>" })).toBeVisible();
  await expect(ada.page.locator(".room-header .time-left")).toHaveText(/^(30 min|29 min.*) left$/);
  const rooms = await webchat.getJson<{ name: string; public: boolean }[]>("/rooms/");
  expect(rooms).toMatchObject([{ name: "Tea & <cake>", public: true }]);
});

test("a refused room shows the reason at the invalid field", async ({ openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await ada.page.getByText("Options", { exact: true }).click();
  await ada.page.getByRole("textbox", { name: "Name of the room" }).fill("x".repeat(81));
  await ada.page.getByRole("button", { name: "New room" }).click();
  await expect(ada.page.getByRole("alert").filter({ hasText: "1 to 80 characters" })).toBeVisible();
  await expect(ada.page.getByRole("textbox", { name: "Name of the room" })).toHaveValue(
    "x".repeat(81),
  );
});
