// Presence and typing indicators.

import { expect, test, type Person } from "../../support/webchat";

const here = (person: Person) => person.page.getByRole("button", { name: /\d+ here/ });
const typing = (person: Person) => person.page.locator(".typing");
const names = (person: Person) =>
  person.page.getByRole("list", { name: "Here now" }).getByRole("listitem").locator("bdi");

/** Everything that a part of the page says from now on. */
const record = (person: Person, selector: string) =>
  person.page.locator(selector).evaluateHandle((part) => {
    const seen: string[] = [];
    new MutationObserver(() => seen.push((part as HTMLElement).innerText)).observe(part, {
      characterData: true,
      childList: true,
      subtree: true,
    });
    return seen;
  });

test("the list shows each participant by name and drops those who left", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("Grace <b>Hopper</b>\u202e")];
  await ada.enter(room);
  await expect(here(ada).locator("> span").last()).toHaveText("1 here");
  await expect(here(ada)).toHaveAccessibleName("1 here");
  await grace.enter(room);
  await expect(here(ada).locator("> span").last()).toHaveText("2 here");
  await expect(here(ada).locator(".face")).toHaveCount(2);
  await here(ada).click();
  await expect(names(ada)).toHaveText(["Grace <b>Hopper</b>\u202e", "ada"]);
  await expect(ada.page.getByRole("listitem").filter({ hasText: "(you)" })).toHaveText(/ada/);
  await grace.page.close();
  await expect(names(ada)).toHaveText(["ada"]);
  await ada.page.keyboard.press("Escape");
  await expect(names(ada).first()).toBeHidden();
  await expect(here(ada).locator("> span").last()).toHaveText("1 here");
});

test("the list opens and closes by keyboard and is not a live region", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await expect(here(ada)).toBeVisible();
  await here(ada).press("Enter");
  await expect(names(ada)).toHaveText(["ada"]);
  await ada.page.keyboard.press("Tab");
  await expect(ada.page.getByRole("list", { name: "Here now" })).toBeFocused();
  await ada.page.keyboard.press("Escape");
  await expect(names(ada).first()).toBeHidden();
  await expect(here(ada)).toBeFocused();
  const loud = ada.page.locator("[aria-live], [role=status], [role=alert], [role=log]");
  expect(await loud.locator(".people, .typing").count()).toBe(0);
  expect(
    await ada.page
      .locator(".people, .typing, #here")
      .evaluateAll(
        (all) =>
          all.filter((one) => one.closest("[aria-live], [role=status], [role=alert]")).length,
      ),
  ).toBe(0);
});

test("a reload does not change who is present", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace, linus] = [await come("ada"), await come("grace"), await come("linus")];
  for (const person of [ada, grace, linus]) await person.enter(room);
  await expect(here(grace).locator("> span").last()).toHaveText("3 here");
  const seen = await record(grace, ".people > span:last-child");
  await ada.page.reload();
  await ada.live();
  // Told as gone when ada would have been, or later.
  await linus.page.close();
  await expect(here(grace).locator("> span").last()).toHaveText("2 here");
  await here(grace).click();
  await expect(names(grace)).toHaveText(["ada", "grace"]);
  expect(await seen.jsonValue()).toEqual(["2 here"]);
});

test("several tabs count as one participant, and each tab shows the presence of its room", async ({ webchat, come }) => {
  const [tea, rum] = [await webchat.room(), await webchat.room()];
  const [ada, grace] = [await come("ada"), await come("grace")];
  await grace.enter(tea);
  await ada.enter(tea);
  const second = await ada.tab();
  await second.enter(tea);
  const third = await ada.tab();
  await third.enter(rum);
  for (const tab of [grace, ada, second])
    await expect(here(tab).locator("> span").last()).toHaveText("2 here");
  await expect(here(third).locator("> span").last()).toHaveText("1 here");
  await grace.field.pressSequentially("so");
  for (const tab of [ada, second]) await expect(typing(tab)).toHaveText(/grace.* is typing…/);
  await expect(typing(third)).toHaveText("");
  // The tab that holds the connection goes; the person stays.
  const seen = await record(grace, ".people");
  await ada.page.close();
  await second.say("still here");
  await expect(grace.bodies).toHaveText(["still here"]);
  await grace.say("good");
  await expect(second.bodies).toHaveText(["still here", "good"]);
  expect(await seen.jsonValue()).toEqual([]);
});

test("typing is shown to the other participants until the message arrives", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace, linus] = [await come("ada"), await come("grace"), await come("linus")];
  for (const person of [ada, grace, linus]) await person.enter(room);
  await grace.field.pressSequentially("hel");
  await expect(typing(ada)).toHaveText(/grace.* is typing…/);
  await expect(typing(grace), "not to oneself").toHaveText("");
  await linus.field.pressSequentially("I");
  await expect(typing(ada)).toHaveText(/grace.* and .*linus.* are typing…/);
  await grace.field.press("Enter");
  await linus.field.press("Enter");
  await expect(ada.bodies).toHaveCount(2);
  await expect(typing(ada)).toHaveText("");
  await expect(typing(linus)).toHaveText("");
});

test("the typing indicator disappears after typing stops", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  for (const person of [ada, grace]) await person.enter(room);
  await grace.field.pressSequentially("hel");
  await expect(typing(ada)).toHaveText(/grace.* is typing…/);
  await expect(typing(ada)).toHaveText("");
});

test("typing that ended while the reader was offline is not shown after reconnecting", async ({ webchat, come }) => {
  const room = await webchat.room();
  const [ada, grace, linus] = [await come("ada"), await come("grace"), await come("linus")];
  for (const person of [ada, grace, linus]) await person.enter(room);
  await grace.field.pressSequentially("hel");
  for (const person of [ada, linus]) await expect(typing(person)).toHaveText(/grace.* is typing…/);
  await ada.page.context().setOffline(true);
  await expect(ada.connection).toHaveText("Offline");
  await expect(typing(linus)).toHaveText("");
  await ada.page.context().setOffline(false);
  await ada.live();
  await expect(typing(ada)).toHaveText("");
});

test("typing is reported at most every three seconds, again after sending, and never for white space", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  let said = 0;
  ada.page.on("request", (request) => (said += Number(request.url().endsWith("/typing/"))));
  await ada.enter(room);
  const now = Date.now();
  await ada.page.clock.setFixedTime(now);
  await ada.field.pressSequentially("  ");
  expect(said).toBe(0);
  await ada.field.pressSequentially("hello");
  expect(said).toBe(1);
  await ada.page.clock.setFixedTime(now + 2_900);
  await ada.field.pressSequentially("o");
  expect(said).toBe(1);
  await ada.page.clock.setFixedTime(now + 3_000);
  await ada.field.pressSequentially("o");
  await expect.poll(() => said).toBe(2);
  await ada.field.press("Enter");
  await ada.field.pressSequentially("and");
  await expect.poll(() => said).toBe(3);
  await ada.field.fill("");
  expect(said).toBe(3);
});

for (const width of [360, 1280]) {
  test(`a participant who joins or types moves nothing, at ${width} pixels`, async ({
    webchat,
    come,
  }) => {
    const room = await webchat.room({
      name: "A room with quite a long name that no phone can hold",
    });
    await webchat.post(room, "linus", "hello");
    const [ada, grace] = [
      await come("ada", { viewport: { width, height: 740 } }),
      await come("grace"),
    ];
    await ada.enter(room);
    const places = () =>
      ada.page
        .locator(".bar > :not(.people), .names > *, .about > *, footer, .composer > *, article")
        .evaluateAll((all) =>
          all.map((one) => `${one.className} ${JSON.stringify(one.getBoundingClientRect())}`),
        );
    const before = (await places()).join("\n").replace(/left.*/g, "");
    await grace.enter(room);
    await grace.field.pressSequentially("hel");
    await expect(here(ada).locator("> span").last()).toHaveText("2 here");
    await expect(typing(ada)).toHaveText(/grace.* is typing…/);
    expect((await places()).join("\n").replace(/left.*/g, "")).toBe(before);
  });
}
