"""What a liquidation map has seen and missed: the facts its quality rests on."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import BoolArray
from liqwarn.liquidation.market_path import Bars, Breaks

__all__ = [
    "FACTS",
    "FORGET_S",
    "Ledger",
    "Runs",
    "count_runs",
    "facts_of",
    "ledger_after",
    "next_runs",
]

FACTS: Final = (
    "unpriced",
    "unknown",
    "unbelievable",
    "untraded",
    "unmarked",
    "shifted",
    "rescaled",
    "restarted",
)
"""What a :class:`Ledger` counts of bars."""

FORGET_S: Final = 7 * 86_400
"""Open interest unknown for longer than this says nothing of the cohorts before: begin anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Counts over all bars a map was advanced over.

    Attributes
    ----------
    bars : int
        Bars in all.
    unpriced, unknown, unbelievable, untraded, unmarked : int
        Bars without a price; without open interest; with open interest of 0 or less; without
        volume; with the last trade instead of the mark price.
    shifted, rescaled, restarted : int
        Breaks: prices changed their unit, open interest did, the map was begun anew.
    age_bars : int
        Bars since the map was begun; 0 before it first held open interest.
    silent_bars : int
        Bars since the map was last made to hold open interest: one with a price, with open
        interest, and with trades.
    """

    bars: int = 0
    unpriced: int = 0
    unknown: int = 0
    unbelievable: int = 0
    untraded: int = 0
    unmarked: int = 0
    shifted: int = 0
    rescaled: int = 0
    restarted: int = 0
    age_bars: int = 0
    silent_bars: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """How old and how silent a map is after each bar; every array has shape (n_bars,).

    Attributes
    ----------
    age, silent : ndarray of int64
        The ledger's ``age_bars`` and ``silent_bars``.
    restarts : ndarray of bool
        Bars before which the map is begun anew.
    """

    age: NDArray[np.int64]
    silent: NDArray[np.int64]
    restarts: BoolArray


def count_runs(bars: Bars, ledger: Ledger) -> Runs:
    """Ages and silences over bars that follow what the ledger counts."""
    number = np.arange(len(bars.close))
    known = np.isfinite(bars.stock()) & (bars.volume != 0.0)
    last = np.maximum.accumulate(np.where(known, number, -1))
    silent = np.where(last >= 0, number - last, ledger.silent_bars + number + 1)
    silence_before = np.concatenate([[ledger.silent_bars], silent[:-1]])
    first = number == (np.argmax(known) if known.any() else -1)
    begins = known & first & (ledger.age_bars == 0)
    restarts = known & (silence_before * bars.bar_s > FORGET_S) & ~begins
    start = np.maximum.accumulate(np.where(begins | restarts, number, -1))
    carried = np.where(ledger.age_bars > 0, ledger.age_bars + number + 1, 0)
    age = np.where(start >= 0, number - start + 1, carried)
    return Runs(age=age, silent=silent, restarts=restarts)


def next_runs(known: BoolArray, runs: Runs, bar_s: int) -> Runs:
    """Ages and silences one bar later, of one perpetual an entry.

    Parameters
    ----------
    known : ndarray of bool, shape (n_symbols,)
        Whether the bar has a price, open interest and trades.
    runs : Runs
        After the bar before.

    Examples
    --------
    >>> before = Runs(age=np.array([5]), silent=np.array([2]), restarts=np.array([False]))
    >>> next_runs(np.array([True]), before, 3600).silent
    array([0])
    """
    begins = known & (runs.age == 0)
    restarts = known & (runs.silent * bar_s > FORGET_S) & ~begins
    return Runs(
        age=np.where(begins | restarts, 1, np.where(runs.age > 0, runs.age + 1, 0)),
        silent=np.where(known, 0, runs.silent + 1),
        restarts=restarts,
    )


def facts_of(bars: Bars, breaks: Breaks, runs: Runs) -> BoolArray:
    """What each bar lacks or breaks, shape (8, n_bars): rows in the order of :data:`FACTS`."""
    with np.errstate(invalid="ignore"):
        unbelievable = bars.open_interest <= 0.0
    return np.stack(
        [
            ~bars.priced(),
            ~np.isfinite(bars.open_interest),
            unbelievable,
            bars.volume == 0.0,
            ~bars.marked,
            breaks.shift != 0.0,
            breaks.rescale != 0.0,
            runs.restarts,
        ]
    )


def ledger_after(bars: Bars, ledger: Ledger, breaks: Breaks, runs: Runs) -> Ledger:
    """The ledger with these bars added."""
    if not len(bars.close):
        return ledger
    counts = dict(zip(FACTS, facts_of(bars, breaks, runs).sum(axis=1).tolist(), strict=True))
    return Ledger(
        bars=ledger.bars + len(bars.close),
        **{name: getattr(ledger, name) + count for name, count in counts.items()},
        age_bars=int(runs.age[-1]),
        silent_bars=int(runs.silent[-1]),
    )
