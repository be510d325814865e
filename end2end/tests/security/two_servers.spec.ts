// Two servers on one host: browsers send each cookie to both ports.

import { rm } from "node:fs/promises";
import { expect, test, type User, Webchat } from "../../support/webchat";

/** Opens a room and writes there under a name. */
async function writeAs(user: User, room: string, name: string) {
  await user.openRoom(room);
  await user.page.getByRole("textbox", { name: /Writing as|Your name/ }).fill(name);
  await user.send("hello");
  await expect(user.messageBodies).toHaveText(["hello"]);
}

async function chooseTheme(user: User, home: string, theme: string) {
  await user.visit(home);
  await user.page.getByRole("radio", { name: theme }).check({ force: true });
}

test("servers on two ports keep their own names, themes and guests", async ({
  webchat,
  openBrowser,
}) => {
  const other = await Webchat.start();
  try {
    const ada = await openBrowser("ada");
    ada.trustedOrigins.add(other.url);
    const room = await webchat.createRoom();
    const otherRoom = other.url + (await other.createRoom());
    await writeAs(ada, room, "Countess");
    await writeAs(ada, otherRoom, "Eve");
    await chooseTheme(ada, "/", "Dark");
    await chooseTheme(ada, other.url, "Light");

    await ada.openRoom(room);
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue("Countess");
    await expect(ada.page.locator("html")).toHaveAttribute("data-theme", "dark");
    await ada.openRoom(otherRoom);
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue("Eve");
    await expect(ada.page.locator("html")).toHaveAttribute("data-theme", "light");

    const cookies = (await ada.page.context().cookies()).map((cookie) => cookie.name).sort();
    expect(cookies.every((name) => /^[a-z]+-[0-9a-f]{8}$/.test(name))).toBe(true);
    const kinds = cookies.map((name) => name.split("-")[0]);
    // Only the second server had to suggest a name.
    const both = ["guest", "name", "theme", "visits"].flatMap((kind) => [kind, kind]);
    expect(kinds).toEqual([...both, "suggested"].sort());
  } finally {
    await other.stop();
    await rm(other.data, { recursive: true, force: true });
  }
});
