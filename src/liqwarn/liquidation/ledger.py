"""What a liquidation map has seen and missed: the facts its quality rests on."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.liquidation.market_path import Bars, Breaks
from liqwarn.windows.arguments import compiled

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
    age, silent, restarts = _next_runs(known, runs.age, runs.silent, FORGET_S // bar_s)
    return Runs(age=age, silent=silent, restarts=restarts)


@compiled
def _next_runs(
    known: BoolArray, age: NDArray[np.int64], silent: NDArray[np.int64], patience: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], BoolArray]:
    older, quieter = np.empty_like(age), np.empty_like(silent)
    restarts = np.zeros(age.size, np.bool_)
    for k in range(age.size):
        begins = known[k] and age[k] == 0
        restarts[k] = known[k] and silent[k] > patience and not begins
        older[k] = age[k] + 1 if age[k] > 0 else 0
        if begins or restarts[k]:
            older[k] = 1
        quieter[k] = 0 if known[k] else silent[k] + 1
    return older, quieter, restarts


def facts_of(bars: Bars, breaks: Breaks, runs: Runs) -> BoolArray:
    """What each bar lacks or breaks, shape (8, n_bars): rows in the order of :data:`FACTS`."""
    broken = (breaks.shift, breaks.rescale, runs.restarts)
    return _facts_of(bars.priced(), bars.open_interest, bars.volume, bars.marked, broken)


@compiled
def _facts_of(
    priced: BoolArray,
    open_interest: FloatArray,
    volume: FloatArray,
    marked: BoolArray,
    broken: tuple[FloatArray, FloatArray, BoolArray],
) -> BoolArray:
    facts = np.empty((8, priced.size), np.bool_)
    shift, rescale, restarts = broken
    for k in range(priced.size):
        facts[0, k] = not priced[k]
        facts[1, k] = not np.isfinite(open_interest[k])
        facts[2, k] = open_interest[k] <= 0.0
        facts[3, k] = volume[k] == 0.0
        facts[4, k] = not marked[k]
        facts[5, k] = shift[k] != 0.0
        facts[6, k] = rescale[k] != 0.0
        facts[7, k] = restarts[k]
    return facts


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
