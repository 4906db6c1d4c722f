"""One HTTP POST that is over by its deadline, whatever the other side does."""

import re
import socket
import ssl
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from typing import Final
from urllib.parse import SplitResult, urlsplit

from liqwarn import __version__
from liqwarn.errors import ConfigError
from liqwarn.serving.bind import is_loopback

__all__ = ["Reply", "WebhookTarget", "post"]

_LONGEST_HEAD: Final = 16 << 10
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})\b")
_RETRY_AFTER: Final = re.compile(rb"\r\nretry-after: *(\d{1,5}) *\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """Where flags are posted to.

    Attributes
    ----------
    url : str
        ``https://``, or ``http://`` on this machine. May hold a secret path: it is never logged.
    timeout_s : float
        To connect, and then to send and be answered.

    Raises
    ------
    ConfigError
        For any other address.
    """

    url: str = field(repr=False)
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        parts = self.parts
        local = parts.scheme == "http" and is_loopback(parts.hostname or "")
        plain = parts.username is None and self.url.isascii() and self.url.isprintable()
        if not parts.hostname or not plain or not (parts.scheme == "https" or local):
            raise ConfigError(
                f"webhook has the scheme {parts.scheme!r}, expected https://host/path without a "
                "user name, or http:// to a loopback address"
            )

    @property
    def parts(self) -> SplitResult:
        """The address in its parts."""
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError as error:
            raise ConfigError("webhook is no address, expected https://host/path") from error
        return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a post.

    Attributes
    ----------
    status : int
        HTTP status; 0 when there was none.
    retry_after_s : float
        How long the receiver asks to be left alone; 0 when it does not.
    fault : str
        Why there is no status, in a word.
    """

    status: int = 0
    retry_after_s: float = 0.0
    fault: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the receiver has taken it."""
        return 200 <= self.status < 300

    @property
    def for_good(self) -> bool:
        """Whether asking again would bring the same answer."""
        return 300 <= self.status < 500 and self.status not in (408, 425, 429)


def post(target: WebhookTarget, body: bytes) -> Reply:
    """Post JSON and read the status; the reply's body is not read, no redirect is followed.

    Once connected it takes no longer than the target's time-out, however slowly the other side
    talks; connecting may take as long again for each address of the name. It never raises for what
    the network does.
    """
    parts = target.parts
    end = monotonic() + target.timeout_s
    port, host = parts.port, str(parts.hostname)
    line = (
        HTTPSConnection(host, port, timeout=target.timeout_s)
        if parts.scheme == "https"
        else HTTPConnection(host, port, timeout=target.timeout_s)
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    told = {"Content-Type": "application/json", "User-Agent": f"liqwarn/{__version__}"}
    try:
        line.connect()
        _leave(line.sock, end)
        line.request("POST", path, body, {**told, "Connection": "close"})
        return _read(line.sock, end)
    except (OSError, HTTPException) as error:
        certificate = isinstance(error, ssl.SSLCertVerificationError)
        return Reply(fault="certificate" if certificate else type(error).__name__)
    finally:
        line.close()


def _leave(sock: socket.socket, end: float) -> None:
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def _read(sock: socket.socket, end: float) -> Reply:
    head = b""
    while True:
        _leave(sock, end)
        found = sock.recv(4096)
        head += found
        first, ended, rest = head.partition(b"\r\n\r\n")
        match = _STATUS.match(head)
        if ended and match and match[1].startswith(b"1"):
            head = rest  # an interim answer; the real one follows
            continue
        if match and (ended or not found):
            asked = _RETRY_AFTER.search(first + b"\r\n")
            return Reply(status=int(match[1]), retry_after_s=float(asked[1]) if asked else 0.0)
        if not found or len(head) > _LONGEST_HEAD:
            return Reply(fault="no HTTP")
