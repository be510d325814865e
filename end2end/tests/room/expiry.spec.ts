// Room expiry: the warning, the end, and what stays readable afterwards.

import { readFile } from "node:fs/promises";
import { expect, test } from "../../support/webchat";

test.describe("room that lives for twelve seconds", () => {
  test.use({ flags: ["--timeout", "12s"] });

  test("a quiet room warns, closes for every reader and offers its transcript", async ({
    webchat,
    openBrowser,
  }) => {
    const room = await webchat.createRoom({ name: "Short" });
    const ada = await openBrowser("ada");
    const grace = await openBrowser("grace");
    await ada.openRoom(room);
    await grace.openRoom(room);
    await ada.send("a line\nand another");
    await expect(grace.messageBodies).toHaveCount(1);

    const words = "This room will be deleted";
    const warning = (user: typeof ada) => user.page.getByText(words);
    // The warning is visible for little more than a second, so the page checks every frame.
    const warned = (user: typeof ada) =>
      user.page.evaluate(
        (words) =>
          new Promise<void>((done) => {
            const check = () => {
              const shown = [...document.querySelectorAll("p:not([hidden])")].some((p) =>
                p.textContent?.startsWith(words),
              );
              shown ? done() : requestAnimationFrame(check);
            };
            check();
          }),
        words,
      );
    const closed = (user: typeof ada) =>
      user.page.getByRole("heading", { name: "This room has closed" });
    await Promise.all([ada, grace].map(warned));
    await Promise.all([ada, grace].map((user) => expect(closed(user)).toBeVisible()));
    for (const user of [ada, grace]) {
      await expect(warning(user)).toBeHidden();
      await expect(user.connectionStatus).toHaveText("Closed");
      await expect(user.messageField).toHaveCount(0);
      await expect(user.messageBodies).toHaveText(["a line\nand another"]);
    }
    await expect.poll(() => grace.subscribedPaths).toEqual(["/rooms/"]);

    const [file] = await Promise.all([
      grace.page.waitForEvent("download"),
      grace.page.getByRole("button", { name: "Save transcript" }).click(),
    ]);
    expect(file.suggestedFilename()).toBe(`${room.split("/")[2]}.txt`);
    expect(await readFile(await file.path(), "utf8")).toMatch(
      /^Short\n\n.+\n\n\d\d:\d\d ada: a line\n +and another\n$/,
    );

    expect((await ada.page.reload())?.status()).toBe(410);
    await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
    await grace.page.locator(".closed").getByRole("button", { name: "New room" }).click();
    await expect(grace.page.getByRole("textbox", { name: "Name of the new room" })).toBeFocused();
    await grace.page.keyboard.press("Enter");
    await expect(grace.messageField).toBeVisible();
    expect(new URL(grace.page.url()).pathname).not.toBe(room);
    await ada.page.getByRole("link", { name: "Go to the rooms" }).click();
    await expect(ada.page.getByRole("heading", { name: "Your rooms" })).toBeHidden();
  });

  test("an unsent draft can be copied after the room closes", async ({ webchat, openBrowser }) => {
    const ada = await openBrowser("ada");
    await ada.openRoom(await webchat.createRoom());
    await ada.messageField.fill("a long thought");
    const heading = ada.page.getByRole("heading", { name: "This room has closed" });
    await expect(heading).toBeVisible();
    await expect(heading).toBeFocused();
    await expect(ada.page.getByRole("textbox", { name: "Your unsent message" })).toHaveValue(
      "a long thought",
    );
    await ada.openRoom(await webchat.createRoom());
    await ada.send("said");
    await expect(ada.pendingMessages).toHaveCount(0);
    await ada.page.keyboard.press("ArrowUp");
    await expect(ada.messageField).toHaveValue("said");
    await expect(heading).toBeFocused();
    await expect(ada.page.getByRole("textbox")).toHaveCount(0);
    // Without a draft the focus stays where it is.
    const grace = await openBrowser("grace");
    await grace.openRoom(await webchat.createRoom());
    await grace.log.focus();
    await expect(grace.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
    await expect(grace.log).toBeFocused();
    await expect(grace.page.getByRole("textbox")).toHaveCount(0);
  });

  test("a message restarts the room's lifetime", async ({ webchat, openBrowser }) => {
    const room = await webchat.createRoom();
    const ada = await openBrowser("ada");
    await ada.openRoom(room);
    const line = async () =>
      Number(await ada.page.locator(".room > .time-bar rect").getAttribute("width"));
    await expect.poll(line).toBeLessThan(700);
    // The bar shortens again at once, so the page itself watches for it.
    const grown = ada.page.evaluate(
      () =>
        new Promise<void>((done) => {
          const look = () =>
            Number(document.querySelector(".room > .time-bar rect")?.getAttribute("width")) > 800;
          new MutationObserver((_, observer) => look() && (observer.disconnect(), done())).observe(
            document.body,
            { attributes: true, subtree: true },
          );
        }),
    );
    await webchat.postMessage(room, "grace", "wait");
    await expect(ada.messageBodies).toHaveText(["wait"]);
    await grown;
  });

  test("a public room leaves the home page when it closes", async ({ webchat, openBrowser }) => {
    const ada = await openBrowser("ada");
    await ada.visit("/");
    await webchat.createRoom({ name: "Passing", public: true, timeout: "6s" });
    await expect(ada.page.getByRole("link", { name: "Passing" })).toBeVisible();
    await expect(ada.page.getByRole("link", { name: "Passing" })).toHaveCount(0);
  });
});
