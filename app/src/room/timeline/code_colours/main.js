// Colours the code in messages. The page loads this when it shows code of a named language.
//
// Guarantees: no node of the page changes, so selecting, copying and reading aloud are as without colours. A text that takes the
// worker too long is left as it is, and costs no later one its colours.

/* global HIGHLIGHTER */

const TEXT_MAX = 20_000;
const TIME_MAX = 2_000;
const CODE = 'code[data-language]:not([data-language=""])';

const COLOURS = {
  keyword: "light-dark(oklch(45% 0.16 300), oklch(80% 0.11 300))",
  string: "light-dark(oklch(43% 0.11 150), oklch(80% 0.11 150))",
  number: "light-dark(oklch(45% 0.11 50), oklch(80% 0.1 70))",
  comment: "light-dark(oklch(47% 0.02 260), oklch(72% 0.02 260))",
  name: "light-dark(oklch(45% 0.13 255), oklch(80% 0.09 250))",
  addition: "light-dark(oklch(43% 0.11 150), oklch(80% 0.11 150))",
  deletion: "light-dark(oklch(47% 0.16 25), oklch(78% 0.11 25))",
};

/** Texts that have colours, or will not get any. */
const seen = new WeakSet();
const waiting = [];
let worker, current, timer;

/** Colours all code on the page, now and later. Browsers without custom highlights show it plain. */
export function start() {
  if (!CSS.highlights) return;
  const sheet = new CSSStyleSheet();
  const rules = Object.entries(COLOURS).map(([kind, colour]) => {
    CSS.highlights.set(`code-${kind}`, new Highlight());
    return `::highlight(code-${kind}){color:${colour}}`;
  });
  sheet.replaceSync(rules.join(""));
  document.adoptedStyleSheets.push(sheet);
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  look();
}

function look() {
  for (const code of document.querySelectorAll(CODE)) {
    const text = code.firstChild;
    const isPlain = text?.nodeType === Node.TEXT_NODE && code.childNodes.length === 1;
    if (!isPlain || seen.has(text) || text.length > TEXT_MAX) continue;
    seen.add(text);
    waiting.push({ text, language: code.dataset.language });
  }
  next();
}

function next() {
  if (current || !waiting.length) return;
  current = waiting.shift();
  const code = current.text.data;
  worker ??= open();
  timer = setTimeout(restart, TIME_MAX);
  worker.postMessage({ code, language: current.language });
}

function open() {
  const opened = new Worker(HIGHLIGHTER, { type: "module" });
  opened.addEventListener("message", ({ data }) => finish(data));
  opened.addEventListener("error", restart);
  return opened;
}

function restart() {
  worker.terminate();
  worker = undefined;
  finish({ ranges: [] });
}

function finish({ code, ranges }) {
  clearTimeout(timer);
  const { text } = current;
  current = undefined;
  for (const highlight of CSS.highlights.values())
    for (const range of highlight) if (!range.startContainer.isConnected) highlight.delete(range);
  if (text.isConnected && text.data === code) {
    for (const [from, to, kind] of ranges) {
      const range = new StaticRange({ startContainer: text, startOffset: from, endContainer: text, endOffset: to });
      CSS.highlights.get(`code-${kind}`).add(range);
    }
  }
  next();
}
