// Addresses that do not exist.

import { expect, test } from "../../support/webchat";

const missingRoomId = "0123456789abcdef";

for (const [path, heading] of [
  [`/rooms/${missingRoomId}/`, "No such room"],
  ["/rooms/nonsense/", "There is nothing here"],
  ["/nowhere", "There is nothing here"],
]) {
  test(`${path} answers 404 and links to the rooms`, async ({ openBrowser }) => {
    const ada = await openBrowser("ada");
    expect((await ada.page.goto(path))?.status()).toBe(404);
    await ada.waitForHydration();
    await expect(ada.page.getByRole("heading", { name: heading })).toBeVisible();
    await ada.page.getByRole("link", { name: "Go to the rooms" }).click();
    await expect(ada.page.getByRole("textbox", { name: "Your name" })).toBeVisible();
    await expect.poll(() => ada.subscribedPaths).toEqual(["/rooms/"]);
  });
}
