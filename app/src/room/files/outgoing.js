// The messages with files that wait to be sent.
//
// Guarantees: a message and the bytes of its files are in the browser's database before the first byte is sent, and a message is sent once,
// under one idempotency key, whatever ends in between: the page, the browser, the network, the server. Of all tabs one sends, in the
// order of writing. Where the browser cannot keep the bytes, the tab that has them sends them; if it ends before, the same
// files can be chosen again. What is cancelled leaves nothing on the server.
//
// Not here: how a file gets to the server (`upload.js`), and what is shown (`strip.js`).

import { fingerprint, isSameFile } from "./fingerprint.js";
import { Interruption, Refusal, request } from "./refusal.js";
import { sendPreview } from "./previews.js";
import { KEPT_MAX, loadBytes, loadMessages, putMessage, removeMessage, updateMessage } from "./storage.js";
import { discardFile, sendFile } from "./upload.js";

/** The longest pause between two attempts, in seconds. */
const LONGEST_PAUSE = 15;

/** How long a message that cannot be sent waits for its author, in milliseconds. */
const KEPT_FOR = 7 * 24 * 60 * 60 * 1_000;

/** The name of this tab among all. */
const TAB = crypto.getRandomValues(new Uint32Array(4)).join("");

/** The messages by their keys, in the order of writing. */
let messages = new Map();
/** The bytes that this tab has, by the IDs of files. */
const held = new Map();
/** The keys of messages that are not in the database yet, and of those that need not stay there. */
const unstored = new Set();
const dropped = new Set();
/** Counts the changes that this tab makes, so that an older read of the database is noticed. */
let version = 0;
/** How many bytes of a file the server has, by its ID. */
const sentBytes = new Map();
/** What this tab sends at the moment. */
let active;
let isSender = false;
let isWaiting = false;
let wake = () => undefined;
let prefix;
let tabs;
let onChange = () => undefined;

/** Starts. `show` is called after each change, and with the file and its bytes while one is sent. */
export function startSending(channel, show) {
  prefix = channel;
  onChange = show;
  addEventListener("online", () => wake());
  // A page that the browser keeps for Back must hold no lock and hear no channel.
  const hold = () => {
    const end = new AbortController();
    tabs = new BroadcastChannel(`${channel}/files`);
    tabs.onmessage = ({ data }) => hear(data);
    addEventListener("pagehide", () => {
      end.abort();
      tabs.close();
      tabs = undefined;
    }, { once: true });
    if (!navigator.locks) {
      isSender = true;
      return;
    }
    const lead = () => {
      isSender = true;
      reload();
      return new Promise((resolve) => end.signal.addEventListener("abort", resolve)).then(() => (isSender = false));
    };
    navigator.locks.request(`${channel}/files`, { signal: end.signal }, lead).catch(() => undefined);
  };
  hold();
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    hold();
    reload();
  });
  return reload();
}

/** The messages of a room that wait, in the order of writing. */
export const messagesOf = (room) =>
  [...messages.values()].filter((message) => message.room === room).sort((one, other) => one.written - other.written);

/** How many bytes of a file the server has. */
export const bytesSent = (id) => sentBytes.get(id) ?? 0;

/** Whether sending waits for the network or the server. */
export const isInterrupted = () => isWaiting;

/** Takes a message with files, each with its bytes in `blob`. */
export async function addMessage({ room, username, body, files }) {
  const latest = Math.max(0, ...[...messages.values()].map(({ written }) => written));
  const message = { key: randomKey(), room, username, body, written: Math.max(Date.now(), latest + 1), files: [] };
  for (const { blob, alt, original } of files) {
    const file = { id: randomKey(), name: blob.name, size: blob.size, alt, original };
    Object.assign(file, await fingerprint(blob));
    held.set(file.id, blob);
    message.files.push(file);
  }
  messages.set(message.key, message);
  await keep(message);
}

/** Stores a message with its bytes if there is space; else this tab is the one that sends it. */
async function keep(message) {
  unstored.add(message.key);
  const size = (files) => files.reduce((sum, file) => sum + file.size, 0);
  const others = [...messages.values()].filter(({ key, holder }) => key !== message.key && !holder);
  const isSmall = others.reduce((sum, { files }) => sum + size(files), size(message.files)) <= KEPT_MAX;
  const bytes = new Map(message.files.map(({ id }) => [id, held.get(id)]).filter(([, blob]) => blob));
  if (!isSmall || !(await putMessage(message, bytes))) {
    message.holder = TAB;
    message.isOnlyHere = !(await putMessage(message));
    navigator.locks?.request(`${prefix}/files/${TAB}`, { ifAvailable: true }, (lock) => lock && new Promise(() => undefined));
  }
  unstored.delete(message.key);
  version += 1;
  tell({ kind: "changed" });
  onChange();
  sendNext();
}

const tell = (word) => tabs?.postMessage(word);

function hear({ kind, key, id, sent }) {
  if (kind === "changed") reload();
  else if (kind === "progress") {
    sentBytes.set(id, sent);
    onChange(id);
  } else if (isOwner(messages.get(key))) kind === "cancel" ? cancel(key, id) : retry(key);
}

/** Whether this tab is the one that sends a message. */
const isOwner = (message) => message && (message.holder ? message.holder === TAB : isSender);

/** Reads what all tabs have stored. */
async function reload() {
  let found, lost, current;
  do {
    current = version;
    found = await loadMessages();
    if (!found) return;
    lost = await lostHolders(found);
  } while (current !== version);
  const before = messages;
  messages = new Map();
  for (const message of found.filter(({ key }) => !dropped.has(key))) {
    const isMine = active?.key === message.key || message.holder === TAB;
    const known = isMine ? before.get(message.key) : undefined;
    if ((message.failed || message.missing) && Date.now() - message.written > KEPT_FOR) {
      drop(message);
      continue;
    }
    if (lost.has(message.holder)) message.missing ??= message.files.find(({ sent }) => !sent)?.id;
    messages.set(message.key, known ?? message);
  }
  for (const [key, message] of before) if (message.isOnlyHere || unstored.has(key)) messages.set(key, message);
  onChange();
  sendNext();
}

/** The tabs that have ended with the bytes of a message. */
async function lostHolders(found) {
  const holders = new Set(found.map(({ holder }) => holder).filter((holder) => holder && holder !== TAB));
  if (holders.size > 0 && navigator.locks)
    for (const { name } of (await navigator.locks.query()).held) holders.delete(name.slice(`${prefix}/files/`.length));
  return holders;
}

/** Whether this tab can send a message now. */
const isReady = (message) => isOwner(message) && !message.failed && !message.missing && !unstored.has(message.key);

async function sendNext() {
  if (active) return;
  const next = [...messages.values()].find((message) => isReady(message));
  if (!next) return;
  active = { key: next.key, end: new AbortController() };
  let failures = 0;
  while (messages.has(next.key)) {
    try {
      await deliver(next, active.end.signal);
      await drop(next);
    } catch (error) {
      if (active.end.signal.aborted) {
        // A file was taken out, or the message was given up.
        active.end = new AbortController();
        failures = 0;
        continue;
      }
      if (error instanceof Interruption && (await isReadable(next))) {
        failures += 1;
        await pause(error.seconds ?? Math.min(2 ** failures, LONGEST_PAUSE));
        continue;
      }
      await fail(next, error);
      break;
    }
  }
  active = undefined;
  tell({ kind: "changed" });
  onChange();
  sendNext();
}

/** Sends the files of a message, and the message. */
async function deliver(message, signal) {
  for (const file of [...message.files]) {
    if (file.sent) continue;
    const blob = held.get(file.id) ?? (await loadBytes(file.id));
    if (!blob) throw new Missing(file.id);
    let told = 0;
    const onProgress = (sent) => {
      sentBytes.set(file.id, sent);
      onChange(file.id);
      if (Date.now() - told < 250 && sent < file.size) return;
      told = Date.now();
      tell({ kind: "progress", id: file.id, sent });
    };
    const onUrl = (url) => {
      file.url = url;
      updateMessage(message);
    };
    file.sent = await sendFile(message.room, file, blob, { onProgress, onUrl, signal });
    await updateMessage(message);
    await sendPreview(message.room, file, blob, signal);
  }
  const { username, body, files } = message;
  const sent = await post(message, { username, body, files: files.map(reference) }, signal);
  tellOwn(message.room, sent.client_id);
}

/** How a message names a file. */
const reference = ({ sent, alt }) => (alt ? { id: sent, alt } : sent);

async function post(message, content, signal) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": message.key };
  try {
    return await request("POST", `${message.room}messages/`, { headers, body: JSON.stringify(content), signal });
  } catch (error) {
    // The server deletes files that no message has had for a day: they are sent once more.
    if (error instanceof Refusal && !message.isRepeated && Date.now() - message.written > 3_600_000) {
      message.isRepeated = true;
      for (const file of message.files) file.sent = file.url = undefined;
      throw new Interruption();
    }
    throw error;
  }
}

/** Tells the pages of all tabs that a message is the visitor's own. */
function tellOwn(room, clientId) {
  const channel = new BroadcastChannel(prefix);
  channel.postMessage(["outbox", /([^/]+)\/$/.exec(room)[1], clientId]);
  channel.close();
}

/** The bytes of a file are nowhere. */
class Missing extends Error {
  constructor(id) {
    super("missing");
    this.id = id;
  }
}

/** Whether the bytes are still there: a file may have been changed or removed since it was chosen. */
async function isReadable(message) {
  for (const { id } of message.files.filter(({ sent }) => !sent)) {
    const blob = held.get(id);
    const isThere = !blob || (await blob.slice(0, 1).arrayBuffer().then(() => true, () => false));
    if (isThere) continue;
    held.delete(id);
    if (!(await loadBytes(id))) message.missing = id;
  }
  return !message.missing;
}

async function fail(message, error) {
  if (error instanceof Missing) message.missing = error.id;
  else if (!message.missing) message.failed = error.message;
  await updateMessage(message);
  version += 1;
}

/** Waits until the pause is over or the browser is online again. */
async function pause(seconds) {
  isWaiting = true;
  onChange();
  await new Promise((resolve) => {
    wake = resolve;
    setTimeout(resolve, seconds * 1_000);
  });
  isWaiting = false;
  onChange();
}

/** Removes a message that was sent or is given up. */
async function drop(message) {
  messages.delete(message.key);
  dropped.add(message.key);
  for (const { id } of message.files) {
    held.delete(id);
    sentBytes.delete(id);
  }
  await removeMessage(message);
}

/** Takes a file out of a message that waits; without files, the message is given up. */
export async function cancel(key, id) {
  const message = messages.get(key);
  // A message whose files have all arrived may have been posted already.
  if (!message || (!message.failed && message.files.every(({ sent }) => sent))) return;
  if (!isOwner(message) && !message.missing) return tell({ kind: "cancel", key, id });
  const taken = id ? message.files.filter((file) => file.id === id) : message.files;
  message.files = message.files.filter((file) => !taken.includes(file));
  if (active?.key === key) active.end.abort();
  wake();
  if (taken.some((file) => file.id === message.missing)) message.missing = undefined;
  if (message.files.length === 0) await drop({ key, files: taken });
  else await putMessage(message);
  version += 1;
  onChange();
  for (const file of taken) await discardFile(message.room, file);
  tell({ kind: "changed" });
  sendNext();
}

/** Sends a message again that was refused. */
export async function retry(key) {
  const message = messages.get(key);
  if (!message) return;
  if (!isOwner(message)) return tell({ kind: "retry", key });
  message.failed = undefined;
  await updateMessage(message);
  version += 1;
  tell({ kind: "changed" });
  onChange();
  sendNext();
}

/** Takes the bytes of a file that the browser has not kept; returns whether it is that file. */
export async function supply(key, id, blob) {
  const message = messages.get(key);
  const file = message?.files.find((file) => file.id === id);
  if (!file || !(await isSameFile(file, blob))) return false;
  held.set(id, blob);
  message.missing = message.files.find(({ id, sent }) => !sent && !held.has(id) && message.holder)?.id;
  message.holder = undefined;
  await keep(message);
  return true;
}

/** 128 random bits. */
const randomKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
