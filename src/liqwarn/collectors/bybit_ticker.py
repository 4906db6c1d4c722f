"""Bybit's ticker of one symbol: a snapshot, then only what changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from liqwarn.collectors.happenings import Reading
from liqwarn.collectors.plausible import alike, coins, price, rate
from liqwarn.collectors.wire_json import number_text, positive_text, shown
from liqwarn.errors import DataError

__all__ = ["Ticker", "read_ticker"]

_READ: Final = MappingProxyType(
    {
        "markPrice": "mark",
        "indexPrice": "index",
        # coins of one side; openInterest counts both
        "singleOpenInterest": "open_interest",
        "fundingRate": "funding_rate",
        "fundingIntervalHour": "funding_interval_h",
    }
)
_NEEDED: Final = ("markPrice", "indexPrice", "singleOpenInterest", "fundingRate")
_LONGEST_H: Final = 24.0
_PRICES_APART: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """What is known of a symbol, by our fields, as of a moment."""

    time_ms: int
    values: Mapping[str, float]

    def readings(self, symbol: str) -> tuple[Reading, ...]:
        """All that is known: what a change does not name is unchanged."""
        return tuple(
            Reading(symbol=symbol, time_ms=self.time_ms, field=field, value=value)
            for field, value in self.values.items()
        )


def read_ticker(
    row: Mapping[str, object], before: Ticker | None, time_ms: int, where: str
) -> Ticker:
    """The ticker after a frame.

    Parameters
    ----------
    row : mapping
        ``data`` of the frame.
    before : Ticker or None
        None for a snapshot, which must tell all.
    time_ms : int
    where : str

    Raises
    ------
    DataError
        For a value that cannot be, and a snapshot that lacks one.

    Examples
    --------
    >>> old = Ticker(time_ms=1, values={"mark": 100.0, "index": 101.0})
    >>> read_ticker({"indexPrice": "102.5"}, old, 2, "x").values
    {'mark': 100.0, 'index': 102.5}
    """
    values = dict(before.values) if before else {}
    names = [name for name in _READ if name in row or (before is None and name in _NEEDED)]
    for name in names:
        value = _value(row, name, where)
        if value is None:
            values.pop(_READ[name], None)
        else:
            values[_READ[name]] = value
    _check_together(row, values, where)
    return Ticker(time_ms=time_ms, values=values)


def _value(row: Mapping[str, object], name: str, where: str) -> float | None:
    """None for what the venue says does not apply, and for no open interest at all."""
    if row.get(name) == "":
        return None
    if name in ("markPrice", "indexPrice"):
        return price(row, name, where)
    if name == "fundingRate":
        return rate(row, name, where)
    if name == "fundingIntervalHour":
        return _hours(row, name, where)
    return coins(row, name, where) if number_text(row, name, where) else None


def _hours(row: Mapping[str, object], name: str, where: str) -> float:
    hours = positive_text(row, name, where)
    if not 1.0 <= hours <= _LONGEST_H:
        raise DataError(
            f"{where}, field '{name}': found {shown(row[name])}, expected 1 to 24 hours"
        )
    return hours


def _check_together(row: Mapping[str, object], values: Mapping[str, float], where: str) -> None:
    if "mark" in values and "index" in values:
        alike(values["mark"], values["index"], _PRICES_APART, "mark and index", where)
    if "openInterest" not in row or "singleOpenInterest" not in row:
        return
    both, one = number_text(row, "openInterest", where), values.get("open_interest", 0.0)
    if one > both:
        raise DataError(
            f"{where}: found singleOpenInterest {one:g} above openInterest {both:g}, "
            "expected coins of one side and of both"
        )
