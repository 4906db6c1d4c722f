"""A sink of flags that pushes each of them, signed, to a receiver over HTTP.

It never holds up whoever publishes: only the newest flag of a symbol waits, and it is sent again
until it is taken, refused for good, or expired. A receiver that gets nothing denies by itself when
its last flag expires.
"""

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import orjson

from liqwarn.decisions import Flag, flag_to_dict
from liqwarn.errors import ConfigError
from liqwarn.signing import SigningKey, sign_document

__all__ = ["WebhookSink"]

logger = logging.getLogger(__name__)

_TAKEN: Final = (200, 204)
_AGAIN: Final = (408, 425, 429)


class Flags(Protocol):
    """As much of a set of flags as a sink reads."""

    @property
    def flags(self) -> Mapping[str, Flag]:
        """By symbol."""


class WebhookSink:
    """Publishes to one receiver, from a thread of its own.

    Parameters
    ----------
    url : str
        The receiver's address; plain HTTP is for the same host alone.
    key : SigningKey
        Signs each document.
    timeout_s, pause_s : float
        For one attempt, and between two after a failure.

    Raises
    ------
    ConfigError
        When `url` is no address, or leaves the host without TLS.
    """

    def __init__(
        self, url: str, key: SigningKey, *, timeout_s: float = 2.0, pause_s: float = 1.0
    ) -> None:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")
        if parts.scheme not in ("http", "https") or not parts.hostname or not safe:
            raise ConfigError(f"webhook is {url!r}, expected https://…, or http:// on this host")
        self._parts, self._key = parts, key
        self._timeout_s, self._pause_s = timeout_s, pause_s
        self._waiting: dict[str, Flag] = {}
        self._changed, self._idle = threading.Condition(), threading.Event()
        self._stop = threading.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def publish(self, flags: Flags) -> None:
        """Have the flags sent; returns at once."""
        with self._changed:
            self._waiting.update(flags.flags)
            self._idle.clear()
            self._changed.notify()

    def wait(self, timeout_s: float) -> bool:
        """Whether everything was sent, refused or expired by then."""
        return self._idle.wait(timeout_s)

    def close(self) -> None:
        """End it; what waits is dropped."""
        self._stop.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(self._timeout_s + self._pause_s + 1.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._changed:
                if not self._waiting:
                    self._idle.set()
                    self._changed.wait()
                waiting = list(self._waiting.values())
            done = [self._send(flag) for flag in waiting]
            with self._changed:
                for flag, over in zip(waiting, done, strict=True):
                    if over and self._waiting.get(flag.symbol) is flag:
                        del self._waiting[flag.symbol]
            if not all(done):
                self._stop.wait(self._pause_s)

    def _send(self, flag: Flag) -> bool:
        """Whether this flag need not be sent again."""
        if datetime.now(UTC) >= flag.valid_until:
            return True
        document = orjson.dumps(sign_document(flag_to_dict(flag), self._key))
        try:
            status = self._post(document)
        except (OSError, HTTPException) as error:
            logger.warning("webhook: %s not sent: %s", flag.symbol, error)
            return False
        if status not in _TAKEN:
            logger.warning("webhook: %s refused with %d", flag.symbol, status)
        return status < 500 and status not in _AGAIN

    def _post(self, body: bytes) -> int:
        connection = self._connection()
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", self._parts.path or "/", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        kind: Any = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        made: HTTPConnection = kind(self._parts.hostname, self._parts.port, timeout=self._timeout_s)
        return made
