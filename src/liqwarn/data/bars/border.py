"""Which values of a message can be true: the border of the batch, for one bar of one symbol.

The rules and the reasons are those of :mod:`liqwarn.data.checks`: an impossible value becomes
missing and is counted; a fault in any price refuses everything the panel reads from the same rows,
since the rest of that candle is then in doubt.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from liqwarn.data.bars.message import BarMessage
from liqwarn.data.checks import LARGEST
from liqwarn.data.panel import Panel
from liqwarn.frames import FIELDS

__all__ = ["Border", "Checked"]

_BARS = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is left of a message.

    Attributes
    ----------
    fields, ages : mapping of name to float
        Values that may be used; every one has its age, in seconds.
    reasons : tuple of str
        Why the others were refused, one reason a refused value.
    """

    fields: Mapping[str, float]
    ages: Mapping[str, float]
    reasons: tuple[str, ...]


class Border:
    """The border checks of one panel.

    Examples
    --------
    >>> import numpy as np
    >>> panel = Panel.model_validate({
    ...     "name": "one", "market": "real", "bar": "1h", "symbols": ["BTCUSDT"], "core": ["close"],
    ...     "sources": [{"name": "klines", "file": "{symbol}.csv",
    ...                  "time": {"column": "t", "unit": "ms", "label": "start", "step": "1h"},
    ...                  "fields": {"close": "c", "volume": "v"}}]})
    >>> found = Border(panel).check(BarMessage(
    ...     symbol="BTCUSDT", time=np.datetime64("2024-08-05T06:00:00"), bar_s=3_600,
    ...     fields={"close": 0.0, "volume": 12.0}))
    >>> dict(found.fields), found.reasons
    ({}, ('zero price',))
    """

    def __init__(self, panel: Panel) -> None:
        self._fields = frozenset(panel.fields)
        self._bands = {
            (symbol, name): band
            for symbol in panel.symbol_names
            for name in panel.fields
            if (band := panel.plausible(symbol, name)) is not None and _in_own_unit(panel, name)
        }
        rows = [frozenset(source.fields) for source in panel.sources]
        self._candles = [row.intersection(_BARS) for row in rows if row.intersection(_BARS)]
        self._beside = {
            name: frozenset[str]().union(*(row for row in rows if name in row))
            for name in panel.fields
        }

    def beside(self, price: str) -> frozenset[str]:
        """Fields that the panel reads from the same rows as a price, itself included."""
        return self._beside[price]

    def check(self, message: BarMessage) -> Checked:
        """The values of a message that may be used, and why the others may not."""
        faults = {
            name: reason
            for name, value in message.fields.items()
            if (reason := self._fault(message, name, value)) is not None
        }
        good = {n: value for n, value in message.fields.items() if n not in faults}
        if not faults.keys() & set(_BARS):
            faults |= self._candle_faults(good)
        bad = set(faults)
        for name in faults:
            if name in self._fields and _is_price(name):
                bad |= self._beside[name]
        kept = {name: value for name, value in good.items() if name not in bad}
        return Checked(
            fields=kept,
            ages={name: message.ages.get(name, 0.0) for name in kept},
            reasons=tuple(faults.values()),
        )

    def _fault(self, message: BarMessage, name: str, value: float) -> str | None:
        if name not in self._fields:
            return "not a field of the panel"
        if not message.ages.get(name, 0.0) >= 0.0:
            return "age below zero"
        return _impossible(name, value) or self._implausible(message.symbol, name, value)

    def _implausible(self, symbol: str, name: str, value: float) -> str | None:
        band = self._bands.get((symbol, name))
        return None if band is None or band[0] <= value <= band[1] else "implausible value"

    def _candle_faults(self, good: Mapping[str, float]) -> dict[str, str]:
        given = good.keys() & set(_BARS)
        told = [row for row in self._candles if row <= given]
        if given - frozenset[str]().union(*told):
            return {min(given): "missing price"}  # no source has rows with these prices only
        if len(given) < len(_BARS):
            return {}
        first, high, low, last = (good[name] for name in _BARS)
        if high < low:
            return {"high": "high below low"}
        if max(first, last) > high or min(first, last) < low:
            return {"high": "open or close outside high and low"}
        return {}


def _is_price(name: str) -> bool:
    return FIELDS[name].unit == "quote per coin"


def _in_own_unit(panel: Panel, name: str) -> bool:
    """Whether some source gives the field as it is; the band of one in USD is not of coins."""
    return any(name in s.fields and not s.fields[name].priced for s in panel.sources)


def _impossible(name: str, value: float) -> str | None:
    floor = FIELDS[name].floor
    if value in {float("inf"), float("-inf")}:
        return "infinite"
    if floor is not None and value < floor:
        return "negative" if floor == 0.0 else "below the floor"
    if FIELDS[name].floor_open and value == floor:
        return "zero price" if _is_price(name) else "zero"
    return "implausible value" if abs(value) > LARGEST else None
