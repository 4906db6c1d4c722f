"""A receiver of flags that are pushed to it: verified, in order, or refused with the reason.

``POST /flags`` takes what ``liqwarn.serving.webhook.WebhookSink`` posts: a set of flags, each of
them signed. A sender may send again what it got no answer to.

    python receiver.py --keys keys/public --state seen.json --port 8900
"""

import argparse
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple

import orjson

from liqwarn.decisions import FLAGS_SCHEMA, MAX_LIFE, Flag, flag_from_dict
from liqwarn.errors import PolicyError
from liqwarn.signing import VerifyKey, load_verify_keys, verify_document

__all__ = ["Inbox", "Refused", "make_server"]

logger = logging.getLogger(__name__)

LARGEST: Final = 1 << 20
SLOWEST_S: Final = 5.0
_MOST_DIGITS: Final = len(str(LARGEST))

_Order = list[float]
"""Sequence and time of issue: what a later flag of the same symbol must not be behind."""


class Refused(Exception):  # noqa: N818 it is no fault of ours
    """Something that is not taken, and the HTTP status that says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Held(NamedTuple):
    flag: Flag
    deadline: float
    """On the monotonic clock: the wall clock may be set back."""


class Inbox:
    """The newest flag of each symbol; it never goes back, not even over a restart.

    Parameters
    ----------
    keys : sequence of VerifyKey
        At least one: an unsigned flag is nobody's.
    state : Path or None
        Where the highest sequences are kept; without it they are forgotten with the process.
    now : callable
        The wall clock.
    monotonic : callable
        A clock that cannot be set, in seconds.
    """

    def __init__(
        self,
        keys: Sequence[VerifyKey],
        *,
        state: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        if not keys:
            raise PolicyError("inbox has no keys, expected at least one to verify flags with")
        self._keys, self._state = tuple(keys), state
        self._now, self._monotonic = now, monotonic
        self._lock = threading.Lock()
        self._flags: dict[str, _Held] = {}
        self._seen: dict[str, _Order] = {}
        if state is not None and state.exists():
            self._seen = orjson.loads(state.read_bytes())

    def take(self, body: bytes) -> int:
        """Take in the flags of a set that are good, whatever the others are.

        Returns
        -------
        int
            204 when any was new, 200 when all were taken before.

        Raises
        ------
        Refused
            When one was refused, with the first one's status and all reasons: 400 no flag, 401 not
            signed by a known key, 409 older than one before, 422 expired or from the future. 503
            when what is seen cannot be kept: nothing is taken, and the flags before are withdrawn.
        """
        good: list[Flag] = []
        faults: list[Refused] = []
        for document in _documents(body):
            try:
                good.append(self._checked(document))
            except Refused as fault:
                faults.append(fault)
        with self._lock:
            new = self._keep(good, faults)
        if faults:
            raise Refused(faults[0].status, "; ".join(map(str, faults[:10])))
        return 204 if new else 200

    def _checked(self, document: dict[str, Any]) -> Flag:
        """A flag that is signed and of use now."""
        why = verify_document(document, self._keys)
        if why is not None:
            raise Refused(401, why)
        try:
            flag = flag_from_dict(document)
        except PolicyError as error:
            raise Refused(400, str(error)) from error
        now = self._now()
        if now >= flag.valid_until:
            raise Refused(422, f"the flag of {flag.symbol} has expired")
        if max(flag.as_of, flag.issued_at) > now + MAX_LIFE:
            raise Refused(422, f"the flag of {flag.symbol} is from the future")
        return flag

    def _keep(self, flags: Iterable[Flag], faults: list[Refused]) -> bool:
        """Whether any is new; what is seen is on disk before anybody may act on it."""
        held, seen = dict(self._flags), dict(self._seen)
        for flag in flags:
            before = held.get(flag.symbol)
            if before is not None and flag == before.flag:
                continue
            order: _Order = [flag.sequence, flag.issued_at.timestamp()]
            last = seen.get(flag.symbol, order)
            if order < last or (order == last and before is not None):
                faults.append(_behind(flag, last))
                continue
            held[flag.symbol], seen[flag.symbol] = self._held(flag), order
        if held == self._flags:
            return False
        self._store(seen, held.keys())
        self._flags, self._seen = held, seen
        return True

    def _held(self, flag: Flag) -> _Held:
        left = flag.valid_until - max(self._now(), flag.issued_at)
        return _Held(flag, self._monotonic() + left.total_seconds())

    def _store(self, seen: dict[str, _Order], held: Iterable[str]) -> None:
        if self._state is None:
            return
        try:
            _replace(self._state, orjson.dumps(seen))
        except OSError as error:
            newer = {symbol for symbol in held if seen[symbol] != self._seen.get(symbol)}
            self._flags = {s: kept for s, kept in self._flags.items() if s not in newer}
            why = f"what was seen cannot be kept: {error.strerror}"
            raise Refused(503, why) from error

    def flag(self, symbol: str) -> Flag | None:
        """The flag of a symbol while it is valid by both clocks; None means no new risk."""
        held = self._flags.get(symbol)
        if held is None or self._monotonic() >= held.deadline:
            return None
        return held.flag if self._now() < held.flag.valid_until else None


def _documents(body: bytes) -> list[dict[str, Any]]:
    try:
        posted = orjson.loads(body)
    except ValueError as error:
        raise Refused(400, "not JSON") from error
    if not isinstance(posted, dict) or posted.get("schema") != FLAGS_SCHEMA:
        raise Refused(400, f"not a set of flags, expected the schema {FLAGS_SCHEMA}")
    flags = posted.get("flags")
    if not isinstance(flags, list) or not all(isinstance(flag, dict) for flag in flags):
        raise Refused(400, "flags are no list of flag documents")
    return flags


def _behind(flag: Flag, last: _Order) -> Refused:
    found = f"{flag.symbol}: sequence is {flag.sequence}"
    return Refused(409, f"{found}, expected at least {last[0]:.0f}, and newer")


def _replace(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


class _Server(ThreadingHTTPServer):
    inbox: Inbox


class _Handler(BaseHTTPRequestHandler):
    """One set of flags a request."""

    server: _Server
    timeout = SLOWEST_S

    def do_POST(self) -> None:
        """Take one set and say what became of it."""
        try:
            status, why = self.server.inbox.take(self._body()), ""
        except Refused as refused:
            status, why = refused.status, str(refused)
            logger.warning("refused with %d: %s", status, why)
        self._answer(status, why)

    def _body(self) -> bytes:
        if self.path != "/flags":
            raise Refused(404, "flags are posted to /flags")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise Refused(411, "the length is not given")
        if len(length) > _MOST_DIGITS or int(length) > LARGEST:
            raise Refused(413, f"the body is too long, expected at most {LARGEST} bytes")
        try:
            body = self.rfile.read(int(length))
        except TimeoutError as error:
            raise Refused(408, "the body took too long") from error
        if len(body) != int(length):
            raise Refused(400, "the body is cut short")
        return body

    def _answer(self, status: int, why: str) -> None:
        body = b"" if status == 204 else orjson.dumps({"detail": why or "taken before"})
        self.close_connection = True
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as http.server calls it
        """To the log, not to the terminal."""
        logger.debug(format, *args)


def make_server(inbox: Inbox, *, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """A server for an inbox; loopback unless told otherwise, for it speaks no TLS."""
    server = _Server((host, port), _Handler)
    server.inbox = inbox
    return server


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="receive liqwarn's flags")
    parser.add_argument("--keys", type=Path, required=True, help="public keys: a file or a folder")
    parser.add_argument("--state", type=Path, help="where the highest sequences are kept")
    parser.add_argument("--port", type=int, default=8900)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    inbox = Inbox(load_verify_keys(given.keys), state=given.state)
    with make_server(inbox, port=given.port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
