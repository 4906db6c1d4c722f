"""Series made small enough for a page: runs of one tier, and the peaks of a probability."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray
from liqwarn.reports.scales import LogScale, TimeScale, text_of

__all__ = ["Run", "decimate_max", "line_path", "run_path", "tier_runs"]

_LEVELS: Final = 5


class Run(NamedTuple):
    """A stretch of time in one tier."""

    start: int
    end: int
    tier: int


def tier_runs(seconds: NDArray[np.int64], tiers: Sequence[int], bar_s: int) -> list[Run]:
    """Run-length form of a tier series.

    A tier decided at a bar's close holds until the next close; after a missing bar nothing is
    known, and the run ends one bar after its last decision.

    >>> tier_runs(np.array([0, 60, 120, 600]), [0, 2, 2, 2], 60)
    [Run(start=0, end=60, tier=0), Run(start=60, end=180, tier=2), Run(start=600, end=660, tier=2)]
    """
    runs: list[Run] = []
    for moment, tier in zip(seconds.tolist(), tiers, strict=True):
        if runs and runs[-1].tier == tier and runs[-1].end == moment:
            runs[-1] = Run(runs[-1].start, moment + bar_s, tier)
        else:
            runs.append(Run(moment, moment + bar_s, tier))
    return runs


def decimate_max(
    seconds: NDArray[np.int64], values: FloatArray, scale: TimeScale, buckets: int
) -> list[float | None]:
    """The highest value in each of `buckets` equal spans; None where there is none.

    A peak is what a reader must not miss, so it is the maximum and not the mean.

    >>> decimate_max(np.array([0, 1, 9]), np.array([.1, .3, np.nan]), TimeScale(0, 10), 2)
    [0.3, None]
    """
    span = max(scale.end - scale.start, 1)
    known = np.isfinite(values) & (seconds >= scale.start) & (seconds <= scale.end)
    place = np.minimum((seconds[known] - scale.start) * buckets // span, buckets - 1)
    peaks = np.full(buckets, -np.inf)
    np.maximum.at(peaks, place, values[known])
    return [float(p) if p > -np.inf else None for p in peaks]


def line_path(values: Sequence[float | None], scale: LogScale) -> str:
    """SVG path of a series over a box of 100 by 100; gaps stay gaps.

    >>> line_path([0.1, None, 1.0, 0.01], LogScale(0.01, 1.0))
    'M0 50M66.7 0L100 100'
    """
    steps = max(len(values) - 1, 1)
    parts: list[str] = []
    broken = True
    for place, value in enumerate(values):
        if value is not None:
            point = f"{text_of(100 * place / steps)} {text_of(100 - scale.at(value))}"
            parts.append(("M" if broken else "L") + point)
        broken = value is None
    return "".join(parts)


def run_path(runs: Sequence[Run], tier: int, scale: TimeScale) -> str:
    """SVG path of all runs of one tier, over a box of 100 by 5; the height is the tier.

    >>> run_path([Run(0, 50, 2), Run(50, 100, 0)], 2, TimeScale(0, 100))
    'M0 5V3H50V5Z'
    """
    level = _LEVELS - tier
    return "".join(
        f"M{_fine(scale.at(run.start))} 5V{level}H{_fine(scale.at(run.end))}V5Z"
        for run in runs
        if run.tier == tier and run.end > scale.start
    )


def _fine(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
