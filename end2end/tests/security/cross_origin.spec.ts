// What a page of another origin cannot do.

import { expect, test } from "../../support/webchat";

test("a page of another origin can neither frame a room nor post to it", async ({
  webchat,
  openBrowser,
  page,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  const answer = await ada.page.goto(room);
  expect(answer?.headers()["content-security-policy"]).toMatch(/frame-ancestors 'none'/);
  await page.route("http://other.test/", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<iframe src="${webchat.url}${room}"></iframe>`,
    }),
  );
  await page.goto("http://other.test/");
  await expect(page.frameLocator("iframe").getByRole("log")).toHaveCount(0);
  const sent = await page.evaluate(async (url) => {
    const headers = { "Content-Type": "application/json" };
    const message = JSON.stringify({ username: "mallory", body: "from elsewhere" });
    return fetch(url, { method: "POST", headers, body: message }).then(
      () => "sent",
      () => "refused",
    );
  }, `${webchat.url}${room}messages/`);
  expect(sent).toBe("refused");
  expect(await webchat.messageTexts(room)).toEqual([]);
});
