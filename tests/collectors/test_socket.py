"""A connection whose venue breaks the protocol or says goodbye, and does not hang up."""

import asyncio
import base64
import contextlib
import hashlib
import time

import pytest

from liqwarn.collectors import socket as module
from liqwarn.collectors.socket import LineError, open_socket

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
GARBAGE = bytes([0xC1, 10]) + b"no deflate"  # says that it is compressed
RESERVED = bytes([0xB1, 0])  # a bit that nobody agreed on
GOODBYE = bytes([0x88, 2]) + (1001).to_bytes(2, "big")


@contextlib.asynccontextmanager
async def venue(*sent):
    """A server that shakes hands, sends bytes and then stays on the line."""
    gone = asyncio.Event()

    async def serve(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        key = next(line for line in head if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key.split(b": ")[1] + GUID).digest())
        writer.write(
            b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        for content in sent:
            writer.write(content)
        await gone.wait()
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        gone.set()


@pytest.mark.parametrize("content", [GARBAGE, RESERVED, GOODBYE], ids=["garbage", "bits", "bye"])
def test_a_venue_that_does_not_hang_up_after_it_is_hung_up_on(monkeypatch, content):
    monkeypatch.setattr(module, "_CLOSE_S", 0.1)

    async def hear():
        async with venue(content) as url:
            line = await open_socket(url, open_s=5.0)
            with pytest.raises(LineError, match=r"."):
                await line.receive()

    began = time.monotonic()
    asyncio.run(asyncio.wait_for(hear(), 10.0))
    assert time.monotonic() - began < 5.0


def test_what_came_before_the_fault_is_read(monkeypatch):
    monkeypatch.setattr(module, "_CLOSE_S", 0.1)

    async def hear():
        async with venue(bytes([0x81, 2]) + b"{}", GARBAGE) as url:
            line = await open_socket(url, open_s=5.0)
            assert await line.receive() == b"{}"
            with pytest.raises(LineError, match=r"decompression failed"):
                await line.receive()

    asyncio.run(asyncio.wait_for(hear(), 10.0))


def test_nobody_there_is_told():
    with pytest.raises(LineError, match="no connection"):
        asyncio.run(open_socket("ws://127.0.0.1:1", open_s=2.0))
