// The theme switch.

import { expect, test } from "../../support/webchat";

test("the chosen theme is remembered and applied by the server", async ({ openBrowser }) => {
  const ada = await openBrowser("ada", { colorScheme: "light" });
  await ada.visit("/");
  const background = () =>
    ada.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await ada.page.getByRole("radio", { name: "Dark" }).check({ force: true });
  const dark = await background();
  expect(dark).not.toBe(light);
  // Without the app, so the server's HTML decides.
  await ada.holdBackApp();
  await ada.page.goto("/");
  expect(await background()).toBe(dark);
  await ada.page.unroute("**/*.js");
  await ada.visit("/nowhere");
  expect(await background()).toBe(dark);
  await ada.visit("/");
  await ada.page.getByRole("radio", { name: "As the system" }).check({ force: true });
  expect(await background()).toBe(light);
});
