// Account forms: sign up, sign in, sign out, change and delete, with and without JavaScript.

import { field, clickButton, signIn } from "../../support/account_forms";
import { expect, type User, test } from "../../support/webchat";

const withoutJavaScript = { javaScriptEnabled: false };

/** The field has the focus and shows this error. */
async function expectFieldError(user: User, name: string, words: RegExp): Promise<void> {
  const at = field(user, name);
  await expect(at).toBeFocused();
  await expect(at).toHaveAccessibleDescription(words);
  await expect(user.page.getByRole("alert")).toHaveText(words);
}

for (const [how, options] of [
  ["with", {}],
  ["without", withoutJavaScript],
] as const) {
  test(`sign up, sign out and sign in ${how} JavaScript, each returning to the previous page`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await webchat.createRoom({ name: "Tea" });
    const ada = await openBrowser("ada", options);
    await ada.page.goto(room);
    await ada.page.getByRole("link", { name: "Sign in" }).click();
    await ada.page.getByRole("link", { name: "Create an account" }).click();
    await field(ada, "Your name").fill("Ada L.");
    await field(ada, "Username").fill("Ada");
    await field(ada, "Password").fill("short");
    await clickButton(ada, "Create account");
    await expectFieldError(ada, "Password", /must have 6 to 256 characters/);
    await expect(field(ada, "Your name")).toHaveValue("Ada L.");
    await expect(field(ada, "Password")).toHaveValue("");
    await field(ada, "Password").fill("secret");
    await clickButton(ada, "Create account");
    await expect(ada.page.getByRole("heading", { name: "Tea" })).toBeVisible();
    expect(ada.path).toBe(room);
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue("ada");

    await ada.page.getByRole("link", { name: "Ada L." }).click();
    await clickButton(ada, "Sign out");
    await ada.page.waitForURL((url) => url.pathname === room);
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).not.toHaveAttribute(
      "readonly",
    );
    await signIn(ada, "wrong!", room);
    await expectFieldError(ada, "Password", /no account with this username and password/);
    await expect(field(ada, "Username")).toHaveValue("ada");
    await field(ada, "Password").fill("secret");
    await clickButton(ada, "Sign in");
    await ada.page.waitForURL((url) => url.pathname === room);
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveAttribute("readonly");
  });

  test(`an account is changed and deleted ${how} JavaScript`, async ({ webchat, openBrowser }) => {
    await webchat.createAccount("ada");
    const ada = await openBrowser("ada", options);
    const phone = await openBrowser("ada", options);
    await signIn(ada);
    await signIn(phone);
    await ada.page.goto("/profile/");
    await field(ada, "What people call you").fill(" Countess ");
    await clickButton(ada, "Change name");
    await expect(ada.page.getByRole("status")).toHaveText("Your name is changed.");
    await expect(field(ada, "What people call you")).toHaveValue("Countess");

    await field(ada, "Current password").fill("wrong!");
    await field(ada, "New password").fill("secret2");
    await clickButton(ada, "Change password");
    await expectFieldError(ada, "Current password", /no account/);
    await field(ada, "Current password").fill("secret");
    await field(ada, "New password").fill("x");
    await clickButton(ada, "Change password");
    await expectFieldError(ada, "New password", /6 to 256/);
    await field(ada, "Current password").fill("secret");
    await field(ada, "New password").fill("secret2");
    await clickButton(ada, "Change password");
    await expect(ada.page.getByRole("status")).toContainText("Your password is changed");

    await phone.page.goto("/profile/");
    await expect(phone.page.getByRole("heading", { name: "Not signed in" })).toBeVisible();
    await phone.page.getByRole("link", { name: "Sign in" }).click();
    await field(phone, "Username").fill("ada");
    await field(phone, "Password").fill("secret2");
    await clickButton(phone, "Sign in");
    await phone.page.waitForURL((url) => url.pathname === "/profile/");
    await clickButton(phone, "Sign out everywhere");
    await ada.page.goto("/chats/");
    await expect(ada.page.getByRole("heading", { name: "Not signed in" })).toBeVisible();

    await signIn(ada, "secret2", "/profile/");
    await ada.page.getByText("Delete account", { exact: true }).click();
    await field(ada, "Your password").fill("secret");
    await clickButton(ada, "Delete my account for good");
    await expectFieldError(ada, "Your password", /no account/);
    await field(ada, "Your password").fill("secret2");
    await clickButton(ada, "Delete my account for good");
    await ada.page.waitForURL((url) => url.pathname === "/");
    await expect(ada.page.getByRole("link", { name: "Sign in" })).toBeVisible();
    await signIn(ada, "secret2");
    await expectFieldError(ada, "Password", /no account/);
  });
}

test("a taken username is refused at its field", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("ada");
  const eve = await openBrowser("eve", withoutJavaScript);
  await eve.page.goto("/register");
  await field(eve, "Your name").fill("Eve");
  await field(eve, "Username").fill("ADA");
  await field(eve, "Password").fill("secret");
  const answer = eve.page.waitForResponse((response) => response.request().method() === "POST");
  await clickButton(eve, "Create account");
  expect((await answer).status()).toBe(400);
  await expectFieldError(eve, "Username", /username ada.*is taken/);
});

test.describe("with limits", () => {
  test.use({ flags: ["--rate-limit", "on"] });

  test("too many sign-in attempts are refused with the time to wait", async ({
    webchat,
    openBrowser,
  }) => {
    await webchat.createAccount("ada");
    for (let i = 0; i < 12; i++)
      await webchat.postJson("/login", { username: "ada", password: "wrong!" });
    const ada = await openBrowser("ada", withoutJavaScript);
    // The delay grows with each attempt, so one attempt comes too early.
    await expect(async () => {
      await signIn(ada, "wrong!");
      await expect(ada.page.getByRole("alert")).toContainText("Too many", { timeout: 500 });
    }).toPass();
    await expectFieldError(ada, "Password", /too many requests\. try again in \d+ s/i);
    await expect(field(ada, "Password")).not.toHaveAttribute("aria-invalid");
  });
});

test("signing in ignores a next address on another site", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("ada");
  const ada = await openBrowser("ada");
  await signIn(ada, "secret", "//evil.example/");
  await ada.page.waitForURL(`${webchat.url}/`);
});

test("a password can be shown, and is sent as a password", async ({ webchat, openBrowser }) => {
  await webchat.createAccount("ada");
  const ada = await openBrowser("ada");
  await ada.page.goto("/login");
  const password = field(ada, "Password");
  await field(ada, "Username").fill("ADA");
  await password.fill("secret");
  await expect(password).toHaveAttribute("type", "password");
  await clickButton(ada, "Show password");
  await expect(password).toHaveAttribute("type", "text");
  await expect(password).toBeFocused();
  await expect(password).toHaveValue("secret");
  await clickButton(ada, "Hide password");
  await expect(password).toHaveAttribute("type", "password");
  await clickButton(ada, "Show password");
  await clickButton(ada, "Sign in");
  await ada.page.waitForURL((url) => url.pathname === "/");
  await ada.page.goto("/profile/");
  await expect(ada.page.getByRole("button", { name: "Show password" })).toHaveCount(2);

  const eve = await openBrowser("eve", withoutJavaScript);
  await eve.page.goto("/login");
  await expect(field(eve, "Password")).toHaveAttribute("type", "password");
  await expect(eve.page.getByRole("button", { name: "Show password" })).toHaveCount(0);
});

test("a sign-up shows all errors at once, and takes capitals in the username", async ({
  openBrowser,
}) => {
  const ada = await openBrowser("ada", withoutJavaScript);
  await ada.page.goto("/register");
  await field(ada, "Your name").fill("x".repeat(65));
  await field(ada, "Username").fill("a b");
  await field(ada, "Password").fill("x");
  await clickButton(ada, "Create account");
  await expect(ada.page.getByRole("alert")).toHaveText([
    /1 to 64 characters/,
    /3 to 32 of the letters/,
    /6 to 256 characters/,
  ]);
  await expect(field(ada, "Your name")).toBeFocused();
  await expect(field(ada, "Username")).toHaveValue("a b");
  await field(ada, "Your name").fill("Ada");
  await field(ada, "Username").fill("AdA");
  await field(ada, "Password").fill("secret");
  await clickButton(ada, "Create account");
  await ada.page.waitForURL((url) => url.pathname === "/");
  await ada.page.goto("/profile/");
  await expect(ada.page.getByText("Writes as ada")).toBeVisible();
  // A person who does not exist was not written to.
  await ada.page.goto("/chats/unknown");
  await expect(ada.page.getByText("There is no such person here.")).toBeVisible();
  await expect(ada.page.getByText("what you wrote")).toHaveCount(0);
});
