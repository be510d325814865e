// A translator that replaces texts while the app runs, as those of browsers do.

import { expect, test, type User } from "../../support/webchat";

declare global {
  interface Window {
    /** Puts the original texts back. */
    showOriginal: () => void;
  }
}

/**
 * Replaces every text of the page by `<font>` elements with the text in capital letters, now and
 * after each change; `inTwoSteps` inserts them before the text and then removes it.
 */
function translate(inTwoSteps: boolean) {
  const originals = new Map<Element, Text>();
  const translateIn = (root: Node) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = root instanceof Text ? [root] : [];
    while (walker.nextNode()) found.push(walker.currentNode as Text);
    for (const text of found) {
      const parent = text.parentElement;
      if (!text.data.trim() || !parent || parent.closest("font, script, textarea")) continue;
      if (!parent.translate) continue;
      const font = document.createElement("font");
      const inner = document.createElement("font");
      inner.textContent = text.data.toUpperCase();
      font.append(inner);
      originals.set(font, text);
      if (!inTwoSteps) text.replaceWith(font);
      else {
        text.before(font);
        text.remove();
      }
    }
  };
  const observer = new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records) {
      if (type === "characterData" && target.isConnected) translateIn(target);
      for (const node of addedNodes) if (node.isConnected) translateIn(node);
    }
  });
  translateIn(document.body);
  observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  window.showOriginal = () => {
    observer.disconnect();
    for (const [font, text] of originals) if (font.isConnected) font.replaceWith(text);
  };
}

const edit = async (user: User, room: string, id: number, body: string) => {
  const answer = await user.page.context().request.patch(`${room}messages/${id}/`, {
    form: { body },
  });
  expect(answer.status()).toBe(200);
};

for (const form of ["at once", "in two steps"]) {
  test(`changes reach a page whose texts are replaced ${form}`, async ({
    webchat,
    openBrowser,
  }) => {
    const room = await webchat.createRoom({ timeout: "2h" });
    const ada = await openBrowser("ada");
    await ada.installClock();
    await ada.openRoom(room);
    for (const text of ["one", "see https://example.org/ now", "three"]) {
      await ada.send(text);
      await expect(ada.messageBodies.last()).toHaveText(text);
      await expect(ada.pendingMessages).toHaveCount(0);
    }
    await expect(ada.page.locator(".participant-name").first()).toBeAttached();
    await ada.page.evaluate(translate, form === "in two steps");
    await expect(ada.messageBodies).toHaveText([
      "ONE",
      "SEE HTTPS://EXAMPLE.ORG/ NOW",
      "THREE",
    ]);
    await expect(ada.connectionStatus).toHaveText("LIVE");

    await edit(ada, room, 1, "changed");
    await edit(ada, room, 2, "no link");
    await expect(ada.messageBodies).toHaveText(["CHANGED", "NO LINK", "THREE"]);
    await edit(ada, room, 1, "changed again");
    await edit(ada, room, 2, "a link https://example.org/x");
    await expect(ada.messageBodies).toHaveText([
      "CHANGED AGAIN",
      "A LINK HTTPS://EXAMPLE.ORG/X",
      "THREE",
    ]);

    await webchat.postJson(`${room}typing/`, { username: "linus" });
    await expect(ada.page.locator(".typing")).toHaveText(/LINUS.* IS TYPING…/i);
    await webchat.postMessage(room, "linus", "four");
    await expect(ada.messageBodies.last()).toHaveText("FOUR");
    await expect(ada.page.locator(".typing")).toHaveText("");

    const left = ada.page.locator(".room-header .time-left-text, .room-status").first();
    await expect(left).toContainText(/2 H|1 H/);
    await ada.page.clock.fastForward("45:00");
    await expect(left).toContainText(/1 H/);
    await expect(left).not.toContainText(/2 H/);

    const deleted = await ada.page.context().request.delete(`${room}messages/3/`);
    expect(deleted.ok()).toBe(true);
    await expect(ada.messageBodies.nth(2)).toHaveText(/DELETED/);

    await ada.page.context().setOffline(true);
    await expect(ada.connectionStatus).toHaveText("OFFLINE");
    await ada.page.context().setOffline(false);
    await expect(ada.connectionStatus).toHaveText("LIVE");

    await ada.page.evaluate(() => window.showOriginal());
    await expect(ada.messageBodies).toHaveText([
      "changed again",
      "a link https://example.org/x",
      /deleted/,
      "four",
    ]);
    await expect(ada.connectionStatus).toHaveText("Live");
    await edit(ada, room, 1, "the end");
    await expect(ada.messageBodies.first()).toHaveText("the end");
  });
}
