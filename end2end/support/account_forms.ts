// Steps on the account forms that several specs share.

import { type Person } from "./webchat";

export const field = (person: Person, name: string) =>
  person.page.getByLabel(name, { exact: true });
export const press = (person: Person, name: string) =>
  person.page.getByRole("button", { name, exact: true }).click();

export async function signUp(person: Person, next = "/"): Promise<void> {
  await person.page.goto(`/register?next=${encodeURIComponent(next)}`);
  await field(person, "Your name").fill(person.name.toUpperCase());
  await field(person, "Username").fill(person.name);
  await field(person, "Password").fill("secret");
  await press(person, "Create account");
  await person.page.waitForURL((url) => url.pathname === next);
}

export async function signIn(person: Person, password = "secret", next = "/"): Promise<void> {
  await person.page.goto(`/login?next=${encodeURIComponent(next)}`);
  await field(person, "Username").fill(person.name);
  await field(person, "Password").fill(password);
  await press(person, "Sign in");
}
