"""Good and bad challengers as arrays of scores, over a small simulated truth that is known.

Every symbol has a stress that wanders (half of it shared), and onsets come at a rate that grows
with it. HAR, champion and challengers see the stress through errors that wander as slowly, so an
honest score fades away from an onset as honest scores do. Scores become probabilities by a logistic
fit, so they are calibrated unless they are bent on purpose.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.models.folds import OutOfSample
from liqwarn.models.gate import Dates, SideEvidence
from liqwarn.models.gate_evidence import Frozen, measure_evidence
from liqwarn.models.logistic import fit_logistic, sigmoid
from liqwarn.models.metrics import log_odds
from liqwarn.models.results import HAR, MODEL
from liqwarn.models.rows import Rows

BAR_H = 2
SYMBOLS = ("AAA", "BBB", "CCC")
DAYS, FOLDS, SEEN_DAYS = 230, 4, 40
KEEP = 0.97  # of a wandering stress from bar to bar: half of it is gone after 46 h
ERRORS = {"har": 3.0, "champion": 1.4, "good": 0.3}  # of the stress, in its standard deviations
RESAMPLES = 60
START = np.datetime64("2025-01-01", "s")


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A market: what drives it, what happened, and what HAR and the champion say."""

    stress: np.ndarray  # (n_bars, n_symbols, 2)
    y: np.ndarray  # the same shape
    times: np.ndarray  # (n_bars,)
    scores: Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the gate is asked about."""

    kind: str
    seed: int
    evidence: tuple[SideEvidence, ...]
    dates: Dates


def wander(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """A stationary AR(1) of variance 1 along the first axis."""
    x = rng.normal(size=shape)
    for t in range(1, shape[0]):
        x[t] = KEEP * x[t - 1] + np.sqrt(1 - KEEP**2) * x[t]
    return x


@lru_cache(maxsize=64)
def truth(seed: int, *, days: int = DAYS, rate: float = -4.4) -> Truth:
    """The market of a seed; `rate` is the log-odds of an onset in a calm bar."""
    rng = np.random.default_rng(seed)
    shape = (days * 24 // BAR_H, len(SYMBOLS), 2)
    stress = np.sqrt(0.5) * (wander(rng, shape) + wander(rng, (shape[0], 1, shape[2])))
    onset = rng.random(shape) < sigmoid(rate + 1.5 * stress)
    ahead = 4 // BAR_H
    y = np.zeros(shape)
    for k in range(1, ahead + 1):
        y[:-k] = np.maximum(y[:-k], onset[k:])
    scores = {name: stress + error * wander(rng, shape) for name, error in ERRORS.items()}
    times = START + np.arange(shape[0]) * np.timedelta64(3600 * BAR_H, "s")
    return Truth(stress=stress, y=y, times=times, scores=scores)


def calibrated(score: FloatArray, y: FloatArray) -> FloatArray:
    """Probabilities of a score by a logistic fit, side by side."""
    p = np.empty(score.shape)
    for side in range(2):
        x = score[..., side].reshape(-1)
        slope, intercept = fit_logistic(x[:, None], y[..., side].reshape(-1))
        p[..., side] = sigmoid(intercept + slope * x).reshape(score.shape[:2])
    return p


def bent(p: FloatArray, slope: float, shift: float) -> FloatArray:
    """Probabilities with other log-odds: more extreme, more timid, too high, too low."""
    return sigmoid(shift + slope * log_odds(p))


def out_of_sample(market: Truth, p: FloatArray) -> OutOfSample:
    """The walk-forward as if a model had given the probabilities `p`."""
    n_bars, n_symbols, _ = market.y.shape
    shape = (n_bars * n_symbols, 2, 1)
    times = np.repeat(market.times, n_symbols)
    rows = Rows(
        bar=timedelta(hours=BAR_H),
        symbols=np.tile(np.array(SYMBOLS), n_bars),
        times=times,
        end=times + np.timedelta64(4, "h"),
        names=(),
        families={},
        X=np.empty((len(times), 0)),
        horizons_h=(4,),
        y=market.y.reshape(shape),
        milder=market.y.reshape(shape),
    )
    said = {MODEL: p.reshape(shape), HAR: calibrated(market.scores["har"], market.y).reshape(shape)}
    fold = np.repeat(np.arange(FOLDS), -(-len(times) // FOLDS))[: len(times)]
    return OutOfSample(rows=rows, fold=fold, p=said, alarms={}, thresholds={})


def given(kind: str, seed: int, market: Truth, p: FloatArray, *, days_late: float = 0.0) -> Given:
    """The evidence of a challenger that says `p`."""
    found = out_of_sample(market, p)
    said = calibrated(market.scores["champion"], market.y)
    frozen = Frozen(
        p=said.reshape(found.rows.y.shape), until=START + np.timedelta64(SEEN_DAYS, "D")
    )
    last = datetime.fromtimestamp(int(found.rows.end.max().astype(int)), UTC)
    dates = Dates(now=last + timedelta(days=days_late), trained_until=last, tested_until=last)
    with np.errstate(invalid="ignore", divide="ignore"):
        evidence = measure_evidence(found, frozen, n_bootstrap=RESAMPLES, seed=seed)
    return Given(kind=kind, seed=seed, evidence=evidence, dates=dates)


def good(market: Truth) -> FloatArray:
    """What the better model says."""
    return calibrated(market.scores["good"], market.y)


def leak(market: Truth, seed: int, strength: float) -> FloatArray:
    """An honest score with the answer added, `strength` standard deviations of noise high."""
    rng = np.random.default_rng([seed, 1])
    known = strength * market.y + rng.normal(size=market.y.shape)
    return calibrated(market.scores["champion"] + strength * known, market.y)


def next_bar(market: Truth, seed: int) -> FloatArray:
    """An honest score with features of the bar that comes: it sees the onset in it."""
    rng = np.random.default_rng([seed, 2])
    onset_next = np.zeros(market.y.shape)
    onset_next[:-1] = (market.y[:-1] == 1) & (market.y[1:] == 0)
    score = market.scores["good"] + 6.0 * onset_next + 0.3 * rng.normal(size=market.y.shape)
    return calibrated(score, market.y)


def wonder(market: Truth) -> FloatArray:
    """The champion everywhere, but knowing more in the first symbol."""
    p = calibrated(market.scores["champion"], market.y)
    p[:, :1] = calibrated(market.stress[:, :1], market.y[:, :1])
    return p


def inverted(market: Truth) -> FloatArray:
    """The better model's score with its sign turned, at the right level."""
    p = good(market)
    return sigmoid(2 * np.log(p.mean() / (1 - p.mean())) - log_odds(p))


BAD: Mapping[str, tuple[Callable[[int], Given], str]] = {
    "leaky: knows the label": (
        lambda s: given("", s, m := truth(s), leak(m, s, 3.0)), "to be true, a leak"),
    "leaky: features of the next bar": (
        lambda s: given("", s, m := truth(s), next_bar(m, s)), "to be true, a leak"),
    "inverted": (lambda s: given("", s, m := truth(s), inverted(m)), "inverted"),
    "constant": (
        lambda s: given("", s, m := truth(s), np.full(m.y.shape, m.y.mean())), "constant"),
    "not finite": (
        lambda s: given("", s, m := truth(s), np.where(m.stress > 2, np.nan, good(m))),
        "not finite"),
    "miscalibrated: too extreme": (
        lambda s: given("", s, m := truth(s), bent(good(m), 1.5, 1.3)), "calibration slope"),
    "miscalibrated: too timid": (
        lambda s: given("", s, m := truth(s), bent(good(m), 0.7, -0.9)), "calibration slope"),
    "miscalibrated: twice too high": (
        lambda s: given("", s, m := truth(s), bent(good(m), 1.0, 1.0)), "mean forecast over"),
    "tiny sample": (
        lambda s: given("", s, m := truth(s, days=80, rate=-6.3), good(m)), "too few"),
    "one-symbol wonder": (
        lambda s: given("", s, m := truth(s), wonder(m)), "the gain of one symbol"),
    "stale data": (
        lambda s: given("", s, m := truth(s), good(m), days_late=15 + 30 * s), "stale"),
    "no better than HAR": (
        lambda s: given("", s, m := truth(s), calibrated(m.scores["har"], m.y)),
        "not better than HAR"),
}  # fmt: skip
"""Kind to what makes one from a seed, and words of the reason it must be refused for."""


def bad(kind: str, seed: int) -> Given:
    """One bad challenger."""
    return replace(BAD[kind][0](seed), kind=kind)


def better(seed: int) -> Given:
    """A challenger that is genuinely better."""
    market = truth(seed)
    return given("better", seed, market, good(market))


def identical(seed: int) -> Given:
    """The champion itself as challenger."""
    market = truth(seed)
    return given("identical", seed, market, calibrated(market.scores["champion"], market.y))


def level(seed: int) -> Given:
    """Another model as good as the champion, wrong at other times."""
    market = truth(seed)
    rng = np.random.default_rng([seed, 3])
    other = market.stress + ERRORS["champion"] * wander(rng, market.y.shape)
    return given("level", seed, market, calibrated(other, market.y))
