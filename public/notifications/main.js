// Notifications of this browser: one tab of all shows them, for what no tab has in view.
//
// Guarantees: only where the person has turned them on in this browser. Of all tabs, the one that holds a lock notifies; each
// hears the overview that the leading tab broadcasts, and knows what was new before, so that any tab can take over. What a
// notification says is read from the server at that time. At most one for a room.
//
// Not here: turning notifications on (`notification_settings.js`), and clicks on those of a service worker (`sw.js`).

import { keepLock } from "./lock.js";
import { isOn, isPaused, isSameAsNotified, isSoundOn } from "./preferences.js";
import { closeAll, closeRooms, show } from "./display.js";
import { fetchOverview, findMessage, readRooms } from "./server.js";
import { isInView, watchView } from "./view.js";
import { playSound } from "./sound.js";

/** The most rooms that notify after one change of the overview. */
const ROOMS_MAX = 10;

let isStarted = false;
let isNotifier = false;
/** The time of the newest message of each room that is known; `undefined` before the first overview. */
let known;
/** The account that the last overview is of; `null` for a guest. */
let account;
/** The notifications that are being made, one after the other. */
let work = Promise.resolve();

/**
 * Starts once. `prefix` is the name of the channel of the tabs, and the beginning of the names of all locks; `nameless` is the
 * title of a room without a name.
 */
export function start(prefix, nameless) {
  if (isStarted || !("Notification" in self) || !navigator.locks || !self.BroadcastChannel) return;
  isStarted = true;
  keepLock(`${prefix}/notifier`, (isHeld) => (isNotifier = isHeld));
  // A tab that brings a room into view closes what another tab has shown.
  const views = new BroadcastChannel(`${prefix}/in-view`);
  views.onmessage = ({ data }) => closeRooms([data]);
  const updateView = watchView(prefix, (room) => {
    views.postMessage(room);
    closeRooms([room]);
  });
  new BroadcastChannel(prefix).onmessage = ({ data }) => {
    // The tab may have gone to another room.
    updateView();
    const [kind, topic, , json] = data;
    if (kind === "event" && topic === "overview") onOverview(JSON.parse(json), prefix, nameless);
  };
  fetchOverview().then((overview) => known ?? onOverview(overview, prefix, nameless), () => undefined);
}

function onOverview(overview, prefix, nameless) {
  const rooms = readRooms(overview, nameless);
  const isSame = known !== undefined && account === overview.username;
  if (!isSameAsNotified(overview.username)) closeAll();
  // A room that was not listed has messages that are new if they are newer than all others.
  const newest = known && [...known.values()].reduce((one, other) => (one > other ? one : other), "");
  const fresh = isSame ? rooms.filter(({ id, active }) => active > (known.get(id) ?? newest)) : [];
  const before = known;
  known = new Map(rooms.map(({ id, active }) => [id, active]));
  account = overview.username;
  if (!isNotifier || !isOn()) return;
  closeRooms(rooms.filter(({ isRead }) => isRead).map(({ id }) => id));
  if (isPaused(overview.notifications)) return;
  // In the order of their messages.
  for (const room of fresh.slice(0, ROOMS_MAX).reverse()) {
    const since = before.get(room.id) ?? newest;
    work = work.then(() => notify(room, since, prefix)).catch(() => undefined);
  }
}

/** Notifies of the newest message in a room since a time, if one of them is meant for the person. */
async function notify(room, since, prefix) {
  if (room.level === "none" || (await isInView(prefix, room.id))) return;
  const message = await findMessage(room, since, account);
  // Meanwhile the person may have gone to the room, or turned notifications off.
  if (!message || !isOn() || (await isInView(prefix, room.id))) return;
  await show(room, message);
  if (isSoundOn()) await playSound();
}
