// Keeps the app's pages and files for times without a network.
//
// Guarantees: a page comes from the server whenever that answers, and from the cache otherwise. There is one cache, for one
// account, or for all guests of the browser, and one version of the app: a page for another account or with other files
// deletes it, and so does every request that may change who is signed in. A page with a query is not kept. Nothing but pages of the app and files with a hash in their names is kept.
// A click on a notification goes to a tab that shows its room, or opens one.
// Requests to the API and event streams are left to the browser.

const PREFIX = "webchat-1 ";
const PAGES_MAX = 20;
/** How long a tab has to say that it shows a room. */
const ANSWER_MS = 500;
const PAGE = /^\/(rooms\/[0-9a-f]{16}\/)?$/;
const FILE = /^\/pkg\/[^/]+\.\w{8,}\.\w+$/;
const ANY_VERSION = { ignoreVary: true };
/** Counts the deletions, so that a page that was requested before one is not kept after it. */
let generation = 0;

const ignore = () => undefined;
const kept = (path) => caches.match(path, ANY_VERSION).catch(ignore);

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(activate().catch(ignore)));
self.addEventListener("message", (event) => event.waitUntil(keepPath(String(event.data)).catch(ignore)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(showMessage(event.notification.data).catch(ignore));
});
self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname, search } = new URL(url);
  if (origin !== self.location.origin) return;
  if (method !== "GET") {
    if (!pathname.startsWith("/rooms/")) event.waitUntil(deleteCaches(ignore).catch(ignore));
  } else if (mode === "navigate" && PAGE.test(pathname + search)) event.respondWith(answerPage(event, pathname));
  else if (FILE.test(pathname)) event.respondWith(answerFile(event));
});

/** Shows the message at an address: in a tab that says in time that it shows the room, or in a new one. */
async function showMessage(address) {
  const { pathname, hash } = new URL(address, self.location.origin);
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const answers = pages.map((page) => {
    const { port1, port2 } = new MessageChannel();
    page.postMessage({ room: pathname }, [port2]);
    return new Promise((resolve) => (port1.onmessage = ({ data }) => data && resolve(page)));
  });
  const page = await Promise.race([...answers, new Promise((resolve) => setTimeout(resolve, ANSWER_MS))]);
  if (!page) return self.clients.openWindow(address);
  page.postMessage({ hash });
  return page.focus();
}

/** Takes over the open pages, and keeps them. */
async function activate() {
  await deleteCaches((name) => name.startsWith(PREFIX));
  await self.clients.claim();
  for (const { url } of await self.clients.matchAll({ type: "window" }))
    await keepPath(new URL(url).pathname);
}

async function deleteCaches(stays) {
  generation += 1;
  await deleteOthers(stays);
}

async function deleteOthers(stays) {
  for (const name of await caches.keys()) if (!stays(name)) await caches.delete(name);
}

async function answerPage(event, path) {
  const before = generation;
  const answer = await fetch(event.request).catch(ignore);
  const isGateway = answer && answer.status >= 502 && answer.status <= 504;
  if (answer && !isGateway) {
    event.waitUntil(keep(path, answer.clone(), before).catch(ignore));
    return answer;
  }
  return (await kept(path)) ?? answer ?? Response.error();
}

async function answerFile(event) {
  const found = await kept(event.request);
  if (found) return found;
  const answer = await fetch(event.request);
  if (answer.ok) event.waitUntil(keepFile(event.request, answer.clone()).catch(ignore));
  return answer;
}

async function keepFile(request, answer) {
  const [name] = await caches.keys();
  if (name) await (await caches.open(name)).put(request, answer);
}

/** Keeps a page to which the app has gone without loading it. */
async function keepPath(path) {
  if (!PAGE.test(path) || (await kept(path))) return;
  const before = generation;
  await keep(path, await fetch(path, { headers: { Accept: "text/html" } }), before);
}

/** Keeps a page and its files, unless caches were deleted since the page was requested, in the generation `before`. */
async function keep(path, answer, before) {
  const html = await answer.clone().text();
  // In the head, "<" stands before tags only: it is escaped in the title and in the state.
  const [head] = html.split("<body");
  const state = /<script[^>]*id="initial-state"[^>]*>([^<]*)</.exec(head);
  if (!answer.ok || !state) return forget(path);
  const files = [...head.matchAll(/<link [^>]*href="(\/pkg\/[^"]+)"/g)].map(([, file]) => file);
  const { account } = JSON.parse(state[1]).visitor.signed;
  const name = `${PREFIX}${account?.username ?? ""} ${files.join(" ")}`;
  await deleteOthers((other) => other === name);
  const cache = await caches.open(name);
  await cache.put(path, answer);
  await Promise.allSettled(files.map(async (file) => (await cache.match(file, ANY_VERSION)) || cache.add(file)));
  const pages = (await cache.keys()).filter(({ url }) => PAGE.test(new URL(url).pathname));
  for (const page of pages.slice(0, -PAGES_MAX)) await cache.delete(page);
  if (before !== generation) await caches.delete(name);
}

async function forget(path) {
  for (const name of await caches.keys()) await (await caches.open(name)).delete(path, ANY_VERSION);
}
