// Shows and sends files. The page loads this for its first file (`shell.rs`).
//
// Guarantees: the app's own elements stay as they are; what is added to the page is added after the app has taken it over.
//
// Not here: the files that the server has drawn (`timeline/files.rs`).

import { defineElement } from "./drawing.js";
import { startSending } from "./outgoing.js";
import { attach, showChange, startStrip, takeMessage } from "./strip.js";
import { showTarget, startTarget } from "./target.js";
import { loadTexts } from "./texts.js";
import { startViewer } from "./viewer.js";

/** Starts; resolves, when styles and texts are there, to what the page calls. */
export async function start({ css, texts, channel }) {
  await Promise.all([loadStyle(css), loadTexts(texts)]);
  defineElement();
  startViewer();
  startTarget();
  startStrip();
  startSending(channel, showChange);
  return { attach, showTarget, takeMessage };
}

/** Loads the style sheet, unless the page has it. */
function loadStyle(url) {
  if (document.querySelector(`link[href="${url}"]`)) return undefined;
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: url, onload: resolve, onerror: reject });
    document.head.append(link);
  });
}
