// Answers that the server did not write: of firewalls, proxies and captive portals.

import { type Route } from "@playwright/test";
import { expect, test, type User } from "../../support/webchat";

/** Answers each post with what `answer` says about its text; `null` lets it through. */
async function answerPosts(
  user: User,
  answer: (text: string) => Parameters<Route["fulfill"]>[0] | null,
): Promise<void> {
  await user.page.route("**/messages/", async (route) => {
    const request = route.request();
    const found = request.method() === "POST" ? answer(request.postData() ?? "") : null;
    if (found) await route.fulfill({ contentType: "text/html", body: "<h1>No</h1>", ...found });
    else await route.continue();
  });
}

test("a message that a firewall refuses says so, lets the later ones go and can be changed", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await answerPosts(ada, (text) =>
    text.includes("<script>") ? { status: 403 } : text.includes("long") ? { status: 413 } : null,
  );
  await ada.send("<script> is a word");
  await ada.send("far too long");
  await ada.send("fine");
  await expect(ada.log.getByRole("alert")).toHaveText([
    /^Not sent\. Something between .* firewall \(status 403\)\./,
    /^Not sent\. .* \(status 413\)\./,
  ]);
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["fine"]);
  await expect(ada.connectionStatus, "the room is not in doubt").toHaveText("Live");

  await ada.messageField.fill("half a thought");
  const [first, second] = ["<script>", "too long"].map((hasText) =>
    ada.messages.filter({ hasText }),
  );
  await first.getByRole("button", { name: "Edit" }).click();
  await expect(ada.messageField).toHaveValue("<script> is a word\nhalf a thought");
  await expect(ada.messageField).toBeFocused();
  await expect(first).toHaveCount(0);
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.messageField).toHaveValue("<script> is a word\nhalf a thought");
  await ada.send("a word and half a thought");
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["fine", "a word and half a thought"]);

  await ada.page.unroute("**/messages/");
  await second.getByRole("button", { name: "Send again" }).click();
  await expect(ada.log.getByRole("alert")).toHaveCount(0);
  await expect.poll(async () => (await webchat.messageTexts(room)).at(-1)).toBe("far too long");
});

test("a message that was delivered before a firewall refused its repetition is delivered", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  let attempts = 0;
  await ada.page.route("**/messages/", async (route) => {
    attempts += 1;
    if (attempts > 1) return route.fulfill({ status: 403, body: "<h1>No</h1>" });
    await route.fetch();
    await route.abort("connectionreset");
  });
  await ada.send("once");
  await expect.poll(() => attempts).toBe(2);
  await ada.send("twice");
  await expect(ada.log.getByRole("alert")).toHaveText([/status 403/]);
  await expect(ada.messageBodies).toHaveText(["once", "twice"]);
  await ada.page.reload();
  await ada.waitUntilLive();
  await expect(ada.log.getByRole("alert")).toHaveText([/status 403/]);
  expect(await webchat.messageTexts(room)).toEqual(["once"]);
});

test("a message is sent again after an answer that may change, and no Retry-After stops it", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const date = (seconds: number) => new Date(Date.UTC(2099, 0, 1) + seconds * 1000).toUTCString();
  const tooMany = (after: string) => ({
    status: 429,
    headers: { "Retry-After": after, Date: date(0) },
  });
  const answers = [
    { status: 200 },
    { status: 502 },
    tooMany("99999999999999999999"),
    tooMany("-99999999999999999999"),
    tooMany("the day after tomorrow, 25:61 GMT"),
    tooMany(date(100)),
    tooMany("Sat, 13 Sep 275760 00:00:00 GMT"),
  ];
  const shown = [
    /^1 waiting$/,
    /^1 waiting$/,
    /going on in (300|2\d\d) s$/,
    /going on in \d+ s$/,
    /going on in \d+ s$/,
    /going on in (100|9\d) s$/,
    /going on in (300|2\d\d) s$/,
  ];
  let attempts = 0;
  await answerPosts(ada, () => answers[attempts++] ?? null);
  await ada.send("patience");
  for (const [at, text] of shown.entries()) {
    await expect.poll(() => attempts).toBe(at + 1);
    await expect(ada.page.locator(".queue-status")).toHaveText(text);
    await ada.page.evaluate(() => window.dispatchEvent(new Event("online")));
  }
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect.poll(() => webchat.messageTexts(room)).toEqual(["patience"]);
});
