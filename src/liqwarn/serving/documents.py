"""Flags as bytes: encoded and signed once, served many times.

A request costs no JSON work while nothing has changed: the source brought nothing new, and no flag
crossed the end of its validity or of the grace after it.

With a signing key every document is signed, the stale ones too: the server made them, so it says
so. A client with keys refuses an unsigned document, and a stale one denies new risk either way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson

from liqwarn.decisions import FLAGS_SCHEMA, Flag, flag_to_dict, iso_utc
from liqwarn.serving.clock import Clock
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.keeper import FlagKeeper, View
from liqwarn.signing import SigningKey, sign_document

__all__ = ["MAX_CACHE_S", "Answer", "Document", "FlagDocuments", "etag_of", "flags_body"]

MAX_CACHE_S: Final = 5
"""A cache may keep a fresh flag for so long, or to the end of its validity if that is sooner: a
stricter flag that follows early must not hide behind the one before."""

Headers = list[tuple[bytes, bytes]]


def etag_of(body: bytes) -> str:
    """A strong entity tag: the same for the same bytes, in this process and the next.

    >>> etag_of(b"{}")
    '"44136fa355b3678a1146ad16f7e8649e"'
    """
    return f'"{sha256(body).hexdigest()[:32]}"'


class Answer:
    """A body with its entity tag and the headers for every time it may still be cached."""

    __slots__ = ("body", "etag", "headers")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.etag = etag_of(body)
        self.headers: tuple[Headers, ...] = tuple(
            self._headers(seconds) for seconds in range(MAX_CACHE_S + 1)
        )
        """By the seconds a cache may keep it."""

    def _headers(self, seconds: int) -> Headers:
        keep = f"max-age={seconds}, must-revalidate" if seconds else "no-cache"
        return [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self.body)).encode()),
            (b"etag", self.etag.encode()),
            (b"cache-control", f"private, {keep}".encode()),
        ]


@dataclass(slots=True)
class Document:
    """One flag as it may be served now; encoded when first needed.

    Attributes
    ----------
    deadline : float
        End of its validity by the monotonic clock.
    fresh : bool
    """

    flag: Flag
    deadline: float
    fresh: bool
    encode: Callable[[Flag], dict[str, Any]]
    _answer: Answer | None = None

    @property
    def encoded(self) -> bool:
        """Whether its bytes are made already."""
        return self._answer is not None

    @property
    def answer(self) -> Answer:
        """Its bytes."""
        if self._answer is None:
            self._answer = Answer(orjson.dumps(self.encode(self.flag)))
        return self._answer

    def take(self, other: "Document") -> None:
        """Spare the work: `other` is of the same flag in the same state."""
        self._answer = other._answer

    def seconds_left(self, wall: datetime, monotonic: float) -> int:
        """Whole seconds a cache may keep it, 0 to :data:`MAX_CACHE_S`."""
        if not self.fresh:
            return 0
        left = min((self.flag.valid_until - wall).total_seconds(), self.deadline - monotonic)
        return max(0, min(int(left), MAX_CACHE_S))


class FlagDocuments:
    """The documents of all symbols, kept until they change. Of one thread: the server's loop."""

    def __init__(self, keeper: FlagKeeper, *, clock: Clock, key: SigningKey | None = None) -> None:
        self._keeper = keeper
        self._clock = clock
        self._key = key
        self._view: View | None = None
        self._standing: dict[str, Document] = {}
        self._all: Answer | None = None

    @property
    def latest(self) -> FlagSet | None:
        """The publication that the newest look came from; None before the first."""
        return self._view.latest if self._view else None

    @property
    def fault(self) -> str | None:
        """What is wrong with the source or its flags now."""
        return self._keeper.fault

    def standing(self) -> Mapping[str, Document]:
        """Every document as it is now, in the order of symbols; the same object until a change."""
        if self._view is None or not self._keeper.holds(self._view):
            self._view = self._keeper.look()
            self._standing = {
                served.flag.symbol: self._document(served.flag, served.deadline, fresh=served.fresh)
                for served in self._view.flags
            }
            self._all = None
        return self._standing

    def one(self, symbol: str) -> tuple[Answer, int] | None:
        """The document of a symbol, and the seconds a cache may keep it."""
        document = self.standing().get(symbol)
        if document is None:
            return None
        left = document.seconds_left(self._clock.wall(), self._clock.monotonic())
        return document.answer, left

    def all(self) -> tuple[Answer, int] | None:
        """The list of all documents; None when no flags could ever be read."""
        standing = self.standing()
        latest = self.latest
        if latest is None:
            return None
        if self._all is None:
            bodies = [document.answer.body for document in standing.values()]
            self._all = Answer(flags_body(latest, bodies))
        return self._all, self._all_left()

    def _all_left(self) -> int:
        """As long as the first flag that changes; none once one has expired."""
        view = self._view
        if view is None or not view.flags or not all(served.fresh for served in view.flags):
            return 0
        by_wall = (view.until - self._clock.wall()).total_seconds()
        left = min(by_wall, view.deadline - self._clock.monotonic())
        return max(0, min(int(left), MAX_CACHE_S))

    def _document(self, flag: Flag, deadline: float, *, fresh: bool) -> Document:
        document = Document(flag, deadline, fresh, self._encode)
        before = self._standing.get(flag.symbol)
        if before is not None and (before.flag is flag or before.flag == flag):
            document.take(before)
        return document

    def _encode(self, flag: Flag) -> dict[str, Any]:
        document = flag_to_dict(flag)
        return document if self._key is None else sign_document(document, self._key)


def flags_body(latest: FlagSet | None, bodies: list[bytes]) -> bytes:
    """Encoded flags as one document of schema ``liqwarn.flags/1``, put together, not parsed."""
    head = {
        "schema": FLAGS_SCHEMA,
        "generated_at": iso_utc(latest.generated_at) if latest else None,
        "market": latest.market if latest else None,
    }
    return orjson.dumps(head)[:-1] + b',"flags":[' + b",".join(bodies) + b"]}"
