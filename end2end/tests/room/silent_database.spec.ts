// A browser whose database never answers.

import { expect, test, type User } from "../../support/webchat";

/** From the next load on, the database does not answer, until `answering` is stored in the tab. */
const silenceDatabase = (user: User) =>
  user.page.context().addInitScript(() => {
    if (sessionStorage.getItem("answering")) return;
    IDBFactory.prototype.open = () =>
      ({
        get result(): never {
          throw new DOMException("pending", "InvalidStateError");
        },
      }) as unknown as IDBOpenDBRequest;
  });

const localRecords = (user: User) =>
  user.page.evaluate(
    () => Object.keys(localStorage).filter((key) => key.startsWith("outbox/")).length,
  );

test("messages are sent once without the database and survive a reload", async ({
  webchat,
  openBrowser,
}) => {
  const room = await webchat.createRoom();
  const ada = await openBrowser("ada");
  await silenceDatabase(ada);
  await ada.openRoom(room);
  await ada.send("one");
  await ada.send("two");
  await expect(ada.pendingMessages).toHaveCount(0);
  expect(await webchat.messageTexts(room)).toEqual(["one", "two"]);

  const context = ada.page.context();
  let answered = false;
  await context.route("**/messages/", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    await route.fetch();
    answered = true;
    await route.abort("connectionreset");
  });
  await ada.send("three");
  await expect.poll(() => answered).toBe(true);
  await context.unroute("**/messages/");
  await context.route("**/messages/", (route) => route.abort());
  await ada.send("four");
  await expect(ada.pendingMessages).toHaveCount(1);
  await expect.poll(() => localRecords(ada)).toBe(2);
  await ada.page.reload();
  await expect(ada.messageBodies).toHaveText(["one", "two", "three", "four"]);
  await expect(ada.pendingMessages).toHaveText([/four/]);

  await ada.page.evaluate(() => sessionStorage.setItem("answering", "yes"));
  await context.unroute("**/messages/");
  await ada.page.reload();
  await expect(ada.pendingMessages).toHaveCount(0);
  await expect.poll(() => localRecords(ada)).toBe(0);
  await expect(ada.messageBodies).toHaveText(["one", "two", "three", "four"]);
  expect(await webchat.messageTexts(room)).toEqual(["one", "two", "three", "four"]);
});
