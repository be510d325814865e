// Prints what an npm client library hands out, as reader.py does: node reader.mjs LIBRARY URL.

import { EventSource } from "eventsource";
import WebSocket from "ws";

const [library, url] = process.argv.slice(2);

function report(kind, value = true) {
  console.log(JSON.stringify({ [kind]: value }));
}

/** Reports an event of a stream, or a frame of a socket. */
function reportEvent(name, data) {
  const message = JSON.parse(data || "null");
  if (message?.body) report("message", { seq: message.id, body: message.body });
  else report("event", { name, data });
}

function followStream() {
  const source = new EventSource(url);
  source.onopen = () => report("open");
  source.onmessage = (event) => reportEvent(event.type, event.data);
  process.stdin.on("end", () => source.close());
}

function followSocket() {
  const socket = new WebSocket(url);
  socket.on("open", () => report("open"));
  socket.on("message", (data) => reportEvent("frame", String(data)));
  socket.on("close", (code) => {
    report("closed", code);
    process.stdin.destroy();
  });
  process.stdin.on("end", () => socket.close(1000));
}

({ eventsource: followStream, ws: followSocket })[library]();
process.stdin.resume();
