"""A receiver of flags that are pushed to it: verified, in order, or refused with the reason.

``POST /flags`` takes one signed flag document. A sender may send again what it got no answer to.

    python receiver.py --keys keys/public --state seen.json --port 8900
"""

import argparse
import logging
import os
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import orjson

from liqwarn.decisions import MAX_LIFE, Flag, flag_from_dict
from liqwarn.errors import PolicyError
from liqwarn.signing import VerifyKey, load_verify_keys, verify_document

__all__ = ["Inbox", "Refused", "make_server"]

logger = logging.getLogger(__name__)

LARGEST: Final = 64 * 1024
SLOWEST_S: Final = 5.0


class Refused(Exception):  # noqa: N818 it is no fault of ours
    """A document that is not taken, and the HTTP status that says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


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
    """

    def __init__(
        self,
        keys: Sequence[VerifyKey],
        *,
        state: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not keys:
            raise PolicyError("inbox has no keys, expected at least one to verify flags with")
        self._keys, self._state, self._now = tuple(keys), state, now
        self._lock = threading.Lock()
        self._flags: dict[str, Flag] = {}
        self._seen: dict[str, list[float]] = {}
        if state is not None and state.exists():
            self._seen = orjson.loads(state.read_bytes())

    def take(self, body: bytes) -> int:
        """Take a document in.

        Returns
        -------
        int
            204 for a new flag, 200 for one that was taken before.

        Raises
        ------
        Refused
            400 no flag, 401 not signed by a known key, 409 older than one before, 422 expired or
            from the future.
        """
        flag = self._verified(body)
        now = self._now()
        if now >= flag.valid_until:
            raise Refused(422, "the flag has expired")
        if max(flag.as_of, flag.issued_at) > now + MAX_LIFE:
            raise Refused(422, "the flag is from the future")
        with self._lock:
            return self._keep(flag)

    def _verified(self, body: bytes) -> Flag:
        try:
            document = orjson.loads(body)
        except ValueError as error:
            raise Refused(400, "not JSON") from error
        if not isinstance(document, dict):
            raise Refused(400, "not a flag document")
        why = verify_document(document, self._keys)
        if why is not None:
            raise Refused(401, why)
        try:
            return flag_from_dict(document)
        except PolicyError as error:
            raise Refused(400, str(error)) from error

    def _keep(self, flag: Flag) -> int:
        if flag == self._flags.get(flag.symbol):
            return 200
        order = [flag.sequence, flag.issued_at.timestamp()]
        last = self._seen.get(flag.symbol, order)
        if order < last or (order == last and flag.symbol in self._flags):
            raise Refused(409, f"sequence is {order[0]}, expected at least {last[0]}, and newer")
        seen = self._seen | {flag.symbol: order}
        if self._state is not None:
            _replace(self._state, orjson.dumps(seen))
        self._seen, self._flags[flag.symbol] = seen, flag
        return 204

    def flag(self, symbol: str) -> Flag | None:
        """The flag of a symbol while it is valid; None means no new risk."""
        flag = self._flags.get(symbol)
        return flag if flag is not None and self._now() < flag.valid_until else None


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
    """One document a request."""

    server: _Server
    timeout = SLOWEST_S

    def do_POST(self) -> None:
        """Take one document and say what became of it."""
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
        if int(length) > LARGEST:
            raise Refused(413, f"the body has {length} bytes, expected at most {LARGEST}")
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
