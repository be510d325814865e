// Which rooms are a reader's own: kept, hidden, left, written in.

import { button, chooseMenuItem, createOwnRoom, pageDialog } from "../../support/room_pages";
import { expect, test, type User } from "../../support/webchat";

const DIALOG = "Keep or leave this room";
const listItems = (user: User, name: string) =>
  user.page.getByRole("region", { name }).getByRole("listitem");

test("a public room is the reader's own in all tabs once they write in it", async ({
  webchat,
  openBrowser,
}) => {
  const tea = await webchat.createRoom({ name: "Tea", public: true });
  const ada = await openBrowser("ada");
  await ada.openRoom(tea);
  const home = await ada.openTab();
  await home.visit("/");
  for (const tab of [ada, home]) {
    await expect(listItems(tab, "Public rooms")).toHaveText([/Tea/]);
    await expect(listItems(tab, "Your rooms")).toHaveCount(0);
  }
  await ada.send("hello");
  for (const tab of [ada, home]) {
    await expect(listItems(tab, "Your rooms")).toHaveText([/Tea/]);
    await expect(listItems(tab, "Public rooms")).toHaveCount(0);
  }
  await home.page.reload();
  await expect(listItems(home, "Your rooms")).toHaveText([/Tea/]);
});

test("a public room is kept and hidden from its menu", async ({ webchat, openBrowser }) => {
  const tea = await webchat.createRoom({ name: "Tea", public: true });
  const ada = await openBrowser("ada");
  await ada.openRoom(tea);
  const home = await ada.openTab();
  await home.visit("/");
  await chooseMenuItem(ada, "Keep or leave");
  const dialog = pageDialog(ada, DIALOG);
  await dialog.getByRole("button", { name: "Keep in my rooms" }).click();
  await expect(dialog.getByText("This room is among your rooms.")).toBeVisible();
  for (const tab of [ada, home]) await expect(listItems(tab, "Your rooms")).toHaveText([/Tea/]);
  await dialog.getByRole("button", { name: "Hide from my rooms" }).click();
  for (const tab of [ada, home]) await expect(listItems(tab, "Your rooms")).toHaveCount(0);
});

test("the page of an open public room learns its new name", async ({ webchat, openBrowser }) => {
  const ada = await openBrowser("ada");
  const room = await createOwnRoom(ada, "Anyone; listed under Public rooms", "Tea");
  await ada.waitUntilLive();
  const grace = await openBrowser("grace");
  await grace.openRoom(room);
  await expect(listItems(grace, "Your rooms")).toHaveCount(0);
  await ada.page.request.patch(room, { data: { name: "Coffee" } });
  await expect(grace.page.getByRole("heading", { name: "Coffee" })).toBeVisible();
});

test("a hidden room does not come back by being opened, but by being kept or written in", async ({
  webchat,
  openBrowser,
}) => {
  const rum = await webchat.createRoom({ name: "Rum" });
  const ada = await openBrowser("ada");
  await ada.openRoom(rum);
  await expect(listItems(ada, "Your rooms")).toHaveText([/Rum/]);
  const hide = async () => {
    await chooseMenuItem(ada, "Keep or leave");
    await button(ada, "Hide from my rooms").click();
    await expect(listItems(ada, "Your rooms")).toHaveCount(0);
  };
  await hide();
  await ada.page.goto("/");
  await ada.openRoom(rum);
  await expect(listItems(ada, "Your rooms")).toHaveCount(0);
  await ada.send("hello");
  await expect(listItems(ada, "Your rooms")).toHaveText([/Rum/]);
  await hide();
  await button(ada, "Keep in my rooms").click();
  await expect(listItems(ada, "Your rooms")).toHaveText([/Rum/]);
});

test("a kept room is listed on every device of the account", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("ada");
  const tea = await webchat.createRoom({ name: "Tea", public: true });
  const ada = await openBrowser("ada");
  const phone = await openBrowser("ada");
  for (const device of [ada, phone]) await device.signIn();
  await phone.visit("/");
  await ada.openRoom(tea);
  await chooseMenuItem(ada, "Keep or leave");
  await button(ada, "Keep in my rooms").click();
  await expect(listItems(phone, "Your rooms")).toHaveText([/Tea/]);
});

test("a member leaves a room from its menu", async ({ openBrowser }) => {
  const ada = await openBrowser("ada");
  await createOwnRoom(ada, "Anyone with the link", "Tea");
  await ada.waitUntilLive();
  await chooseMenuItem(ada, "Keep or leave");
  await pageDialog(ada, DIALOG).getByText("Leave this room", { exact: true }).click();
  await ada.page.getByRole("button", { name: "Leave", exact: true }).click();
  await ada.page.waitForURL("/");
  await expect(listItems(ada, "Your rooms")).toHaveCount(0);
});

test("without JavaScript, a room is kept and hidden by forms", async ({ webchat, openBrowser }) => {
  const tea = await webchat.createRoom({ name: "Tea", public: true });
  const ada = await openBrowser("ada", { javaScriptEnabled: false });
  await ada.page.goto(tea);
  await chooseMenuItem(ada, "Keep or leave");
  await button(ada, "Keep in my rooms").click();
  await expect(ada.page.getByText("This room is among your rooms.")).toBeVisible();
  await ada.page.goto("/");
  await expect(listItems(ada, "Your rooms")).toHaveText([/Tea/]);
  await ada.page.goto(`${tea}listing/`);
  await button(ada, "Hide from my rooms").click();
  await ada.page.goto("/");
  await expect(listItems(ada, "Your rooms")).toHaveCount(0);
});

test("looking at public rooms does not displace rooms that are the reader's own", async ({
  webchat,
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  await ada.openRoom(await webchat.createRoom({ name: "Rum" }));
  for (let at = 1; at <= 9; at++)
    await ada.openRoom(await webchat.createRoom({ name: `Public ${at}`, public: true }));
  await expect(listItems(ada, "Your rooms")).toHaveText([/Rum/]);
});
