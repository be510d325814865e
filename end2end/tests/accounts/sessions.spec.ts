// Open pages when their session ends: they become guest pages at once, exactly once.

import { type OpenBrowser, expect, type User, test, type Webchat } from "../../support/webchat";

test.describe("ended sessions", () => {
  const writingAs = (user: User) => user.page.getByRole("textbox", { name: "Writing as" });
  /** Signs ada in on two browsers and opens a room and the home page in the first. */
  const openSignedIn = async (webchat: Webchat, openBrowser: OpenBrowser) => {
    await webchat.createAccount("ada");
    const room = await webchat.createRoom();
    const inRoom = await openBrowser("ada");
    const phone = await openBrowser("ada's phone");
    for (const user of [inRoom, phone]) await user.signIn("ada");
    const home = await inRoom.openTab();
    await inRoom.openRoom(room);
    await home.visit("/");
    await expect(writingAs(inRoom)).toHaveAttribute("readonly");
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(0);
    for (const user of [inRoom, home]) await user.page.evaluate(() => (window.mark = "old"));
    return { room, inRoom, home, phone };
  };

  test("signing out everywhere turns every open page into a guest page without a reload loop", async ({
    webchat,
    openBrowser,
  }) => {
    const { room, inRoom, home, phone } = await openSignedIn(webchat, openBrowser);
    const streams: string[] = [];
    inRoom.page
      .context()
      .on(
        "request",
        (request) => request.resourceType() === "eventsource" && streams.push(request.url()),
      );
    const answer = await phone.page
      .context()
      .request.post("/profile/sign-out/", { headers: { Accept: "application/json" } });
    expect(answer.status()).toBe(204);
    await expect(writingAs(inRoom)).not.toHaveAttribute("readonly");
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(1);
    await inRoom.waitUntilLive();
    // The page writes as the guest that it shows, and does not reload again.
    await writingAs(inRoom).fill("just me");
    await inRoom.send("as a guest");
    await expect(inRoom.pendingMessages).toHaveCount(0);
    await expect(inRoom.messageBodies).toHaveText(["as a guest"]);
    await inRoom.page.evaluate(() => (window.mark = "new"));
    for (let n = 0; n < 5; n++) {
      await webchat.postMessage(room, "grace", `news ${n}`);
      await expect(inRoom.messageBodies.last()).toHaveText(`news ${n}`);
    }
    expect(await inRoom.page.evaluate(() => window.mark)).toBe("new");
    expect(streams.length).toBeLessThan(8);
  });

  test("a hidden page becomes a guest page too", async ({ webchat, openBrowser }) => {
    const { home, phone } = await openSignedIn(webchat, openBrowser);
    await home.setHidden(true);
    const answer = await phone.page
      .context()
      .request.post("/profile/sign-out/", { headers: { Accept: "application/json" } });
    expect(answer.status()).toBe(204);
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(1);
  });

  test("changing the password keeps that browser's pages signed in and signs out the others", async ({
    webchat,
    openBrowser,
  }) => {
    const { room, inRoom, home, phone } = await openSignedIn(webchat, openBrowser);
    await phone.openRoom(room);
    const form = { old: "secret", new: "secret 2" };
    const { request } = inRoom.page.context();
    const answer = await request.post("/profile/password/", {
      form,
      headers: { Accept: "text/html" },
      maxRedirects: 0,
    });
    expect(answer.status()).toBe(303);
    for (const { page } of [inRoom, home, phone])
      await page.waitForFunction(() => !window.mark && window.hydratedAt);
    await expect(writingAs(inRoom)).toHaveAttribute("readonly");
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(0);
    await expect(writingAs(phone)).not.toHaveAttribute("readonly");
    await inRoom.waitUntilLive();
    await inRoom.send("still me");
    await expect(inRoom.messages.last().getByText("registered")).toBeVisible();
  });
});
