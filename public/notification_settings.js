// The parts of the page about notifications that depend on the browser: whether it shows them, the sound, the time zone.

const ON = "notifications";
const SOUND = "notification-sound";

const isSupported = "Notification" in self && "locks" in navigator && "BroadcastChannel" in self && canStore();
const turnOn = document.getElementById("turn-on");
const turnOff = document.getElementById("turn-off");
const sound = document.getElementById("notification-sound");

/** A browser may forbid storage. */
function canStore() {
  try {
    localStorage.getItem(ON);
    return true;
  } catch {
    return false;
  }
}

function currentState() {
  if (!isSupported) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  const isOn = Notification.permission === "granted" && localStorage.getItem(ON) === "on";
  return isOn ? "on" : "off";
}

function update() {
  const state = currentState();
  for (const part of document.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
  sound.checked = isSupported && localStorage.getItem(SOUND) === "on";
}

turnOn.addEventListener("click", async () => {
  if ((await Notification.requestPermission()) === "granted") localStorage.setItem(ON, "on");
  // On some systems only a service worker shows notifications.
  await navigator.serviceWorker?.register("/sw.js").catch(() => undefined);
  update();
  (turnOff.offsetParent ? turnOff : turnOn).focus();
});

turnOff.addEventListener("click", () => {
  localStorage.removeItem(ON);
  update();
  turnOn.focus();
});

sound.addEventListener("change", async () => {
  if (!sound.checked) return localStorage.removeItem(SOUND);
  localStorage.setItem(SOUND, "on");
  const { playSound } = await import("/notifications/sound.js");
  await playSound();
});

// Another tab may change it.
addEventListener("storage", update);
update();

for (const field of document.querySelectorAll("[name=utc_offset]")) field.value = -new Date().getTimezoneOffset();
// In the language of the page, with 12 or 24 hours as the reader has them.
const { lang } = document.documentElement;
const { hourCycle } = new Intl.DateTimeFormat([], { hour: "numeric" }).resolvedOptions();
for (const time of document.querySelectorAll("time"))
  time.textContent = new Date(time.dateTime).toLocaleString(lang, { dateStyle: "full", timeStyle: "short", hourCycle });
const zone = document.getElementById("zone");
zone.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
