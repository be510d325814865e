// Steps on the room's management pages that several specs share.

import { type BrowserContextOptions } from "@playwright/test";
import { type Come, expect, type Person, type Webchat } from "./webchat";

export const panel = (person: Person, name: string) => person.page.getByRole("dialog", { name });
export const button = (person: Person, name: string | RegExp) =>
  person.page.getByRole("button", { name });

/** Opens a room of one's own by the form of the home page, and gives its path. */
export async function open(
  person: Person,
  who = "Anyone with the link",
  name = "",
): Promise<string> {
  await person.page.goto("/");
  await person.page.getByText("Options", { exact: true }).click();
  await person.page.getByRole("textbox", { name: "Name of the room" }).fill(name);
  await person.page.getByRole("radio", { name: who }).check();
  await button(person, "New room").click();
  await person.page.waitForURL(/\/rooms\/[0-9a-f]{16}\/$/);
  return new URL(person.page.url()).pathname;
}

/** Goes to a page of the room by its menu. */
export async function choose(person: Person, name: string): Promise<void> {
  await button(person, "More").click();
  await person.page.getByRole("link", { name, exact: true }).click();
}

/** Makes an invitation in the panel, and gives its link. */
export async function invite(person: Person): Promise<string> {
  await button(person, "Make an invitation").click();
  const link = panel(person, "Invitations").getByRole("textbox", { name: /^Link/ }).first();
  await expect(link).toHaveValue(/\/invitations\/[0-9a-f]{32}\/$/);
  return link.inputValue();
}

/** Comes by an invitation, and says something to be known by. */
export async function comeBy(person: Person, link: string, says = "hello"): Promise<void> {
  await person.page.goto(link);
  await button(person, "Join").click();
  await person.live();
  await person.say(says);
  await expect(person.bodies.filter({ hasText: says })).toHaveCount(1);
  await expect(person.pending).toHaveCount(0);
}

/** A room with its owner, ada, and bob who belongs to it. */
export async function company(
  webchat: Webchat,
  come: Come,
  who: string,
  options?: BrowserContextOptions,
): Promise<[Person, Person, string]> {
  const [ada, bob] = [await come("ada", options), await come("bob")];
  const room = await open(ada, who, "Den");
  await ada.live();
  await ada.say("Welcome");
  await choose(ada, "Invitations");
  await comeBy(bob, await invite(ada));
  await ada.page.keyboard.press("Escape");
  await expect(panel(ada, "Invitations")).toBeHidden();
  return [ada, bob, room];
}
