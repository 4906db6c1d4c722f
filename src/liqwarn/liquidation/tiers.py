"""Dated tables of maintenance tiers: what a venue required of a symbol, from which day, says who.

Venues change their tables several times a year, so a table without a date is wrong most of the
time. ``effective`` is the first day a table is known to have been in force; it was in force until
the next one. A source without a day gives a table without one: it serves the days that no dated
table covers, and whatever rests on it says so.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.liquidation.exposure import Contract
from liqwarn.liquidation.maintenance import Maintenance

__all__ = ["TOLERANCE", "Measure", "Tier", "TierTable", "VenueTiers", "with_amounts"]

Measure = Literal["notional", "coins"]
"""What the caps count: value in the unit of the margin, or coins whatever they are worth."""

TOLERANCE: Final = 1e-6
"""Of the notional at a boundary: how far a published maintenance amount may be off, by rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One row of a table.

    Attributes
    ----------
    cap : float
        Largest position of the tier, inclusive, in what the table measures; ``inf`` if open.
    rate : float
        Maintenance rate, fraction of notional.
    max_leverage : float or None
        Largest leverage a position of this size may be opened with; None if the source is silent.
    amount : float
        Maintenance amount ("maintenance deduction", "cum"), in the unit of the margin.
    """

    cap: float
    rate: float
    max_leverage: float | None
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTable:
    """The tiers of one or several symbols, from one day on.

    Attributes
    ----------
    venue : str
        In small letters.
    symbols : tuple of str
        Symbols it is for; ``("*",)`` is the venue's default for all without a table.
    contract : {"linear", "inverse"}
        Kind of contract.
    effective : date or None
        First day it is known to have been in force; None when the source states no day.
    source : str
        The public page or document, and when it was seen.
    measure : {"notional", "coins"}
        ``notional``: a position pays each tier's rate on its part in that tier, by the amounts.
        ``coins``: the rate of the tier of its size applies to the whole position (OKX).
    tiers : tuple of Tier
        Rows by ascending cap.
    fee_rate : float
        Liquidation fee the venue counts as required margin, fraction of notional.
    assumed : bool
        True when it stands in for a symbol without a table, or its day is not known.

    Raises
    ------
    FrameError
        Naming every fault: caps, rates and leverages out of order, amounts that jump.

    Examples
    --------
    >>> rows = (Tier(cap=50e3, rate=0.004, max_leverage=125, amount=0),
    ...         Tier(cap=600e3, rate=0.005, max_leverage=100, amount=49))
    >>> TierTable(venue="binance", symbols=("BTCUSDT",), contract="linear",
    ...           effective=date(2024, 10, 24), source="a doctest", tiers=rows)
    Traceback (most recent call last):
        ...
    liqwarn.errors.FrameError: binance BTCUSDT linear 2024-10-24: tier 2 has amount 49, expected 50
    """

    venue: str
    symbols: tuple[str, ...]
    contract: Contract
    effective: date | None
    source: str
    measure: Measure = "notional"
    tiers: tuple[Tier, ...]
    fee_rate: float = 0.0
    assumed: bool = False

    def __post_init__(self) -> None:
        faults = [f"{self.name}: {fault}" for fault in _faults(self.tiers, self.measure)]
        if faults:
            raise FrameError("\n".join(faults))

    @property
    def name(self) -> str:
        """Venue, symbols, contract and day, for messages."""
        day = self.effective or "undated"
        many = len(self.symbols) > 3
        who = f"of {len(self.symbols)} symbols" if many else ",".join(self.symbols)
        return f"{self.venue} {who} {self.contract} {day}"

    def tier_of(self, size: float) -> int:
        """Index of the tier of a position of `size`, in what the table measures.

        Raises
        ------
        FrameError
            When the size is larger than the last cap: the venue allows no such position.
        """
        caps = np.array([tier.cap for tier in self.tiers])
        if not 0.0 < size <= caps[-1]:
            raise FrameError(
                f"{self.name}: size {size:,.10g} has no tier, expected above 0 "
                f"and at most {caps[-1]:,.10g}"
            )
        return int(np.searchsorted(caps, size))

    def maintenance(self, quantity: float) -> Maintenance:
        """What it requires of a position of `quantity` coins at any price, the fee included.

        Raises
        ------
        FrameError
            When tiers go by coins and there is none for so many.
        """
        rows = self.tiers if self.measure == "notional" else (self.tiers[self.tier_of(quantity)],)
        plain = Maintenance(
            rates=np.array([tier.rate for tier in rows]),
            amounts=np.array([tier.amount for tier in rows]),
        )
        return plain.plus_fee(self.fee_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTiers:
    """All tables of a venue.

    Attributes
    ----------
    venue : str
        In small letters.
    tables : tuple of TierTable
        By symbol and day.
    default : TierTable
        Used, marked as assumed, for symbols and days without a table.

    Raises
    ------
    FrameError
        When two tables are for the same symbol, contract and day.
    """

    venue: str
    tables: tuple[TierTable, ...]
    default: TierTable

    def __post_init__(self) -> None:
        seen: set[tuple[str, str, date | None]] = set()
        for table in self.tables:
            for symbol in table.symbols:
                key = (symbol, table.contract, table.effective)
                if key in seen:
                    raise FrameError(f"{table.name}: a second table of {symbol} for that day")
                seen.add(key)

    def table_at(self, symbol: str | None, day: date, contract: Contract = "linear") -> TierTable:
        """The last table in force at or before a day, else the default.

        A table without a day and the default come back marked as assumed.

        Raises
        ------
        FrameError
            When there is neither: defaults are for their own contract only.
        """
        known = [
            table
            for table in self.tables
            if symbol in table.symbols
            and table.contract == contract
            and (table.effective or date.min) <= day
        ]
        if known:
            last = max(known, key=lambda table: table.effective or date.min)
            return last if last.effective else replace(last, assumed=True)
        if self.default.contract != contract:
            raise FrameError(
                f"{self.venue} has no table of {contract} {symbol or 'contracts'} on {day} "
                "and no default for them, expected a maintenance rate instead"
            )
        return replace(self.default, assumed=True)


def with_amounts(rows: tuple[Tier, ...], given: tuple[float | None, ...]) -> tuple[Tier, ...]:
    """Rows with the maintenance amounts a source leaves out, by the rule of continuity.

    >>> rows = tuple(Tier(cap=c, rate=m, max_leverage=None, amount=0.0)
    ...              for c, m in ((1e4, 0.005), (1e5, 0.0065), (5e5, 0.01)))
    >>> [round(row.amount, 9) for row in with_amounts(rows, (None, None, None))]
    [0.0, 15.0, 365.0]
    """
    done: list[Tier] = []
    for row, amount in zip(rows, given, strict=True):
        rule = _continuous(done[-1], row) if done else 0.0
        done.append(replace(row, amount=round(rule, 9) if amount is None else amount))
    return tuple(done)


def _continuous(below: Tier, row: Tier) -> float:
    return below.amount + below.cap * (row.rate - below.rate)


def _faults(tiers: tuple[Tier, ...], measure: Measure) -> Iterator[str]:
    if not tiers:
        yield "no tiers, expected one or more"
    for number, tier in enumerate(tiers, 1):
        yield from (f"tier {number} has {fault}" for fault in _row_faults(tier))
    for number, (below, tier) in enumerate(pairwise(tiers), 2):
        yield from (f"tier {number} has {fault}" for fault in _order_faults(below, tier))
        if measure == "coins" and tier.amount:
            yield f"tier {number} has amount {tier.amount:,.10g}, expected 0 where coins count"
        elif measure == "notional" and math.isfinite(below.cap):
            rule = _continuous(below, tier)
            if abs(tier.amount - rule) > TOLERANCE * below.cap:
                yield f"tier {number} has amount {tier.amount:,.10g}, expected {rule:,.10g}"


def _row_faults(tier: Tier) -> Iterator[str]:
    if not tier.cap > 0.0:
        yield f"cap {tier.cap:,.10g}, expected above 0"
    if not 0.0 < tier.rate < 1.0:
        yield f"rate {tier.rate}, expected a fraction in (0, 1)"
    lever = tier.max_leverage
    if lever is not None and not (lever >= 1.0 and tier.rate * lever < 1.0):
        yield f"leverage {lever} with rate {tier.rate}, expected at least 1 and below 1 / rate"


def _order_faults(below: Tier, tier: Tier) -> Iterator[str]:
    if tier.cap <= below.cap:
        yield f"cap {tier.cap:,.10g}, expected above {below.cap:,.10g}"
    if tier.rate <= below.rate:
        yield f"rate {tier.rate}, expected above {below.rate}"
    if None not in (tier.max_leverage, below.max_leverage):
        high, low = below.max_leverage or 0.0, tier.max_leverage or 0.0
        if low > high:
            yield f"leverage {low}, expected at most {high}"
