// The pages in the reader's language: chosen by the browser or by the reader, whole, and never mixed.

import { createOwnRoom } from "../../support/room_pages";
import { expect, test, type User } from "../../support/webchat";

const german = { locale: "de-DE" };

/** Every text and label of the app. */
const texts = (user: User) =>
  user.page.evaluate(() => {
    const app = document.getElementById("app");
    const labels = ["aria-label", "title", "placeholder"].flatMap((name) =>
      [...app!.querySelectorAll(`[${name}]`)].map((element) => element.getAttribute(name)),
    );
    return [app!.textContent, ...labels].join("\n");
  });

const language = (user: User) => user.page.locator("html").getAttribute("lang");

test("a browser that prefers German gets the home page and a room in German", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom({ name: "Tee", public: true });
  for (const text of ["eins", "zwei"]) await webchat.postMessage(room, "grace", text);
  const ada = await openBrowser("ada", german);
  await ada.visit("/");
  expect(await language(ada)).toBe("de");
  await expect(ada.page.getByRole("heading", { name: "Öffentliche Räume" })).toBeVisible();
  await expect(ada.page.getByText("2 Nachrichten")).toBeVisible();
  await expect(ada.page.getByText("Ein Raum wird gelöscht, wenn 1 Tag lang niemand schreibt.")).toBeVisible();

  await ada.page.getByRole("link", { name: /Tee/ }).click();
  await expect(ada.log.getByText("Heute")).toBeVisible();
  await ada.page.getByRole("textbox", { name: "Nachricht", exact: true }).fill("drei");
  await ada.page.getByRole("button", { name: "Senden", exact: true }).click();
  await expect(ada.messageBodies).toHaveText(["eins", "zwei", "drei"]);
  await ada.page.getByRole("button", { name: "Mehr" }).click();
  await ada.page.getByRole("link", { name: "Über diesen Raum" }).click();
  await expect(ada.page.getByRole("dialog", { name: "Über diesen Raum" })).toBeVisible();
  expect(await texts(ada)).not.toMatch(/\b(Write|Send|Close|Today|Messages|Rooms|left|ago)\b/);
});

test("what the server refuses is said in the language of the page", async ({ openBrowser }) => {
  const ada = await openBrowser("ada", german);
  await ada.visit("/");
  await ada.page.getByLabel("Name des Raums").fill("x".repeat(81));
  await ada.page.getByRole("button", { name: "Neuer Raum" }).click();
  await expect(ada.page.getByRole("alert").filter({ hasText: "muss 1 bis 80 Zeichen haben" })).toBeVisible();
  await ada.page.goto("/login");
  await ada.page.getByLabel("Benutzername").fill("nobody");
  await ada.page.getByLabel("Passwort").fill("secret");
  await ada.page.getByRole("button", { name: "Anmelden" }).click();
  await expect(ada.page.getByRole("alert")).toHaveText(
    "Es gibt kein Konto mit diesem Benutzernamen und Passwort.",
  );
});

test("why a room ends is said in the language of the page, also on a page that is open", async ({
  openBrowser,
}) => {
  const ada = await openBrowser("ada");
  const readers = [await openBrowser("bob", german), await openBrowser("carol", german)];
  const room = await createOwnRoom(ada);
  await ada.waitUntilLive();
  const [banned, reader] = readers;
  for (const user of readers) await user.openRoom(room);
  await banned.page.getByRole("textbox", { name: "Nachricht", exact: true }).fill("hello");
  await banned.page.keyboard.press("Enter");
  const id = await ada.messages.filter({ hasText: "hello" }).getAttribute("id");
  const sanction = { message: Number(id?.slice(1)), kind: "ban" };
  const answer = await ada.page.context().request.post(`${room}sanctions/`, { data: sanction });
  expect(answer.ok(), await answer.text()).toBe(true);
  await expect(banned.page.getByText("Du bist aus diesem Raum ausgeschlossen.")).toBeVisible();
  await ada.page.context().request.delete(room);
  await expect(reader.page.getByText("Wer ihn besitzt, hat ihn geschlossen.")).toBeVisible();
  expect(await texts(reader)).not.toMatch(/\b(This|room|deleted|Create)\b/);
});

test("a refused name and the field for a password are in the language of the page", async ({
  webchat,
  openBrowser,
}) => {
  await webchat.createAccount("ada");
  const ada = await openBrowser("ada", german);
  await ada.openRoom(await webchat.createRoom());
  await ada.page.getByRole("textbox", { name: "Nachricht", exact: true }).fill("hallo");
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.getByRole("button", { name: "ada2 verwenden" })).toBeVisible();
  await ada.page.goto("/login");
  const button = (name: string) => ada.page.getByRole("button", { name, exact: true });
  await expect(button("Passwort zeigen").getByText("Zeigen", { exact: true })).toBeVisible();
  await button("Passwort zeigen").click();
  await expect(button("Passwort verbergen").getByText("Verbergen", { exact: true })).toBeVisible();
});

test("the reader's choice comes before the browser's, also without a script", async ({
  openBrowser,
}) => {
  const ada = await openBrowser("ada", { ...german, javaScriptEnabled: false });
  await ada.page.goto("/");
  await ada.page.getByRole("link", { name: "Sprache" }).click();
  await ada.page.getByLabel("English").check();
  await ada.page.getByRole("button", { name: "Speichern" }).click();
  await expect(ada.page).toHaveURL("/");
  expect(await language(ada)).toBe("en");
  await ada.page.getByRole("link", { name: "Language" }).click();
  await expect(ada.page.getByLabel("English")).toBeChecked();
  await ada.page.getByLabel("As the browser").check();
  await ada.page.getByRole("button", { name: "Save" }).click();
  expect(await language(ada)).toBe("de");
});

test("times have 12 or 24 hours as the reader has them", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "hello");
  for (const [locale, form] of [
    ["en-US", /^\d{1,2}:\d\d\s[AP]M$/],
    ["en-GB", /^\d\d:\d\d$/],
    ["de-DE", /^\d\d:\d\d$/],
    // No German, but the hours of the United States.
    ["es-US", /^\d{1,2}:\d\d\s[AP]M$/],
  ] as const) {
    const reader = await openBrowser("ada", { locale, timezoneId: "America/New_York" });
    await reader.openRoom(room);
    await expect(reader.log.locator("time")).toHaveText(form);
    await reader.close();
  }
});

for (const [fault, answer] of Object.entries({
  "is missing": { status: 404, body: "not here" },
  "is broken": { status: 200, body: '{"plurals":["one","other"],"te' },
  "has other texts": { status: 200, body: '{"plurals":["one","other"],"texts":["a","b"]}' },
})) {
  test(`a catalogue that ${fault}: the page goes on in English`, async ({ webchat, openBrowser }) => {
    const room = await webchat.createRoom({ name: "Tee" });
    await webchat.postMessage(room, "grace", "hello");
    const ada = await openBrowser("ada", german);
    ada.expectProblems(/changed before the app started/);
    await ada.page.route("**/pkg/de.*json", (route) => route.fulfill(answer));
    await ada.page.goto(room);
    await expect(ada.connectionStatus).toHaveText("Live");
    expect(await language(ada)).toBe("en");
    await expect(ada.log.getByText("Today")).toBeVisible();
    await ada.send("still here");
    await expect(ada.messageBodies).toHaveText(["hello", "still here"]);
    expect(await texts(ada)).not.toMatch(/\b(Heute|Senden|Nachricht|Räume)\b/);
  });
}

test("without any catalogue the page says that it does not work, and its forms do", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  ada.expectProblems(/./);
  await ada.page.route("**/pkg/*.json", (route) => route.abort());
  await ada.page.goto(room);
  await expect(ada.page.getByText("This page has stopped working")).toBeVisible();
  await ada.messageField.fill("by the form");
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(ada.messageBodies).toHaveText("by the form");
});

test("plural forms are those of the browser for every number", async ({ openBrowser }) => {
  const ada = await openBrowser("ada");
  await ada.visit("/");
  for (const tag of ["en", "de"]) {
    const differing = await ada.page.evaluate(async (tag) => {
      const names = (await (await fetch("/pkg/manifest.json")).json()) as Record<string, string>;
      const { plurals } = (await (await fetch(`/pkg/${names[`${tag}.json`]}`)).json()) as {
        plurals: string[];
      };
      const rules = new Intl.PluralRules(tag);
      const numbers = Array.from({ length: 1_001 }, (_, number) => number);
      return numbers.filter((number) => !plurals.includes(rules.select(number)));
    }, tag);
    expect(differing).toEqual([]);
  }
});
