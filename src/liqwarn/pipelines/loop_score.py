"""The imperfect score of the closed loop: a model of the simulated market, made worse on purpose.

It is fitted on pilot markets that no arm is measured on. What it knows of a side's fuel is the
truth, so it would be better than any model of real data; noise that lasts for hours is added until
its ROC-AUC is that of a real one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.metrics import roc_auc_score

from liqwarn.frames import FloatArray
from liqwarn.models.logistic import fit_logistic, linear, sigmoid
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.loop_events import cascading, signals
from liqwarn.simulation.loop_market import LoopMarket, LoopRun
from liqwarn.simulation.paths import half_life_noise
from liqwarn.simulation.restraint import house_restraint

__all__ = ["LoopScore", "auc", "fit_score", "noise_of", "run_free"]

AHEAD_H: Final = 4.0
NOISE_HALF_LIFE_H: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoopScore:
    """Probability of a cascade within four hours, by side.

    Attributes
    ----------
    theta : ndarray, shape (2, n_signals + 1)
        Of the model that knows the truth, longs and shorts.
    platt : ndarray, shape (2, 2)
        From its log-odds with noise to calibrated log-odds.
    noise : ndarray, shape (2,)
        Standard deviation of the noise on the log-odds.
    ranked : tuple of ndarray
        Probabilities of the pilots, ascending: what a quantile is taken of.
    base_rate : ndarray, shape (2,)
    """

    theta: FloatArray
    platt: FloatArray
    noise: FloatArray
    ranked: tuple[FloatArray, FloatArray]
    base_rate: FloatArray

    def probability(self, known: FloatArray, noise: FloatArray) -> FloatArray:
        """Of every symbol and side: `known` (n_symbols, 2, n_signals), unit `noise` (n, 2)."""
        out = np.empty(known.shape[:2])
        for side in range(2):
            odds = linear(known[:, side], self.theta[side]) + self.noise[side] * noise[:, side]
            out[:, side] = sigmoid(self.platt[side, 0] * odds + self.platt[side, 1])
        return out

    def quantile(self, probability: FloatArray) -> FloatArray:
        """Share of the pilots' probabilities at or below each."""
        out = np.empty_like(probability)
        for side, past in enumerate(self.ranked):
            out[:, side] = np.searchsorted(past, probability[:, side], side="right") / past.size
        return out


def run_free(market: LoopMarket) -> LoopRun:
    """A run in which nobody is restricted."""
    run = market.start()
    told = house_restraint(len(market.config.specs))
    for _ in range(market.config.n_bars):
        run.advance(told)
    return run


def noise_of(config: MarketConfig, seed: int, stream: int) -> FloatArray:
    """Unit noise that lasts for hours, shape (n_symbols, 2, n_bars)."""
    rng = np.random.default_rng([seed, stream])
    shape = (len(config.specs), 2, config.n_bars)
    return half_life_noise(rng.standard_normal(shape), NOISE_HALF_LIFE_H / config.bar_h)


def auc(outcome: FloatArray, probability: FloatArray) -> float:
    """ROC-AUC; NaN without both outcomes."""
    if outcome.min() == outcome.max():
        return float("nan")
    return float(roc_auc_score(outcome, probability))


def fit_score(runs: Sequence[LoopRun], target_auc: float) -> LoopScore:
    """Fit on free pilot runs, and add noise until the ROC-AUC is no better than the target."""
    rows = [_rows(run) for run in runs]
    theta, platt, noise, ranked, base = [], [], [], [], []
    for side in range(2):
        X = np.concatenate([known[:, side] for known, _, _ in rows])
        y = np.concatenate([ahead[:, side] for _, ahead, _ in rows])
        unit = np.concatenate([drawn[:, side] for _, _, drawn in rows])
        coefficients = fit_logistic(X, y, ridge=1.0)
        odds = linear(X, coefficients)
        spread = _spread(y, odds, unit, target_auc)
        noisy = odds + spread * unit
        line = fit_logistic(noisy[:, None], y)
        theta.append(coefficients)
        platt.append(line)
        noise.append(spread)
        ranked.append(np.sort(sigmoid(linear(noisy[:, None], line))))
        base.append(y.mean())
    return LoopScore(
        theta=np.array(theta),
        platt=np.array(platt),
        noise=np.array(noise),
        ranked=(ranked[0], ranked[1]),
        base_rate=np.array(base),
    )


def _spread(y: FloatArray, odds: FloatArray, unit: FloatArray, target: float) -> float:
    """The noise that brings the ROC-AUC down to the target; 0 where it is not above it."""
    if auc(y, odds) <= target:
        return 0.0
    low, high = 0.0, 20.0 * float(odds.std())
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if auc(y, odds + middle * unit) > target else (low, middle)
    return 0.5 * (low + high)


def _rows(run: LoopRun) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Signals, outcomes and noise of a free run, one row a symbol and bar; events left out."""
    config, lead = run.market.config, run.market.lead
    ahead = round(AHEAD_H / config.bar_h)
    flags = cascading(config, run.record, slice(lead, lead + config.n_bars))
    unit = noise_of(config, run.market.seed, 0)
    known, outcome, drawn = [], [], []
    for bar in range(0, config.n_bars - ahead, 2):
        calm = ~flags[:, max(0, bar - ahead // 2) : bar + 1].any(axis=(1, 2))
        known.append(signals(config, run.record, lead + bar)[calm])
        outcome.append(flags[calm, bar + 1 : bar + 1 + ahead].any(axis=1).astype(np.float64))
        drawn.append(unit[calm, :, bar])
    return np.concatenate(known), np.concatenate(outcome), np.concatenate(drawn)
