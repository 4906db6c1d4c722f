"""Asking a provider's server politely: few connections, waits as told, no endless answers.

The only module that talks HTTP to providers. Whatever may pass by itself (a timeout, a cut reply,
429 and 5xx) is tried again with growing waits; ``Retry-After`` is obeyed by every worker.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import httpx
import stamina
import stamina.instrumentation

from liqwarn import __version__
from liqwarn.errors import BusyError, ConfigError, DataError, RefusedError, SourceError
from liqwarn.sources.api_key import ApiKey
from liqwarn.sources.pace import Budget, Pace
from liqwarn.sources.retry_after import seconds_to_wait
from liqwarn.sources.server_clock import seconds_ahead
from liqwarn.sources.web_address import check_address, shown_address

__all__ = ["Download", "Patience", "Web"]

T = TypeVar("T")

_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_REFUSING: Final = frozenset({400, 402, 403, 404, 422})
_BAD_KEY: Final = 401
_TEXT_LIMIT: Final = 4_096
_PAGE_LIMIT: Final = 1 << 16
_REPLY_LIMIT: Final = 1 << 25
_SAID_LIMIT: Final = 200
_CLOCK_OFF_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server is waited for.

    Attributes
    ----------
    attempts : int
        Times a file is asked for.
    first_wait_s, longest_wait_s : float
        Wait after the first failure, doubled with each further one, and its bound.
    longest_pause_s : float
        Longest ``Retry-After`` that is obeyed; a longer one ends the run.
    connect_s, read_s : float
        For the connection, and for each piece of a reply.
    grace_s, slowest_bytes_s : float
        A reply that after the grace is slower than this counts as cut.
    between_s : float
        Least time from one question to the next, of all workers together.
    per_minute : int
        Most questions in any minute, each by its weight; 0 is no bound.
    """

    attempts: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_pause_s: float = 600.0
    connect_s: float = 10.0
    read_s: float = 30.0
    grace_s: float = 30.0
    slowest_bytes_s: float = 2_000.0
    between_s: float = 0.0
    per_minute: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that came whole: its SHA-256 in hex and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A question to an API: what is posted, if anything, and its weight."""

    body: bytes | None
    weight: int


class _PassingError(Exception):
    """Something that may pass; `wait_s` is what the server asked for, if it did."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Web:
    """A server's files, by their path below its address; safe for several threads.

    Parameters
    ----------
    base_url : str
        ``https://host`` with or without a path.
    connections : int
        Most connections at a time.
    patience : Patience
    stop : Event
        Set by whoever gives up: nothing is asked any more, replies under way end.
    key : ApiKey, optional
        Sent to this address only: redirects are not followed, and a proxy sees it encrypted.
    budget : Budget, optional
        Headers that say how often may be asked.

    Raises
    ------
    ConfigError
        When the address is none, or a key would go over a network in the clear.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connections: int,
        patience: Patience,
        stop: threading.Event,
        key: ApiKey | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._base = _address(base_url, key)
        self._patience = patience
        self._stop = stop
        self._key = key
        self._pace = Pace(patience.between_s, per_minute=patience.per_minute, budget=budget)
        stamina.instrumentation.set_on_retry_hooks(())  # its default would log to our output
        self._client = httpx.Client(
            headers={
                "User-Agent": f"liqwarn/{__version__}",
                "Accept-Encoding": "identity",
                **({} if key is None else key.headers),
            },
            timeout=httpx.Timeout(patience.read_s, connect=patience.connect_s),
            limits=httpx.Limits(max_connections=connections),
            follow_redirects=False,
            trust_env=key is None or self._base.startswith("https:"),  # else a proxy reads the key
        )

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close its connections."""
        self._client.close()

    def text(self, path: str) -> str | None:
        """A small file's text, None when there is none (404).

        Raises
        ------
        BusyError, SourceError
            When it does not come; when nothing will.
        DataError
            When it is no small text.
        """
        content = bytearray()

        def fill(reply: httpx.Response) -> None:
            content.clear()
            for piece in self._pieces(reply):
                content.extend(piece)
                if len(content) > _TEXT_LIMIT:
                    shown = bytes(content[:40])
                    raise DataError(f"{path}: found {shown!r}… of any length, expected one line")

        if not self._ask("GET", path, fill):
            return None
        return content.decode("utf-8", errors="replace")

    def exists(self, path: str, see: Callable[[httpx.Headers], None] = lambda _: None) -> bool:
        """Whether there is a file; of it `see` is shown the headers, nothing else is fetched."""
        return self._ask("HEAD", path, lambda reply: see(reply.headers))

    def download(
        self, path: str, target: Path, *, limit: int, on_bytes: Callable[[int], None]
    ) -> Download | None:
        """Fill `target` with a file, None when there is none (404).

        Parameters
        ----------
        path : str
        target : Path
            Written over from its start at each attempt.
        limit : int
            Most bytes that are taken.
        on_bytes : callable
            Told the size of each piece that came.
        """
        done: list[Download] = []

        def fill(reply: httpx.Response) -> None:
            digest, size = sha256(), 0
            with target.open("wb") as stream:
                for piece in self._pieces(reply):
                    size += len(piece)
                    if size > limit:
                        raise DataError(f"{path}: more than {limit} bytes, refused")
                    digest.update(piece)
                    stream.write(piece)
                    on_bytes(len(piece))
            done[:] = [Download(sha256=digest.hexdigest(), size=size)]

        return done[0] if self._ask("GET", path, fill) else None

    def page(
        self,
        path: str,
        accept: Callable[[bytes], T],
        *,
        body: bytes | None = None,
        weight: int = 1,
    ) -> tuple[T, int]:
        """What `accept` makes of a reply of an API, and how many bytes came.

        Parameters
        ----------
        path : str
            With its query, if it has one.
        accept : callable
            Reads the whole reply. When it raises ``BusyError`` the page is asked for again.
        body : bytes, optional
            JSON to post; without it the page is got.
        weight : int
            As how many questions the provider counts it.

        Raises
        ------
        BusyError, RefusedError, SourceError
            When it does not come; when this one never will (404); when nothing will (401).
        DataError
            When it is larger than any page.
        """
        done: list[tuple[T, int]] = []

        def fill(reply: httpx.Response) -> None:
            content = bytearray()
            for piece in self._pieces(reply):
                content.extend(piece)
                if len(content) > _REPLY_LIMIT:
                    raise DataError(f"{path}: a reply of more than {_REPLY_LIMIT} bytes, refused")
            done[:] = [(accept(self._hidden(bytes(content))), len(content))]

        self._ask("GET" if body is None else "POST", path, fill, _Page(body=body, weight=weight))
        return done[0]

    def _ask(
        self,
        method: str,
        path: str,
        use: Callable[[httpx.Response], None],
        page: "_Page | None" = None,
    ) -> bool:
        """Let `use` read a reply, again and again while it may help; False for 404."""
        patience, url = self._patience, f"{self._base}/{path}"
        try:
            for attempt in stamina.retry_context(
                on=_again,
                attempts=patience.attempts,
                timeout=None,
                wait_initial=patience.first_wait_s,
                wait_max=patience.longest_wait_s,
                wait_jitter=patience.first_wait_s,
            ):
                with attempt, self._reply(method, url, page) as reply:
                    if reply.status_code == httpx.codes.NOT_FOUND:
                        self._start_of(reply, _PAGE_LIMIT)  # so the connection is used again
                        return False
                    use(reply)
        except (httpx.TransportError, _PassingError, BusyError) as error:
            reason = self._hidden((str(error) or type(error).__name__).encode()).decode()
            told = f"{url}: asked {patience.attempts} times, the last: {reason}"
            raise BusyError(told) from (error if self._key is None else None)
        return True

    @contextmanager
    def _reply(self, method: str, url: str, page: "_Page | None") -> Iterator[httpx.Response]:
        body = None if page is None else page.body
        self._pause(1 if page is None else page.weight)
        headers = {} if body is None else {"Content-Type": "application/json"}
        with self._client.stream(method, url, content=body, headers=headers) as reply:
            self._pace.heed(reply.headers, now=time.monotonic())
            status = reply.status_code
            if status in _PASSING:
                raise _PassingError(f"status {status}", self._told_to_wait(reply))
            if status != httpx.codes.OK and (page or status != httpx.codes.NOT_FOUND):
                raise self._refusal(reply, url, page)
            if page:
                self._check_clock(reply)
            yield reply

    def _refusal(self, reply: httpx.Response, url: str, page: "_Page | None") -> SourceError:
        """What ends one question, or the run; a page's refusal says what the provider says."""
        status = reply.status_code
        phrase = self._hidden(reply.reason_phrase.encode()).decode()
        told = f"{url}: status {status} {phrase}, expected 200"
        if page is None:
            return SourceError(f"{told} or 404")
        told += f" ({self._said(reply)})"
        if status == _BAD_KEY and self._key is not None:
            told += f"; is the key of {self._key.terms.variable} right?"
        return RefusedError(told) if status in _REFUSING else SourceError(told)

    def _hidden(self, content: bytes) -> bytes:
        return content if self._key is None else self._key.hide(content)

    def _said(self, reply: httpx.Response) -> str:
        """The beginning of what an error page says, on one line."""
        said = self._hidden(self._start_of(reply, _TEXT_LIMIT))[:_SAID_LIMIT]
        return " ".join(said.decode("utf-8", errors="replace").split())

    def _start_of(self, reply: httpx.Response, limit: int) -> bytes:
        """What an error page holds, as far as it comes in reasonable time."""
        content = bytearray()
        with suppress(_PassingError):
            for piece in self._pieces(reply):
                content.extend(piece)
                if len(content) >= limit:
                    break
        return bytes(content)

    def _check_clock(self, reply: httpx.Response) -> None:
        """Refuse to record by a clock that is off: an open interval would be taken for over."""
        ahead = seconds_ahead(reply.headers, now=time.time())
        if ahead is not None and abs(ahead) > _CLOCK_OFF_S:
            way = "ahead of" if ahead > 0 else "behind"
            raise SourceError(
                f"{reply.url}: the clock of this machine is {abs(ahead):.0f} s {way} the server's, "
                f"expected at most {_CLOCK_OFF_S:.0f} s; set it, it says when a value was seen"
            )

    def _told_to_wait(self, reply: httpx.Response) -> float | None:
        """What ``Retry-After`` says, in seconds; every worker then waits."""
        wait = seconds_to_wait(reply.headers.get("Retry-After"), now=time.time())
        if wait is None:
            return None
        if wait > self._patience.longest_pause_s:
            raise SourceError(f"{reply.url}: asks to wait {wait:.0f} s; run again after that")
        self._pace.hold(wait, now=time.monotonic())
        return wait

    def _pause(self, weight: int) -> None:
        while (left := self._pace.left(weight, now=time.monotonic())) > 0:
            if self._stop.wait(left):
                break
        self._pace.take(weight, now=time.monotonic())
        self._check_stop()

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise SourceError("stopped")

    def _pieces(self, reply: httpx.Response) -> Iterator[bytes]:
        """The body as it comes, unless it drips."""
        began, size = time.monotonic(), 0
        for piece in reply.iter_raw():
            self._check_stop()
            size += len(piece)
            spent = time.monotonic() - began
            if spent > self._patience.grace_s and size < self._patience.slowest_bytes_s * spent:
                raise _PassingError(f"{size} bytes in {spent:.0f} s, too slow")
            yield piece


def _again(error: Exception) -> bool | float:
    """Whether to try again, or after how many seconds."""
    if isinstance(error, _PassingError):
        return True if error.wait_s is None else error.wait_s
    return isinstance(error, (httpx.TransportError, BusyError))


def _address(text: str, key: ApiKey | None) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:  # its words may hold a part of a password
        raise ConfigError(f"base URL is {shown_address(text)!r}, expected https://host") from None
    more = bool(url.query or url.userinfo or url.fragment)
    check_address(text, url.scheme, url.host, has_more=more, key=key)
    return str(url).rstrip("/")
