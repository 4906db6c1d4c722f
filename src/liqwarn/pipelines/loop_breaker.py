"""The circuit breaker as an arm of the closed loop: the same fold as live, on simulated scores."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from liqwarn.decisions import Tier
from liqwarn.frames import SIDES, BoolArray, FloatArray
from liqwarn.pipelines.loop_score import LoopScore, noise_of
from liqwarn.policy.book import Key, advance_book
from liqwarn.policy.breaker import Evidence
from liqwarn.policy.position import Hold, Position, first_position
from liqwarn.policy.restriction import binding
from liqwarn.policy.tiers import Policy
from liqwarn.simulation.loop_events import cascading, moving_little, signals
from liqwarn.simulation.loop_market import LoopMarket, LoopRun
from liqwarn.simulation.restraint import Restraint, house_restraint

__all__ = ["BreakerArm"]

FEARED, GUESSED = 0.95, 1  # quantile at which the fearful expect a tier; stream of their noise


@dataclass(slots=True, kw_only=True, eq=False)
class BreakerArm:
    """Scores, the ladder, and how long it takes until participants obey.

    Attributes
    ----------
    delay : int
        Bars between a score and the first bar in which it is obeyed, beyond the next one.
    anticipated : bool
        Whether the fearful make their own, worse estimate of the score, and leave when it is high.
        Thresholds are private: they see no line, they guess at one.
    tiers : list of ndarray, shape (n_symbols, 2)
        What was in force after each bar.
    """

    market: LoopMarket
    policy: Policy
    score: LoopScore
    delay: int
    anticipated: bool
    tiers: list[FloatArray] = field(default_factory=list)
    probabilities: list[FloatArray] = field(default_factory=list)
    _positions: dict[Key, Position] = field(default_factory=dict)
    _waiting: deque[tuple[FloatArray, FloatArray, FloatArray]] = field(default_factory=deque)
    _noise: FloatArray = field(init=False)
    _guess: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        config, seed = self.market.config, self.market.seed
        self._noise = noise_of(config, seed, 0)
        self._guess = noise_of(config, seed, GUESSED)
        free = house_restraint(len(config.specs))
        self._waiting.extend([(free.entry, free.leverage, free.cut)] * self.delay)

    def decide(self, run: LoopRun) -> Restraint:
        """See :class:`liqwarn.simulation.loop_arms.Arm`."""
        config, bar = self.market.config, run.bar - 1
        known = signals(config, run.record, run.last)
        probability = self.score.probability(known, self._noise[:, :, bar])
        running = cascading(config, run.record, slice(run.last, run.last + 1))[:, 0]
        tiers = self._step(bar, probability, running)
        self._waiting.append(self._limits(bar, moving_little(config, run.record, run.last)))
        entry, leverage, cut = self._waiting.popleft()
        near = np.zeros_like(entry)
        if self.anticipated:
            blurred = 0.7 * self._noise[:, :, bar] + 1.4 * self._guess[:, :, bar]
            guess = self.score.quantile(self.score.probability(known, blurred))
            near = ((guess >= FEARED) & (tiers < Tier.T3)).astype(np.float64)
        return Restraint(entry=entry, leverage=leverage, cut=cut, near=near)

    def _moment(self, bar: int) -> timedelta:
        return self.market.config.bar * (bar + 1)

    def _step(self, bar: int, probability: FloatArray, running: BoolArray) -> FloatArray:
        """Move every side on the ladder."""
        config = self.market.config
        now = config.start + self._moment(bar)
        quantile = self.score.quantile(probability)
        if not self._positions:
            calm = Hold(Tier.T0, now, now)
            for symbol in config.symbols:
                for side in SIDES:
                    first = first_position(symbol, side, now, bar=config.bar, policy=self.policy)
                    self._positions[symbol, side] = replace(
                        first, tier=Tier.T0, own=calm, ruled=calm, expired_since=None
                    )
        evidence = {
            (symbol, side): Evidence(
                as_of=now,
                probability=float(probability[i, s]),
                quantile=float(quantile[i, s]),
                base_rate=float(self.score.base_rate[s]),
                in_progress=bool(running[i, s]),
                degraded=False,
                usable=True,
            )
            for i, symbol in enumerate(config.symbols)
            for s, side in enumerate(SIDES)
        }
        decisions = advance_book(self._positions, evidence, now, self.policy)
        self._positions = {key: decision.after for key, decision in decisions.items()}
        tiers = np.array(
            [[float(self._positions[x, side].tier) for side in SIDES] for x in config.symbols]
        )
        self.tiers.append(tiers)
        self.probabilities.append(probability)
        return tiers

    def _limits(self, bar: int, calm: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Entries and leverage that the tiers allow, the opposite side's taken into account.

        Positions are brought down ahead of a cascade, never inside one: from T4 on, and while
        price moves against the side, nobody is made to sell into it.
        """
        config = self.market.config
        now = config.start + self._moment(bar)
        entry, leverage, cut = np.ones((3, len(config.specs), 2))
        for i, symbol in enumerate(config.symbols):
            pair = [self._positions[symbol, side] for side in SIDES]
            for s in range(2):
                limits, _ = binding(pair[s], pair[1 - s], now, self.policy)
                entry[i, s] = limits.add_frac if limits.net_increase else 0.0
                leverage[i, s] = limits.leverage_frac
                cut[i, s] = leverage[i, s] < 1.0 and pair[s].tier < Tier.T4 and calm[i, s]
        return entry, leverage, cut
