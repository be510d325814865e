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

/** The space of a picture in the proportion of what is shown of it, if that is known. */
function fit({ width, height, preview }) {
  const [wide, high] = preview ? [preview.width, preview.height] : [width, height];
  if (!wide || !high) return undefined;
  if (high * WIDTH_MAX > wide * HEIGHT_MAX && high > HEIGHT_MAX) {
    const shown = Math.max(Math.floor((wide * HEIGHT_MAX) / high), 1);
    return { width: shown, height: Math.min(Math.floor((shown * high + Math.floor(wide / 2)) / wide), HEIGHT_MAX) };
  }
  if (wide > WIDTH_MAX) {
    const shown = Math.max(Math.floor((high * WIDTH_MAX) / wide), 1);
    return { width: Math.min(Math.floor((shown * wide + Math.floor(high / 2)) / high), WIDTH_MAX), height: shown };
  }
  return { width: wide, height: high };
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
