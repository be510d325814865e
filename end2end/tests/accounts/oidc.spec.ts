// Signing in with an OpenID Connect provider, which is another site, without JavaScript.

import { clientId, Provider } from "../../support/provider";
import { test as base, expect, type Person, type Webchat } from "../../support/webchat";

/** How webchat and the provider know each other. */
interface Deal {
  secret: string | undefined;
  provider: Provider;
  /** Lets somebody come who may be sent to the provider. */
  guest: (name: string) => Promise<Person>;
}

const test = base.extend<Deal>({
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
  guest: async ({ webchat, provider, secret, come }, use) => {
    provider.serve(webchat.url, secret);
    await use(async (name) => {
      const person = await come(name, { javaScriptEnabled: false });
      person.trusts.add(provider.issuer);
      return person;
    });
  },
});

const field = (person: Person, name: string) => person.page.getByLabel(name, { exact: true });
const press = (person: Person, name: string) =>
  person.page.getByRole("button", { name, exact: true }).click();
const follow = (person: Person, name: string) =>
  person.page.getByRole("link", { name, exact: true }).click();
const arrives = (person: Person, path: string) =>
  person.page.waitForURL((url) => url.pathname === path);

/** Says at the provider who one is. */
async function identify(person: Person, account: string): Promise<void> {
  await field(person, "Who are you?").fill(account);
  await press(person, "Go on");
}

/** Signs in by the provider for the first time. */
async function enter(person: Person, account: string, next = "/profile/"): Promise<void> {
  await person.page.goto(`/login?next=${encodeURIComponent(next)}`);
  await follow(person, "Sign in with Our accounts");
  await identify(person, account);
  await press(person, "Allow");
  await arrives(person, next);
}

async function writesAs(person: Person, username: string): Promise<void> {
  await person.page.goto("/profile/");
  await expect(person.page.getByText(`Writes as ${username}`, { exact: true })).toBeVisible();
}

/** A room that is nobody else's. */
async function privateRoom(webchat: Webchat, person: Person): Promise<string> {
  const { request } = person.page.context();
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

    test(`signing in with a provider again reaches the same account, as a ${secret ? "confidential" : "public"} client`, async ({
      webchat,
      provider,
      guest,
    }) => {
      provider.people.set("7", { preferred_username: "Ada.L@example.org", name: "Ada Lovelace" });
      const ada = await guest("ada");
      await ada.page.goto("/");
      const room = await privateRoom(webchat, ada);
      await ada.page.goto(`/register?next=${encodeURIComponent(room)}`);
      await follow(ada, "Sign in with Our accounts");
      expect(new URL(ada.page.url()).origin).toBe(provider.issuer);
      await identify(ada, "7");
      await press(ada, "Allow");
      // What she opened as a guest is her account's.
      await arrives(ada, room);
      await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();
      await writesAs(ada, "ada-l");
      await expect(field(ada, "What people call you")).toHaveValue("Ada Lovelace");

      await press(ada, "Sign out");
      await arrives(ada, "/");
      await ada.page.goto(`/login?next=${encodeURIComponent(room)}`);
      // The provider knows her still, so it sends her back at once.
      await follow(ada, "Sign in with Our accounts");
      await arrives(ada, room);
      await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();

      provider.people.set("7", { preferred_username: "countess" });
      const phone = await guest("phone");
      await enter(phone, "7");
      await writesAs(phone, "ada-l");
      await press(phone, "Sign out everywhere");
      await ada.page.goto("/profile/");
      await expect(ada.page.getByRole("heading", { name: "Not signed in" })).toBeVisible();
    });
  });
}

test("a provider user whose name is taken gets a free name and no access to the other account", async ({
  webchat,
  provider,
  guest,
}) => {
  await webchat.account("ada");
  provider.people.set("7", { preferred_username: "ada", email: "ada@example.org" });
  const eve = await guest("eve");
  await enter(eve, "7");
  await writesAs(eve, "ada2");
  // An account that a provider made has no password, so it has no wrong one.
  const other = await guest("other");
  await other.page.goto("/login");
  await field(other, "Username").fill("ada2");
  await field(other, "Password").fill("secret");
  await press(other, "Sign in");
  await expect(other.page.getByRole("alert")).toHaveText(
    "There is no account with this username and password.",
  );
});

test("denying consent shows the reason and signs nobody in", async ({ provider, guest }) => {
  provider.people.set("7", { preferred_username: "ada" });
  const ada = await guest("ada");
  await ada.page.goto("/login?next=%2Fprofile%2F");
  await follow(ada, "Sign in with Our accounts");
  await identify(ada, "7");
  await press(ada, "Deny");
  await expect(ada.page.getByRole("heading", { name: "Not signed in" })).toBeVisible();
  await expect(ada.page.getByRole("alert")).toHaveText(
    "You did not allow it, so nobody is signed in.",
  );
  await expect(ada.page.getByText("a detail")).toHaveCount(0);
  // The address is of no use a second time.
  await ada.page.reload();
  await expect(ada.page.getByRole("alert")).toContainText("is over");
  await ada.page.goto("/login?next=%2Fprofile%2F");
  await follow(ada, "Sign in with Our accounts");
  await press(ada, "Allow");
  await writesAs(ada, "ada");
});

test("a password account is linked to a provider, entered through it and unlinked", async ({
  webchat,
  provider,
  guest,
}) => {
  await webchat.account("ada");
  provider.people.set("7", { preferred_username: "countess" });
  const ada = await guest("ada");
  await ada.signIn();
  await ada.page.goto("/profile/");
  await follow(ada, "Link your account there");
  await identify(ada, "7");
  await press(ada, "Allow");
  await expect(ada.page.getByRole("status")).toHaveText(
    "From now on you can sign in this way, too.",
  );

  const phone = await guest("phone");
  await enter(phone, "7");
  await writesAs(phone, "ada");
  await press(phone, "Unlink");
  await expect(phone.page.getByRole("status")).toHaveText("You can no longer sign in that way.");
  const other = await guest("other");
  await enter(other, "7");
  await writesAs(other, "countess");
});

test("an account without a password can set one, or be deleted by typing its username", async ({
  provider,
  guest,
}) => {
  provider.people.set("7", { preferred_username: "ada" });
  const ada = await guest("ada");
  await enter(ada, "7");
  await expect(
    ada.page.getByText("It is your only way to sign in, until you set a password."),
  ).toBeVisible();
  await ada.page.getByText("Delete account", { exact: true }).click();
  await field(ada, "Your username").fill("adam");
  await press(ada, "Delete my account for good");
  await expect(field(ada, "Your username")).toBeFocused();
  await expect(field(ada, "Your username")).toHaveAccessibleDescription(
    "Username is not yours; type it to show that you mean it.",
  );
  await field(ada, "New password").fill("secret");
  await press(ada, "Set password");
  await expect(ada.page.getByRole("status")).toContainText("Your password is changed");
  await expect(field(ada, "Password so far")).toBeVisible();
  await expect(ada.page.getByRole("button", { name: "Unlink" })).toBeVisible();

  provider.people.set("8", { preferred_username: "grace" });
  const grace = await guest("grace");
  await enter(grace, "8");
  await grace.page.getByText("Delete account", { exact: true }).click();
  await field(grace, "Your username").fill("grace");
  await press(grace, "Delete my account for good");
  await arrives(grace, "/");
  await grace.page.goto("/login?next=%2Fprofile%2F");
  await follow(grace, "Sign in with Our accounts");
  await writesAs(grace, "grace");
});

test("an unreachable provider shows the reason and offers password sign-in", async ({
  provider,
  guest,
}) => {
  const ada = await guest("ada");
  await provider.stop();
  await ada.page.goto("/login");
  await follow(ada, "Sign in with Our accounts");
  await expect(ada.page.getByRole("alert")).toHaveText(
    "Our accounts does not answer at the moment. Try again a little later.",
  );
  await follow(ada, "Sign in by a password");
  await expect(field(ada, "Username")).toBeFocused();
});
