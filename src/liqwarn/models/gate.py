"""The gate: may a challenger replace the champion? A pure rule over evidence.

Source: the acceptance rule of ``docs/evaluation.md``, and what else bad challengers look like; all
rules are in ``docs/gate.md`` with what they refuse. A tie keeps the champion, and a figure that
could not be measured (NaN) is held against the challenger.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from types import MappingProxyType
from typing import Final

from liqwarn.frames import SIDES

__all__ = [
    "EDGE",
    "ENOUGH",
    "ENOUGH_COMPARED",
    "LEVELS",
    "RULES",
    "SLOPES",
    "STALE",
    "TIED",
    "TOO_GOOD",
    "Dates",
    "Difference",
    "LeftOut",
    "Sample",
    "SideEvidence",
    "Verdict",
    "judge",
]

SLOPES: Final = (0.8, 1.2)
"""Calibration slopes that are good enough."""
LEVELS: Final = (0.5, 2.0)
"""Mean forecasts over the observed rate that are good enough."""
TOO_GOOD: Final = 0.95
"""ROC-AUC of the bars right before an onset that no honest forecast reaches."""
EDGE: Final = 0.85
"""ROC-AUC of bars within the horizon of an onset against bars just outside it, likewise."""
TIED: Final = 0.5
"""Share of rows with their fold's commonest score from which scores count as constant."""
STALE: Final = timedelta(days=14)
"""Oldest end of training and of test."""
_AHEAD: Final = timedelta(hours=1)  # two clocks may differ; a day ahead is a wrong one


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A paired difference of PR-AUC with its 95 % interval; NaN where it could not be measured."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        if isnan(self.mean):
            return "not measured"
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How many onsets were tested, and in how many calendar weeks, the unit of resampling."""

    onsets: int = 0
    weeks: int = 0

    def covers(self, least: "Sample") -> bool:
        """Whether there are as many of both."""
        return self.onsets >= least.onsets and self.weeks >= least.weeks

    def __str__(self) -> str:
        onsets, weeks = "s" * (self.onsets != 1), "s" * (self.weeks != 1)
        return f"{self.onsets} onset{onsets} in {self.weeks} week{weeks}"


ENOUGH: Final = Sample(onsets=30, weeks=8)
"""Least sample of a side's walk-forward."""
ENOUGH_COMPARED: Final = Sample(onsets=10, weeks=8)
"""Least sample that the champion had not seen, for a gain over it to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """The symbol without which least of a gain is left, and what is left."""

    symbol: str
    rest: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEvidence:
    """What the walk-forward says of a challenger on one side, 4 h ahead, all symbols pooled.

    Attributes
    ----------
    side : str
    sample : Sample
    not_finite : int
        Test rows whose probability is NaN or infinite.
    tied_frac : float
        Share of test rows that have the commonest probability of their fold.
    versus_har : Difference
    brier_skill_vs_har : float
    calibration_slope : float
    level_ratio : float
        Mean probability over the observed rate.
    roc_auc : float
    roc_auc_low : float
        Lower end of its interval of 95 %: the gate does not ask for it, the ledger does, once the
        challenger is champion.
    nearest_roc_auc : float
        Of the last rows before an onset, against all rows with none ahead.
    edge_roc_auc : float
        Of the rows with an onset within the horizon, against those with one within the next: what
        is drawn sharper than any forecast draws it was drawn with the answer in hand.
    compared : Sample
        Of the bars the champion had not seen.
    versus_champion : Difference or None
        On those bars; None when there is no champion, or no such onset.
    left_out : LeftOut or None
        None where the panel has one symbol.
    worse_symbols : tuple of str
        Symbols in which the challenger is worse than the champion beyond the interval.
    """

    side: str
    sample: Sample
    not_finite: int
    tied_frac: float
    versus_har: Difference
    brier_skill_vs_har: float
    calibration_slope: float
    level_ratio: float
    roc_auc: float
    nearest_roc_auc: float
    edge_roc_auc: float
    compared: Sample = Sample()
    versus_champion: Difference | None = None
    left_out: LeftOut | None = None
    worse_symbols: tuple[str, ...] = ()
    roc_auc_low: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """How old the evidence is.

    Attributes
    ----------
    now : datetime
    trained_until : datetime
        When the last outcome was known that the challenger is trained on.
    tested_until : datetime
        The same of the walk-forward's test.
    """

    now: datetime
    trained_until: datetime
    tested_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether to promote, and every reason for or against."""

    promote: bool
    reasons: tuple[str, ...]


def judge(evidence: Sequence[SideEvidence], dates: Dates) -> Verdict:
    """Decide on a challenger.

    Nothing may be held against it on either side by :data:`RULES`, its training and its test must
    reach to the present, and on one side at least it must beat the champion beyond the interval, on
    enough onsets, and without any one symbol too.

    Examples
    --------
    >>> better = Difference(mean=0.02, low=0.01, high=0.03)
    >>> enough = Sample(onsets=60, weeks=20)
    >>> both = [SideEvidence(side=side, sample=enough, not_finite=0, tied_frac=0.0,
    ...                      versus_har=better, brier_skill_vs_har=0.02, calibration_slope=1.0,
    ...                      level_ratio=1.0, roc_auc=0.8, nearest_roc_auc=0.8, edge_roc_auc=0.6,
    ...                      compared=enough, versus_champion=better) for side in SIDES]
    >>> day = datetime(2026, 5, 1)
    >>> fresh = Dates(now=day, trained_until=day, tested_until=day)
    >>> judge(both, fresh).promote, judge(both[:1], fresh).reasons
    (True, ('short: no evidence',))
    """
    given = {one.side for one in evidence}
    against = [f"{side}: no evidence" for side in SIDES if side not in given]
    against += [reason for rule in RULES.values() for one in evidence for reason in rule(one)]
    against += _stale(dates)
    if against:
        return Verdict(promote=False, reasons=tuple(against))
    short = {one.side: _short_of_a_gain(one) for one in evidence}
    return Verdict(
        promote=not all(short.values()),
        reasons=tuple(
            f"{one.side}: {short[one.side] or f'over the champion {one.versus_champion}'}"
            for one in evidence
        ),
    )


Rule = Callable[[SideEvidence], Iterator[str]]


def _sample(one: SideEvidence) -> Iterator[str]:
    if not one.sample.covers(ENOUGH):
        yield f"{one.side}: too few: {one.sample}, expected {ENOUGH} at least"


def _finite(one: SideEvidence) -> Iterator[str]:
    if one.not_finite:
        yield f"{one.side}: {one.not_finite} scores are not finite, expected none"


def _constant(one: SideEvidence) -> Iterator[str]:
    if not one.tied_frac < TIED:
        yield (
            f"{one.side}: constant: {100 * one.tied_frac:.0f} % of the rows have their fold's "
            f"commonest score, expected less than {100 * TIED:.0f} %"
        )


def _inverted(one: SideEvidence) -> Iterator[str]:
    if not one.roc_auc >= 0.5:
        yield _said(one, "inverted: ROC-AUC", one.roc_auc, "0.5 at least")


def _too_near(one: SideEvidence) -> Iterator[str]:
    if not one.nearest_roc_auc <= TOO_GOOD:
        what = "too good to be true, a leak: ROC-AUC right before onsets"
        yield _said(one, what, one.nearest_roc_auc, f"{TOO_GOOD} at most")


def _too_sharp(one: SideEvidence) -> Iterator[str]:
    if not one.edge_roc_auc <= EDGE:
        what = "too sharp to be true, a leak: ROC-AUC at the edge of the horizon"
        yield _said(one, what, one.edge_roc_auc, f"{EDGE} at most")


def _over_har(one: SideEvidence) -> Iterator[str]:
    if not one.versus_har.low > 0:
        yield f"{one.side}: not better than HAR beyond the interval, {one.versus_har}"


def _brier(one: SideEvidence) -> Iterator[str]:
    if not one.brier_skill_vs_har > 0:
        yield _said(one, "Brier skill against HAR", one.brier_skill_vs_har, "> 0")


def _slope(one: SideEvidence) -> Iterator[str]:
    if not SLOPES[0] <= one.calibration_slope <= SLOPES[1]:
        what = "miscalibrated: calibration slope"
        yield _said(one, what, one.calibration_slope, f"{SLOPES[0]} to {SLOPES[1]}")


def _level(one: SideEvidence) -> Iterator[str]:
    if not LEVELS[0] <= one.level_ratio <= LEVELS[1]:
        what = "miscalibrated: mean forecast over the observed rate"
        yield _said(one, what, one.level_ratio, f"{LEVELS[0]} to {LEVELS[1]}")


def _champion(one: SideEvidence) -> Iterator[str]:
    if one.versus_champion is not None and not one.versus_champion.high >= 0:
        yield f"{one.side}: worse than the champion, {one.versus_champion}"


def _symbols(one: SideEvidence) -> Iterator[str]:
    if one.worse_symbols:
        yield f"{one.side}: worse than the champion in {', '.join(one.worse_symbols)}"


def _said(one: SideEvidence, what: str, found: float, expected: str) -> str:
    """A figure that is held against a side; one that is unknown accuses it of nothing else."""
    if isnan(found):
        return f"{one.side}: not measured: {what.rpartition(': ')[2]}, expected {expected}"
    return f"{one.side}: {what} is {found:.3f}, expected {expected}"


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "sample": _sample,
        "finite": _finite,
        "constant": _constant,
        "inverted": _inverted,
        "too near": _too_near,
        "too sharp": _too_sharp,
        "over HAR": _over_har,
        "Brier": _brier,
        "slope": _slope,
        "level": _level,
        "champion": _champion,
        "symbols": _symbols,
    }
)
"""Name of a rule to what gives its reasons against a side."""


def _stale(dates: Dates) -> Iterator[str]:
    for what, until in (("training", dates.trained_until), ("the test", dates.tested_until)):
        age = dates.now - until
        if not -_AHEAD <= age <= STALE:
            yield (
                f"stale: {what} ends {until:%Y-%m-%d %H:%M}, {age / timedelta(days=1):.1f} days "
                f"before {dates.now:%Y-%m-%d %H:%M}, expected 0 to {STALE.days}"
            )


def _short_of_a_gain(one: SideEvidence) -> str:
    """Why a side is no gain over the champion; empty when it is one."""
    if one.versus_champion is None:
        return "tie with the champion, nothing to compare"
    if not one.versus_champion.low > 0:
        return f"tie with the champion, {one.versus_champion}"
    if not one.compared.covers(ENOUGH_COMPARED):
        return (
            f"tie with the champion: {one.versus_champion} over it, but only on {one.compared}, "
            f"expected {ENOUGH_COMPARED} at least"
        )
    if one.left_out is not None and not one.left_out.rest.low > 0:
        return (
            f"tie with the champion: {one.versus_champion} over it, but without "
            f"{one.left_out.symbol} {one.left_out.rest}: the gain of one symbol"
        )
    return ""
