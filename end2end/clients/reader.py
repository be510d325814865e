"""Prints what a Python client library hands out: python reader.py LIBRARY URL.

One JSON object a line: {"open": true}, {"message": {"seq", "body"}}, {"event": …} for everything
that is no message, {"closed": CODE}. Ends when its standard input ends.
"""

import asyncio
import json
import os
import sys
import threading
import time

LIBRARY, URL = sys.argv[1:]


def report(kind, value=True):
    print(json.dumps({kind: value}), flush=True)


def report_event(name, data):
    """Reports an event of a stream, or a frame of a socket."""
    try:
        message = json.loads(data)
        report("message", {"seq": message["id"], "body": message["body"]})
    except (KeyError, TypeError, ValueError):
        report("event", {"name": name, "data": data})


def at_end_of_input(act):
    def wait():
        sys.stdin.read()
        act()

    threading.Thread(target=wait, daemon=True).start()


def reconnect(follow):
    """Follows again and again, as these libraries leave to their users: from the last event's ID,
    after the delay that the server asks for."""
    at_end_of_input(lambda: os._exit(0))
    last_id = None
    retry = 1000
    while True:
        headers = {"Accept": "text/event-stream"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        try:
            for event in follow(headers):
                last_id = event.id or last_id
                retry = int(event.retry or retry)
                report_event(event.event, event.data)
        except OSError:
            pass
        time.sleep(retry / 1000)


def httpx_sse():
    import httpx
    from httpx_sse import connect_sse

    def follow(headers):
        try:
            with httpx.Client(timeout=60) as client:
                with connect_sse(client, "GET", URL, headers=headers) as source:
                    report("open")
                    yield from source.iter_sse()
        except httpx.TransportError as error:
            raise OSError from error

    reconnect(follow)


def sseclient_py():
    import requests
    import sseclient

    def follow(headers):
        # requests' errors are OSErrors.
        response = requests.get(URL, headers=headers, stream=True, timeout=60)
        report("open")
        yield from sseclient.SSEClient(response).events()

    reconnect(follow)


def aiohttp_sse_client2():
    from aiohttp_sse_client2.client import EventSource

    at_end_of_input(lambda: os._exit(0))

    async def follow():
        source = EventSource(URL, on_open=lambda: report("open"), max_connect_retry=100)
        async with source:
            async for event in source:
                report_event(event.type, event.data)

    asyncio.run(follow())


def websockets():
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with connect(URL) as socket:
        report("open")
        at_end_of_input(socket.close)
        try:
            while True:
                report_event("frame", socket.recv())
        except ConnectionClosed as closed:
            report("closed", closed.rcvd.code if closed.rcvd else None)


def websocket_client():
    import websocket

    socket = websocket.create_connection(URL, timeout=60)
    report("open")
    at_end_of_input(lambda: socket.send_close(websocket.STATUS_NORMAL))
    while True:
        kind, data = socket.recv_data(control_frame=True)
        if kind == websocket.ABNF.OPCODE_CLOSE:
            report("closed", int.from_bytes(data[:2], "big"))
            break
        if kind == websocket.ABNF.OPCODE_TEXT:
            report_event("frame", data.decode())
    socket.shutdown()


{
    "httpx-sse": httpx_sse,
    "sseclient-py": sseclient_py,
    "aiohttp-sse-client2": aiohttp_sse_client2,
    "websockets": websockets,
    "websocket-client": websocket_client,
}[LIBRARY]()
