"""``GET /v1/flags`` with the standard library, within a time and a size."""

import io
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult

from liqwarn import __version__
from liqwarn.client.file_fetch import MAX_CONTENT
from liqwarn.client.polled import Answer
from liqwarn.errors import StoreError

__all__ = ["HttpFetch"]

_PIECE: Final = 1 << 16


class _Ending(io.RawIOBase):
    """The reading end of a socket that gives up at one moment for all reads together.

    A socket's own timeout starts anew with every byte, and a server that drips would never end.
    """

    def __init__(self, inner: socket.socket, end: float) -> None:
        self._inner, self._end = inner, end

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Fill `buffer` with what there is; TimeoutError once the time is over."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._inner.settimeout(left)
        return self._inner.recv_into(buffer)


class _EndingSocket:
    """As much of a socket as :class:`HTTPResponse` asks for."""

    def __init__(self, inner: socket.socket, end: float) -> None:
        self._inner, self._end = inner, end

    def makefile(self, mode: str = "rb") -> io.BufferedReader:
        """The reading end."""
        if mode != "rb":
            raise ValueError(f"mode is {mode!r}, expected 'rb'")
        return io.BufferedReader(_Ending(self._inner, self._end), _PIECE)


class HttpFetch:
    """Asks for all flags; a redirect is no answer, and neither is a body beyond 16 MiB.

    Each question is its own connection: nothing is left half read after a fault.

    Parameters
    ----------
    url : SplitResult
        Scheme, host, port and path before ``/v1/flags``.
    api_key : str or None
        Sent as ``Authorization: Bearer``.
    tls : SSLContext or None
        For ``https``; None trusts the authorities of the system.
    timeout_s : float
        For the whole question after the name is resolved and the connection made; once more for
        connecting.
    """

    def __init__(
        self,
        url: SplitResult,
        *,
        api_key: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 2.0,
        max_content: int = MAX_CONTENT,
    ) -> None:
        self._url = url
        self._headers = {"Accept": "application/json", "Connection": "close"}
        self._headers["User-Agent"] = f"liqwarn-client/{__version__}"
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._timeout_s = timeout_s
        self._max_content = max_content
        self._etag: str | None = None
        self._tls = (tls or ssl.create_default_context()) if url.scheme == "https" else None
        self.name = f"{url.scheme}://{url.hostname}:{url.port or ''}{url.path}"

    def __call__(self) -> Answer:
        """All flags, or that they are as before.

        Raises
        ------
        OSError, http.client.HTTPException
            When the server cannot be reached, is too slow or speaks no HTTP.
        StoreError
            When it answers anything but 200 or 304, or too much.
        """
        headers = dict(self._headers)
        if self._etag is not None:
            headers["If-None-Match"] = self._etag
        connection = self._connection()
        try:
            connection.connect()
            end = time.monotonic() + self._timeout_s
            connection.request("GET", self._url.path.rstrip("/") + "/v1/flags", headers=headers)
            return self._answer(connection, end)
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._tls is not None:
            return HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)
        return HTTPConnection(host, port, timeout=self._timeout_s)

    def _answer(self, connection: HTTPConnection, end: float) -> Answer:
        plain = _EndingSocket(connection.sock, end)
        response = HTTPResponse(plain, method="GET")  # type: ignore[arg-type]  # all it asks for
        try:
            response.begin()
            if response.status == 304 and self._etag is not None:
                return Answer(content=None)
            if response.status != 200:
                raise StoreError(f"HTTP status is {response.status}, expected 200 or 304")
            content = self._body(response)
            self._etag = response.getheader("ETag")
            return Answer(content=content)
        finally:
            response.close()

    def _body(self, response: HTTPResponse) -> bytes:
        promised = response.length
        content = response.read(self._max_content + 1)
        if len(content) > self._max_content:
            raise StoreError(f"body has more than {self._max_content} bytes, expected fewer")
        if promised is not None and len(content) != promised:  # `read` with a size lets it pass
            raise StoreError(f"body has {len(content)} bytes, expected {promised}")
        return content

    def forget(self) -> None:
        """Ask for the whole the next time."""
        self._etag = None
