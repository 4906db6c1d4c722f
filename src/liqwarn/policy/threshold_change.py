"""How far thresholds may move at a retrain: a fifth per change, a week apart at least.

What is bounded is how often a threshold fires: the share of time above a quantile, ``1 - q``, and
the multiple of the base rate. A quantile itself cannot be moved by a fifth: 0.98 would leave the
scale. From 0.98 one change reaches 0.976 to 0.984.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import Final

from liqwarn.errors import PolicyError
from liqwarn.policy.tiers import Enter

__all__ = ["APART", "MOST", "ThresholdChange", "change_exits", "change_thresholds"]

MOST: Final = 0.2
"""Largest relative change of one threshold."""
APART: Final = timedelta(days=7)
"""Least time between changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChange:
    """Thresholds after a retrain, and what was held back of what it asked for.

    Attributes
    ----------
    enter : tuple of Enter
        One a tier, as they were given.
    changed : bool
    notes : tuple of str
        Why something is other than asked for.
    """

    enter: tuple[Enter, ...]
    changed: bool
    notes: tuple[str, ...] = ()


def change_thresholds(
    current: Sequence[Enter], wanted: Sequence[Enter], last_change: datetime | None, now: datetime
) -> ThresholdChange:
    """Move thresholds towards what a retrain derived, within the bounds.

    Parameters
    ----------
    current, wanted : sequence of Enter
        Of the same tiers, from the lowest to the highest.
    last_change : datetime or None
        None when they were never changed.

    Raises
    ------
    PolicyError
        For thresholds that are no ladder: not finite, outside their scale, or not rising.

    Examples
    --------
    >>> asked = [Enter(quantile=0.99, base_multiple=9.0)]
    >>> done = change_thresholds([Enter(quantile=0.98, base_multiple=8.0)], asked, None,
    ...                          datetime(2026, 5, 1))
    >>> done.enter[0], done.notes
    (Enter(quantile=0.984, base_multiple=9.0),
     ('step 1: quantile 0.99 asked for, 0.984 is within 20 % of the time above it',))
    """
    _check(current, "current")
    _check(wanted, "wanted")
    if len(current) != len(wanted):
        raise PolicyError(f"{len(wanted)} thresholds wanted, expected {len(current)}")
    if tuple(wanted) == tuple(current):
        return ThresholdChange(enter=tuple(current), changed=False)
    since = None if last_change is None else now - last_change
    if since is not None and since < APART:
        note = (
            f"the last change was {since / timedelta(days=1):.1f} days ago, expected {APART.days}"
        )
        return ThresholdChange(enter=tuple(current), changed=False, notes=(note,))
    notes: list[str] = []
    steps = enumerate(zip(current, wanted, strict=True), start=1)
    enter = tuple(_step(f"step {n}", old, new, notes) for n, (old, new) in steps)
    _check(enter, "bounded")
    return ThresholdChange(enter=enter, changed=enter != tuple(current), notes=tuple(notes))


def change_exits(
    current: Sequence[float], wanted: Sequence[float]
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Move the quantiles at which tiers are left with those at which they are entered.

    A ladder whose exits lie below its entries before, and in what is wanted, has them there after.

    Returns
    -------
    tuple of float, tuple of str
        The quantiles, one a tier, and what was held back.

    Raises
    ------
    PolicyError
        When there are not as many of both.

    >>> change_exits([0.85], [0.5])
    ((0.82,), ('step 1: exit quantile 0.5 asked for, 0.82 is within 20 % of the time above it',))
    """
    if len(current) != len(wanted):
        raise PolicyError(f"{len(wanted)} exits wanted, expected {len(current)}")
    notes: list[str] = []
    steps = enumerate(zip(current, wanted, strict=True), start=1)
    exits = tuple(_quantile(f"step {n}: exit", old, new, notes) for n, (old, new) in steps)
    return exits, tuple(notes)


def _quantile(what: str, old: float, new: float, notes: list[str]) -> float:
    low, high = 1.0 - (1.0 - old) * (1 + MOST), 1.0 - (1.0 - old) * (1 - MOST)
    if low <= new <= high:
        return new
    held = round(min(max(new, low), high), 12)
    notes.append(
        f"{what} quantile {new:g} asked for, {held:g} is within "
        f"{100 * MOST:.0f} % of the time above it"
    )
    return held


def _step(what: str, old: Enter, new: Enter, notes: list[str]) -> Enter:
    quantile = _quantile(f"{what}:", old.quantile, new.quantile, notes)
    multiple = min(max(new.base_multiple, old.base_multiple * (1 - MOST)),
                   old.base_multiple * (1 + MOST))  # fmt: skip
    if multiple != new.base_multiple:
        notes.append(
            f"{what}: {new.base_multiple:g} times the base rate asked for, {multiple:g} is within "
            f"{100 * MOST:.0f} %"
        )
    return Enter(quantile=quantile, base_multiple=multiple)


def _check(steps: Sequence[Enter], which: str) -> None:
    for n, one in enumerate(steps, start=1):
        if not 0.0 < one.quantile < 1.0 or not (
            isfinite(one.base_multiple) and one.base_multiple > 0
        ):
            raise PolicyError(f"{which} thresholds, step {n}: {one}, expected a quantile inside "
                              "(0, 1) and a multiple above 0")  # fmt: skip
    for n, (lower, upper) in enumerate(pairwise(steps), start=1):
        if not (lower.quantile < upper.quantile and lower.base_multiple < upper.base_multiple):
            raise PolicyError(f"{which} thresholds do not rise from step {n} to {n + 1}")
