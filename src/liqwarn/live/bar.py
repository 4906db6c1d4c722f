"""What one closed bar means for every symbol: scores, decisions, and the flags they become."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import cast

import numpy as np
from numpy.typing import NDArray

from liqwarn.decisions import Flag, Quality, RiskScore
from liqwarn.frames import SIDES, BoolArray, FloatArray
from liqwarn.policy.book import Decision, Key
from liqwarn.policy.breaker import Evidence
from liqwarn.policy.flags import FlagSource, issue_flag, with_strangeness
from liqwarn.policy.tiers import Policy

__all__ = ["LiveBar", "LiveScores", "flags_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiveScores:
    """Scores of one bar.

    Attributes
    ----------
    symbols : tuple of str
    as_of : datetime
        The bar's close, UTC.
    horizons_h : tuple of int
    raw, probability : ndarray of float64, shape (n_symbols, 2, n_horizons)
        Before calibration, in log-odds; calibrated, NaN where price or open interest is missing.
    quantile : ndarray of float64, shape (n_symbols, 2)
        Of the 4-h probability in its own trailing past; NaN where too little past is known.
    base_rate : ndarray of float64, shape (2,)
    in_progress : ndarray of bool, shape (n_symbols, 2)
    quality : ndarray of str, shape (n_symbols,)
    completeness : ndarray of float64, shape (n_symbols,)
    features : ndarray of float64, shape (n_symbols, n_features)
    strange : mapping of symbol to str
        What is unlike training, of symbols of which anything is.
    """

    symbols: tuple[str, ...]
    as_of: datetime
    horizons_h: tuple[int, ...]
    raw: FloatArray
    probability: FloatArray
    quantile: FloatArray
    base_rate: FloatArray
    in_progress: BoolArray
    quality: NDArray[np.str_]
    completeness: FloatArray
    features: FloatArray
    strange: Mapping[str, str]

    def scored(self) -> BoolArray:
        """Which symbols have any probability."""
        return np.asarray(np.isfinite(self.probability).any(axis=(1, 2)))

    def evidence(self, row: int, side: int) -> Evidence:
        """What the breaker looks at."""
        probability = float(self.probability[row, side, self.horizons_h.index(4)])
        quantile = float(self.quantile[row, side])
        quality = str(self.quality[row])
        return Evidence(
            self.as_of,
            probability,
            quantile,
            float(self.base_rate[side]),
            bool(self.in_progress[row, side]),
            quality != "ok" or isnan(quantile),
            quality in ("ok", "degraded") and not isnan(probability),
        )

    def score(self, row: int, side: int) -> RiskScore:
        """One side as the value that a flag is issued from."""
        given = dict(zip(self.horizons_h, self.probability[row, side].tolist(), strict=True))
        quantile = float(self.quantile[row, side])
        return RiskScore(
            symbol=self.symbols[row],
            side=SIDES[side],
            as_of=self.as_of,
            probability={h: p for h, p in given.items() if not isnan(p)},
            quantile=None if isnan(quantile) else quantile,
            base_rate=float(self.base_rate[side]),
            drivers=(),
            in_progress=bool(self.in_progress[row, side]),
            quality=cast("Quality", str(self.quality[row])),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiveBar:
    """One bar with everything the breaker decided at its close.

    Attributes
    ----------
    number : int
        Absolute number of the bar.
    scores : LiveScores
    decisions : mapping of (symbol, side) to Decision
        Of the symbols that ever had a score.
    """

    number: int
    scores: LiveScores
    decisions: Mapping[Key, Decision]


def flags_of(
    bar: LiveBar, policy: Policy, source: FlagSource, *, issued_at: datetime
) -> Iterator[Flag]:
    """The flag of every symbol that ever had a score; the others have none, which is `unknown`.

    Parameters
    ----------
    source : FlagSource
        Its completeness is replaced by each symbol's own.
    issued_at : datetime
        When the flags are published.
    """
    scores = bar.scores
    for row, symbol in enumerate(scores.symbols):
        if (symbol, SIDES[0]) not in bar.decisions:
            continue
        flag = issue_flag(
            {side: bar.decisions[symbol, side].after for side in SIDES},
            {side: scores.score(row, j) for j, side in enumerate(SIDES)},
            scores.as_of,
            policy,
            issued_at=issued_at,
            source=FlagSource(
                model=source.model,
                data_sha256=source.data_sha256,
                completeness=float(scores.completeness[row]),
            ),
        )
        yield with_strangeness(flag, scores.strange.get(symbol, ""))
