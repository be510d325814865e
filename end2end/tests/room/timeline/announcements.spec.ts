// Screen reader announcements: the log announces each new message once, and no history.

import { expect, test } from "../../../support/webchat";

test("the log is silent while older messages load", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  for (let i = 1; i <= 130; i++) await webchat.postMessage(room, "grace", `number ${i}`);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await expect(ada.log).toHaveAttribute("aria-live", "polite");
  await expect(ada.log).toHaveAccessibleName("Messages");
  const changes = await ada.log.evaluateHandle((log) => {
    const seen: string[] = [];
    new MutationObserver(() => seen.push(log.getAttribute("aria-live") ?? "")).observe(log, {
      attributes: true,
      childList: true,
      subtree: true,
    });
    return seen;
  });
  await ada.log.evaluate((log) => (log.scrollTop = -log.scrollHeight));
  await expect(ada.messageBodies).toHaveCount(130);
  expect(await changes.evaluate((seen) => seen[0]), "silent before the first row is drawn").toBe(
    "off",
  );
  await expect(ada.log).toHaveAttribute("aria-live", "polite");
});

test("rows that are drawn again are not announced", async ({ webchat, openBrowser }) => {
  test.setTimeout(120_000);
  const room = await webchat.createRoom();
  for (let i = 1; i <= 650; i++) await webchat.postMessage(room, "grace", `number ${i}`);
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  const said = await ada.log.evaluateHandle((log) => {
    const seen: string[] = [];
    const note = (node: Node) =>
      node.nodeName === "ARTICLE" && log.ariaLive !== "off" && seen.push(node.textContent ?? "");
    new MutationObserver((changes) =>
      changes.forEach((change) => change.addedNodes.forEach(note)),
    ).observe(log, { childList: true, subtree: true });
    return seen;
  });
  const to = (text: string, up: boolean) =>
    expect
      .poll(
        async () => {
          await ada.log.evaluate((log, up) => (log.scrollTop = up ? -log.scrollHeight : 0), up);
          return ada.messageBodies.allTextContents();
        },
        { intervals: [50], timeout: 30_000 },
      )
      .toContain(text);
  await to("number 1", true);
  await to("number 650", false);
  await to("number 1", true);
  await ada.page.getByRole("button", { name: "Newest" }).click();
  await expect(ada.messageBodies.last()).toHaveText("number 650");
  await expect(ada.log).toHaveAttribute("aria-live", "polite");
  await webchat.postMessage(room, "grace", "news");
  await expect(ada.messageBodies.last()).toHaveText("news");
  expect(await said.jsonValue()).toEqual([expect.stringContaining("news")]);
});

test("a sent message is announced once", async ({ webchat, openBrowser }) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await ada.openRoom(room);
  await ada.send("before");
  await expect(ada.pendingMessages).toHaveCount(0);
  const announced = await ada.log.evaluateHandle((log) => {
    const seen: string[] = [];
    const note = (node: Node) => {
      const at = node instanceof HTMLElement ? node : node.parentElement;
      const polite =
        at?.checkVisibility() && at.closest("[aria-live]")?.getAttribute("aria-live") === "polite";
      if (polite && node.textContent) seen.push(node === at ? at.innerText : node.textContent);
    };
    new MutationObserver((changes) =>
      changes.forEach((change) => change.addedNodes.forEach(note)),
    ).observe(log, { childList: true, subtree: true });
    return seen;
  });
  await ada.send("hello");
  await expect(ada.messageBodies).toHaveText(["before", "hello"]);
  await expect(ada.pendingMessages).toHaveCount(0);
  await webchat.postMessage(room, "grace", "hello, ada");
  await expect(ada.messageBodies).toHaveCount(3);
  expect(await announced.jsonValue()).toEqual([
    expect.stringContaining("hello"),
    expect.stringContaining("hello, ada"),
  ]);
});
