"""What thresholds would take the time that a policy gives its tiers, on scores nobody had fitted.

A policy's quantiles say how much of the time each tier may take in vain: 0.98 is 2 % of the bars
that no onset follows. On out-of-sample scores that share has a price: the quantile that is really
exceeded so often, as a percentile among past scores drifts with the market, and the multiple of the
base rate that is. The two make the curve on which thresholds are read off anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from liqwarn.decisions import Tier
from liqwarn.errors import PolicyError
from liqwarn.frames import BoolArray, FloatArray
from liqwarn.policy.history import ScoreHistory
from liqwarn.policy.tiers import Enter, Policy

__all__ = ["LEAST_ALARMS", "SCORED_TIERS", "Thresholds", "thresholds_of", "wanted_thresholds"]

SCORED_TIERS: Final = (Tier.T1, Tier.T2, Tier.T3, Tier.T4)
"""The tiers that a score enters."""
LEAST_ALARMS: Final = 40
"""Fewest bars that must lie above the rarest threshold for any to be read off."""
_TOP: Final = 0.9999  # a percentile can be 1, a threshold must not


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where tiers are entered and left, from the lowest to the highest.

    Attributes
    ----------
    enter : tuple of Enter
    exits : tuple of float
        Quantiles.
    """

    enter: tuple[Enter, ...]
    exits: tuple[float, ...]


def thresholds_of(policy: Policy) -> Thresholds:
    """The thresholds of a policy's tiers that a score enters."""
    rules = [policy.tiers[tier] for tier in SCORED_TIERS]
    return Thresholds(
        enter=tuple(one.enter for one in rules if one.enter is not None),
        exits=tuple(one.exit_quantile for one in rules if one.exit_quantile is not None),
    )


def wanted_thresholds(scores: ScoreHistory, quiet: BoolArray, given: Thresholds) -> Thresholds:
    """Thresholds that take the shares of time which those of `given` stand for.

    Both conditions of a tier by themselves take its share of the quiet bars, so together they take
    no more than it.

    Parameters
    ----------
    scores : ScoreHistory
        Out of sample.
    quiet : ndarray of bool, shape (n_symbols, n_bars, 2)
        Bars that no onset of the side followed within the horizon.
    given : Thresholds
        Of the policy as a person wrote it.

    Raises
    ------
    PolicyError
        When there are too few quiet bars, or scores that are too much alike for a rising ladder.
    """
    probability = scores.probability[..., scores.horizons_h.index(4)]
    known = quiet & np.isfinite(probability) & np.isfinite(scores.quantile)
    rarest = 1.0 - given.enter[-1].quantile
    if known.sum() * rarest < LEAST_ALARMS:
        raise PolicyError(
            f"{known.sum()} quiet bars with a rank, expected {LEAST_ALARMS / rarest:.0f} for "
            f"{LEAST_ALARMS} above the highest threshold"
        )
    ranks = np.sort(scores.quantile[known])
    multiples = np.sort(probability[known] / scores.base_rate[known])
    enter = tuple(
        Enter(
            quantile=_rank(ranks, 1.0 - one.quantile),
            base_multiple=float(f"{_exceeded(multiples, 1.0 - one.quantile):.3g}"),
        )
        for one in given.enter
    )
    exits = tuple(_rank(ranks, 1.0 - quantile) for quantile in given.exits)
    return _rising(Thresholds(enter=enter, exits=exits))


def _rank(ranks: FloatArray, share: float) -> float:
    return min(round(_exceeded(ranks, share), 4), _TOP)


def _exceeded(ordered: FloatArray, share: float) -> float:
    """The lowest of the values that at most this share of them reaches.

    >>> _exceeded(np.arange(10.0), 0.2)
    8.0
    """
    above = int(np.floor(len(ordered) * share + 1e-9))
    return float(ordered[len(ordered) - max(above, 1)])


def _rising(found: Thresholds) -> Thresholds:
    columns: Sequence[tuple[str, tuple[float, ...]]] = (
        ("enter.quantile", tuple(one.quantile for one in found.enter)),
        ("enter.base_multiple", tuple(one.base_multiple for one in found.enter)),
        ("exit_quantile", found.exits),
    )
    for name, values in columns:
        if any(low >= high for low, high in pairwise(values)):
            raise PolicyError(f"{name} read off as {values}, expected rising: scores are alike")
    for exit_, one in zip(found.exits, found.enter, strict=True):
        if exit_ >= one.quantile:
            raise PolicyError(
                f"exit_quantile read off as {exit_}, expected below its enter.quantile "
                f"{one.quantile}: scores are alike"
            )
    return found
