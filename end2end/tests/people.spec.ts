// People with accounts: signing up and in and out, who wrote what, and chats of two. Every form works without a script.

import { type Come, expect, type Person, test, type Webchat } from "../webchat";

const plain = { javaScriptEnabled: false };
const path = (person: Person) => new URL(person.page.url()).pathname;
const field = (person: Person, name: string) => person.page.getByLabel(name, { exact: true });
const press = (person: Person, name: string) => person.page.getByRole("button", { name, exact: true }).click();

async function signUp(person: Person, next = "/"): Promise<void> {
  await person.page.goto(`/register?next=${encodeURIComponent(next)}`);
  await field(person, "Your name").fill(person.name.toUpperCase());
  await field(person, "Username").fill(person.name);
  await field(person, "Password").fill("secret");
  await press(person, "Create account");
  await person.page.waitForURL((url) => url.pathname === next);
}

async function signIn(person: Person, password = "secret", next = "/"): Promise<void> {
  await person.page.goto(`/login?next=${encodeURIComponent(next)}`);
  await field(person, "Username").fill(person.name);
  await field(person, "Password").fill(password);
  await press(person, "Sign in");
}

/** A page says at a field what is wrong, and the field has the focus. */
async function isWrong(person: Person, name: string, words: RegExp): Promise<void> {
  const at = field(person, name);
  await expect(at).toBeFocused();
  await expect(at).toHaveAccessibleDescription(words);
  await expect(person.page.getByRole("alert")).toHaveText(words);
}

for (const [how, options] of [["with", {}], ["without", plain]] as const) {
  test(`sign up, out and in ${how} a script, and come back to where one was`, async ({ webchat, come }) => {
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
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).not.toHaveAttribute("readonly");
    await signIn(ada, "wrong!", room);
    await isWrong(ada, "Password", /no account with this username and password/);
    await expect(field(ada, "Username")).toHaveValue("ada");
    await field(ada, "Password").fill("secret");
    await press(ada, "Sign in");
    await ada.page.waitForURL((url) => url.pathname === room);
    await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveAttribute("readonly");
  });

  test(`an account is changed and deleted ${how} a script`, async ({ webchat, come }) => {
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

test("a username that is taken is said at its field", async ({ webchat, come }) => {
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

  test("whoever tries too often is told how long to wait", async ({ webchat, come }) => {
    await webchat.account("ada");
    for (let i = 0; i < 12; i++) await webchat.ask("/login", { username: "ada", password: "wrong!" });
    const ada = await come("ada", plain);
    // The wait grows with each try, so one of them comes too early.
    await expect(async () => {
      await signIn(ada, "wrong!");
      await expect(ada.page.getByRole("alert")).toContainText("Too many", { timeout: 500 });
    }).toPass();
    await isWrong(ada, "Password", /too many requests; try again in \d+ s/i);
    await expect(field(ada, "Password")).not.toHaveAttribute("aria-invalid");
  });
});

test("nobody is led to another site", async ({ webchat, come }) => {
  await webchat.account("ada");
  const ada = await come("ada");
  await signIn(ada, "secret", "//evil.example/");
  await ada.page.waitForURL(`${webchat.url}/`);
});

test("who wrote what is marked: accounts by a check, nobody in particular by a word, guests not at all", async ({ webchat, come }) => {
  const room = await webchat.room({ name: "Tea" });
  const [ada, grace] = [await come("ada"), await come("grace")];
  await signUp(ada, room);
  await ada.live();
  await grace.enter(room);
  await ada.say("from an account");
  await expect(grace.bodies).toHaveCount(1);
  await grace.say("from a guest");
  await expect(ada.bodies).toHaveCount(2);
  await webchat.post(room, "linus", "from a program");
  for (const person of [ada, grace]) {
    await expect(person.bodies).toHaveText(["from an account", "from a guest", "from a program"]);
    await expect(person.pending).toHaveCount(0);
    await expect(person.messages.nth(0).getByText("registered")).toBeVisible();
    await expect(person.messages.nth(1).locator(".by")).not.toContainText(/registered|unverified/);
    await expect(person.messages.nth(2).getByText("unverified")).toBeVisible();
  }
  // It says so before it is sent, so that nothing moves when it is.
  await ada.page.route("**/messages/", (route) => route.abort());
  await ada.say("on its way");
  await expect(ada.pending.getByText("registered")).toBeVisible();
  await ada.page.unroute("**/messages/");
  await grace.page.route("**/messages/", (route) => route.abort());
  await grace.say("on its way, too");
  await expect(grace.pending.locator(".by")).not.toContainText(/registered|unverified/);
  await grace.page.unroute("**/messages/");
  await grace.page.reload();
  await expect(grace.messages.nth(0).getByText("registered")).toBeVisible();
});

test("a name that somebody else has is changed with one press, and the message goes out", async ({ webchat, come }) => {
  await webchat.account("ada");
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.say("hello");
  await expect(ada.log.getByRole("alert")).toContainText("Somebody else has the name ada here; ada2 is free.");
  // It survives a reload.
  await ada.page.reload();
  await ada.live();
  await press(ada, "Use ada2");
  await expect(ada.log.getByRole("alert")).toHaveCount(0);
  await expect(ada.page.getByRole("textbox", { name: "Writing as" })).toHaveValue("ada2");
  await ada.say("and again");
  await expect.poll(() => webchat.said(room)).toEqual(["hello", "and again"]);
  await expect(ada.log.locator(".who").first()).toHaveText("ada2");
  await ada.go("/");
  await expect(ada.page.getByRole("textbox", { name: "Your name" })).toHaveValue("ada2");
});

test("what a guest could not send goes out under the name of the account", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("quiet-otter");
  await ada.enter(room);
  await ada.page.route("**/messages/", (route) => route.abort());
  await ada.say("hello");
  await expect(ada.pending).toHaveCount(1);
  await ada.page.goto("/register");
  await field(ada, "Your name").fill("Ada");
  await field(ada, "Username").fill("ada");
  await field(ada, "Password").fill("secret");
  await ada.page.unroute("**/messages/");
  await press(ada, "Create account");
  await ada.page.waitForURL((url) => url.pathname === "/");
  await ada.enter(room);
  await expect(ada.log.getByRole("alert")).toContainText("while you are signed in");
  await press(ada, "Use ada");
  await expect.poll(() => webchat.said(room)).toEqual(["hello"]);
});

test("two people talk with each other alone, live both ways, and see what is unread", async ({ webchat, come }) => {
  const [ada, bob] = [await come("ada"), await come("bob")];
  await signUp(ada);
  await signUp(bob, "/chats/");
  await bob.page.getByRole("searchbox").fill("AD");
  await press(bob, "Find");
  await bob.page.getByRole("link", { name: /ADA/ }).click();
  await bob.live();
  await expect(bob.page.getByRole("heading", { name: "ADA" })).toBeVisible();
  expect(await bob.page.title()).toBe("ADA · webchat");
  for (const missing of [bob.page.getByRole("button", { name: "Share" }), bob.page.locator(".bar .left"), bob.page.getByRole("button", { name: "Copy link" })]) {
    await expect(missing).toBeHidden();
  }
  await bob.say("hello ada");
  await expect(bob.pending).toHaveCount(0);
  await bob.say("are you there?");
  await expect(bob.pending).toHaveCount(0);

  // What is unread is counted on the home page and in the list; and no more once it was seen.
  await ada.go("/");
  await expect(ada.page.getByRole("link", { name: /BOB.*2 unread/ })).toBeVisible();
  await ada.page.getByRole("link", { name: "Chats", exact: true }).click();
  await ada.page.getByRole("link", { name: /BOB.*are you there\?.*2 unread/ }).click();
  await ada.live();
  await expect(ada.bodies).toHaveText(["hello ada", "are you there?"]);
  await expect(ada.page.getByRole("button", { name: "2 here" })).toBeVisible();
  await ada.say("yes");
  await expect(bob.bodies).toHaveText(["hello ada", "are you there?", "yes"]);
  await bob.say("good");
  await expect(ada.bodies.last()).toHaveText("good");
  await ada.page.getByRole("link", { name: "Chats", exact: true }).click();
  await expect(ada.page.getByRole("link", { name: /BOB.*good/ })).toBeVisible();
  await expect.poll(async () => (await ada.page.reload(), ada.page.locator(".unread").count())).toBe(0);

  // It is in no list of rooms, and nobody else finds it.
  await ada.go("/");
  await expect(ada.page.getByRole("link", { name: /BOB/ })).toHaveCount(1);
  await expect(ada.page.getByRole("region", { name: "Chats" }).getByRole("link", { name: /BOB.*good/ })).toBeVisible();
  const eve = await come("eve");
  await eve.page.goto(path(bob));
  await expect(eve.page.getByRole("heading", { name: "No such room" })).toBeVisible();
  await eve.page.goto("/chats/ada");
  await eve.page.getByRole("link", { name: "Sign in" }).click();
  expect(new URL(eve.page.url()).searchParams.get("next")).toBe("/chats/ada");
});

test("a direct chat works without a script", async ({ webchat, come }) => {
  await webchat.account("bob");
  const ada = await come("ada", plain);
  await signUp(ada, "/chats/");
  await ada.page.getByRole("link", { name: /BOB/ }).click();
  await ada.field.fill("hello");
  await press(ada, "Send");
  await expect(ada.bodies).toHaveText(["hello"]);
  await expect(ada.page.getByRole("link", { name: /BOB.*You: hello/ })).toBeVisible();
  await ada.page.getByRole("link", { name: "Chats", exact: true }).click();
  await expect(ada.page.getByRole("link", { name: /BOB.*You: hello/ })).toBeVisible();
});

test.describe("sessions that end", () => {
  const writingAs = (person: Person) => person.page.getByRole("textbox", { name: "Writing as" });
  /** Ada's browser with a room and the home page open, signed in. */
  const at = async (webchat: Webchat, come: Come) => {
    await webchat.account("ada");
    const room = await webchat.room();
    const [inRoom, phone] = [await come("ada"), await come("ada's phone")];
    for (const person of [inRoom, phone]) await person.signIn("ada");
    const home = await inRoom.tab();
    await inRoom.enter(room);
    await home.go("/");
    await expect(writingAs(inRoom)).toHaveAttribute("readonly");
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(0);
    for (const person of [inRoom, home]) await person.page.evaluate(() => (window.mark = "old"));
    return { room, inRoom, home, phone };
  };

  test("whoever is signed out everywhere is a guest on every page at once, and nothing goes round in circles", async ({
    webchat,
    come,
  }) => {
    const { room, inRoom, home, phone } = await at(webchat, come);
    const streams: string[] = [];
    inRoom.page.context().on("request", (request) => request.resourceType() === "eventsource" && streams.push(request.url()));
    const answer = await phone.page.context().request.post("/profile/sign-out/", { headers: { Accept: "application/json" } });
    expect(answer.status()).toBe(204);
    await expect(writingAs(inRoom)).not.toHaveAttribute("readonly");
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(1);
    await inRoom.live();
    // The page is who it says it is, and stays.
    await writingAs(inRoom).fill("just me");
    await inRoom.say("as a guest");
    await expect(inRoom.pending).toHaveCount(0);
    await expect(inRoom.bodies).toHaveText(["as a guest"]);
    await inRoom.page.evaluate(() => (window.mark = "new"));
    for (let n = 0; n < 5; n++) {
      await webchat.post(room, "grace", `news ${n}`);
      await expect(inRoom.bodies.last()).toHaveText(`news ${n}`);
    }
    expect(await inRoom.page.evaluate(() => window.mark)).toBe("new");
    expect(streams.length).toBeLessThan(8);
  });

  test("a page out of sight hears of it, too, though it needs nothing", async ({ webchat, come }) => {
    const { home, phone } = await at(webchat, come);
    // A browser under test never hides a page: the page is told.
    await home.page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    });
    const answer = await phone.page.context().request.post("/profile/sign-out/", { headers: { Accept: "application/json" } });
    expect(answer.status()).toBe(204);
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(1);
  });

  test("whoever changes the password stays signed in on the pages of that browser", async ({ webchat, come }) => {
    const { room, inRoom, home, phone } = await at(webchat, come);
    await phone.enter(room);
    const form = { old: "secret", new: "secret 2" };
    const { request } = inRoom.page.context();
    const answer = await request.post("/profile/password/", { form, headers: { Accept: "text/html" }, maxRedirects: 0 });
    expect(answer.status()).toBe(303);
    for (const { page } of [inRoom, home, phone]) await page.waitForFunction(() => !window.mark && window.alive);
    await expect(writingAs(inRoom)).toHaveAttribute("readonly");
    await expect(home.page.locator("a[href^='/login']")).toHaveCount(0);
    await expect(writingAs(phone)).not.toHaveAttribute("readonly");
    await inRoom.live();
    await inRoom.say("still me");
    await expect(inRoom.messages.last().getByText("registered")).toBeVisible();
  });
});
