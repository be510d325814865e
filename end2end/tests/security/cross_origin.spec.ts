// Pages of other origins.

import { expect, test } from "../../support/webchat";

test("a page of another origin can neither frame a room nor post to it", async ({
  webchat,
  come,
  page,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
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
  expect(await webchat.said(room)).toEqual([]);
});
