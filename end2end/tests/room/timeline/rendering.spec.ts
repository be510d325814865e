// Rendering of messages: links, emoji, groups and copied text.

import { createSampleRoom } from "../../../support/sample_room";
import { expect, test } from "../../../support/webchat";

test("only web and e-mail addresses become links, with noopener and nofollow", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const grace = await openBrowser("grace");
  await ada.openRoom(room);
  await grace.openRoom(room);
  const text =
    "see https://example.org/a_(b)?q=1&r=2#c, http://[::1]:8080/; not javascript:alert(1), but www.example.org, a.b@example.org";
  await ada.send(text);
  await expect(grace.messageBodies).toHaveText([text]);
  const links = grace.messageBodies.getByRole("link");
  await expect(links).toHaveText([
    "https://example.org/a_(b)?q=1&r=2#c",
    "http://[::1]:8080/",
    "www.example.org",
    "a.b@example.org",
  ]);
  const prefixes = ["", "", "http://", "mailto:"];
  for (const [index, link] of (await links.all()).entries()) {
    await expect(link).toHaveAttribute("rel", /noopener.*nofollow/);
    await expect(link).toHaveAttribute("target", "_blank");
    const address = prefixes[index] + (await link.innerText());
    expect(await link.getAttribute("href")).toBe(address);
  }
});

test("a message of emoji alone is larger", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  for (const text of ["👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽", "👍 yes", "plain"]) {
    await ada.send(text);
    await expect(ada.messageBodies.last()).toHaveText(text);
  }
  const sizes = await ada.messageBodies.evaluateAll((all) =>
    all.map((body) => parseFloat(getComputedStyle(body).fontSize)),
  );
  expect(sizes[0]).toBeGreaterThan(sizes[1]);
  expect(sizes[1]).toBe(sizes[2]);
});

test("consecutive messages of one author within a minute share one name and time", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const sent = [];
  for (const [name, text] of [
    ["ada", "1"],
    ["ada", "2"],
    ["grace", "3"],
    ["ada", "4"],
  ]) {
    sent.push(await webchat.postMessage(room, name, text));
  }
  const ada = await openBrowser("ada", { timezoneId: "Asia/Kolkata", locale: "en-GB" });
  await ada.openRoom(room);
  const minutes = new Set(sent.slice(0, 2).map((message) => message.sent_at.slice(0, 16)));
  await expect(ada.log.locator(".author")).toHaveText(
    minutes.size === 1 ? ["ada", "grace", "ada"] : ["ada", "ada", "grace", "ada"],
  );
  await expect(ada.log.locator(".day-separator")).toHaveCount(1);
  const time = ada.log.locator("time").first();
  await expect(time).toHaveAttribute("datetime", sent[0].sent_at);
  const local = new Date(Date.parse(sent[0].sent_at) + 5.5 * 3_600_000).toISOString().slice(11, 16);
  await expect(time, "in the reader's time zone").toHaveText(local);
  await expect(time).toHaveAttribute("title", new RegExp(`${local}`));
});

test("text copied from the log contains the messages and no decoration", async ({
  webchat,
  openBrowser,
}) => {
  const room = await createSampleRoom(webchat);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const copied = await ada.log.evaluate(
    (log) => (getSelection()?.selectAllChildren(log), getSelection()?.toString() ?? ""),
  );
  expect(copied).toContain("Shall we try the new kettle today?");
  // The avatar's letter and the author's verification mark.
  for (const sign of [/^A$/m, /unverified/]) expect(copied).not.toMatch(sign);
});

test("text copied from the log has name, time and text of a message, but no buttons", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  await webchat.postMessage(room, "grace", "Which kettle?\nThe green one?");
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const problem = { type: "about:blank", title: "Forbidden", status: 403, detail: "not today" };
  await ada.page.route("**/messages/", (route) =>
    route.fulfill({ status: 403, json: problem, contentType: "application/problem+json" }),
  );
  await ada.send("The blue one");
  await expect(ada.page.getByRole("button", { name: "Send again" })).toBeVisible();
  const copied = await ada.log.evaluate(
    (log) => (getSelection()?.selectAllChildren(log), getSelection()?.toString() ?? ""),
  );
  const lines = copied.split(/\n+/);
  const time = expect.stringMatching(/^\d\d?:\d\d/);
  const first = ["grace", time, "Which kettle?", "The green one?"];
  const second = ["ada", time, "The blue one", "Not sent. Not today"];
  expect(lines.slice(-8)).toEqual([...first, ...second]);
});
