// What the app does once the page can be used: in steps, while the browser is idle.

/** What visitors do, and what navigation does. */
const EVENTS = [
  "beforeinput", "change", "click", "drop", "hashchange", "input", "keydown", "paste", "pointerdown",
  "popstate", "scroll", "submit",
];

/** What `step` returns while it takes over parts of the page. */
const PARTS = 2;

/** How many milliseconds a slow browser may need for a step. */
const ENOUGH = 20;

/**
 * Takes steps until `step` returns 0: while the browser is idle, or all before the first event that
 * may need them. If a step fails, or if something else has added or removed nodes in `root` before
 * a part is taken over, `restart` replaces the app by another one.
 */
export function takeSteps(root, step, restart) {
  let left = PARTS;
  let isTaking = false;
  let isChanged = false;
  const observer = new MutationObserver(() => (isChanged = true));
  observer.observe(root, { childList: true, subtree: true });
  const take = () => {
    isTaking = true;
    try {
      if (left === PARTS && (isChanged || observer.takeRecords().length > 0)) throw root;
      left = step();
    } catch (error) {
      left = 0;
      restart(error);
    }
    isTaking = false;
    if (left !== PARTS) observer.disconnect();
    if (left === 0) for (const name of EVENTS) removeEventListener(name, takeAll, true);
  };
  const takeAll = () => {
    while (left > 0 && !isTaking) take();
  };
  const takeSome = (deadline) => {
    // Nobody waits for a hidden page, and its timers are slow.
    if (document.hidden) takeAll();
    if (left > 0) take();
    while (left > 0 && deadline?.timeRemaining() > ENOUGH) take();
    if (left > 0) takeLater();
  };
  const takeLater = () => {
    if (self.requestIdleCallback) requestIdleCallback(takeSome, { timeout: 200 });
    else setTimeout(takeSome);
  };
  for (const name of EVENTS) addEventListener(name, takeAll, true);
  // The visitor and the next frame come first.
  setTimeout(takeSome, 50);
}
