// Addresses that lead nowhere.

import { expect, test } from "../../support/webchat";

const nobody = "0123456789abcdef";

for (const [path, heading] of [
  [`/rooms/${nobody}/`, "No such room"],
  ["/rooms/nonsense/", "There is nothing here"],
  ["/nowhere", "There is nothing here"],
]) {
  test(`${path} answers 404 and links to the rooms`, async ({ come }) => {
    const ada = await come("ada");
    expect((await ada.page.goto(path))?.status()).toBe(404);
    await ada.alive();
    await expect(ada.page.getByRole("heading", { name: heading })).toBeVisible();
    await ada.page.getByRole("link", { name: "Go to the rooms" }).click();
    await expect(ada.page.getByRole("textbox", { name: "Your name" })).toBeVisible();
    await expect.poll(() => ada.listening).toEqual(["/rooms/"]);
  });
}
