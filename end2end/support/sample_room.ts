// A room with varied messages, for screenshots and layout checks.

import { type User, type Webchat } from "./webchat";

export const sampleMessages = [
  ["ada", "Shall we try the new kettle today?"],
  ["grace", "Yes. The old one takes four minutes, and I have timed it."],
  ["grace", "Twice"],
  ["linus", "Numbers: https://example.org/kettles?sort=minutes\n\n1. old: 4:02\n2. new: 2:47"],
  ["ada", "👍"],
  ["李小龙", "茶好了。我带了一些乌龙茶，还有几块饼干，够大家一起吃。"],
  [
    "Countess Ada of Lovelace the 1st",
    "A long word wraps: Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft, and so does a long sentence that goes on for so many words that no line of a readable measure could hold it.",
  ],
  ["grace", "שלום לכולם, התה מוכן"],
  ["ada", "On my way"],
];

export async function createSampleRoom(webchat: Webchat): Promise<string> {
  const room = await webchat.createRoom({ name: "Tea at four", public: true });
  for (const [name, text] of sampleMessages) await webchat.postMessage(room, name, text);
  return room;
}

/** Signs ada in and returns the tokens of three other accounts. */
export async function createAccounts(ada: User, webchat: Webchat): Promise<string[]> {
  await webchat.createAccount("ada", "Ada Lovelace");
  await ada.signIn();
  const others = [];
  for (const [username, name] of [
    ["bob", "Bob"],
    ["grace", "Grace Brewster Murray Hopper, Rear Admiral, the one of the bug"],
    ["linus_t", "Linus"],
  ]) {
    others.push(await webchat.createAccount(username, name));
  }
  return others;
}
