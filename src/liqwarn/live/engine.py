"""The live engine: one closed bar in, scores and decisions out, by the functions of the batch.

It owns what must be remembered between bars (cells, maps, ranks, legs, positions) and changes it in
place; it does no I/O and reads no clock. A bar's decision is made as of its close, so a replay of a
history and the batch over it agree bit for bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.data.panel import Panel
from liqwarn.data.quality import LiveQuality
from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.liquidation.frame_bars import bars_from
from liqwarn.liquidation.live_maps import LiveMaps
from liqwarn.live.bar import LiveBar, LiveScores
from liqwarn.live.tape import Tape
from liqwarn.models.bundle import Bundle
from liqwarn.models.live_legs import LegsState
from liqwarn.models.score_memory import ScoreMemory
from liqwarn.models.scoring import graded, strangeness, unseen
from liqwarn.models.skill_floor import Standing, disabled_reasons, is_disabled
from liqwarn.policy.book import Decision, Key, advance_book
from liqwarn.policy.position import Position, first_position
from liqwarn.policy.tiers import Policy

__all__ = ["LiveEngine", "Memory", "Scorer"]


class Scorer(Protocol):
    """A model as the engine needs it; :class:`liqwarn.models.forest.FastCascade` is one."""

    def raw(self, X: FloatArray) -> FloatArray:
        """Log-odds of the intervals' hazards, shape (n_rows, 2, n_horizons)."""

    def calibrated(self, raw: FloatArray) -> FloatArray:
        """Probabilities within the horizons, the same shape."""


@dataclass(slots=True, kw_only=True, eq=False)
class Memory:
    """What is carried from bar to bar; the engine owns it from the moment it is given.

    Attributes
    ----------
    tape : Tape
    maps : LiveMaps
    quality : LiveQuality
    legs : LegsState
    ranks : ScoreMemory
    positions : dict of (symbol, side) to Position
    """

    tape: Tape
    maps: LiveMaps
    quality: LiveQuality
    legs: LegsState
    ranks: ScoreMemory
    positions: dict[Key, Position]


class LiveEngine:
    """Scores and decides bar by bar.

    Parameters
    ----------
    panel : Panel
    bundle : Bundle
        The model of record.
    scorer : Scorer
        The same model, made quick.
    policy : Policy
    memory : Memory
        After the last bar of the history.
    """

    def __init__(
        self, panel: Panel, bundle: Bundle, scorer: Scorer, policy: Policy, memory: Memory
    ) -> None:
        self._panel = panel
        self._policy = policy
        self._memory = memory
        self._symbols = panel.symbol_names
        self.standings: Mapping[str, Standing] = bundle.standings
        """Which symbols are disabled from the next bar on; whoever steps the engine says so."""
        good = policy.valid_for(panel.bar)  # of this policy, whatever held when they were written
        for key, position in memory.positions.items():
            memory.positions[key] = replace(position, valid_for=good)
        self.swap(bundle, scorer)

    @property
    def number(self) -> int:
        """Absolute number of the newest bar."""
        return self._memory.tape.number

    @property
    def as_of(self) -> datetime:
        """Close of the newest bar."""
        return datetime.fromtimestamp(self.number * self._panel.bar_s, tz=UTC)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The panel's symbols, sorted."""
        return self._symbols

    @property
    def bar_s(self) -> int:
        """Length of a bar in seconds."""
        return self._panel.bar_s

    @property
    def bundle(self) -> Bundle:
        """The model that scores the next bar."""
        return self._bundle

    @property
    def memory(self) -> Memory:
        """What is carried on; for a snapshot."""
        return self._memory

    def swap(self, bundle: Bundle, scorer: Scorer) -> None:
        """Score with another model from the next bar on; percentiles keep their past."""
        self._bundle, self._scorer = bundle, scorer
        names = self._memory.tape.names
        at = {name: k for k, name in enumerate(names)}
        self._columns = np.array([at.get(n, len(names)) for n in bundle.model.names_])
        self._aligned = bundle.model.names_ == names

    def hold(self, positions: Mapping[Key, Position]) -> None:
        """Stand no looser than somewhere else: a side that does is put there."""
        mine, good = self._memory.positions, self._policy.valid_for(self._panel.bar)
        for key, position in positions.items():
            if key not in mine or position.tier > mine[key].tier:
                mine[key] = replace(position, valid_for=good)

    def ready_for(self, time: np.datetime64) -> bool:
        """Whether the liquidation maps of a bar's quarter have been chosen."""
        return self._memory.maps.knows(time)

    def step(self, column: BarColumn) -> LiveBar:
        """Take the next bar.

        Raises
        ------
        FrameError
            When it is not the next bar, not of the panel's symbols, or its quarter's maps have not
            been chosen; nothing has changed then.
        ModelError
            When its fields are not those of the history; nothing has changed then either.
        """
        self._check_next(column)
        memory = self._memory
        # first: it refuses a bar of other fields, and nothing may have changed then
        running = memory.legs.advance(column.fields, column.ages, self.number + 1)
        fields = {**column.fields, **self._map_fields(column)}
        row = memory.tape.advance(fields)
        quality = memory.quality.advance(fields, column.time)
        X = self._known_to_model(row)
        raw = self._scorer.raw(X)
        probability = self._scorer.calibrated(raw)
        probability[~quality.usable] = np.nan
        strange = strangeness(self._symbols, X, self._bundle.model.novelty_)
        known = quality.quality
        if strange:
            known = graded(known, np.array([symbol in strange for symbol in self._symbols]))
        scores = LiveScores(
            symbols=self._symbols,
            as_of=self.as_of,
            horizons_h=self._bundle.model.horizons_h_,
            raw=raw,
            probability=probability,
            quantile=self._placed(probability, column.time),
            base_rate=self._bundle.model.base_rate_[:, self._primary],
            in_progress=running,
            quality=known,
            completeness=quality.completeness,
            features=row,
            strange=strange,
        )
        if len(memory.positions) < len(SIDES) * len(self._symbols):
            self._begin(scores)
        scores = self._allowed(scores, column.time)
        return LiveBar(number=self.number, scores=scores, decisions=self._decide(scores))

    def _known_to_model(self, row: FloatArray) -> FloatArray:
        """The features in the model's order; one that only the model knows is missing."""
        if self._aligned:
            return row
        return np.append(row, np.full((len(row), 1), np.nan), axis=1)[:, self._columns]

    @property
    def _primary(self) -> int:
        return self._bundle.model.horizons_h_.index(4)

    def _check_next(self, column: BarColumn) -> None:
        number = close_seconds(column.time) // self._panel.bar_s
        if number != self.number + 1 or column.bar_s != self._panel.bar_s:
            raise FrameError(
                f"bar closes at {column.time}, expected {self.as_of + self._panel.bar} of "
                f"{self._panel.bar} bars"
            )
        if column.symbols != self._symbols:
            raise FrameError(f"bar has symbols {column.symbols}, expected {self._symbols}")
        if not self.ready_for(column.time):
            raise FrameError(f"no liquidation maps were chosen for the quarter of {column.time}")

    def _map_fields(self, column: BarColumn) -> Mapping[str, FloatArray]:
        nothing = np.full(len(self._symbols), np.nan)
        bars = bars_from(
            lambda name: column.fields.get(name, nothing),
            column.ages.get("mark"),
            column.bar_s,
            np.full(len(self._symbols), self.number + 1, dtype=np.int64),
        )
        return self._memory.maps.advance(bars, column.time)

    def _placed(self, probability: FloatArray, time: np.datetime64) -> FloatArray:
        """Percentiles of the bar, which is then remembered."""
        own = probability[:, :, self._primary]
        quantile = self._memory.ranks.place(own)
        past = unseen(self._bundle, self._panel.name, self._symbols, np.array([time]), own[:, None])
        self._memory.ranks.remember(np.ascontiguousarray(past[:, 0]), self.number)
        return quantile

    def _allowed(self, scores: LiveScores, time: np.datetime64) -> LiveScores:
        """The scores without those of symbols that are disabled under this model."""
        if not self.standings:
            return scores
        version, closes = self._bundle.stamp.version, np.array([time])
        off = is_disabled(self.standings, version, self._symbols, closes)[:, 0]
        return scores.without(off, disabled_reasons(self.standings, self._symbols, off))

    def _decide(self, scores: LiveScores) -> Mapping[Key, Decision]:
        positions, now = self._memory.positions, scores.as_of
        decisions = advance_book(positions, scores.evidences(), now, self._policy)
        positions.update({key: decision.after for key, decision in decisions.items()})
        return decisions

    def _begin(self, scores: LiveScores) -> None:
        """Positions of the symbols whose first score this is."""
        positions = self._memory.positions
        for row in np.flatnonzero(scores.scored()).tolist():
            symbol = self._symbols[row]
            if (symbol, SIDES[0]) not in positions:
                for side in SIDES:
                    positions[symbol, side] = first_position(
                        symbol, side, scores.as_of, bar=self._panel.bar, policy=self._policy
                    )
