// A text that is too long for one message is offered as several ones.

import { expect, test } from "../../support/webchat";

test("a text that is too long is sent as several messages, with its code block whole", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const offer = ada.page.getByRole("button", { name: /^Send as/ });
  const code = `\`\`\`rust\n${"let a = 1;\n".repeat(200)}\`\`\``;
  const text = `${"some words\n".repeat(300)}\n${code}\nend`;
  await ada.messageField.fill("short");
  await expect(offer).toBeHidden();
  await ada.messageField.fill(text);
  await expect(offer).toHaveText("Send as 2 messages");
  // Enter still refuses, and the text stays for editing.
  await ada.messageField.press("Enter");
  await expect(ada.page.getByRole("alert").filter({ hasText: "too many" })).toBeVisible();
  await expect(ada.messageField).toHaveValue(text);
  await offer.click();
  await expect(ada.messageField).toHaveValue("");
  await expect(ada.log.locator("article:not(.pending)")).toHaveCount(2);
  const sent = await webchat.messageTexts(room);
  expect(sent).toEqual([text.slice(0, text.indexOf("\n```")).trimEnd(), `${code}\nend`]);
  await expect(ada.messageBodies.last().locator("pre")).toHaveCount(1);
});

test("a text that is far too long, or edited, is only refused", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const offer = ada.page.getByRole("button", { name: /^Send as/ });
  await ada.messageField.fill("word ".repeat(1_000));
  await expect(offer).toHaveText("Send as 2 messages");
  await ada.messageField.fill("word ".repeat(20_000));
  await expect(offer).toBeHidden();
  await ada.messageField.fill("");
  await ada.send("hello");
  await expect(ada.log.locator("article.own:not(.pending)")).toHaveCount(1);
  await ada.messageField.press("ArrowUp");
  await expect(ada.messageField).toHaveValue("hello");
  await ada.messageField.fill("word ".repeat(1_000));
  await expect(ada.page.locator(".character-count")).toHaveText(/too many/);
  await expect(offer).toBeHidden();
});
