"""What is pushed: numbered publications, and what a client must be told about them.

An id is ``<run>-<number>``: numbers grow by one within a run of the server, and a run that is not
this one says that the client has missed something.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from liqwarn.decisions import iso_utc
from liqwarn.serving.documents import flags_body
from liqwarn.serving.flag_file import FlagSet

__all__ = ["Message", "Publication", "dropped", "gap", "heartbeat", "snapshot"]


@dataclass(frozen=True, slots=True)
class Message:
    """One event as a client gets it.

    Attributes
    ----------
    kind : str
        ``snapshot``, ``flags``, ``gap``, ``heartbeat`` or ``dropped``.
    mark : str
        Id to resume from; a client that got this message has missed nothing up to it.
    data : bytes
        JSON.
    """

    kind: str
    mark: str
    data: bytes

    def as_sse(self) -> bytes:
        """As a Server-Sent Event."""
        head = f"id: {self.mark}\nevent: {self.kind}\ndata: ".encode()
        return head + self.data + b"\n\n"

    def as_text(self) -> str:
        """As a WebSocket's text: ``{"event", "id", "data"}``."""
        head = orjson.dumps({"event": self.kind, "id": self.mark})
        return (head[:-1] + b',"data":' + self.data + b"}").decode()


@dataclass(frozen=True, slots=True)
class Publication:
    """The documents that changed together.

    Attributes
    ----------
    number : int
        From 1 on, without a gap.
    bodies : mapping of symbol to encoded document
    """

    number: int
    mark: str
    latest: FlagSet | None
    bodies: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """Bytes of its documents."""
        return sum(map(len, self.bodies.values()))

    def message(self, symbols: Collection[str] | None) -> Message | None:
        """It for a client that follows some symbols; None when none of them is in it."""
        chosen = [body for s, body in self.bodies.items() if symbols is None or s in symbols]
        return Message("flags", self.mark, flags_body(self.latest, chosen)) if chosen else None


def snapshot(
    mark: str,
    latest: FlagSet | None,
    bodies: Mapping[str, bytes],
    symbols: Collection[str] | None,
) -> Message:
    """All flags as they are; a symbol that was asked for and has none is simply not in it."""
    chosen = [bodies[s] for s in sorted(bodies) if symbols is None or s in symbols]
    return Message("snapshot", mark, flags_body(latest, chosen))


def gap(after: str, oldest: str) -> Message:
    """Said before a snapshot when what happened after an id is no longer known.

    It has no id of its own: a client that loses the snapshot behind it starts anew.
    """
    detail = "what followed is no longer kept; a snapshot follows"
    return _said("gap", "", {"after": after, "oldest": oldest, "detail": detail})


def heartbeat(mark: str, at: datetime) -> Message:
    """Said when there is nothing else to say: the server lives, and `mark` is the newest id."""
    return _said("heartbeat", mark, {"at": iso_utc(at)})


def dropped(mark: str, reason: str) -> Message:
    """The last word to a client that is let go."""
    return _said("dropped", mark, {"detail": reason})


def _said(kind: str, mark: str, content: dict[str, Any]) -> Message:
    return Message(kind, mark, orjson.dumps(content))
