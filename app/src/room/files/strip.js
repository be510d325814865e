// The files above the message field: those that the visitor has chosen, and those of messages that wait to be sent.
//
// Guarantees: nothing leaves the device before the visitor sends the message. A row stays the same element as long as it shows the same.
// Screen readers hear the progress of a file in quarters.

import { announce, button, element, iconButton } from "./dom.js";
import { addMessage, bytesSent, cancel, isInterrupted, messagesOf, retry, supply } from "./outgoing.js";
import { request } from "./refusal.js";
import { countText, kindText, label, sizeText, text } from "./texts.js";

/** The longest text of a message, in characters. */
const BODY_MAX = 4_000;
const PICTURE = /^image\/(jpeg|png|gif|webp|avif)$/;
/** The kinds whose metadata the server does not remove. */
const KEEPS_PLACE = /^video\/|^image\/(hei[cf]|tiff)/;
/** The longest description of a picture, in characters. */
const ALT_MAX = 500;
const CROSS = "M6 6l12 12M18 6L6 18";

/** The files that were chosen, by the paths of their rooms. */
const chosen = new Map();
/** Why files were not taken, by the paths of rooms. */
const errors = new Map();
/** How many quarters of a file were announced, by its ID. */
const announced = new Map();
/** The IDs of files that this tab has sent off. */
const own = new Set();
let limits;
let strip;

export function startStrip() {
  const rows = () => element("ul");
  strip = element("section", { class: "file-strip", "aria-label": text("to_send") }, rows(), rows());
  strip.append(element("p", { class: "error", role: "alert" }));
  // The app draws another composer for another room, and takes over the one that the server has drawn.
  const observer = new MutationObserver(() => strip.isConnected || show());
  observer.observe(document.getElementById("app"), { childList: true, subtree: true, attributeFilter: ["style"] });
  show();
}

/** The path of the room on the page. */
function currentRoom() {
  const form = document.querySelector(".composer");
  return form ? new URL(form.action).pathname.replace(/files\/$/, "") : /^\/rooms\/[0-9a-f]{16}\//.exec(location.pathname)?.[0];
}

/** Something has changed, or only how much of one file was sent. */
export function showChange(id) {
  if (!id) return show();
  const row = strip.querySelector(`[data-file="${id}"]`);
  if (!row) return undefined;
  const bar = row.querySelector("progress");
  if (!bar) return show();
  bar.value = bytesSent(id);
  const quarter = Math.floor((4 * bar.value) / bar.max);
  if (own.has(id) && quarter > (announced.get(id) ?? 0)) {
    announced.set(id, quarter);
    announce(label("uploading", { name: row.dataset.name, percent: quarter * 25 }));
  }
  return undefined;
}

function show() {
  const room = currentRoom();
  const drafts = chosen.get(room) ?? [];
  const messages = room ? messagesOf(room) : [];
  const [outgoing, attached] = strip.querySelectorAll("ul");
  update(outgoing, messages.flatMap(messageRows));
  update(attached, drafts.map(draftRow(room)));
  strip.lastChild.textContent = errors.get(room) ?? "";
  strip.hidden = drafts.length + messages.length === 0 && !errors.has(room);
  const footer = document.getElementById("write");
  // The app sets the height of the field once it has taken over the page, which must not change before.
  const field = document.getElementById("message");
  if (footer && strip.parentNode !== footer && (!field || field.style.height)) footer.prepend(strip);
}

/** Makes a list show these rows; one with the same key and signature stays. */
function update(list, rows) {
  const shown = new Map([...list.children].map((row) => [row.rowKey, row]));
  const wanted = rows.map(({ key, signature, make }) => {
    const row = shown.get(key);
    if (row?.rowSignature === signature) return row;
    return Object.assign(make(), { rowKey: key, rowSignature: signature });
  });
  wanted.forEach((row, at) => list.children[at] === row || list.insertBefore(row, list.children[at] ?? null));
  while (list.children.length > wanted.length) list.lastChild.remove();
}

/** Adds files that the visitor has chosen, pasted or dropped, in their order; returns whether it takes all. */
export async function attach(files) {
  const room = currentRoom();
  try {
    limits ??= (await request("GET", "/limits/")).files;
  } catch {
    complain(room, text("no_limits"));
    return false;
  }
  const drafts = chosen.get(room) ?? [];
  chosen.set(room, drafts);
  let error;
  for (const blob of files) {
    const { name, size, type } = blob;
    if (!limits) error = text("not_taken");
    else if (size > limits.file) error = text("too_large", { name, size: sizeText(size), limit: sizeText(limits.file) });
    else if (drafts.length >= limits.per_message) error = countText("too_many", limits.per_message);
    else drafts.push({ blob, id: `${name}/${size}/${Math.random()}`, picture: PICTURE.test(type) ? URL.createObjectURL(blob) : undefined });
  }
  complain(room, error);
  document.getElementById("message")?.focus({ preventScroll: true });
  return !error;
}

function complain(room, error) {
  if (error) errors.set(room, error);
  else errors.delete(room);
  show();
}

const draftRow = (room) => (draft) => ({
  key: draft.id,
  signature: "",
  make: () =>
    element("li", { class: "file" },
      face(draft.blob.name, draft.picture),
      element("bdi", { class: "file-name" }, draft.blob.name),
      element("span", { class: "file-size" }, sizeText(draft.blob.size)),
      iconButton(label("remove", { name: draft.blob.name }), CROSS, () => removeDraft(room, draft)),
      ...(draft.picture ? pictureFields(draft) : KEEPS_PLACE.test(draft.blob.type) ? [note()] : [])),
});

const note = () => element("span", { class: "file-note" }, text("may_have_place"));

/** The description of a picture, and whether it is sent with its metadata. */
function pictureFields(draft) {
  const place = note();
  place.hidden = !draft.original;
  const describe = ({ target }) => (draft.alt = target.value.trim());
  const keep = ({ target }) => {
    draft.original = target.checked;
    place.hidden = !draft.original;
  };
  const onKey = (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    document.getElementById("message").focus();
  };
  return [
    element("input", {
      class: "file-alt",
      maxlength: ALT_MAX,
      placeholder: text("description"),
      "aria-label": label("describe", { name: draft.blob.name }),
      input: describe,
      keydown: onKey,
    }),
    element("label", { class: "file-original" }, element("input", { type: "checkbox", change: keep }), text("original")),
    place,
  ];
}

const face = (name, picture) =>
  picture ? element("img", { class: "file-face", src: picture, alt: "" }) : element("span", { class: "file-kind" }, kindText(name));

function removeDraft(room, draft) {
  chosen.set(room, chosen.get(room).filter((other) => other !== draft));
  if (draft.picture) URL.revokeObjectURL(draft.picture);
  complain(room);
  document.getElementById("message")?.focus({ preventScroll: true });
}

/** The rows of a message that waits: one for each file, and what is to be done if it cannot be sent. */
function messageRows(message) {
  const { key, files, failed, missing, holder } = message;
  const rows = files.map((file) => fileRow(message, file));
  if (failed) rows.push({ key: `${key}/failed`, signature: failed, make: () => failedRow(message) });
  else if (missing) rows.push({ key: `${key}/missing`, signature: missing, make: () => missingRow(message) });
  else if (holder) rows.push({ key: `${key}/held`, signature: "", make: () => element("li", { class: "hint" }, text("only_here")) });
  return rows;
}

function fileRow({ key, files, failed, missing }, { id, name, size, sent }) {
  const isStopped = failed || missing;
  const canCancel = !files.every((file) => file.sent) || isStopped;
  const state = isStopped ? "" : isInterrupted() && !sent ? text("waiting") : sizeText(size);
  const make = () => {
    const progress = element("progress", { max: Math.max(size, 1), value: sent ? Math.max(size, 1) : bytesSent(id), "aria-label": name });
    return element("li", { class: "file", "data-file": id, "data-name": name },
      element("span", { class: "file-kind" }, kindText(name)),
      element("bdi", { class: "file-name" }, name),
      element("span", { class: "file-size" }, state),
      canCancel && !failed ? button(text("cancel"), () => giveUp(key, id), { "aria-label": label("cancel_file", { name }) }) : "",
      isStopped ? "" : progress);
  };
  return { key: id, signature: [state, canCancel, isStopped, Boolean(sent)].join(), make };
}

/** Takes a file out of a message. The text of a message that is given up goes back to the field. */
function giveUp(key, id) {
  const message = messagesOf(currentRoom()).find((message) => message.key === key);
  const isLast = !id || message?.files.length === 1;
  cancel(key, id);
  const field = document.getElementById("message");
  if (!isLast || !field) return;
  if (message.body && !field.value.includes(message.body)) setText([message.body, field.value].filter(Boolean).join("\n"));
  field.focus({ preventScroll: true });
}

function setText(words) {
  const field = document.getElementById("message");
  field.value = words;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

const failedRow = ({ key, failed }) =>
  alertRow(
    text("not_sent", { reason: failed }),
    button(text("try_again"), () => retry(key)),
    button(text("give_up"), () => giveUp(key)));

const alertRow = (...parts) => element("li", {}, element("div", { class: "file-error", role: "alert" }, ...parts));

function missingRow({ key, missing, files }) {
  const name = files.find(({ id }) => id === missing)?.name ?? "";
  const words = element("span", {}, text("missing", { name }));
  const choose = async ({ target }) => {
    const [blob] = target.files;
    if (blob && !(await supply(key, missing, blob))) words.textContent = text("other_file", { name: blob.name });
    target.value = "";
  };
  const input = element("input", { type: "file", class: "visually-hidden", change: choose, "aria-label": text("choose_again") });
  return alertRow(
    words,
    element("label", { class: "link-button" }, text("choose_again"), input),
    button(text("give_up"), () => giveUp(key)));
}

/** Takes the message in the form, if files are attached to it; returns whether it does. */
export function takeMessage() {
  const room = currentRoom();
  const drafts = chosen.get(room) ?? [];
  const body = document.getElementById("message").value.trim();
  if (drafts.length === 0 || [...body].length > BODY_MAX) return false;
  chosen.delete(room);
  const files = drafts.map(({ blob, picture, alt, original }) => {
    if (picture) URL.revokeObjectURL(picture);
    return { blob, alt, original };
  });
  setText("");
  complain(room);
  addMessage({ room, username: document.getElementById("writing-as").value, body, files }).then(() => {
    for (const message of messagesOf(room)) for (const { id } of message.files) own.add(id);
  });
  return true;
}
