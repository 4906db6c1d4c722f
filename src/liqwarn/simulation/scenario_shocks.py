"""What a scenario does to a market: seven kinds of shocks, each refusing impossible values."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import ClassVar, Final, Literal

from liqwarn.errors import ConfigError
from liqwarn.simulation.plain_values import Symbols, key_of

__all__ = [
    "SHOCK_KINDS",
    "AdlShock",
    "DepthShock",
    "FundingShock",
    "HaircutShock",
    "OutageShock",
    "PriceShock",
    "Shock",
    "UnlockShock",
]

_SECOND: Final = timedelta(seconds=1)
_NONE: Final = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    """Anything that begins at a moment after the start of a scenario.

    Attributes
    ----------
    at : timedelta
        From the start of the scenario; durations are whole seconds.
    """

    at: timedelta

    def __post_init__(self) -> None:
        faults = [*self._duration_faults(), *self._symbol_faults(), *self._faults()]
        if faults:
            raise ConfigError("\n".join(faults))

    @property
    def ends(self) -> timedelta:
        """The moment by which its effect must be complete."""
        return self.at + getattr(self, "over", _NONE)

    def _duration_faults(self) -> Iterator[str]:
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, timedelta):
                continue
            positive = item.metadata.get("positive", False)
            if value < _NONE or value % _SECOND or (positive and not value):
                least = "above 0s" if positive else "at least 0s"
                yield f"{key_of(item)}: found {value}, expected whole seconds, {least}"

    def _symbol_faults(self) -> Iterator[str]:
        symbols: Symbols = getattr(self, "symbols", None)
        if symbols is not None and (not symbols or len(set(symbols)) < len(symbols)):
            yield f"symbols: found {', '.join(symbols)}, expected at least one, each once"

    def _faults(self) -> Iterator[str]:
        yield from ()


def _outside(name: str, value: float, expected: str, *, inside: bool) -> Iterator[str]:
    if not (inside and math.isfinite(value)):
        yield f"{name}: found {value}, expected {expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceShock(_Timed):
    """News: prices move for a reason outside the market.

    Attributes
    ----------
    move : float
        Simple return, above −1; −0.1 is a fall of 10 %.
    over : timedelta
        Spread evenly, in logs, over this time; a step or less lands in one step.
    symbols : tuple of str or None
        None: all.
    follow : {"equal", "beta"}
        ``equal``: the same move for every symbol. ``beta``: `move` is that of the symbol with the
        largest open interest among `symbols`; the log moves of the others are in proportion to
        their volatility times beta.
    """

    kind: ClassVar = "price"
    move: float
    over: timedelta = _NONE
    symbols: Symbols = None
    follow: Literal["equal", "beta"] = "equal"

    def _faults(self) -> Iterator[str]:
        yield from _outside("move", self.move, "a return above -1", inside=self.move > -1.0)
        if self.follow not in ("equal", "beta"):
            yield f"follow: found {self.follow!r}, expected one of equal, beta"


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthShock(_Timed):
    """Makers withdraw (or add) depth for a while.

    Attributes
    ----------
    to : float
        Factor on makers' depth, above 0.
    lasts : timedelta
        Key ``for``: time until the return begins.
    half_life : timedelta
        Of the log factor, afterwards.
    symbols : tuple of str or None
        None: all.
    """

    kind: ClassVar = "depth"
    to: float
    lasts: timedelta = field(metadata={"key": "for", "positive": True})
    symbols: Symbols = None
    half_life: timedelta = field(default=timedelta(minutes=20), metadata={"positive": True})

    def _faults(self) -> Iterator[str]:
        yield from _outside("to", self.to, "a factor above 0", inside=self.to > 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingShock(_Timed):
    """Extraordinary funding payments, which erode the payer's margin.

    Attributes
    ----------
    rate : float
        Share of notional in each payment, between −1 and 1. **Positive: longs pay.**
    payments : int
        Their number, the first one at `at`.
    every : timedelta
        Time between two payments.
    symbols : tuple of str or None
        None: all.
    """

    kind: ClassVar = "funding"
    rate: float
    payments: int = 1
    every: timedelta = field(default=timedelta(hours=8), metadata={"positive": True})
    symbols: Symbols = None

    @property
    def ends(self) -> timedelta:
        """A moment after the last payment."""
        return self.at + (self.payments - 1) * self.every + _SECOND

    def _faults(self) -> Iterator[str]:
        yield from _outside("rate", self.rate, "between -1 and 1", inside=abs(self.rate) < 1.0)
        if not 1 <= self.payments <= 1000:
            yield f"payments: found {self.payments}, expected 1 to 1000"


@dataclass(frozen=True, slots=True, kw_only=True)
class HaircutShock(_Timed):
    """Collateral in coins loses value, for accounts with cross margin only.

    Attributes
    ----------
    haircut : float
        Share of its value that is lost in the end, 0 to 1.
    over : timedelta
        The loss grows evenly over this time.
    """

    kind: ClassVar = "haircut"
    haircut: float
    over: timedelta = _NONE

    def _faults(self) -> Iterator[str]:
        inside = 0.0 <= self.haircut <= 1.0
        yield from _outside("haircut", self.haircut, "a share from 0 to 1", inside=inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageShock(_Timed):
    """The venue is down: nobody trades or is liquidated, while the index moves on.

    Attributes
    ----------
    lasts : timedelta
        Key ``for``. A step that it touches is down as a whole.
    symbols : tuple of str or None
        None: all.
    """

    kind: ClassVar = "outage"
    lasts: timedelta = field(metadata={"key": "for", "positive": True})
    symbols: Symbols = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockShock(_Timed):
    """Holders receive coins and sell them slowly.

    Attributes
    ----------
    share : float
        Coins sold in all, as a share of open interest; above 0, at most 10.
    over : timedelta
        Sold evenly over this time.
    symbols : tuple of str or None
        None: all.
    """

    kind: ClassVar = "unlock"
    share: float
    over: timedelta = field(metadata={"positive": True})
    symbols: Symbols = None

    def _faults(self) -> Iterator[str]:
        inside = 0.0 < self.share <= 10.0
        yield from _outside("share", self.share, "above 0, at most 10", inside=inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdlShock(_Timed):
    """From here on the insurance fund is empty, so losses are shared by auto-deleveraging."""

    kind: ClassVar = "adl"


Shock = PriceShock | DepthShock | FundingShock | HaircutShock | OutageShock | UnlockShock | AdlShock
"""One of the seven kinds."""

SHOCK_KINDS: Final[dict[str, type[Shock]]] = {
    "price": PriceShock,
    "depth": DepthShock,
    "funding": FundingShock,
    "haircut": HaircutShock,
    "outage": OutageShock,
    "unlock": UnlockShock,
    "adl": AdlShock,
}
"""Classes by the word that names them in a file."""
