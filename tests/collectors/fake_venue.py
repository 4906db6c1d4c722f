"""A venue's server on loopback that does whatever a venue can do wrong.

It speaks HTTP and WebSocket by hand, so that it can cut frames in the middle, lie about them, or
say nothing. It runs in a thread of its own and keeps the ground truth: a frame counts as delivered
when the client has answered a ping that was sent after it, on the same connection.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import threading
from dataclasses import dataclass, field
from itertools import count

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(payload, opcode=TEXT, *, fin=True, rsv1=False, claim=None):
    """The bytes of a server's frame; `claim` is the length it says it has."""
    size = len(payload) if claim is None else claim
    first = (0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode
    if size < 126:
        head = bytes([first, size])
    elif size < 1 << 16:
        head = bytes([first, 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, 127]) + size.to_bytes(8, "big")
    return head + payload


@dataclass(eq=False)
class Connection:
    """A client's connection. All of it happens in the server's loop."""

    number: int
    path: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: list = field(default_factory=list)
    sent: list = field(default_factory=list)
    delivered: list = field(default_factory=list)
    stalled: bool = False
    open: bool = True

    def send(self, told):
        """Send a frame of JSON, and a ping behind it that tells when it has arrived."""
        if not self.open or self.stalled:
            return
        self.sent.append(told)
        ping = frame(str(len(self.sent)).encode(), PING)
        self.raw(frame(json.dumps(told).encode()) + ping)

    def raw(self, content):
        if self.open:
            self.writer.write(content)

    def close(self, code=1001):
        """Say goodbye and go."""
        self.raw(frame(code.to_bytes(2, "big"), CLOSE))
        self.open = False
        self.writer.close()

    def reset(self):
        """Hang up without a word."""
        self.open = False
        if not self.writer.transport.is_closing():
            self.writer.transport.abort()

    async def listen(self, on_text):
        """Hear what the client says until it goes."""
        try:
            while True:
                opcode, payload = await self._frame()
                if opcode == PONG and payload.isdigit():
                    self.delivered = self.sent[: max(len(self.delivered), int(payload))]
                elif opcode == TEXT:
                    self.received.append(payload)
                    on_text(self, payload)
                elif opcode == PING and not self.stalled:
                    self.raw(frame(payload, PONG))
                elif opcode == CLOSE:
                    self.close(1000)
                    return
        except (asyncio.IncompleteReadError, OSError):
            self.open = False

    async def _frame(self):
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        mask = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(size)
        return first & 0xF, bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


class FakeVenue:
    """The server.

    Attributes
    ----------
    handshake : str or int
        What becomes of the next handshakes: ``ok``, ``hang``, ``garbage``, ``deflate`` (agrees to
        compress) or a status.
    pages : dict of path to (status, bytes)
        Replies to questions.
    connections : list of Connection
        All there were.
    on_hello : callable
        Called in the loop with each connection that says hello, if set.
    """

    def __init__(self):
        self.handshake = "ok"
        self.retry_after = None
        self.pages = {"/sizes": (200, b'{"k":"sizes"}')}
        self.connections = []
        self.on_hello = None
        self.asked = []
        self.refused = 0
        self._numbers = count(1)
        self._writers = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def sockets(self):
        return f"ws://127.0.0.1:{self.port}"

    @property
    def http(self):
        return f"http://127.0.0.1:{self.port}"

    def do(self, act, *args):
        """Run something in the server's loop and wait for it."""

        async def acting():
            done = act(*args)
            return await done if asyncio.iscoroutine(done) else done

        return asyncio.run_coroutine_threadsafe(acting(), self._loop).result(30)

    def start(self, act):
        """Run a coroutine in the server's loop meanwhile."""
        return asyncio.run_coroutine_threadsafe(act(), self._loop)

    def live(self, path=None):
        """Connections that are open, newest last."""
        return [c for c in self.connections if c.open and path in (None, c.path)]

    def tell(self, path, told):
        """Send a frame to every connection of a path."""
        for connection in self.live(path):
            connection.send(told)

    def _run(self):
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in self.connections:
            connection.open = False
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in self._writers:
            if not writer.transport.is_closing():
                writer.transport.abort()
        await asyncio.sleep(0)  # transports close in the next turn of the loop
        await asyncio.sleep(0)

    async def _client(self, reader, writer):
        self._writers.append(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            return
        lines = head.decode().split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
        if "upgrade" in headers and headers["upgrade"].lower() == "websocket":
            await self._socket(path, headers, reader, writer)
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            await self._page(method, path, body, writer)

    async def _page(self, method, path, body, writer):
        self.asked.append((method, path, body))
        status, content = self.pages.get(path, (404, b""))
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + content)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    async def _socket(self, path, headers, reader, writer):
        if self.handshake == "hang":
            self.refused += 1
            await reader.read()
            writer.close()
            return
        if self.handshake not in ("ok", "deflate"):
            self.refused += 1
            wait = "" if self.retry_after is None else f"Retry-After: {self.retry_after}\r\n"
            status = f"HTTP/1.1 {self.handshake} No\r\n{wait}Content-Length: 0\r\n\r\n".encode()
            writer.write(b"\x00\xff garbage\r\n\r\n" if self.handshake == "garbage" else status)
            writer.close()
            return
        key = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + _GUID).digest())
        extra = b""
        if self.handshake == "deflate":
            extra = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + extra
            + b"Sec-WebSocket-Accept: "
            + key
            + b"\r\n\r\n"
        )
        connection = Connection(next(self._numbers), path, reader, writer)
        self.connections.append(connection)
        await connection.listen(self._said)

    def _said(self, connection, payload):
        if payload == b'{"k":"ping"}' and not connection.stalled:
            connection.raw(frame(b'{"k":"pong"}'))
        elif payload == b'{"k":"hello"}' and self.on_hello is not None:
            self.on_hello(connection)
