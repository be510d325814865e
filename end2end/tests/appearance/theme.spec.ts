// The theme switch.

import { expect, test } from "../../support/webchat";

test("the chosen theme is remembered and applied by the server", async ({
  come,
}) => {
  const ada = await come("ada", { colorScheme: "light" });
  await ada.go("/");
  const background = () =>
    ada.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await ada.page.getByRole("radio", { name: "Dark" }).check({ force: true });
  const dark = await background();
  expect(dark).not.toBe(light);
  // Without the app: what the server sent.
  await ada.page.route("**/*.js", (route) => route.abort());
  await ada.page.goto("/");
  expect(await background()).toBe(dark);
  await ada.page.unroute("**/*.js");
  await ada.go("/nowhere");
  expect(await background()).toBe(dark);
  await ada.go("/");
  await ada.page.getByRole("radio", { name: "As the system" }).check({ force: true });
  expect(await background()).toBe(light);
});
