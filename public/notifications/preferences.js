// What the person has chosen: in this browser, and for all browsers.

const stored = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};

/** Whether notifications are on in this browser, which may have taken back its permission. */
export const isOn = () => stored("notifications") === "on" && Notification.permission === "granted";

/** Whether a notification makes a sound. */
export const isSoundOn = () => stored("notification-sound") === "on";

/** Whether this is the account that the browser was used by last; it is from now on. */
export function isSameAsNotified(account) {
  const before = stored("notification-account");
  const now = account ?? "";
  if (before === now) return true;
  try {
    localStorage.setItem("notification-account", now);
  } catch {
    // What cannot be stored was not read either.
  }
  return before === null;
}

/** Whether the settings of the person allow no notifications at this time. */
export function isPaused({ pause_until, quiet }, now = new Date()) {
  if (pause_until && Date.parse(pause_until) > now) return true;
  if (!quiet) return false;
  const time = timeIn(quiet.zone, now);
  const { from, to } = quiet;
  return from <= to ? from <= time && time < to : from <= time || time < to;
}

/** The time of day in a time zone, like `06:41`; that of the device if the browser does not know the zone. */
function timeIn(timeZone, now) {
  const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  try {
    return now.toLocaleTimeString("en-GB", { ...form, timeZone });
  } catch {
    return now.toLocaleTimeString("en-GB", form);
  }
}
