"""What a venue is to the collector: lines to hold open, questions to ask, a reader of replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from liqwarn.collectors.happenings import Happening, Kind

__all__ = ["Completeness", "Heard", "Line", "Poll", "Reader", "Venue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A socket to hold open.

    Attributes
    ----------
    name : str
        Unique in the venue, letters, digits and ``-``; names the line in the tape.
    path : str
        Below the venue's socket address, with its query.
    greetings : tuple of bytes
        Sent in this order after each connection: subscriptions.
    ping : bytes
        Sent every `ping_every_s` when the venue asks for it; empty for none.
    ping_every_s : float
    silence_s : float
        Nothing at all, not even an answer to a ping, for so long is a fault of the line.
    topics : tuple of (str, float or None)
        Streams that were asked for, and after how many seconds without a frame of theirs each
        counts as silent; None for streams that may rightly be silent for hours (liquidations).
    """

    name: str
    path: str
    greetings: tuple[bytes, ...] = ()
    ping: bytes = b""
    ping_every_s: float = 15.0
    silence_s: float = 60.0
    topics: tuple[tuple[str, float | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A question asked again and again over HTTP, for what no socket tells.

    Attributes
    ----------
    name : str
        As of a line.
    path : str
        Below the venue's HTTP address, with its query.
    body : bytes or None
        JSON to post; None to get.
    every_s : float
        A period; 0 for once at each start (contract sizes).
    """

    name: str
    path: str
    body: bytes | None = None
    every_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a frame or a reply said.

    Attributes
    ----------
    happenings : tuple
    topic : str
        The stream it belongs to, as in :attr:`Line.topics`; empty for pongs and answers.
    keep : bool
        Whether the frame itself goes to the tape: liquidations, trades, positions and what a
        later reading of them needs. Of the others the sampled readings are enough.
    gap : str
        What is missing before it, by the venue's own sequence; empty when nothing is. The reader
        begins the stream anew and the collector asks for it again.
    refused : str
        Why the venue does not give what was asked for; empty when it does.
    refused_topics : tuple of str
        The streams that `refused` is about, as in :attr:`Line.topics`, and perhaps others that the
        line does not have; empty when the venue does not say: then nothing is given.
    reply : bytes
        What the venue wants back at once, such as a pong; empty for nothing.
    """

    happenings: tuple[Happening, ...] = ()
    topic: str = ""
    keep: bool = False
    gap: str = ""
    refused: str = ""
    refused_topics: tuple[str, ...] = ()
    reply: bytes = b""


class Reader(Protocol):
    """Reads a venue's frames in the order in which they came. One owner; reads no clock.

    What it remembers (contract sizes, books, tickers of which a delta tells a part) comes from
    frames alone, so that a tape is read again to the same happenings.
    """

    def read(self, line: str, content: bytes) -> Heard:
        """What a frame of a line, or a reply to a poll, says.

        Raises
        ------
        DataError
            When it says something that cannot be: what, found, expected. The frame is set aside
            whole; what was remembered is as it was before it.
        """
        ...

    def opened(self, line: str) -> None:
        """A line was opened (again): its streams begin anew."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """How much of a venue's liquidations its feed tells.

    Attributes
    ----------
    grade : {"all", "one a second", "unknown part"}
        ``all`` by the venue's word; ``one a second`` and symbol at most; ``unknown part`` when
        the venue says that it is not the total.
    note : str
        For people, with the date since when.
    """

    grade: Literal["all", "one a second", "unknown part"]
    note: str


class Venue(Protocol):
    """A venue's public feed of linear perpetuals."""

    @property
    def name(self) -> str:
        """Such as ``binance``."""
        ...

    @property
    def sockets(self) -> str:
        """Its socket address, ``wss://host`` with or without a path."""
        ...

    @property
    def http(self) -> str:
        """Its HTTP address."""
        ...

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it can tell."""
        ...

    @property
    def completeness(self) -> Completeness:
        """Of its liquidations."""
        ...

    def lines(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Line, ...]:
        """Sockets for the kinds of the symbols, each within the venue's limits of streams."""
        ...

    def polls(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Poll, ...]:
        """Questions for the kinds that no socket tells."""
        ...

    def reader(self, symbols: Sequence[str]) -> Reader:
        """A reader that remembers nothing yet."""
        ...
