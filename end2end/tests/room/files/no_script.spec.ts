// Files without a script: the form sends them, and the page shows them.

import { picture, textFile } from "../../../support/files";
import { expect, test } from "../../../support/webchat";

test("the plain form sends files, with a text or without", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada", { javaScriptEnabled: false });
  await ada.page.goto(room);
  const attach = ada.page.getByLabel("Attach files");
  const send = ada.page.getByRole("button", { name: "Send", exact: true });
  await attach.setInputFiles([textFile("one.txt"), picture("two.png", 30, 20)]);
  await ada.messageField.fill("both");
  await send.click();
  await expect(ada.messages).toHaveText([/both/]);
  await expect(ada.log.locator("message-files")).toHaveCount(1);
  await attach.setInputFiles(textFile("three.txt"));
  await send.click();
  await expect(ada.log.locator(".file-name").last()).toHaveText("three.txt");
  await ada.messageField.fill("no file");
  await send.click();
  await expect(ada.messages.last()).toHaveText(/no file/);
});

test.describe("where a server takes no files", () => {
  test.use({ flags: ["--files", "off"] });

  test("the same form sends texts", async ({ webchat, openBrowser }) => {
    const room = await webchat.createRoom();
    const ada = await openBrowser("ada", { javaScriptEnabled: false });
    await ada.page.goto(room);
    await ada.messageField.fill("hello");
    await ada.page.getByRole("button", { name: "Send", exact: true }).click();
    await expect(ada.messages).toHaveText([/hello/]);
  });
});
