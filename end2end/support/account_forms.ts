// Steps on the account forms that several specs share.

import { type User } from "./webchat";

export const field = (user: User, name: string) => user.page.getByLabel(name, { exact: true });
export const clickButton = (user: User, name: string) =>
  user.page.getByRole("button", { name, exact: true }).click();

export async function signUp(user: User, next = "/"): Promise<void> {
  await user.page.goto(`/register?next=${encodeURIComponent(next)}`);
  await field(user, "Your name").fill(user.name.toUpperCase());
  await field(user, "Username").fill(user.name);
  await field(user, "Password").fill("secret");
  await clickButton(user, "Create account");
  await user.page.waitForURL((url) => url.pathname === next);
}

export async function signIn(user: User, password = "secret", next = "/"): Promise<void> {
  await user.page.goto(`/login?next=${encodeURIComponent(next)}`);
  await field(user, "Username").fill(user.name);
  await field(user, "Password").fill(password);
  await clickButton(user, "Sign in");
}
