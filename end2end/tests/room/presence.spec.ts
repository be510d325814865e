// Presence and typing indicators.

import { pageDialog } from "../../support/room_pages";
import { expect, test, type User } from "../../support/webchat";

const presenceButton = (user: User) => user.page.getByRole("button", { name: /\d+ here/ });
const typingIndicator = (user: User) => user.page.locator(".typing");
const presentNames = (user: User) =>
  user.page.getByRole("list", { name: "Here now" }).getByRole("listitem").locator("bdi");

/** Records every later text of an element. */
const recordText = (user: User, selector: string) =>
  user.page.locator(selector).evaluateHandle((part) => {
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
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("Grace <b>Hopper</b>");
  await ada.openRoom(room);
  await expect(presenceButton(ada).locator("> span").last()).toHaveText("1 here");
  await expect(presenceButton(ada)).toHaveAccessibleName("1 here");
  await grace.openRoom(room);
  await expect(presenceButton(ada).locator("> span").last()).toHaveText("2 here");
  await expect(presenceButton(ada).locator(".avatar")).toHaveCount(2);
  await presenceButton(ada).click();
  await expect(presentNames(ada)).toHaveText(["Grace <b>Hopper</b>", "ada"]);
  const you = ada.page.getByRole("listitem").filter({ hasText: "(you)" });
  await expect(you.getByRole("link")).toHaveText("ada (you)");
  // In a flex container the space would vanish, and a long name would be cut without an ellipsis.
  await expect(you.getByRole("link")).toHaveCSS("display", "block");
  await grace.page.close();
  await expect(presentNames(ada)).toHaveText(["ada"]);
  await ada.page.keyboard.press("Escape");
  await expect(presentNames(ada).first()).toBeHidden();
  await expect(presenceButton(ada).locator("> span").last()).toHaveText("1 here");
});

test("the list opens and closes by keyboard and is not a live region", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await expect(presenceButton(ada)).toBeVisible();
  await presenceButton(ada).press("Enter");
  await expect(presentNames(ada)).toHaveText(["ada"]);
  await ada.page.keyboard.press("Tab");
  await expect(ada.page.getByRole("list", { name: "Here now" })).toBeFocused();
  await ada.page.keyboard.press("Escape");
  await expect(presentNames(ada).first()).toBeHidden();
  await expect(presenceButton(ada)).toBeFocused();
  const loud = ada.page.locator("[aria-live], [role=status], [role=alert], [role=log]");
  expect(await loud.locator(".presence-button, .typing").count()).toBe(0);
  expect(
    await ada.page
      .locator(".presence-button, .typing, #presence-list")
      .evaluateAll(
        (all) =>
          all.filter((one) => one.closest("[aria-live], [role=status], [role=alert]")).length,
      ),
  ).toBe(0);
});

test("a click on a person that begins before the list changes opens their card", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  const linus = await openBrowser("linus");
  for (const user of [ada, grace, linus]) await user.openRoom(room);
  await expect(presenceButton(ada).locator("> span").last()).toHaveText("3 here");
  await presenceButton(ada).click();
  await expect(presentNames(ada)).toHaveText(["ada", "grace", "linus"]);
  await presentNames(ada).nth(1).hover();
  await ada.page.mouse.down();
  await linus.page.close();
  await expect(presentNames(ada)).toHaveText(["ada", "grace"]);
  await (await openBrowser("zoe")).openRoom(room);
  await expect(presentNames(ada)).toHaveText(["ada", "grace", "zoe"]);
  await ada.page.mouse.up();
  await expect(ada.page.getByRole("dialog", { name: "grace" })).toBeVisible();
});

test("after a card that was opened from the list of who is here, the focus is in the list again", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const ben = await openBrowser("Ben B.");
  await ben.openRoom(room);
  await ada.openRoom(room);
  await expect(presenceButton(ada)).toHaveText(/2 here/);
  await presenceButton(ada).focus();
  await ada.page.keyboard.press("Enter");
  for (let tabs = 0; tabs < 2; tabs++) await ada.page.keyboard.press("Tab");
  const name = ada.page.getByRole("listitem").getByRole("link", { name: "Ben B." });
  await expect(name).toBeFocused();
  await ada.page.keyboard.press("Enter");
  await expect(pageDialog(ada, "Ben B.")).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await expect(name).toBeFocused();
  await ada.page.keyboard.press("Escape");
  await expect(presenceButton(ada)).toBeFocused();

  // A mention leads to the message field instead, and another page to the button of the menu.
  await ada.page.keyboard.press("Enter");
  await name.click();
  await pageDialog(ada, "Ben B.").getByRole("button", { name: "Mention" }).click();
  await expect(ada.messageField).toBeFocused();
  await expect(name).toBeHidden();
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("link", { name: "About this room" }).click();
  await expect(pageDialog(ada, "About this room")).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await expect(ada.page.getByRole("button", { name: "More" })).toBeFocused();
});

test("a reload does not change who is present", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  const linus = await openBrowser("linus");
  for (const user of [ada, grace, linus]) await user.openRoom(room);
  await expect(presenceButton(grace).locator("> span").last()).toHaveText("3 here");
  const seen = await recordText(grace, ".presence-button > span:last-child");
  await ada.page.reload();
  await ada.waitUntilLive();
  // Linus leaves after ada's reload, so his departure is reported after hers would have been.
  await linus.page.close();
  await expect(presenceButton(grace).locator("> span").last()).toHaveText("2 here");
  await presenceButton(grace).click();
  await expect(presentNames(grace)).toHaveText(["ada", "grace"]);
  expect(await seen.jsonValue()).toEqual(["2 here"]);
});

test("several tabs count as one participant, and each tab shows the presence of its room", async ({
  webchat,
  openBrowser,
}) => {
  const tea = await webchat.createRoom();
  const rum = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await grace.openRoom(tea);
  await ada.openRoom(tea);
  const second = await ada.openTab();
  await second.openRoom(tea);
  const third = await ada.openTab();
  await third.openRoom(rum);
  for (const tab of [grace, ada, second])
    await expect(presenceButton(tab).locator("> span").last()).toHaveText("2 here");
  await expect(presenceButton(third).locator("> span").last()).toHaveText("1 here");
  await grace.messageField.pressSequentially("so");
  for (const tab of [ada, second])
    await expect(typingIndicator(tab)).toHaveText(/grace.* is typing…/);
  await expect(typingIndicator(third)).toHaveText("");
  // Closing the leader tab does not change ada's presence.
  const seen = await recordText(grace, ".presence-button");
  await ada.page.close();
  await second.send("still here");
  await expect(grace.messageBodies).toHaveText(["still here"]);
  await grace.send("good");
  await expect(second.messageBodies).toHaveText(["still here", "good"]);
  expect(await seen.jsonValue()).toEqual([]);
});

test("typing is shown to the other participants until the message arrives", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  const linus = await openBrowser("linus");
  for (const user of [ada, grace, linus]) await user.openRoom(room);
  await grace.messageField.pressSequentially("hel");
  await expect(typingIndicator(ada)).toHaveText(/grace.* is typing…/);
  await expect(typingIndicator(grace), "not shown to the writer").toHaveText("");
  await linus.messageField.pressSequentially("I");
  await expect(typingIndicator(ada)).toHaveText(/grace.* and .*linus.* are typing…/);
  await grace.messageField.press("Enter");
  await linus.messageField.press("Enter");
  await expect(ada.messageBodies).toHaveCount(2);
  await expect(typingIndicator(ada)).toHaveText("");
  await expect(typingIndicator(linus)).toHaveText("");
});

test("the typing indicator disappears after typing stops", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  for (const user of [ada, grace]) await user.openRoom(room);
  await grace.messageField.pressSequentially("hel");
  await expect(typingIndicator(ada)).toHaveText(/grace.* is typing…/);
  await expect(typingIndicator(ada)).toHaveText("");
});

test("typing that ended while the reader was offline is not shown after reconnecting", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  const linus = await openBrowser("linus");
  for (const user of [ada, grace, linus]) await user.openRoom(room);
  await grace.messageField.pressSequentially("hel");
  for (const user of [ada, linus])
    await expect(typingIndicator(user)).toHaveText(/grace.* is typing…/);
  await ada.page.context().setOffline(true);
  await expect(ada.connectionStatus).toHaveText("Offline");
  await expect(typingIndicator(linus)).toHaveText("");
  await ada.page.context().setOffline(false);
  await ada.waitUntilLive();
  await expect(typingIndicator(ada)).toHaveText("");
});

test("typing is reported at most every three seconds, again after sending, and never for white space", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  let said = 0;
  ada.page.on("request", (request) => (said += Number(request.url().endsWith("/typing/"))));
  await ada.installClock();
  await ada.openRoom(room);
  await ada.page.clock.pauseAt(Date.now() + 60_000);
  await ada.messageField.pressSequentially("  ");
  expect(said).toBe(0);
  await ada.messageField.pressSequentially("hello");
  await expect.poll(() => said).toBe(1);
  await ada.page.clock.runFor(2_900);
  await ada.messageField.pressSequentially("o");
  expect(said).toBe(1);
  await ada.page.clock.runFor(200);
  await ada.messageField.pressSequentially("o");
  await expect.poll(() => said).toBe(2);
  await ada.messageField.press("Enter");
  await ada.messageField.pressSequentially("and");
  await expect.poll(() => said).toBe(3);
  await ada.messageField.fill("");
  expect(said).toBe(3);
});

for (const width of [360, 1280]) {
  test(`a participant who joins or types moves nothing, at ${width} pixels`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await webchat.createRoom({
      name: "A room with quite a long name that no phone can hold",
    });
    await webchat.postMessage(room, "linus", "hello");
    const ada = await openBrowser("ada", { viewport: { width, height: 740 } });
    const grace = await openBrowser("grace");
    await ada.openRoom(room);
    const places = () =>
      ada.page
        .locator(
          ".room-header > :not(.presence-button), .room-title > *, .room-status > *, footer, .composer > *, article",
        )
        .evaluateAll((all) =>
          all.map((one) => `${one.className} ${JSON.stringify(one.getBoundingClientRect())}`),
        );
    const before = (await places()).join("\n").replace(/left.*/g, "");
    await grace.openRoom(room);
    await grace.messageField.pressSequentially("hel");
    await expect(presenceButton(ada).locator("> span").last()).toHaveText("2 here");
    await expect(typingIndicator(ada)).toHaveText(/grace.* is typing…/);
    expect((await places()).join("\n").replace(/left.*/g, "")).toBe(before);
  });
}
