"""The journal of orders: what was ordered by hand, and what came of it, on disk before it is told.

``FOLDER/orders.jsonl``: a line an order, accepted or refused, each with the hash of the one before.
A line without its line break is what a killed writer left: nobody was told of it, and it is cut
off. Anything else that does not fit is damage, and named.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from sys import intern
from typing import Any, Final, cast

import orjson

from liqwarn.decisions import Tier, iso_utc
from liqwarn.durable import sync_to_disk
from liqwarn.errors import PolicyError
from liqwarn.frames import Side
from liqwarn.policy.orders import Order, order_from_dict, order_to_dict

__all__ = ["ORDERS", "OrderEntry", "OrderJournal", "OrderedSide", "entries_behind", "read_entries"]

ORDERS: Final = "orders.jsonl"
_SCHEMA: Final = "liqwarn.order/1"
_GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedSide:
    """What an order did to one side; `sequence` is the one of the decision it led to."""

    symbol: str
    side: Side
    before: Tier
    tier: Tier
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntry:
    """One order and what came of it.

    Attributes
    ----------
    order : Order
    by : str
        Which way it came: ``host``, ``key ID`` or ``service``.
    at : datetime
        The moment it was decided.
    as_of : datetime
        Close of the newest bar then: its place among the bars.
    sides : tuple of OrderedSide
        Those that it was carried out on; none means it was refused.
    refused : tuple of str
        Why, a sentence for each side that it was not carried out on, or for all of them.
    """

    order: Order
    by: str
    at: datetime
    as_of: datetime
    sides: tuple[OrderedSide, ...]
    refused: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether it changed anything."""
        return bool(self.sides)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values; what is answered, too."""
        return {
            "schema": _SCHEMA,
            "order": order_to_dict(self.order),
            "by": self.by,
            "at": iso_utc(self.at),
            "as_of": iso_utc(self.as_of),
            "accepted": self.accepted,
            "sides": [
                {
                    "symbol": one.symbol,
                    "side": one.side,
                    "tier_before": one.before.name,
                    "tier": one.tier.name,
                    "sequence": one.sequence,
                }
                for one in self.sides
            ],
            "refused": list(self.refused),
        }


class OrderJournal:
    """The orders of one live folder; one process writes, any may read.

    Parameters
    ----------
    folder : Path
        Where the lines of before are taken up; see :attr:`fault` for what is wrong with them.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / ORDERS
        content = self._path.read_bytes() if self._path.exists() else b""
        self._size = content.rfind(b"\n") + 1  # what follows was never acknowledged
        self.entries: list[OrderEntry] = []
        """Every order that can be read, the oldest first."""
        self.fault: str | None = None
        """What is wrong with the lines of before; None when they are whole."""
        self._previous = _GENESIS
        for number, line in enumerate(content[: self._size].splitlines(keepends=True), start=1):
            self._take(line, number)
        self._by_id = {one.order.id: one for one in reversed(self.entries)}

    def _take(self, line: bytes, number: int) -> None:
        try:
            raw = orjson.loads(line)
            entry = _entry_from(raw)
            whole = raw["previous"] == self._previous
        except (PolicyError, KeyError, TypeError, ValueError):
            whole = False
        else:
            self.entries.append(entry)
        if not whole and self.fault is None:
            self.fault = f"{self._path.name}: line {number} is not the one that was written"
        self._previous = _hash(line)

    def find(self, order_id: str) -> OrderEntry | None:
        """What came of an order."""
        return self._by_id.get(order_id)

    def append(self, entry: OrderEntry) -> None:
        """Write an entry; it is on disk when this returns, or not there at all.

        Raises
        ------
        OSError
            When the disk refuses.
        """
        line = orjson.dumps(
            {**entry.to_dict(), "previous": self._previous},
            option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE,
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = not self._path.exists()
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o640)
        try:
            os.ftruncate(handle, self._size)  # of what was never acknowledged
            if os.pwrite(handle, line, self._size) != len(line):
                raise OSError(f"{self._path}: a line was written in part")
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            sync_to_disk(self._path.parent)
        self._size += len(line)
        self._previous = _hash(line)
        self.entries.append(entry)
        self._by_id.setdefault(entry.order.id, entry)


def read_entries(folder: Path) -> Iterator[OrderEntry]:
    """The orders of a folder as another process sees them; what cannot be read is passed over."""
    yield from entries_behind(folder, 0)[0]


def entries_behind(folder: Path, at: int) -> tuple[list[OrderEntry], int]:
    """The orders behind a place in the journal, and the place behind them.

    For who looks again and again: a journal of years is not read anew each time.

    Parameters
    ----------
    at : int
        Bytes of the journal that were looked at before.
    """
    try:
        with (folder / ORDERS).open("rb") as journal:
            at = at if at <= journal.seek(0, os.SEEK_END) else 0  # another journal was begun
            journal.seek(at)
            content = journal.read()
    except FileNotFoundError:
        return [], 0
    whole = content[: content.rfind(b"\n") + 1]
    return list(_readable(whole)), at + len(whole)


def _readable(lines: bytes) -> Iterator[OrderEntry]:
    for line in lines.splitlines():
        try:
            yield _entry_from(orjson.loads(line))
        except (PolicyError, KeyError, TypeError, ValueError):
            continue


def _entry_from(raw: Mapping[str, Any]) -> OrderEntry:
    return OrderEntry(
        order=order_from_dict(raw["order"]),
        by=raw["by"],
        at=datetime.fromisoformat(raw["at"]),
        as_of=datetime.fromisoformat(raw["as_of"]),
        sides=tuple(
            OrderedSide(
                symbol=intern(one["symbol"]),  # a year of orders names the same few
                side=cast("Side", intern(one["side"])),
                before=Tier[one["tier_before"]],
                tier=Tier[one["tier"]],
                sequence=one["sequence"],
            )
            for one in raw["sides"]
        ),
        refused=tuple(raw["refused"]),
    )


def _hash(line: bytes) -> str:
    return sha256(line).hexdigest()
