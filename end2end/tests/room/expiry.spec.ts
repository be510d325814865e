// Room expiry: the warning, the end, and what stays readable afterwards.

import { readFile } from "node:fs/promises";
import { expect, test } from "../../support/webchat";

test.describe("room that lives for twelve seconds", () => {
  test.use({ flags: ["--timeout", "12s"] });

  test("a quiet room warns, closes for every reader and offers its transcript", async ({
    webchat,
    come,
  }) => {
    const room = await webchat.room({ name: "Short" });
    const [ada, grace] = [await come("ada"), await come("grace")];
    await ada.enter(room);
    await grace.enter(room);
    await ada.say("a line\nand another");
    await expect(grace.bodies).toHaveCount(1);

    const words = "This room is deleted soon, unless somebody writes";
    const warning = (person: typeof ada) => person.page.getByText(words);
    // The warning stands for little more than a second, so the page itself looks out for it, frame by frame.
    const warned = (person: typeof ada) =>
      person.page.evaluate(
        (words) =>
          new Promise<void>((done) => {
            const look = () => {
              const shown = [...document.querySelectorAll("p:not([hidden])")].some((p) =>
                p.textContent?.includes(words),
              );
              shown ? done() : requestAnimationFrame(look);
            };
            look();
          }),
        words,
      );
    const closed = (person: typeof ada) =>
      person.page.getByRole("heading", { name: "This room has closed" });
    await Promise.all([ada, grace].map(warned));
    await Promise.all([ada, grace].map((person) => expect(closed(person)).toBeVisible()));
    for (const person of [ada, grace]) {
      await expect(warning(person)).toBeHidden();
      await expect(person.connection).toHaveText("Closed");
      await expect(person.field).toHaveCount(0);
      await expect(person.bodies).toHaveText(["a line\nand another"]);
    }
    await expect.poll(() => grace.listening).toEqual(["/rooms/"]);

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
    await grace.page.getByRole("button", { name: "New room" }).click();
    await expect(grace.field).toBeVisible();
    expect(new URL(grace.page.url()).pathname).not.toBe(room);
    await ada.page.getByRole("link", { name: "Go to the rooms" }).click();
    await expect(ada.page.getByRole("heading", { name: "Your rooms" })).toBeHidden();
  });

  test("an unsent draft can be copied after the room closes", async ({
    webchat,
    come,
  }) => {
    const ada = await come("ada");
    await ada.enter(await webchat.room());
    await ada.field.fill("a long thought");
    const heading = ada.page.getByRole("heading", { name: "This room has closed" });
    await expect(heading).toBeVisible();
    await expect(heading).toBeFocused();
    await expect(ada.page.getByRole("textbox", { name: "What you had not sent" })).toHaveValue(
      "a long thought",
    );
    await ada.enter(await webchat.room());
    await ada.say("said");
    await expect(ada.pending).toHaveCount(0);
    await ada.page.keyboard.press("ArrowUp");
    await expect(ada.field).toHaveValue("said");
    await expect(heading).toBeFocused();
    await expect(ada.page.getByRole("textbox")).toHaveCount(0);
    // Who has nothing to lose and is somewhere else stays there.
    const grace = await come("grace");
    await grace.enter(await webchat.room());
    await grace.log.focus();
    await expect(grace.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
    await expect(grace.log).toBeFocused();
    await expect(grace.page.getByRole("textbox")).toHaveCount(0);
  });

  test("a message restarts the room's lifetime", async ({ webchat, come }) => {
    const room = await webchat.room();
    const ada = await come("ada");
    await ada.enter(room);
    const line = async () =>
      Number(await ada.page.locator(".room > .life rect").getAttribute("width"));
    await expect.poll(line).toBeLessThan(700);
    // It shortens again at once, so the page itself looks out for it.
    const grown = ada.page.evaluate(
      () =>
        new Promise<void>((done) => {
          const look = () =>
            Number(document.querySelector(".room > .life rect")?.getAttribute("width")) > 800;
          new MutationObserver((_, observer) => look() && (observer.disconnect(), done())).observe(
            document.body,
            { attributes: true, subtree: true },
          );
        }),
    );
    await webchat.post(room, "grace", "wait");
    await expect(ada.bodies).toHaveText(["wait"]);
    await grown;
  });

  test("a public room leaves the home page when it closes", async ({
    webchat,
    come,
  }) => {
    const ada = await come("ada");
    await ada.go("/");
    await webchat.room({ name: "Passing", public: true, timeout: "6s" });
    await expect(ada.page.getByRole("link", { name: "Passing" })).toBeVisible();
    await expect(ada.page.getByRole("link", { name: "Passing" })).toHaveCount(0);
  });
});
