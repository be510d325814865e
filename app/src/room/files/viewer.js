// Shows the pictures of the log large, one at a time.
//
// Guarantees: it works by keyboard, mouse and touch, and closes by Escape and by Back. The page behind it stays where it is.

import { element, iconButton } from "./dom.js";
import { text } from "./texts.js";

const PATHS = {
  out: "M5 12h14",
  in: "M12 5v14M5 12h14",
  previous: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  save: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  close: "M6 6l12 12M18 6L6 18",
};
const SCALE_MAX = 8;
/** How far a finger moves, in pixels, to go to another picture. */
const SWIPE = 60;

let dialog, picture, title, save, links, at;
let scale = 1;
let offset = { x: 0, y: 0 };
/** The fingers on the picture, by their IDs. */
const pointers = new Map();
let swipe = 0;

/** Opens a picture of the log that is clicked. */
export function startViewer() {
  addEventListener("click", (event) => {
    const link = event.target.closest?.("message-files .picture");
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link);
  }, true);
  addEventListener("popstate", () => dialog?.close());
}

function open(link) {
  dialog ??= draw();
  document.body.append(dialog);
  links = [...document.querySelectorAll("message-files .picture")];
  show(links.indexOf(link));
  dialog.showModal();
  picture.focus();
  // Back closes the picture, and leads nowhere else.
  history.pushState({ picture: true }, "");
}

function draw() {
  picture = element("img", { class: "viewer-picture", tabindex: "0", draggable: "false" });
  title = element("bdi", { class: "file-name" });
  save = element("a", { class: "button", download: "", rel: "external" }, text("download"));
  const bar = element("div", { class: "viewer-bar" },
    title,
    iconButton(text("zoom_out"), PATHS.out, () => zoom(scale / 1.5)),
    iconButton(text("zoom_in"), PATHS.in, () => zoom(scale * 1.5)),
    save,
    iconButton(text("close"), PATHS.close, () => dialog.close()));
  const made = element("dialog", { class: "viewer", "aria-label": text("viewer") },
    bar,
    element("div", { class: "viewer-stage" }, picture),
    element("div", { class: "viewer-turn" },
      iconButton(text("previous"), PATHS.previous, () => show(at - 1)),
      element("span", { role: "status" }),
      iconButton(text("next"), PATHS.next, () => show(at + 1))));
  made.addEventListener("close", onClose);
  made.addEventListener("keydown", onKey);
  made.addEventListener("wheel", onWheel, { passive: false });
  made.querySelector(".viewer-stage").addEventListener("click", ({ target }) => target === picture || dialog.close());
  picture.addEventListener("dblclick", () => zoom(scale > 1 ? 1 : 2.5));
  for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) picture.addEventListener(name, onPointer);
  return made;
}

function show(next) {
  if (!links[next]) return;
  at = next;
  const { href, firstChild: small } = links[at];
  picture.src = href;
  picture.alt = small.alt;
  title.textContent = small.alt;
  save.href = href;
  const [previous, count, following] = dialog.querySelector(".viewer-turn").children;
  previous.disabled = at === 0;
  following.disabled = at === links.length - 1;
  count.textContent = text("of", { number: at + 1, count: links.length });
  count.parentNode.hidden = links.length === 1;
  zoom(1);
}

function zoom(wanted) {
  scale = Math.min(Math.max(wanted, 1), SCALE_MAX);
  if (scale === 1) offset = { x: 0, y: 0 };
  place();
}

function place() {
  const { width, height } = picture.getBoundingClientRect();
  const [x, y] = [[offset.x, width], [offset.y, height]].map(([by, size]) => Math.min(Math.max(by, -size / 2), size / 2));
  offset = { x, y };
  picture.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
}

function onKey(event) {
  const act = {
    ArrowLeft: () => show(at - forward()),
    ArrowRight: () => show(at + forward()),
    "+": () => zoom(scale * 1.5),
    "-": () => zoom(scale / 1.5),
    0: () => zoom(1),
  }[event.key];
  // The log below has keys of its own.
  event.stopPropagation();
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
}

const forward = () => (document.documentElement.dir === "rtl" ? -1 : 1);

function onWheel(event) {
  event.preventDefault();
  zoom(scale * Math.exp(-event.deltaY / 400));
}

/** One finger moves an enlarged picture, or goes to another one; two enlarge it. */
function onPointer(event) {
  const { type, pointerId, clientX: x, clientY: y } = event;
  const before = pointers.get(pointerId);
  if (type === "pointerdown") {
    picture.setPointerCapture(pointerId);
    pointers.set(pointerId, { x, y });
    swipe = 0;
  } else if (type !== "pointermove") {
    pointers.delete(pointerId);
    if (scale === 1 && pointers.size === 0 && Math.abs(swipe) > SWIPE) show(at - Math.sign(swipe) * forward());
    swipe = 0;
  } else if (before) {
    const other = [...pointers].find(([id]) => id !== pointerId)?.[1];
    pointers.set(pointerId, { x, y });
    if (other) return zoom((scale * Math.hypot(x - other.x, y - other.y)) / Math.hypot(before.x - other.x, before.y - other.y));
    if (scale === 1) swipe += x - before.x;
    else {
      offset = { x: offset.x + x - before.x, y: offset.y + y - before.y };
      place();
    }
  }
  return undefined;
}

function onClose() {
  const link = links[at];
  dialog.remove();
  picture.removeAttribute("src");
  if (history.state?.picture) history.back();
  link.focus({ preventScroll: true });
}
