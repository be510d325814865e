// Signing in with an OpenID Connect provider, which is another site, without JavaScript.

import { clickButton, field } from "../../support/account_forms";
import { clientId, Provider } from "../../support/oidc_provider";
import { test as base, expect, type User, type Webchat } from "../../support/webchat";

/** A provider and a webchat server that is its client. */
interface ProviderFixtures {
  secret: string | undefined;
  provider: Provider;
  /** Opens a browser without JavaScript that may visit the provider. */
  openVisitor: (name: string) => Promise<User>;
}

const test = base.extend<ProviderFixtures>({
  secret: [undefined, { option: true }],
  provider: async ({}, use) => {
    const provider = await Provider.start();
    await use(provider);
    await provider.stop();
  },
  flags: async ({ provider, secret }, use) => {
    const own = [
      "--oidc-issuer",
      provider.issuer,
      "--oidc-client-id",
      clientId,
      "--oidc-name",
      "Our accounts",
    ];
    await use(secret ? [...own, "--oidc-client-secret", secret] : own);
  },
  openVisitor: async ({ webchat, provider, secret, openBrowser }, use) => {
    provider.serve(webchat.url, secret);
    await use(async (name) => {
      const user = await openBrowser(name, { javaScriptEnabled: false });
      user.trustedOrigins.add(provider.issuer);
      return user;
    });
  },
});

const clickLink = (user: User, name: string) =>
  user.page.getByRole("link", { name, exact: true }).click();
const waitForPath = (user: User, path: string) =>
  user.page.waitForURL((url) => url.pathname === path);

/** Enters the account on the provider's sign-in page. */
async function identifyAtProvider(user: User, account: string): Promise<void> {
  await field(user, "Who are you?").fill(account);
  await clickButton(user, "Go on");
}

/** Signs in with the provider for the first time, including consent. */
async function signInWithProvider(user: User, account: string, next = "/profile/"): Promise<void> {
  await user.page.goto(`/login?next=${encodeURIComponent(next)}`);
  await clickLink(user, "Sign in with Our accounts");
  await identifyAtProvider(user, account);
  await clickButton(user, "Allow");
  await waitForPath(user, next);
}

async function expectUsername(user: User, username: string): Promise<void> {
  await user.page.goto("/profile/");
  await expect(user.page.getByText(`Writes as ${username}`, { exact: true })).toBeVisible();
}

/** Creates a private room as the current guest. */
async function createPrivateRoom(webchat: Webchat, user: User): Promise<string> {
  const { request } = user.page.context();
  const data = { name: "Tea", private: true };
  const answer = await request.post(`${webchat.url}/rooms/`, {
    data,
    headers: { Accept: "application/json" },
  });
  expect(answer.status()).toBe(201);
  return answer.headers()["location"];
}

for (const secret of [undefined, "a secret: of / both+ %"]) {
  test.describe(secret ? "confidential client" : "public client", () => {
    test.use({ secret });

    test(`signing in again with a provider reaches the same account, as a ${secret ? "confidential" : "public"} client`, async ({
      webchat,
      provider,
      openVisitor,
    }) => {
      provider.accounts.set("7", { preferred_username: "Ada.L@example.org", name: "Ada Lovelace" });
      const ada = await openVisitor("ada");
      await ada.page.goto("/");
      const room = await createPrivateRoom(webchat, ada);
      await ada.page.goto(`/register?next=${encodeURIComponent(room)}`);
      await clickLink(ada, "Sign in with Our accounts");
      expect(new URL(ada.page.url()).origin).toBe(provider.issuer);
      await identifyAtProvider(ada, "7");
      await clickButton(ada, "Allow");
      // The room that ada created as a guest belongs to her account.
      await waitForPath(ada, room);
      await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();
      await expectUsername(ada, "ada-l");
      await expect(field(ada, "What people call you")).toHaveValue("Ada Lovelace");

      await clickButton(ada, "Sign out");
      await waitForPath(ada, "/");
      await ada.page.goto(`/login?next=${encodeURIComponent(room)}`);
      // The provider still has ada's session, so it redirects back at once.
      await clickLink(ada, "Sign in with Our accounts");
      await waitForPath(ada, room);
      await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();

      provider.accounts.set("7", { preferred_username: "countess" });
      const phone = await openVisitor("phone");
      await signInWithProvider(phone, "7");
      await expectUsername(phone, "ada-l");
      await clickButton(phone, "Sign out everywhere");
      await ada.page.goto("/profile/");
      await expect(ada.page.getByRole("heading", { name: "Not signed in" })).toBeVisible();
    });
  });
}

test("a provider user whose name is taken gets a free name and no access to the other account", async ({
  webchat,
  provider,
  openVisitor,
}) => {
  await webchat.createAccount("ada");
  provider.accounts.set("7", { preferred_username: "ada", email: "ada@example.org" });
  const eve = await openVisitor("eve");
  await signInWithProvider(eve, "7");
  await expectUsername(eve, "ada2");
  // An account from a provider has no password, so every password is refused.
  const other = await openVisitor("other");
  await other.page.goto("/login");
  await field(other, "Username").fill("ada2");
  await field(other, "Password").fill("secret");
  await clickButton(other, "Sign in");
  await expect(other.page.getByRole("alert")).toHaveText(
    "There is no account with this username and password.",
  );
});

test("denying consent shows the reason and signs nobody in", async ({ provider, openVisitor }) => {
  provider.accounts.set("7", { preferred_username: "ada" });
  const ada = await openVisitor("ada");
  await ada.page.goto("/login?next=%2Fprofile%2F");
  await clickLink(ada, "Sign in with Our accounts");
  await identifyAtProvider(ada, "7");
  await clickButton(ada, "Deny");
  await expect(ada.page.getByRole("heading", { name: "Not signed in" })).toBeVisible();
  await expect(ada.page.getByRole("alert")).toHaveText(
    "You did not allow it, so you are not signed in.",
  );
  await expect(ada.page.getByText("a detail")).toHaveCount(0);
  // The callback address cannot be used twice.
  await ada.page.reload();
  await expect(ada.page.getByRole("alert")).toContainText("is over");
  await ada.page.goto("/login?next=%2Fprofile%2F");
  await clickLink(ada, "Sign in with Our accounts");
  await clickButton(ada, "Allow");
  await expectUsername(ada, "ada");
});

test("a password account is linked to a provider, entered through it and unlinked", async ({
  webchat,
  provider,
  openVisitor,
}) => {
  await webchat.createAccount("ada");
  provider.accounts.set("7", { preferred_username: "countess" });
  const ada = await openVisitor("ada");
  await ada.signIn();
  await ada.page.goto("/profile/");
  await field(ada, "Password of this account").fill("secret");
  await clickButton(ada, "Link your account");
  await clickLink(ada, "Continue to Our accounts");
  await identifyAtProvider(ada, "7");
  await clickButton(ada, "Allow");
  await expect(ada.page.getByRole("status")).toHaveText(
    "From now on you can sign in this way, too.",
  );

  const phone = await openVisitor("phone");
  await signInWithProvider(phone, "7");
  await expectUsername(phone, "ada");
  await clickButton(phone, "Unlink");
  await expect(phone.page.getByRole("status")).toHaveText("You can no longer sign in that way.");
  const other = await openVisitor("other");
  await signInWithProvider(other, "7");
  await expectUsername(other, "countess");
});

test("an account without a password can set one, or be deleted by typing its username", async ({
  provider,
  openVisitor,
}) => {
  provider.accounts.set("7", { preferred_username: "ada" });
  const ada = await openVisitor("ada");
  await signInWithProvider(ada, "7");
  await expect(
    ada.page.getByText("It is your only way to sign in, until you set a password."),
  ).toBeVisible();
  await ada.page.getByText("Delete account", { exact: true }).click();
  await field(ada, "Your username").fill("adam");
  await clickButton(ada, "Delete my account for good");
  await expect(field(ada, "Your username")).toBeFocused();
  await expect(field(ada, "Your username")).toHaveAccessibleDescription(
    "Username is not yours; type it to show that you mean it.",
  );
  await field(ada, "New password").fill("secret");
  await clickButton(ada, "Set password");
  await expect(ada.page.getByRole("status")).toContainText("Your password is changed");
  await expect(field(ada, "Current password")).toBeVisible();
  await expect(ada.page.getByRole("button", { name: "Unlink" })).toBeVisible();

  provider.accounts.set("8", { preferred_username: "grace" });
  const grace = await openVisitor("grace");
  await signInWithProvider(grace, "8");
  await grace.page.getByText("Delete account", { exact: true }).click();
  await field(grace, "Your username").fill("grace");
  await clickButton(grace, "Delete my account for good");
  await waitForPath(grace, "/");
  await grace.page.goto("/login?next=%2Fprofile%2F");
  await clickLink(grace, "Sign in with Our accounts");
  await expectUsername(grace, "grace2");
});

test("an unreachable provider shows the reason and offers password sign-in", async ({
  provider,
  openVisitor,
}) => {
  const ada = await openVisitor("ada");
  await provider.stop();
  await ada.page.goto("/login");
  await clickLink(ada, "Sign in with Our accounts");
  await expect(ada.page.getByRole("alert")).toHaveText(
    "Our accounts does not answer at the moment. Try again a little later.",
  );
  await clickLink(ada, "Sign in by a password");
  await expect(field(ada, "Username")).toBeFocused();
});
