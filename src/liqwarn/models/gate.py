"""The gate: may a challenger replace the champion? A pure rule over evidence.

Source: the acceptance rule of ``docs/evaluation.md``. A tie keeps the champion.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from liqwarn.frames import SIDES

__all__ = ["SLOPES", "Difference", "SideEvidence", "Verdict", "judge"]

SLOPES: Final = (0.8, 1.2)
"""Calibration slopes that are good enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A paired difference of PR-AUC with its 95 % interval; NaN where it could not be measured."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEvidence:
    """What the walk-forward says of a challenger on one side, 4 h ahead, all symbols pooled.

    Attributes
    ----------
    side : str
    versus_har : Difference
    brier_skill_vs_har : float
    calibration_slope : float
    versus_champion : Difference or None
        On bars the champion had not seen; None when there is no champion, or no such event.
    worse_symbols : tuple of str
        Symbols in which the challenger is worse than the champion beyond the interval.
    """

    side: str
    versus_har: Difference
    brier_skill_vs_har: float
    calibration_slope: float
    versus_champion: Difference | None = None
    worse_symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether to promote, and every reason for or against."""

    promote: bool
    reasons: tuple[str, ...]


def judge(evidence: Sequence[SideEvidence]) -> Verdict:
    """Decide on a challenger.

    It must beat HAR on both sides with an interval above zero, improve HAR's Brier score, be
    calibrated, hurt no symbol, and beat the champion on one side without losing on the other.
    A figure that could not be measured (NaN) is held against it.

    Examples
    --------
    >>> better = Difference(mean=0.02, low=0.01, high=0.03)
    >>> both = [SideEvidence(side=side, versus_har=better, brier_skill_vs_har=0.02,
    ...                      calibration_slope=1.0, versus_champion=better) for side in SIDES]
    >>> judge(both).promote, judge(both[:1]).reasons
    (True, ('short: no evidence',))
    """
    given = {one.side: one for one in evidence}
    against = [f"{side}: no evidence" for side in SIDES if side not in given]
    against += [reason for one in evidence for reason in _against(one)]
    if against:
        return Verdict(promote=False, reasons=tuple(against))
    compared = [one.versus_champion for one in evidence]
    gains = [d for d in compared if d is not None and d.low > 0]
    if not gains:
        return Verdict(
            promote=False,
            reasons=tuple(
                f"{one.side}: tie with the champion, {one.versus_champion or 'nothing to compare'}"
                for one in evidence
            ),
        )
    return Verdict(
        promote=True,
        reasons=tuple(f"{one.side}: over the champion {one.versus_champion}" for one in evidence),
    )


def _against(one: SideEvidence) -> Iterator[str]:
    if not one.versus_har.low > 0:
        yield f"{one.side}: not better than HAR beyond the interval, {one.versus_har}"
    if not one.brier_skill_vs_har > 0:
        yield f"{one.side}: Brier skill against HAR is {one.brier_skill_vs_har:+.4f}, expected > 0"
    if not SLOPES[0] <= one.calibration_slope <= SLOPES[1]:
        yield (
            f"{one.side}: calibration slope is {one.calibration_slope:.2f}, expected "
            f"{SLOPES[0]} to {SLOPES[1]}"
        )
    if one.versus_champion is not None and not one.versus_champion.high >= 0:
        yield f"{one.side}: worse than the champion, {one.versus_champion}"
    if one.worse_symbols:
        yield f"{one.side}: worse than the champion in {', '.join(one.worse_symbols)}"
