// Elements.

/** An element with these attributes and children; an attribute that is `undefined` is left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A button that does something. */
export const button = (label, act, attributes = {}) =>
  element("button", { type: "button", class: "link-button", click: act, ...attributes }, label);

/** A button with an icon. */
export const iconButton = (label, path, act) =>
  element("button", { type: "button", class: "icon-button", title: label, "aria-label": label, click: act }, icon(path));

function icon(path) {
  const svg = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const made = svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" });
  made.append(svg("path", { d: path }));
  return made;
}

let announcer;

/** Says something to screen readers. */
export function announce(words) {
  if (!announcer?.isConnected) {
    announcer = element("div", { class: "visually-hidden", role: "status" });
    document.body.append(announcer);
  }
  announcer.textContent = words;
}
