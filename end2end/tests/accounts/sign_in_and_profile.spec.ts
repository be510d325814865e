// Account forms: sign up, sign in, sign out, change and delete, with and without JavaScript.

import { field, press, signIn } from "../../support/account_forms";
import { expect, type Person, test } from "../../support/webchat";

const plain = { javaScriptEnabled: false };
const path = (person: Person) => new URL(person.page.url()).pathname;

/** A page says at a field what is wrong, and the field has the focus. */
async function isWrong(person: Person, name: string, words: RegExp): Promise<void> {
  const at = field(person, name);
  await expect(at).toBeFocused();
  await expect(at).toHaveAccessibleDescription(words);
  await expect(person.page.getByRole("alert")).toHaveText(words);
}

for (const [how, options] of [
  ["with", {}],
  ["without", plain],
] as const) {
  test(`sign up, sign out and sign in ${how} JavaScript, each returning to the previous page`, async ({
    webchat,
    come,
  }) => {
    const room = await webchat.room({ name: "Tea" });
    const ada = await come("ada", options);
    await ada.page.goto(room);
    await ada.page.getByRole("link", { name: "Sign in" }).click();
    await ada.page.getByRole("link", { name: "Create an account" }).click();
    await field(ada, "Your name").fill("Ada L.");
    await field(ada, "Username").fill("Ada");
    await field(ada, "Password").fill("short");
    await press(ada, "Create account");
    await isWrong(ada, "Password", /must have 6 to 256 characters/);
    await expect(field(ada, "Your name")).toHaveValue("Ada L.");
    await expect(field(ada, "Password")).toHaveValue("");
    await field(ada, "Password").fill("secret");
    await press(ada, "Create account");
    await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();
    expect(path(ada)).toBe(room);
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue("ada");

    await ada.page.getByRole("link", { name: "Ada L." }).click();
    await press(ada, "Sign out");
    await ada.page.waitForURL((url) => url.pathname === room);
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).not.toHaveAttribute(
      "readonly",
    );
    await signIn(ada, "wrong!", room);
    await isWrong(ada, "Password", /no account with this username and password/);
    await expect(field(ada, "Username")).toHaveValue("ada");
    await field(ada, "Password").fill("secret");
    await press(ada, "Sign in");
    await ada.page.waitForURL((url) => url.pathname === room);
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveAttribute("readonly");
  });

  test(`an account is changed and deleted ${how} JavaScript`, async ({ webchat, come }) => {
    await webchat.account("ada");
    const [ada, phone] = [await come("ada", options), await come("ada", options)];
    await signIn(ada);
    await signIn(phone);
    await ada.page.goto("/profile/");
    await field(ada, "What people call you").fill(" Countess ");
    await press(ada, "Change name");
    await expect(ada.page.getByRole("status")).toHaveText("Your name is changed.");
    await expect(field(ada, "What people call you")).toHaveValue("Countess");

    await field(ada, "Password so far").fill("wrong!");
    await field(ada, "New password").fill("secret2");
    await press(ada, "Change password");
    await isWrong(ada, "Password so far", /no account/);
    await field(ada, "Password so far").fill("secret");
    await field(ada, "New password").fill("x");
    await press(ada, "Change password");
    await isWrong(ada, "New password", /6 to 256/);
    await field(ada, "Password so far").fill("secret");
    await field(ada, "New password").fill("secret2");
    await press(ada, "Change password");
    await expect(ada.page.getByRole("status")).toContainText("Your password is changed");

    await phone.page.goto("/profile/");
    await expect(phone.page.getByRole("heading", { name: "Not signed in" })).toBeVisible();
    await phone.page.getByRole("link", { name: "Sign in" }).click();
    await field(phone, "Username").fill("ada");
    await field(phone, "Password").fill("secret2");
    await press(phone, "Sign in");
    await phone.page.waitForURL((url) => url.pathname === "/profile/");
    await press(phone, "Sign out everywhere");
    await ada.page.goto("/chats/");
    await expect(ada.page.getByRole("heading", { name: "Not signed in" })).toBeVisible();

    await signIn(ada, "secret2", "/profile/");
    await ada.page.getByText("Delete account", { exact: true }).click();
    await field(ada, "Your password").fill("secret");
    await press(ada, "Delete my account for good");
    await isWrong(ada, "Your password", /no account/);
    await field(ada, "Your password").fill("secret2");
    await press(ada, "Delete my account for good");
    await ada.page.waitForURL((url) => url.pathname === "/");
    await expect(ada.page.getByRole("link", { name: "Sign in" })).toBeVisible();
    await signIn(ada, "secret2");
    await isWrong(ada, "Password", /no account/);
  });
}

test("a taken username is refused at its field", async ({ webchat, come }) => {
  await webchat.account("ada");
  const eve = await come("eve", plain);
  await eve.page.goto("/register");
  await field(eve, "Your name").fill("Eve");
  await field(eve, "Username").fill("ADA");
  await field(eve, "Password").fill("secret");
  const answer = eve.page.waitForResponse((response) => response.request().method() === "POST");
  await press(eve, "Create account");
  expect((await answer).status()).toBe(400);
  await isWrong(eve, "Username", /username ada.*is taken/);
});

test.describe("with limits", () => {
  test.use({ flags: ["--rate-limit", "on"] });

  test("too many sign-in attempts are refused with the time to wait", async ({ webchat, come }) => {
    await webchat.account("ada");
    for (let i = 0; i < 12; i++)
      await webchat.ask("/login", { username: "ada", password: "wrong!" });
    const ada = await come("ada", plain);
    // The wait grows with each try, so one of them comes too early.
    await expect(async () => {
      await signIn(ada, "wrong!");
      await expect(ada.page.getByRole("alert")).toContainText("Too many", { timeout: 500 });
    }).toPass();
    await isWrong(ada, "Password", /too many requests\. try again in \d+ s/i);
    await expect(field(ada, "Password")).not.toHaveAttribute("aria-invalid");
  });
});

test("signing in ignores a next address on another site", async ({ webchat, come }) => {
  await webchat.account("ada");
  const ada = await come("ada");
  await signIn(ada, "secret", "//evil.example/");
  await ada.page.waitForURL(`${webchat.url}/`);
});
