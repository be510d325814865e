// The print style sheet.

import { join, resolve } from "node:path";
import { createSampleRoom } from "../../support/sample_room";
import { expect, test } from "../../support/webchat";

const artefacts = resolve(import.meta.dirname, "../../artefacts");

test("a printed room contains every loaded message in the light theme and no controls", async ({
  webchat,
  openBrowser,
}) => {
  const room = await createSampleRoom(webchat);
  for (let i = 1; i <= 40; i++) await webchat.postMessage(room, "grace", `Cup number ${i}`);
  const ada = await openBrowser("ada", { colorScheme: "dark" });
  await ada.openRoom(room);
  await ada.page.emulateMedia({ media: "print" });
  for (const message of [ada.messages.first(), ada.messages.last()])
    await expect(message).toBeVisible();
  await expect(ada.page.getByRole("button").and(ada.page.locator(":visible"))).toHaveCount(0);
  await expect(ada.messageField).toBeHidden();
  expect(await ada.log.evaluate((log) => log.scrollHeight - log.clientHeight)).toBeLessThanOrEqual(
    1,
  );
  expect(
    await ada.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme),
  ).toBe("light");
  await ada.page.screenshot({ path: join(artefacts, "paper.png"), fullPage: true });
});
