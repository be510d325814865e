"""Tests the server with common client libraries of event streams and WebSockets, and its numbers, also
those of a node of the PostgreSQL database WEBCHAT_TEST_DATABASE, with Prometheus' own reader.

Each library runs in a process of its own (reader.py, reader.mjs), which prints what the library
hands out. All of them follow an empty room at the same time, through a heartbeat, some messages and
a restart of the server. Each must hand out each message once and in order, and nothing else.
"""

import http.client
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families

HERE = Path(__file__).parent
BINARY = os.environ.get("WEBCHAT_BINARY", HERE.parent.parent / "target/debug/webchat")
TIMEOUT = 60

PYTHON = [sys.executable, HERE / "reader.py"]
NODE = ["node", HERE / "reader.mjs"]
STREAMS = {
    "httpx-sse": PYTHON,
    "sseclient-py": PYTHON,
    "aiohttp-sse-client2": PYTHON,
    "eventsource": NODE,
}
SOCKETS = {"websockets": PYTHON, "websocket-client": PYTHON, "ws": NODE}


class Lines:
    """The lines that a process prints, read in the background so that it never blocks."""

    def __init__(self, pipe):
        self.queue = queue.Queue()
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def _read(self, pipe):
        for line in pipe:
            self.queue.put(line.rstrip("\n"))
        self.queue.put(None)

    def next(self):
        return self.queue.get(timeout=TIMEOUT)


class Server:
    """A running server."""

    def __init__(self, data, port=0, flags=()):
        listen = ["--listen", f"127.0.0.1:{port}", "--data-dir", data, "--rate-limit", "off"]
        listen += ["--metrics", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(
            [BINARY, *listen], stderr=subprocess.PIPE, text=True, bufsize=1
        )
        log = Lines(self.process.stderr)
        while (line := log.next()) is not None:
            if found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
            if found := re.search(r"http://[0-9.:]+/metrics", line):
                self.metrics = found[0]
                return
        sys.exit("The server has not started.")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(TIMEOUT) == 0, "the server did not stop in order"

    def post(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 201, response.read()
        return json.load(response)

    def wait_for_heartbeat(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        connection.request("GET", path)
        response = connection.getresponse()
        while response.readline().strip() != b": heartbeat":
            pass
        connection.close()


class Reader:
    """A client library in a process of its own."""

    def __init__(self, library, program, url):
        self.library = library
        self.process = subprocess.Popen(
            [*program, library, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.lines = Lines(self.process.stdout)
        self.expect("open")

    def expect(self, kind, value=None):
        try:
            line = self.lines.next()
        except queue.Empty:
            sys.exit(f"{self.library} does not report {kind} {value or ''}")
        report = json.loads(line) if line else {"end": True}
        if kind not in report or (value is not None and report[kind] != value):
            sys.exit(f"{self.library} reports {report} instead of {kind} {value or ''}")

    def expect_message(self, seq, body):
        self.expect("message", {"seq": seq, "body": body})

    def finish(self):
        """Lets the library close its connection, and returns when the process has ended."""
        self.process.stdin.close()
        if self.library in SOCKETS:
            self.expect("closed", 1000)
        self.expect("end")
        assert self.process.wait(TIMEOUT) == 0, f"{self.library} failed"


def main():
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
        room = server.post("/rooms/", {})["id"]
        try:
            server = follow_over_a_restart(server, data, room)
            read_numbers(server)
        finally:
            server.stop()
    with tempfile.TemporaryDirectory() as data:
        server = Server(data, flags=["--database", os.environ["WEBCHAT_TEST_DATABASE"]])
        try:
            read_numbers_of_a_node(server)
        finally:
            server.stop()
    print("passed:", ", ".join([*STREAMS, *SOCKETS, "prometheus-client"]))


def follow_over_a_restart(server, data, room):
    messages = f"/rooms/{room}/messages/"
    address = f"127.0.0.1:{server.port}"
    socket = f"ws://{address}/rooms/{room}/socket"

    def post(body):
        server.post(messages, {"username": "ada", "body": body})

    streams = [
        Reader(library, program, f"http://{address}{messages}")
        for library, program in STREAMS.items()
    ]
    sockets = [Reader(library, program, socket) for library, program in SOCKETS.items()]
    server.wait_for_heartbeat(messages)
    post("one")
    for reader in streams + sockets:
        reader.expect_message(1, "one")
    server.stop()
    for reader in sockets:
        reader.expect("closed", 1012)
        reader.expect("end")
    server = Server(data, server.port)
    post("two")
    sockets = [
        Reader(library, program, f"{socket}?after=1") for library, program in SOCKETS.items()
    ]
    for reader in streams:
        reader.expect("open")
    for reader in streams + sockets:
        reader.expect_message(2, "two")
    post("three")
    for reader in streams + sockets:
        reader.expect_message(3, "three")
        reader.finish()
    return server


def read_families(server):
    with urllib.request.urlopen(server.metrics, timeout=TIMEOUT) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {family.name: family for family in families}


def read_numbers(server):
    names = read_families(server)
    posts = names["webchat_posts"].samples[0].value
    assert posts == 2, f"{posts} posts since the restart"
    assert names["webchat_commit_seconds"].type == "histogram"
    assert "webchat_nodes" not in names, "numbers of nodes without a database that they can share"


def read_numbers_of_a_node(server):
    room = server.post("/rooms/", {})["id"]
    server.post(f"/rooms/{room}/messages/", {"username": "ada", "body": "hello"})
    names = read_families(server)
    kinds = {
        "webchat_rings_sent": "counter",
        "webchat_rings_heard": "counter",
        "webchat_rings_missed": "counter",
        "webchat_rings_read_again": "counter",
        "webchat_ring_delay_seconds": "histogram",
        "webchat_hears_rings": "gauge",
        "webchat_leader": "gauge",
        "webchat_nodes": "gauge",
    }
    for name, kind in kinds.items():
        assert names[name].type == kind, f"{name} is {names[name]}"
        labels = {label for sample in names[name].samples for label in sample.labels}
        assert labels <= {"le"}, f"{name} has the labels {labels}"


main()
