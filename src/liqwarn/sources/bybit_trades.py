"""Candles of one day of Bybit's public trades: a gzipped CSV is read once, in bounded memory.

A file is a UTC day of a linear perpetual: stamps are seconds with a fraction, ``size`` is in coins,
``side`` is the taker's. Older files have no column ``RPI``. Nothing says in which order the rows
are, so candles do not depend on it: their open and close are the trades with the first and the last
stamp, and trades of one stamp are taken the way the stamps of the file go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as arrow_csv

from liqwarn.errors import DataError
from liqwarn.sources.bybit_repeats import Hashes, Repeats, hashes_of
from liqwarn.sources.bybit_slots import Slots
from liqwarn.sources.gzip_lines import line_blocks

__all__ = ["HEADER", "MAX_UNPACKED", "DayCandles", "candles_of"]

HEADER: Final = ("timestamp", "symbol", "side", "size", "price", "tickDirection", "trdMatchID",
                 "grossValue", "homeNotional", "foreignNotional")  # fmt: skip
"""Columns of a file; newer ones have ``RPI`` behind them."""

MAX_UNPACKED: Final = 1 << 32
"""Bytes a day may unpack to: about 40 million trades."""

_LATER: Final = "RPI"
_NUMBERS: Final = ("timestamp", "size", "price", "homeNotional", "foreignNotional")
_TEXTS: Final = ("symbol", "side", "trdMatchID")
_LONGEST_TEXT: Final = 128
_MICRO: Final = 1_000_000
_DAY_US: Final = 86_400 * _MICRO
_MOST_STRAYS: Final = 0.001

Columns = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCandles:
    """Candles of a day, and what its trades were like.

    Attributes
    ----------
    csv : str
        ``open_time`` in milliseconds, prices, volumes in coins, number of trades; an interval
        without a trade has no line.
    trades : int
        Trades that are in the candles.
    repeated, strays, disordered : int
        Copies of a trade, and trades of another day, that were left out; rows whose stamp goes
        against the order of the file.
    """

    csv: str
    trades: int
    repeated: int
    strays: int
    disordered: int


def candles_of(path: Path, symbol: str, day: date, step_s: int, name: str) -> DayCandles:
    """Candles of the trades of a day.

    Parameters
    ----------
    path : Path
        The gzipped file as it came.
    symbol : str
        Whose trades they must be.
    day : date
        UTC.
    step_s : int
        Length of a candle in seconds, a divisor of a day.
    name : str
        What to call the file in a message.

    Raises
    ------
    DataError
        Naming the row (the first trade is 1) and the field: another header, a value that cannot
        be, another symbol, stamps of another day or unit, sizes that are not coins, one trade
        identifier on two trades; a file that is cut, damaged, a page or too large when unpacked.
    """
    first = _Reading(symbol, day, step_s, name)
    done = first.whole(path, None)
    repeats = Repeats.among(first.hashes, name)
    if repeats is None:
        return done
    return _Reading(symbol, day, step_s, name).whole(path, repeats)


class _Reading:
    """One reading of a file."""

    def __init__(self, symbol: str, day: date, step_s: int, name: str) -> None:
        self._symbol, self._day, self._name = symbol, day, name
        begin = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        self._begin = begin * _MICRO
        self._slots = Slots(self._begin, step_s * _MICRO, _DAY_US)
        self._rows = self._copies = self._strays = self._ups = self._downs = 0
        self._before: int | None = None
        self.hashes: list[Hashes] = []

    def whole(self, path: Path, repeats: Repeats | None) -> DayCandles:
        """The whole file; with `repeats`, copies of the trades it names are left out."""
        for columns in _columns(path, self._name):
            self._take(columns, repeats)
            self._rows += len(columns["price"])
        if self._rows == 0:
            raise DataError(f"{self._name}: found no trade, expected a day of them")
        if self._strays > _MOST_STRAYS * self._rows:
            raise DataError(
                f"{self._name}, field 'timestamp': {self._strays} of {self._rows} trades are not "
                f"of {self._day}, expected seconds since the epoch, of that day in UTC"
            )
        return DayCandles(
            csv=self._slots.to_csv(backwards=self._downs > self._ups),
            trades=self._rows - self._strays - self._copies,
            repeated=self._copies,
            strays=self._strays,
            disordered=min(self._ups, self._downs),
        )

    def _take(self, columns: Columns, repeats: Repeats | None) -> None:
        self._check(columns)
        stamps = np.rint(columns["timestamp"] * _MICRO).astype(np.int64)
        self._count_order(stamps)
        keep = (stamps >= self._begin) & (stamps < self._begin + _DAY_US)
        self._strays += int((~keep).sum())
        hashes = hashes_of(columns["trdMatchID"])
        if repeats is None:
            self.hashes.append(hashes)
        else:
            copies = repeats.copies(hashes, columns, self._rows) & keep
            self._copies += int(copies.sum())
            keep &= ~copies
        bought = columns["side"] == b"Buy"
        self._slots.add(stamps[keep], columns["price"][keep], columns["size"][keep], bought[keep])

    def _check(self, columns: Columns) -> None:
        side, price, size = columns["side"], columns["price"], columns["size"]
        home, worth = columns["homeNotional"], columns["foreignNotional"]
        stamp, symbol = columns["timestamp"], self._symbol.encode()
        rules = (
            ("timestamp", (stamp > 1e9) & (stamp < 1e10), "seconds since the epoch"),
            ("symbol", columns["symbol"] == symbol, self._symbol),
            ("side", (side == b"Buy") | (side == b"Sell"), "Buy or Sell"),
            ("price", (price > 0) & (price < 1e16), "a number above 0"),
            ("size", (size > 0) & (size < 1e16), "a number above 0"),
            ("homeNotional", np.abs(home - size) <= 1e-6 * size, "the size, if it is in coins"),
            ("foreignNotional", np.abs(worth - price * size) <= 1e-3 * price * size + 1e-4,
             "the price times the size"),
        )  # fmt: skip
        for field, right, expected in rules:
            if not right.all():
                at = int(np.argmin(right))
                value = columns[field][at]
                found = value.decode(errors="replace") if isinstance(value, bytes) else value
                raise DataError(
                    f"{self._name}, row {self._rows + at + 1}, field '{field}': "
                    f"found {str(found)[:60]!r}, expected {expected}"
                )

    def _count_order(self, stamps: npt.NDArray[np.int64]) -> None:
        steps = np.diff(stamps, prepend=stamps[0] if self._before is None else self._before)
        self._ups += int((steps > 0).sum())
        self._downs += int((steps < 0).sum())
        self._before = int(stamps[-1])


def _columns(path: Path, name: str) -> Iterator[Columns]:
    """The rows piece by piece, as columns."""
    blocks = line_blocks(path, name, most=MAX_UNPACKED)
    header, _, rest = next(blocks, b"").partition(b"\n")
    names, rows = _names(header, name), 0
    for block in chain([rest], blocks):
        if block:
            columns = _parsed(block, names, rows, name)
            rows += len(columns["price"])
            yield columns


def _names(header: bytes, name: str) -> list[str]:
    found = header.decode("utf-8", errors="replace").strip().split(",")
    if found not in ([*HEADER], [*HEADER, _LATER]):
        shown = header[:160].decode("utf-8", errors="replace")
        raise DataError(
            f"{name}: found columns {shown!r}, expected {','.join(HEADER)}, "
            f"with or without {_LATER}"
        )
    return found


def _parsed(block: bytes, names: list[str], before: int, name: str) -> Columns:
    wanted = {**dict.fromkeys(_NUMBERS, pa.float64()), **dict.fromkeys(_TEXTS, pa.binary())}
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block),
            read_options=arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(block) + 1
            ),
            parse_options=arrow_csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=wanted, include_columns=list(wanted), null_values=[]
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{name}, below row {before}: {' '.join(str(error).split())[:200]}"
        ) from error
    columns = {field: table[field].to_numpy() for field in _NUMBERS}
    return columns | {field: _texts(table[field], field, name) for field in _TEXTS}


def _texts(column: Any, field: str, name: str) -> npt.NDArray[Any]:  # noqa: ANN401  pyarrow is untyped
    """Bytes of one width, so that they are compared as an array."""
    longest = compute.max(compute.binary_length(column)).as_py() or 1
    if longest > _LONGEST_TEXT:
        raise DataError(f"{name}, field '{field}': a text of {longest} bytes, expected less")
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=f"S{longest}")
