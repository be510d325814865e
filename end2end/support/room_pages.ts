// Steps on the room's management pages that several specs share.

import { type BrowserContextOptions } from "@playwright/test";
import { type OpenBrowser, expect, type User, type Webchat } from "./webchat";

export const pageDialog = (user: User, name: string) => user.page.getByRole("dialog", { name });
export const button = (user: User, name: string | RegExp) =>
  user.page.getByRole("button", { name });

/**
 * Creates a room with the form of the home page, so that the user owns it, and returns its path.
 */
export async function createOwnRoom(
  user: User,
  who = "Anyone with the link",
  name = "",
): Promise<string> {
  await user.page.goto("/");
  await user.page.getByText("Options", { exact: true }).click();
  await user.page.getByRole("textbox", { name: "Name of the room" }).fill(name);
  await user.page.getByRole("radio", { name: who }).check();
  await button(user, "New room").click();
  await user.page.waitForURL(/\/rooms\/[0-9a-f]{16}\/$/);
  return new URL(user.page.url()).pathname;
}

/** Opens a page from the room menu. */
export async function chooseMenuItem(user: User, name: string): Promise<void> {
  await button(user, "More").click();
  await user.page.getByRole("link", { name, exact: true }).click();
}

/** Creates an invitation in the dialog and returns its link. */
export async function createInvitation(user: User): Promise<string> {
  await button(user, "Create invitation").click();
  const link = pageDialog(user, "Invitations").getByRole("textbox", { name: /^Link/ }).first();
  await expect(link).toHaveValue(/\/invitations\/[0-9a-f]{32}\/$/);
  return link.inputValue();
}

/** Joins by an invitation link and sends a message, so that the member list has a name. */
export async function acceptInvitation(user: User, link: string, says = "hello"): Promise<void> {
  await user.page.goto(link);
  await button(user, "Join").click();
  await user.waitUntilLive();
  await user.send(says);
  await expect(user.messageBodies.filter({ hasText: says })).toHaveCount(1);
  await expect(user.pendingMessages).toHaveCount(0);
}

/** Creates a room with the owner ada and the member bob. */
export async function createRoomWithMember(
  webchat: Webchat,
  openBrowser: OpenBrowser,
  who: string,
  options?: BrowserContextOptions,
): Promise<{ ada: User; bob: User; room: string }> {
  const ada = await openBrowser("ada", options);
  const bob = await openBrowser("bob");
  const room = await createOwnRoom(ada, who, "Den");
  await ada.waitUntilLive();
  await ada.send("Welcome");
  await chooseMenuItem(ada, "Invitations");
  await acceptInvitation(bob, await createInvitation(ada));
  await ada.page.keyboard.press("Escape");
  await expect(pageDialog(ada, "Invitations")).toBeHidden();
  return { ada, bob, room };
}
