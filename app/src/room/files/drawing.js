// The files of a message, drawn as the server draws them (`timeline/files.rs`).
//
// Guarantees: what the server has drawn stays as it is. A picture has its space before it has loaded.

import { element } from "./dom.js";
import { kindText, sizeText, text } from "./texts.js";

const WIDTH_MAX = 640;
const HEIGHT_MAX = 360;

const PICTURE = /^image\/(jpeg|png|gif|webp|avif)$/;
const PLAYER = /^(audio)\/(?:mpeg|mp4|ogg|wav|webm|flac)$|^(video)\/(?:mp4|webm)$/;

/** Draws the files of each message that the app draws from now on. */
export function defineElement() {
  class MessageFiles extends HTMLElement {
    connectedCallback() {
      if (!this.firstChild) this.append(...JSON.parse(this.dataset.files).flatMap(drawFile));
    }
  }
  customElements.define("message-files", MessageFiles);
}

function drawFile(file) {
  const space = PICTURE.test(file.type) && fit(file);
  const note = file.metadata ? [element("span", { class: "file-note" }, text("may_have_place"))] : [];
  if (space) return [drawPicture(file, space), ...note];
  const [, audio, video] = PLAYER.exec(file.type) ?? [];
  const player = audio ?? video;
  return [...(player ? [drawPlayer(player, file)] : []), drawRow(file), ...note];
}

/** The space of a picture in its own proportion, if that is known. */
function fit({ width, height, preview }) {
  const [wide, high] = width && height ? [width, height] : [preview?.width, preview?.height];
  if (!wide || !high) return undefined;
  const space = { width: wide, height: high };
  if (space.height > HEIGHT_MAX) {
    space.width = Math.floor((wide * HEIGHT_MAX + Math.floor(high / 2)) / high);
    space.height = HEIGHT_MAX;
  }
  if (space.width > WIDTH_MAX) {
    space.height = Math.floor((high * WIDTH_MAX + Math.floor(wide / 2)) / wide);
    space.width = WIDTH_MAX;
  }
  return { width: Math.max(space.width, 1), height: Math.max(space.height, 1) };
}

function drawPicture({ name, alt, url, preview }, { width, height }) {
  const picture = element("img", { alt: alt ?? name, width, height, loading: "lazy", decoding: "async" });
  // After the other attributes, so that the picture has its space when it begins to load.
  picture.setAttribute("src", preview?.url ?? url);
  return element("a", { class: "picture", href: url, rel: "external" }, picture);
}

const drawPlayer = (tag, { name, url }) =>
  element(tag, { src: url, controls: "", preload: "none", "aria-label": name });

const drawRow = ({ name, size, url }) =>
  element("span", { class: "file" },
    element("span", { class: "file-kind" }, kindText(name)),
    element("bdi", { class: "file-name" }, name),
    element("span", { class: "file-size" }, sizeText(size)),
    element("a", { href: url, download: "", rel: "external" }, text("download")));
