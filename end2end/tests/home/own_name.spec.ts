// The visitor's name on the home page.

import { expect, test } from "../../support/webchat";

test("Enter in the name field takes the name and creates no room", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  const name = ada.page.getByRole("textbox", { name: "Your name" });
  await name.fill("Countess");
  await name.press("Enter");
  await expect(ada.page.getByRole("textbox", { name: "Name of the room" })).toBeFocused();
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.waitUntilLive();
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue("Countess");
  expect(await webchat.getJson("/rooms/")).toEqual([]);
});

test("a name that is too long is refused at its field, and no room is created", async ({
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  const name = ada.page.getByRole("textbox", { name: "Your name" });
  await name.fill("x".repeat(33));
  await ada.page.getByRole("button", { name: "New room" }).click();
  const error = ada.page.getByRole("alert").filter({ hasText: "at most 32" });
  await expect(error).toBeVisible();
  await ada.page.getByRole("button", { name: "New room" }).click();
  await expect(name).toBeFocused();
  await expect(name).toHaveValue("x".repeat(33));
  expect(new URL(ada.page.url()).pathname).toBe("/");
  await name.fill("Countess");
  await expect(error).toBeHidden();
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.waitUntilLive();
});

test("a name that is too long creates no room without JavaScript", async ({ openBrowser }) => {
  const ada = await openBrowser("ada", { javaScriptEnabled: false });
  await ada.page.goto("/");
  await ada.page.getByRole("textbox", { name: "Your name" }).fill("x".repeat(33));
  await ada.page.getByRole("button", { name: "New room" }).click();
  await expect(ada.page.getByText(/username must have 1 to 32 characters/i)).toBeVisible();
  await expect(ada.page.getByText("what you wrote")).toBeVisible();
});
