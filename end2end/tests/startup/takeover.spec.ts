// Between the takeover and the time at which the browser is idle: the page works, although parts of
// it are not taken over yet.

import { expect, test, type User } from "../../support/webchat";

/** From the next page on, the browser is never idle. */
async function keepBusy(user: User): Promise<void> {
  await user.page.addInitScript(() => {
    window.requestIdleCallback = () => 0;
    const { setTimeout } = window;
    window.setTimeout = ((action: () => void, delay?: number) =>
      delay === 50 ? 0 : setTimeout(action, delay)) as typeof window.setTimeout;
  });
}

test("what a visitor does before the browser is idle works at once", async ({
  webchat,
  openBrowser,
}) => {
  const other = await webchat.createRoom({ name: "Coffee", public: true });
  const room = await webchat.createRoom({ name: "Tea", public: true });
  await webchat.postMessage(room, "grace", "hello");
  const ada = await openBrowser("ada");
  await keepBusy(ada);
  const open = async () => {
    await ada.page.goto(room);
    await ada.waitForHydration();
    await expect(ada.page.getByText("Connecting")).toBeVisible();
  };

  await open();
  await ada.messageField.fill("first");
  await ada.messageField.press("Enter");
  await expect(ada.messageBodies).toHaveText(["hello", "first"]);
  await ada.waitUntilLive();

  await open();
  await ada.page.evaluate(() => (window.mark = "kept"));
  await ada.page.locator(`.sidebar a[href="${other}"]`).click();
  await expect(ada.page.getByRole("heading", { level: 1 })).toHaveText("Coffee");
  expect(await ada.page.evaluate(() => window.mark)).toBe("kept");

  await open();
  await ada.page.getByRole("button", { name: "Share", exact: true }).click();
  await expect(ada.page.getByRole("dialog", { name: "Share" })).toBeVisible();
});

test("a page that something changes before the browser is idle is drawn again", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tea" });
  await webchat.postMessage(room, "grace", "hello");
  const ada = await openBrowser("ada");
  // Handlers of the app that was replaced do nothing.
  ada.expectProblems(/The page was changed|closure from previous WASM instance/);
  await keepBusy(ada);
  await ada.page.goto(room);
  await ada.waitForHydration();
  await ada.page.evaluate(() => document.querySelector(".room-header")?.prepend(document.createElement("b")));
  await ada.messageField.fill("kept");
  await ada.waitUntilLive();
  await expect(ada.page.locator(".room-header > b")).toHaveCount(0);
  await expect(ada.messageField).toHaveValue("kept");
  await ada.messageField.press("Enter");
  await expect(ada.messageBodies).toHaveText(["hello", "kept"]);
});
