// The whole room as a target for files that are dragged over it.

import { element } from "./dom.js";
import { text } from "./texts.js";

let target;

export function startTarget() {
  target = element("div", { class: "drop-target", "aria-hidden": "true" }, text("add_here"));
  for (const name of ["drop", "dragend"]) addEventListener(name, hideTarget, true);
  // Without a related element, the pointer has left the window, or the visitor has ended the drag.
  addEventListener("dragleave", ({ relatedTarget }) => relatedTarget ?? hideTarget());
}

export function showTarget() {
  if (document.querySelector(".composer:not([hidden])")) document.body.append(target);
}

const hideTarget = () => target.remove();
