// The room lists of the home page: live updates, search and recently visited rooms.

import { expect, test, type User } from "../../support/webchat";

test("the list of public rooms updates live", async ({ webchat, openBrowser }) => {
  const first = await webchat.createRoom({ name: "First", public: true });
  const ada = await openBrowser("ada");
  await ada.visit("/");
  await ada.page.evaluate(() => (window.mark = "kept"));
  const rows = ada.page.getByRole("region", { name: "Public rooms" }).getByRole("listitem");
  await expect(rows).toHaveText([/First.*created just now/]);
  await webchat.createRoom({ name: "Second", public: true });
  await webchat.createRoom({ name: "Secret" });
  await expect(rows).toHaveText([/Second/, /First/]);
  await webchat.postMessage(first, "grace", "hello");
  await expect(rows).toHaveText([/First.*1 message/, /Second/]);
  await webchat.postMessage(first, "grace", "hello");
  await expect(rows.first()).toHaveText(/2 messages/);
  expect(await ada.page.evaluate(() => window.mark)).toBe("kept");
});

test("a long list arrives with the rooms of the first screen, and the others follow", async ({
  webchat,
  openBrowser,
}) => {
  for (let at = 1; at <= 30; at++) await webchat.createRoom({ name: `Room ${at}`, public: true });
  const readList = (user: User) =>
    user.page.getByRole("region", { name: "Public rooms" }).getByRole("listitem");

  const grace = await openBrowser("grace", { javaScriptEnabled: false });
  await grace.page.goto("/");
  await expect(readList(grace)).toHaveCount(30);
  await expect(readList(grace).last()).toContainText("Room 1");

  const ada = await openBrowser("ada");
  await ada.visit("/");
  await expect(readList(ada)).toHaveCount(30);
  await expect(readList(ada).first()).toContainText("Room 30");
  await expect(readList(ada).last()).toContainText("Room 1");
});

test("search finds public rooms by part of their name or ID", async ({ webchat, openBrowser }) => {
  const ada = await openBrowser("ada");
  for (const name of ["Tea", "Coffee", "Äpfel", "Water"])
    await webchat.createRoom({ name, public: true });
  await ada.visit("/");
  const filter = ada.page.getByRole("searchbox", { name: "Search rooms and people" });
  const rows = ada.page.getByRole("region", { name: "Public rooms" }).getByRole("listitem");
  await expect(rows).toHaveCount(4);
  await expect(filter).toBeHidden();
  await webchat.createRoom({ name: "Iced tea", public: true });
  const last = await webchat.createRoom({ public: true });
  await expect(rows).toHaveCount(6);

  await ada.page.keyboard.press("/");
  await expect(filter).toBeFocused();
  await ada.page.keyboard.type("TEA");
  await expect(rows).toHaveText([/Iced tea/, /Tea/]);
  await filter.fill("ÄPF");
  await expect(rows).toHaveText([/Äpfel/]);
  await filter.fill(last.slice(9, 17));
  await expect(rows.getByRole("link")).toHaveAttribute("href", last);
  await filter.fill("wine");
  await expect(ada.page.getByText("No room or person here has that in its name or ID.")).toBeVisible();
  await webchat.createRoom({ name: "Wine", public: true });
  await expect(rows).toHaveText([/Wine/]);
  await filter.fill("");
  await expect(rows).toHaveCount(7);
});

test("recently visited rooms are listed unless they have closed", async ({
  webchat,
  openBrowser,
}) => {
  const kept = await webchat.createRoom({ name: "Kept" });
  const short = await webchat.createRoom({ name: "Short", timeout: "8s" });
  const ada = await openBrowser("ada");
  await ada.openRoom(kept);
  await ada.openRoom(short);
  await expect(ada.page.getByRole("heading", { name: "This room has closed" })).toBeVisible();
  await ada.visit("/");
  const rows = ada.page.getByRole("region", { name: "Your rooms" }).getByRole("listitem");
  await expect(rows).toHaveText([/Kept/]);
});
