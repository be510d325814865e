// The page as the app finds it: whether its nodes are those that the server sent, what the visitor
// has entered, and what a translator replaces later.

const START = 0x811c9dc5;
const mix = (hash, code) => Math.imul(hash ^ code, 0x01000193);

/** A digest of the elements, texts and comments in `root`; `structure.rs` computes the same one. */
export function digest(root) {
  const names = new Map();
  const codeOf = (name) => {
    let code = names.get(name);
    if (code === undefined) {
      code = START;
      for (let i = 0; i < name.length; i++) code = mix(code, name.charCodeAt(i));
      names.set(name, code);
    }
    return code;
  };
  let [hash, parent, node] = [START, root, root.firstChild];
  for (;;) {
    if (!node) {
      if (parent === root) return hash >>> 0;
      hash = mix(hash, 0);
      node = parent.nextSibling;
      parent = parent.parentNode;
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      hash = mix(hash, codeOf(node.localName));
      parent = node;
      node = node.firstChild;
    } else {
      hash = mix(hash, node.nodeType);
      node = node.nextSibling;
    }
  }
}

const selectorOf = ({ id, localName, name, defaultValue }) =>
  id ? `#${CSS.escape(id)}` : `${localName}[name="${name}"][value="${defaultValue}"]`;

/**
 * Empties `root`. The returned function restores what the visitor has done there, once the same
 * fields are there again: entered values, opened details, focus, selection and scroll positions.
 */
export function clear(root) {
  console.info("The page was changed before the app started, so the app draws it again.");
  const restores = [];
  for (const field of root.querySelectorAll("input, textarea, select")) {
    const { value, checked, selectionStart, selectionEnd } = field;
    if (value === field.defaultValue && checked === field.defaultChecked) continue;
    const selector = selectorOf(field);
    const isFocused = field === document.activeElement;
    restores.push(() => {
      const again = root.querySelector(selector);
      if (!again) return;
      Object.assign(again, { value, checked });
      again.dispatchEvent(new Event("input", { bubbles: true }));
      if (!isFocused) return;
      again.focus({ preventScroll: true });
      if (selectionStart !== null) again.setSelectionRange?.(selectionStart, selectionEnd);
    });
  }
  const opened = [...root.querySelectorAll("details")].map((details) => details.open);
  restores.push(() =>
    root.querySelectorAll("details").forEach((details, at) => (details.open ||= opened[at])),
  );
  for (const { id, scrollTop } of root.querySelectorAll("[id]"))
    if (scrollTop) restores.push(() => (document.getElementById(id).scrollTop = scrollTop));
  const { scrollX, scrollY } = window;
  restores.push(() => scrollTo(scrollX, scrollY));

  root.replaceChildren();
  return () => restores.forEach((restore) => restore());
}

/** The elements that translators put in the place of a text. */
const TRANSLATION = "font, ya-tr-span";

/**
 * Keeps the texts in `root` under the control of the app. A translator replaces a text by elements
 * with the translation, and the app would change the removed text unseen. So the text returns,
 * empty, beside its translation. When the app changes or removes the text, the translation goes,
 * and the translator finds the new text. When the translation goes, the text is as before.
 */
export function followTranslations(root) {
  /** For each translated text: the elements in its place, and what the text was. */
  const translations = new WeakMap();
  /** For each such element: the text. */
  const originals = new WeakMap();

  const hold = (text, element) => {
    translations.set(text, { element, was: text.data });
    originals.set(element, text);
    text.data = "";
    element.before(text);
  };
  const forget = (text) => {
    translations.get(text)?.element.remove();
    translations.delete(text);
  };
  const restore = (text, replacements) => {
    const { was } = translations.get(text) ?? {};
    if (was === undefined || !text.isConnected) return;
    for (const node of replacements) if (node !== text) node.remove();
    text.data = was;
    translations.delete(text);
  };

  const observer = new MutationObserver((records) => {
    for (const { type, target, addedNodes, removedNodes, previousSibling, nextSibling } of records) {
      if (type === "characterData") forget(target);
      for (const node of removedNodes) {
        if (node.isConnected) continue;
        if (originals.has(node)) restore(originals.get(node), addedNodes);
        else if (translations.has(node)) forget(node);
        else if (node.data) {
          const element = [...addedNodes, previousSibling, nextSibling].find(
            (near) => near?.parentNode === target && near.matches?.(TRANSLATION),
          );
          if (element && !originals.has(element)) hold(node, element);
        }
      }
    }
    // The changes that were made here.
    observer.takeRecords();
  });
  observer.observe(root, { childList: true, subtree: true, characterData: true });
}
