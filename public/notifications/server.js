// What the server says: the overview, and the messages of a room.

/** How long the server may take to answer, in milliseconds. */
const TIMEOUT = 10_000;
/** How many of the newest messages of a room are searched. */
const SEARCHED = 30;
/** How many characters of a text a notification shows. */
const SHOWN = 140;

async function fetchJson(path) {
  const signal = AbortSignal.timeout(TIMEOUT);
  const answer = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store", signal });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

/** The value of a cookie of this server. */
function cookie(name) {
  const start = `${name}${document.documentElement.dataset.cookies ?? ""}=`;
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(start));
  return found && decodeURIComponent(found.slice(start.length));
}

/** The overview as it is now, with the rooms that the browser has visited. */
export const fetchOverview = () => fetchJson(`/overview/?also=${(cookie("visits") ?? "").replaceAll(".", ",")}`);

/**
 * The rooms and direct chats of an overview, also the rooms that are only open, the most recently active first. `nameless` is
 * the title of a room without a name, with `{id}` for its ID.
 */
export function readRooms({ rooms, open = [], chats }, nameless) {
  const room = ({ id, name, level, role, unread, last_active_at }) => ({
    id,
    title: name ?? nameless.replace("{id}", id.slice(0, 4)),
    level: level ?? "mentions",
    active: last_active_at,
    // Only members have a read marker at the server.
    isRead: role !== undefined && !unread,
  });
  const chat = ({ room, name, level, unread, last }) => ({
    id: room,
    title: name,
    isDirect: true,
    level: level ?? "mentions",
    active: last?.sent_at ?? "",
    isRead: !unread,
  });
  return [...chats.map(chat), ...rooms.map(room), ...open.map(room)].sort((one, other) => (one.active < other.active ? 1 : -1));
}

/** The newest message of a room since a time that another person wrote and that notifies at the room's level. */
export async function findMessage({ id, isDirect, level }, since, account) {
  const messages = await fetchJson(`/rooms/${id}/messages/?limit=${SEARCHED}`);
  const own = (account ?? cookie("name") ?? cookie("suggested"))?.toLowerCase();
  const mentionsMe = ({ marks = [] }) =>
    marks.some(({ kind, username }) => kind === "mention" && username.toLowerCase() === own);
  const isMeant = (message) => isDirect || level === "all" || mentionsMe(message);
  return messages
    .filter((message) => message.sent_at > since && !message.own && !message.deleted && isMeant(message))
    .sort((one, other) => other.id - one.id)[0];
}

/** The beginning of a message's text, without its markup. */
export function excerpt({ body, marks = [] }) {
  const characters = [...body];
  for (const { kind, from, to } of marks) if (kind === "syntax") characters.fill("", from, to);
  const shown = characters.filter(Boolean);
  return shown.slice(0, SHOWN).join("") + (shown.length > SHOWN ? "…" : "");
}
