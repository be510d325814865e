// The composer: keys, character count and drafts.

import { expect, test } from "../../support/webchat";

test("Shift+Enter inserts a line break, and the field grows and shrinks with its text", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const [ada, grace] = [await come("ada"), await come("grace")];
  await ada.enter(room);
  await grace.enter(room);
  const height = async () => (await ada.field.boundingBox())?.height ?? 0;
  const low = await height();
  await ada.field.pressSequentially("roses are red");
  for (const line of ["violets are blue", "", "  four"]) {
    await ada.field.press("Shift+Enter");
    await ada.field.pressSequentially(line);
  }
  expect(await height()).toBeGreaterThan(low + 48);
  await ada.field.press("Enter");
  await expect(grace.bodies).toHaveCount(1);
  expect(await grace.bodies.innerText()).toBe("roses are red\nviolets are blue\n\n  four");
  expect(await height()).toBe(low);
});

test("the button sends, and white space alone is not sent", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.say("   \t ");
  await ada.field.fill("by the button");
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(ada.bodies).toHaveText(["by the button"]);
  await expect(ada.field).toBeFocused();
  await expect.poll(() => webchat.said(room)).toEqual(["by the button"]);
});

test("Enter that ends an IME composition does not send", async ({ webchat, come }) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.field.fill("にほん");
  await ada.field.dispatchEvent("keydown", { key: "Enter", isComposing: true });
  // One browser has ended the composition by then, and tells by the code of the key.
  await ada.field.dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
  await expect(ada.field).toHaveValue("にほん");
  await ada.field.press("Enter");
  await expect(ada.bodies).toHaveText(["にほん"]);
  await expect.poll(() => webchat.said(room)).toEqual(["にほん"]);
});

test("the field counts characters near the limit, and keeps an overlong message unsent", async ({
  webchat,
  come,
}) => {
  const room = await webchat.room();
  const ada = await come("ada");
  await ada.enter(room);
  await ada.field.fill("é".repeat(3_990));
  await expect(ada.page.getByText("10 left")).toBeVisible();
  // Counted as people do: a pictogram is one, not two.
  await ada.say("😀".repeat(4_001));
  await expect(ada.page.getByText("1 too many", { exact: true })).toBeVisible();
  await expect(
    ada.page.getByRole("alert").filter({ hasText: "at most 4000 characters" }),
  ).toBeVisible();
  expect(await webchat.said(room)).toEqual([]);
  await ada.say("😀".repeat(4_000));
  await expect.poll(() => webchat.said(room)).toEqual(["😀".repeat(4_000)]);
});

test("each room keeps its draft across reloads", async ({ webchat, come }) => {
  const [tea, rum] = [await webchat.room(), await webchat.room()];
  const ada = await come("ada");
  await ada.enter(tea);
  await ada.field.fill("half a thought\non two lines");
  await ada.page.reload();
  await ada.live();
  await expect(ada.field).toHaveValue("half a thought\non two lines");
  await ada.enter(rum);
  await expect(ada.field).toHaveValue("");
  await ada.enter(tea);
  await ada.field.press("Control+End");
  await ada.field.pressSequentially(", whole now");
  await ada.field.press("Enter");
  await expect(ada.bodies).toHaveText(["half a thought\non two lines, whole now"]);
  await ada.page.reload();
  await ada.live();
  await expect(ada.field).toHaveValue("");
});
