"""The event catalogue of a scoring, read from its file and read again when the file changes."""

import csv
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from liqwarn.decisions import iso_utc, moment_from_iso
from liqwarn.errors import PolicyError, StoreError
from liqwarn.frames import Side

__all__ = ["EVENT_NUMBERS", "EventFile"]

EVENT_NUMBERS: Final = ("move", "oi_loss", "long_liq_usd", "short_liq_usd", "severity")
_TIMES: Final = ("onset", "peak", "end")
_Row = tuple[datetime, dict[str, Any]]


class EventFile:
    """A ``.csv`` catalogue, or the ``events.csv`` in a folder; parsed once per change."""

    def __init__(self, path: Path) -> None:
        self._path = path if path.suffix == ".csv" else path / "events.csv"
        self._kept: tuple[tuple[int, int, int], list[_Row]] | None = None

    def events(
        self, symbol: str | None, side: Side | None, start: datetime | None, end: datetime | None
    ) -> list[Mapping[str, Any]]:
        """Events with an onset in [start, end), ordered by onset.

        Raises
        ------
        StoreError
            When the file is missing or damaged.
        """
        return [
            row
            for onset, row in self._rows()
            if (symbol is None or row["symbol"] == symbol)
            and (side is None or row["side"] == side)
            and (start is None or onset >= start)
            and (end is None or onset < end)
        ]

    def _rows(self) -> list[_Row]:
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if self._kept is None or self._kept[0] != stamp:
                with self._path.open(newline="") as stream:
                    rows = [_row(raw) for raw in csv.DictReader(stream)]
                self._kept = (stamp, sorted(rows, key=lambda row: row[0]))
        except OSError as error:
            raise StoreError(f"{self._path.name}: {error.strerror or error}") from error
        except (KeyError, TypeError, ValueError, csv.Error, PolicyError) as error:
            raise StoreError(f"{self._path.name}: {error}, expected a catalogue") from error
        return self._kept[1]


def _row(raw: Mapping[str, str]) -> _Row:
    onset = moment_from_iso(raw["onset"], "onset")
    if raw["side"] not in ("long", "short"):
        raise ValueError(f"side is {raw['side']!r}, expected long or short")
    return onset, {
        "symbol": raw["symbol"],
        "side": raw["side"],
        **{name: iso_utc(moment_from_iso(raw[name], name)) for name in _TIMES},
        **{name: float(raw[name]) if raw[name] else None for name in EVENT_NUMBERS},
        "flags": [flag for flag in raw["flags"].split(";") if flag],
    }
