// A lock that tabs take turns to hold, as long as they live and are not frozen.

/** Requests a lock from now on. `change` is told whether this tab holds it. */
export function keepLock(name, change) {
  /** Ends the request, or the lock itself. */
  let release;
  const request = () => {
    if (release) return;
    let end;
    const ended = new Promise((resolve) => (end = resolve));
    release = end;
    const hold = () => {
      if (release !== end) return undefined;
      change(true);
      return ended;
    };
    navigator.locks.request(name, hold).catch(() => undefined);
  };
  const drop = () => {
    release?.();
    release = undefined;
    change(false);
  };
  addEventListener("pagehide", drop);
  addEventListener("pageshow", request);
  document.addEventListener("freeze", drop);
  document.addEventListener("resume", request);
  request();
}
