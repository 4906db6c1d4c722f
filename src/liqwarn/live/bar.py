"""What one closed bar means for every symbol: scores, decisions, and the flags they become."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import isnan

import numpy as np
from numpy.typing import NDArray

from liqwarn.decisions import Flag
from liqwarn.errors import PolicyError
from liqwarn.frames import SIDES, BoolArray, FloatArray, Side
from liqwarn.policy.book import Decision, Key
from liqwarn.policy.breaker import Evidence, evidence_from
from liqwarn.policy.flags import (
    FlagSource,
    SideScore,
    issue_flag,
    with_disabled,
    with_strangeness,
)
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
    disabled : mapping of symbol to str
        Why symbols are not scored, of those that are disabled.
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
    disabled: Mapping[str, str] = field(default_factory=dict)

    def scored(self) -> BoolArray:
        """Which symbols have any probability."""
        return np.asarray(np.isfinite(self.probability).any(axis=(1, 2)))

    def without(self, disabled: BoolArray, reasons: Mapping[str, str]) -> "LiveScores":
        """The same without what is said of disabled symbols; `disabled` has shape (n_symbols,).

        What the rule-based detector saw of a cascade stays: it is no model.
        """
        if not disabled.any():
            return self
        return replace(
            self,
            probability=np.where(disabled[:, None, None], np.nan, self.probability),
            quantile=np.where(disabled[:, None], np.nan, self.quantile),
            quality=np.where(disabled, "unknown", self.quality),
            disabled=reasons,
        )

    def evidence(self, row: int, side: int) -> Evidence:
        """What the breaker looks at."""
        numbers = (
            float(self.probability[row, side, self.horizons_h.index(4)]),
            float(self.quantile[row, side]),
            float(self.base_rate[side]),
        )
        running = bool(self.in_progress[row, side])
        return evidence_from(self.as_of, numbers, str(self.quality[row]), in_progress=running)

    def evidences(self) -> dict[Key, Evidence]:
        """What the breaker looks at, of every side of every symbol."""
        # plain lists: reading a cell of those is ten times faster
        probability = self.probability[:, :, self.horizons_h.index(4)].tolist()
        planes = zip(
            self.symbols,
            probability,
            self.quantile.tolist(),
            self.in_progress.tolist(),
            self.quality.tolist(),
            strict=True,
        )
        base_rate = self.base_rate.tolist()
        return {
            (symbol, side): evidence_from(
                self.as_of, (p[j], q[j], base_rate[j]), quality, in_progress=running[j]
            )
            for symbol, p, q, running, quality in planes
            for j, side in enumerate(SIDES)
        }

    def said(self) -> Iterator[dict[Side, SideScore]]:
        """What a flag needs of each symbol's scores, in the order of `symbols`.

        Raises
        ------
        PolicyError
            When probabilities fall with the horizon.
        """
        for cell, quality in zip(self.probability.tolist(), self.quality.tolist(), strict=True):
            sides: dict[Side, SideScore] = {}
            for side, row in zip(SIDES, cell, strict=True):
                known = {h: p for h, p in zip(self.horizons_h, row, strict=True) if not isnan(p)}
                ordered = list(known.values())
                if ordered != sorted(ordered):
                    raise PolicyError(
                        f"probabilities {ordered} fall with the horizon, expected rising"
                    )
                sides[side] = SideScore(self.as_of, known, quality)
            yield sides


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
    scores, decisions = bar.scores, bar.decisions
    planes = zip(scores.symbols, scores.said(), scores.completeness.tolist(), strict=True)
    for symbol, said, completeness in planes:
        if (symbol, SIDES[0]) not in decisions:
            continue
        flag = issue_flag(
            {side: decisions[symbol, side].after for side in SIDES},
            said,
            scores.as_of,
            policy,
            issued_at=issued_at,
            source=FlagSource(
                model=source.model, data_sha256=source.data_sha256, completeness=completeness
            ),
        )
        flag = with_strangeness(flag, scores.strange.get(symbol, ""))
        yield with_disabled(flag, scores.disabled.get(symbol, ""))
