// What the browser's tab and the installed app's icon tell about unread messages.

import { signUp } from "../../support/account_forms";
import { expect, test, type User } from "../../support/webchat";

declare global {
  interface Window {
    /** What the app showed on its icon, most recently. */
    badge?: number;
  }
}

/** Records the number on the app's icon, also where the browser cannot show it. */
function recordBadge() {
  const set = (badge: number) => Promise.resolve(void (window.badge = badge));
  Object.defineProperty(Navigator.prototype, "setAppBadge", { value: set });
  Object.defineProperty(Navigator.prototype, "clearAppBadge", { value: () => set(0) });
}

async function expectCount(user: User, title: string, count: number) {
  await expect(user.page).toHaveTitle(title);
  // The server has drawn the title of the page before the app shows the rest.
  await expect.poll(() => user.page.evaluate(() => window.badge)).toBe(count);
  const icon = await user.page.locator("link[rel=icon]").getAttribute("href");
  expect(decodeURIComponent(icon ?? "").includes("<circle")).toBe(count > 0);
}

test("title, icon and badge count the unread messages of all rooms and chats, on every page", async ({
  webchat,
  openBrowser,
}) => {
  const bob = await webchat.createAccount("bob");
  const ada = await openBrowser("ada");
  await ada.page.addInitScript(recordBadge);
  await signUp(ada);
  const form = { form: { name: "Tea" }, headers: { Accept: "application/json" } };
  const created = await ada.page.request.post("/rooms/", form);
  const tea = created.headers().location ?? "";
  await ada.openRoom(tea);
  await expectCount(ada, "Tea · webchat", 0);
  await ada.visit("/");
  await expectCount(ada, "webchat", 0);

  await webchat.sendDirectMessage(bob, "ada", "one");
  await webchat.sendDirectMessage(bob, "ada", "two");
  await expectCount(ada, "(2) webchat", 2);
  await webchat.postMessage(tea, "grace", "for @ada");
  await expectCount(ada, "(3, @1) webchat", 3);
  await ada.page.reload();
  await expectCount(ada, "(3, @1) webchat", 3);

  await ada.openRoom(tea);
  await expectCount(ada, "(2) Tea · webchat", 2);
  await ada.page.getByRole("link", { name: /BOB/ }).click();
  await expectCount(ada, "BOB · webchat", 0);
});
