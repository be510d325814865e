// Which room a person has in view: that of a visible tab with the focus, in any window.
//
// Guarantees: a tab holds a shared lock with the ID of the room that is in view there, so that any tab can ask. The browser
// releases it when the tab ends.

const lockName = (prefix, room) => `${prefix}/in-view/${room}`;

/** The room of this tab's address. */
export const currentRoom = () => /^\/rooms\/([0-9a-f]{16})\/$/.exec(location.pathname)?.[1];

/** Holds the lock of the room in view, and returns a function that looks again. `seen` is told of each room that comes into view. */
export function watchView(prefix, seen) {
  let room;
  let release;
  const update = () => {
    const isSeen = document.visibilityState === "visible" && document.hasFocus();
    show(isSeen ? currentRoom() : undefined);
  };
  const show = (next) => {
    if (next === room) return;
    release?.();
    release = undefined;
    room = next;
    if (!room) return;
    const left = new Promise((resolve) => (release = resolve));
    navigator.locks.request(lockName(prefix, room), { mode: "shared" }, () => left).catch(() => undefined);
    seen(room);
  };
  for (const name of ["focus", "blur", "pageshow", "popstate"]) addEventListener(name, update);
  document.addEventListener("visibilitychange", update);
  addEventListener("pagehide", () => show(undefined));
  document.addEventListener("freeze", () => show(undefined));
  document.addEventListener("resume", update);
  update();
  return update;
}

/** Whether a room is in view in any tab. */
export async function isInView(prefix, room) {
  const { held } = await navigator.locks.query();
  return held.some(({ name }) => name === lockName(prefix, room));
}
