// The new room form of the home page.

import { expect, test } from "../../support/webchat";

test("a room is created with every chosen option", async ({ webchat, openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await ada.page.getByText("Options", { exact: true }).click();
  await ada.page.getByRole("textbox", { name: "Name of the room" }).fill("  Tea & <cake>  ");
  await ada.page.getByRole("combobox").selectOption("30 minutes");
  await ada.page.getByRole("radio", { name: "Anyone; listed under Public rooms" }).check();
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

test("a room's name that is too long is refused at once, and stays", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  const name = ada.page.getByRole("textbox", { name: "Name of the room" });
  const error = ada.page.getByRole("alert").filter({ hasText: "1 to 80 characters" });
  await name.fill("x".repeat(200));
  await expect(error).toHaveText(/has 200/);
  await name.press("Enter");
  await expect(name).toBeFocused();
  await expect(name).toHaveValue("x".repeat(200));
  expect(await webchat.getJson("/overview/")).toMatchObject({ rooms: [] });
  // Characters outside of the basic plane count as one.
  await name.fill("🍵".repeat(80));
  await expect(error).toBeHidden();
  await ada.page.getByRole("button", { name: "New room" }).click();
  await ada.waitUntilLive();
});

test.describe("on a server with a timeout of two hours", () => {
  test.use({ flags: ["--timeout", "2h"] });

  for (const viewport of [
    { width: 360, height: 640 },
    { width: 1280, height: 800 },
  ]) {
    test(`how long a room lives is said at ${viewport.width} px`, async ({ openBrowser }) => {
      const ada = await openBrowser("ada", { viewport });
      await ada.visit("/");
      const says = (text: string) => ada.page.getByText(text, { exact: true });
      await expect(says("A room is deleted after 2 hours without a message.")).toBeInViewport();
      await ada.page.getByText("Options", { exact: true }).click();
      await expect(ada.page.getByRole("combobox").locator("option")).toHaveText([
        "2 hours (this server's maximum)",
        "10 minutes",
        "30 minutes",
        "1 hour",
      ]);
      await ada.page.getByRole("combobox").selectOption("30 minutes");
      await ada.page.getByRole("button", { name: "New room" }).click();
      await ada.waitUntilLive();
      await expect(
        says("This room is deleted after 30 minutes without a message."),
      ).toBeInViewport();
    });
  }

  test("the time left is the same text in the header and in the list", async ({
    webchat,
    openBrowser,
  }) => {
    const ada = await openBrowser("ada");
    await ada.installClock();
    await ada.openRoom(await webchat.createRoom());
    await ada.page.clock.fastForward("00:30");
    const time = ada.page.locator(".room-header .time-left");
    await expect(time).toHaveText(/^1 h 59 min left$/);
    await expect(ada.page.locator(".sidebar .entry .time-left")).toHaveText(/^1 h 59 min left$/);
  });
});
