// Notifications of the system: shown, closed, and clicked.
//
// Guarantees: a room has at most one. A click goes to a tab that shows the room, or opens one, at the message.

import { excerpt } from "./server.js";
import { currentRoom } from "./view.js";

/** The notifications of this tab, by room, where there is no service worker. */
const ofTab = new Map();

const worker = async () => {
  const registration = await navigator.serviceWorker?.getRegistration();
  return registration?.active ? registration : undefined;
};

// What a name contains must not change the direction of the text around it.
const isolate = (name) => `\u2068${name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "")}\u2069`;

/** Shows a message. */
export async function show({ id, title, isDirect }, message) {
  const text = excerpt(message);
  const author = isolate(message.name ?? message.username);
  const options = {
    tag: id,
    renotify: true,
    // The person decides about the sound.
    silent: true,
    body: isDirect ? text : `${author}: ${text}`,
    timestamp: Date.parse(message.sent_at),
    data: `/rooms/${id}/#m${message.id}`,
  };
  const registration = await worker();
  if (registration) return registration.showNotification(isolate(title), options);
  const shown = new Notification(isolate(title), options);
  ofTab.set(id, shown);
  shown.onclose = () => ofTab.delete(id);
  shown.onclick = () => {
    shown.close();
    focus();
    if (currentRoom() === id) goTo(`#m${message.id}`);
    else open(options.data);
  };
}

/** Closes the notifications of rooms that the person has seen. */
export const closeRooms = (rooms) => close(({ tag }) => rooms.includes(tag));

/** Closes all notifications: another person uses the browser. */
export const closeAll = () => close(() => true);

async function close(isMeant) {
  const registration = await worker().catch(() => undefined);
  const shown = (await registration?.getNotifications()) ?? [];
  for (const notification of [...shown, ...ofTab.values()]) if (isMeant(notification)) notification.close();
}

/** Shows the message at this hash in the tab. */
function goTo(hash) {
  if (location.hash === hash) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = hash;
}

// The service worker asks which tab shows a room, and tells that tab to go to the message.
navigator.serviceWorker?.addEventListener("message", ({ data, ports }) => {
  const { room, hash } = data ?? {};
  if (room) ports[0]?.postMessage(location.pathname === room);
  else if (hash) goTo(hash);
});
navigator.serviceWorker?.startMessages();
