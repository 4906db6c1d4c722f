"""The breaker over a history: arrays of scores in, tiers out, one bar at a time.

It calls the same step as live, so a replay of any span gives the same tiers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Final, cast, get_args

import numpy as np
from numpy.typing import NDArray

from liqwarn.decisions import Quality, RiskScore
from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, BoolArray, FloatArray, TimeArray, epoch_seconds
from liqwarn.policy.book import Decision, Key, advance_book
from liqwarn.policy.breaker import Evidence, evidence_from
from liqwarn.policy.position import Position, first_position
from liqwarn.policy.restriction import binding
from liqwarn.policy.tiers import Policy

__all__ = ["NOT_STARTED", "History", "ScoreHistory", "fold"]

NOT_STARTED: Final = -1
"""Tier code of the bars before a symbol's first score."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreHistory:
    """Scores of all symbols, bars and sides.

    Attributes
    ----------
    symbols, times, bar
        As in :class:`liqwarn.frames.MarketFrame`; `times` are bar closes, datetime64[s].
    horizons_h : tuple of int
        Hours ahead, the order of the last axis of `probability`; 4 is among them.
    probability : ndarray of float64, shape (n_symbols, n_bars, 2, n_horizons)
        Calibrated; NaN where price or open interest is missing.
    quantile : ndarray of float64, shape (n_symbols, n_bars, 2)
        Of the 4-h probability in its own trailing past; NaN where too little past is known.
    base_rate : ndarray of float64, shape (n_symbols, n_bars, 2)
        Climatological 4-h rate.
    in_progress : ndarray of bool, shape (n_symbols, n_bars, 2)
        Whether a cascade of the side is running.
    quality : ndarray of str, shape (n_symbols, n_bars)
        ``ok``, ``degraded``, ``stale`` or ``unknown``.

    Raises
    ------
    FrameError
        When shapes do not fit together or the 4-h horizon is missing.
    """

    symbols: tuple[str, ...]
    times: TimeArray
    bar: timedelta
    horizons_h: tuple[int, ...]
    probability: FloatArray
    quantile: FloatArray
    base_rate: FloatArray
    in_progress: BoolArray
    quality: NDArray[np.str_]

    def __post_init__(self) -> None:
        cells = (len(self.symbols), len(self.times))
        expected = {
            "probability": (*cells, 2, len(self.horizons_h)),
            "quantile": (*cells, 2),
            "base_rate": (*cells, 2),
            "in_progress": (*cells, 2),
            "quality": cells,
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise FrameError(f"{name} has shape {getattr(self, name).shape}, expected {shape}")
        if 4 not in self.horizons_h:
            raise FrameError(f"horizons are {self.horizons_h} h, expected 4 among them")
        unknown = set(self.quality.ravel().tolist()) - set(get_args(Quality))
        if unknown:
            raise FrameError(f"quality has {unknown}, expected {get_args(Quality)} alone")

    def moments(self) -> list[datetime]:
        """Bar closes as aware times."""
        return [datetime.fromtimestamp(s, tz=UTC) for s in epoch_seconds(self.times).tolist()]

    def score(self, symbol: int, bar: int, side: int) -> RiskScore:
        """One cell as the value that the step takes; drivers are left out."""
        cell = (symbol, bar, side)
        given = dict(zip(self.horizons_h, self.probability[cell].tolist(), strict=True))
        quantile = float(self.quantile[cell])
        return RiskScore(
            symbol=self.symbols[symbol],
            side=SIDES[side],
            as_of=datetime.fromtimestamp(int(epoch_seconds(self.times[bar : bar + 1])[0]), tz=UTC),
            probability={h: p for h, p in given.items() if not isnan(p)},
            quantile=None if np.isnan(quantile) else quantile,
            base_rate=float(self.base_rate[cell]),
            drivers=(),
            in_progress=bool(self.in_progress[cell]),
            quality=cast("Quality", str(self.quality[symbol, bar])),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """What the breaker decided, bar by bar.

    Attributes
    ----------
    tiers : ndarray of int8, shape (n_symbols, n_bars, 2)
        In force after each bar's close; :data:`NOT_STARTED` before the symbol's first score.
    rules, states : ndarray of object, shape (n_symbols, n_bars, 2)
        Name of the rule that set it, and the trading state execution obeys; empty before the first
        score.
    expired : ndarray of bool, shape (n_symbols, n_bars, 2)
        Whether there was no usable score.
    sequences : ndarray of int64, shape (n_symbols, n_bars, 2)
    positions : mapping of (symbol, side) to Position
        After the last bar.
    decisions : tuple of Decision
        Every change of tier, and all decisions of the last bar, in order of time: what the audit
        log keeps.
    """

    symbols: tuple[str, ...]
    times: TimeArray
    tiers: NDArray[np.int8]
    rules: NDArray[np.object_]
    states: NDArray[np.object_]
    expired: BoolArray
    sequences: NDArray[np.int64]
    positions: Mapping[Key, Position]
    decisions: tuple[Decision, ...]


def fold(
    scores: ScoreHistory, policy: Policy, *, start: Mapping[Key, Position] | None = None
) -> History:
    """Run the breaker over a history.

    Parameters
    ----------
    start : mapping of (symbol, side) to Position, optional
        Where symbols stand already. Without it a symbol starts as expired at its first score, and
        one that never has any at the first bar.

    Raises
    ------
    FrameError
        When `start` knows a symbol that the scores do not.
    """
    shape = (len(scores.symbols), len(scores.times), 2)
    tiers = np.full(shape, NOT_STARTED, dtype=np.int8)
    rules = np.full(shape, "", dtype=np.object_)
    states = np.full(shape, "", dtype=np.object_)
    expired = np.zeros(shape, dtype=np.bool_)
    sequences = np.zeros(shape, dtype=np.int64)
    cell_of = {
        (s, side): (i, j) for i, s in enumerate(scores.symbols) for j, side in enumerate(SIDES)
    }
    positions: dict[Key, Position] = dict(start or {})
    kept: list[Decision] = []
    for bar, decisions in enumerate(_steps(scores, policy, positions)):
        for key, decision in decisions.items():
            after = decision.after
            row, side = cell_of[key]
            tiers[row, bar, side] = after.tier
            rules[row, bar, side] = after.rule.value
            opposite = decisions[key[0], SIDES[1 - side]].after
            states[row, bar, side] = binding(after, opposite, decision.now, policy)[1].value
            expired[row, bar, side] = after.expired_since is not None
            sequences[row, bar, side] = after.sequence
            if after.tier != decision.before.tier or bar == shape[1] - 1:
                kept.append(decision)
    return History(
        symbols=scores.symbols,
        times=scores.times,
        tiers=tiers,
        rules=rules,
        states=states,
        expired=expired,
        sequences=sequences,
        positions=positions,
        decisions=tuple(kept),
    )


def _steps(
    scores: ScoreHistory, policy: Policy, positions: dict[Key, Position]
) -> Iterator[dict[Key, Decision]]:
    """The decisions of each bar; `positions` is carried along and holds the last ones."""
    strangers = sorted({symbol for symbol, _ in positions} - set(scores.symbols))
    if strangers:
        raise FrameError(f"positions of {strangers}, expected only symbols of the scores")
    first = _first_bars(scores)
    started = [row for row, s in enumerate(scores.symbols) if (s, SIDES[0]) in positions]
    columns = _Columns(scores)
    for bar, now in enumerate(scores.moments()):
        for row in np.flatnonzero(first == bar).tolist():
            if row not in started:
                started.append(row)
                for side in SIDES:
                    key: Key = (scores.symbols[row], side)
                    positions[key] = first_position(*key, now, bar=scores.bar, policy=policy)
        evidence = {
            (scores.symbols[row], side): columns.evidence(row, bar, j, now)
            for row in started
            for j, side in enumerate(SIDES)
        }
        decisions = advance_book(positions, evidence, now, policy)
        positions.update({key: decision.after for key, decision in decisions.items()})
        yield decisions


def _first_bars(scores: ScoreHistory) -> NDArray[np.int64]:
    """First bar with any probability, per symbol; 0 where there is none at all."""
    scored = np.isfinite(scores.probability).any(axis=(2, 3))
    first: NDArray[np.int64] = np.argmax(scored, axis=1)
    return first


class _Columns:
    """The arrays as nested lists: reading a cell of those is ten times faster."""

    def __init__(self, scores: ScoreHistory) -> None:
        primary = scores.horizons_h.index(4)
        self._probability = scores.probability[..., primary].tolist()
        self._quantile = scores.quantile.tolist()
        self._base_rate = scores.base_rate.tolist()
        self._in_progress = scores.in_progress.tolist()
        self._quality = scores.quality.tolist()

    def evidence(self, row: int, bar: int, side: int, now: datetime) -> Evidence:
        numbers = (
            self._probability[row][bar][side],
            self._quantile[row][bar][side],
            self._base_rate[row][bar][side],
        )
        running = self._in_progress[row][bar][side]
        return evidence_from(now, numbers, self._quality[row][bar], in_progress=running)
