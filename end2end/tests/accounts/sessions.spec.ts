// Open pages when their session ends: they become guest pages at once, exactly once.

import { type Come, expect, type Person, test, type Webchat } from "../../support/webchat";

test.describe("ended sessions", () => {
  const writingAs = (person: Person) => person.page.getByRole("textbox", { name: "Writing as" });
  /** Ada's browser with a room and the home page open, signed in. */
  const at = async (webchat: Webchat, come: Come) => {
    await webchat.account("ada");
    const room = await webchat.room();
    const [inRoom, phone] = [await come("ada"), await come("ada's phone")];
    for (const person of [inRoom, phone]) await person.signIn("ada");
    const home = await inRoom.tab();
    await inRoom.enter(room);
    await home.go("/");
    await expect(writingAs(inRoom)).toHaveAttribute("readonly");
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(0);
    for (const person of [inRoom, home]) await person.page.evaluate(() => (window.mark = "old"));
    return { room, inRoom, home, phone };
  };

  test("signing out everywhere turns every open page into a guest page without a reload loop", async ({
    webchat,
    come,
  }) => {
    const { room, inRoom, home, phone } = await at(webchat, come);
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
    await inRoom.live();
    // The page is who it says it is, and stays.
    await writingAs(inRoom).fill("just me");
    await inRoom.say("as a guest");
    await expect(inRoom.pending).toHaveCount(0);
    await expect(inRoom.bodies).toHaveText(["as a guest"]);
    await inRoom.page.evaluate(() => (window.mark = "new"));
    for (let n = 0; n < 5; n++) {
      await webchat.post(room, "grace", `news ${n}`);
      await expect(inRoom.bodies.last()).toHaveText(`news ${n}`);
    }
    expect(await inRoom.page.evaluate(() => window.mark)).toBe("new");
    expect(streams.length).toBeLessThan(8);
  });

  test("a hidden page becomes a guest page too", async ({
    webchat,
    come,
  }) => {
    const { home, phone } = await at(webchat, come);
    // A browser under test never hides a page: the page is told.
    await home.page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    });
    const answer = await phone.page
      .context()
      .request.post("/profile/sign-out/", { headers: { Accept: "application/json" } });
    expect(answer.status()).toBe(204);
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(1);
  });

  test("changing the password keeps that browser's pages signed in and signs out the others", async ({
    webchat,
    come,
  }) => {
    const { room, inRoom, home, phone } = await at(webchat, come);
    await phone.enter(room);
    const form = { old: "secret", new: "secret 2" };
    const { request } = inRoom.page.context();
    const answer = await request.post("/profile/password/", {
      form,
      headers: { Accept: "text/html" },
      maxRedirects: 0,
    });
    expect(answer.status()).toBe(303);
    for (const { page } of [inRoom, home, phone])
      await page.waitForFunction(() => !window.mark && window.alive);
    await expect(writingAs(inRoom)).toHaveAttribute("readonly");
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(0);
    await expect(writingAs(phone)).not.toHaveAttribute("readonly");
    await inRoom.live();
    await inRoom.say("still me");
    await expect(inRoom.messages.last().getByText("registered")).toBeVisible();
  });
});
