// Pages that the browser keeps whole when the user leaves them, to show them again without loading. The browser without windows keeps
// none, so the tests send the events of a kept page.

import { expect, test, type User } from "../../support/webchat";

const leave = (user: User) =>
  user.page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));

const comeBack = (user: User) =>
  user.page.evaluate(() => void dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));

test("a kept room goes on with what was written in the meantime", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "one");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.messageField.fill("half a thought");
  await leave(ada);
  await expect.poll(() => ada.openStreams.size).toBe(0);
  await webchat.postMessage(room, "grace", "two");
  await comeBack(ada);
  await expect(ada.messageBodies).toHaveText(["one", "two"]);
  await expect(ada.messageField).toHaveValue("half a thought");
});

test("a kept page of another session is loaded again", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("ada");
  const ada = await openBrowser("ada");
  await ada.signIn();
  await ada.visit("/");
  await expect(ada.page.getByRole("link", { name: "ADA" })).toBeVisible();
  await leave(ada);
  await comeBack(ada);
  await expect(ada.page.getByRole("link", { name: "ADA" })).toBeVisible();
  await leave(ada);
  const signedOut = await ada.page.context().request.post("/logout", { maxRedirects: 0 });
  expect(signedOut.status()).toBeLessThan(400);
  await comeBack(ada);
  await expect(ada.page.getByRole("link", { name: "Sign in" })).toBeVisible();
});
