"""Markets that all tests share: long histories, and small planted ones advanced step by step."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.simulation import layout as at
from liqwarn.simulation.basket import step_basket
from liqwarn.simulation.books import PATH_BINS, new_books
from liqwarn.simulation.cohorts import add, enter_waiting, lane_of, own, ring_of
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.engine import open_bar, step
from liqwarn.simulation.market import SimulatedMarket, simulate_market
from liqwarn.simulation.rules import rules_of

N_BARS = 3_600
QUIET = {"turnover": 0.0, "pursuit": 0.0, "panic": 0.0}
"""Rules under which nobody trades by choice."""


@pytest.fixture(scope="session")
def market() -> SimulatedMarket:
    return simulate_market(MarketConfig(n_bars=N_BARS), seed=3)


@pytest.fixture(scope="session")
def unlevered() -> SimulatedMarket:
    return simulate_market(MarketConfig(n_bars=N_BARS, leverage_off=True), seed=3)


class Bench:
    """A market of a few symbols in which nothing happens but what a test plants.

    At first all positions are out of reach; `rules` replaces constants, `parts` config.
    """

    def __init__(self, n_symbols=1, *, phi=0.0, rules=None, n_bins=PATH_BINS, **parts):
        specs = tuple(replace(spec, price=100.0) for spec in DEFAULT_SPECS[:n_symbols])
        self.config = MarketConfig(**{"specs": specs, "n_bars": 2} | parts)
        self.rules = rules_of(self.config, phi=phi)._replace(**QUIET | (rules or {}))
        self.books = new_books(self.config, self.rules, n_bins=n_bins)
        self.cells, self.ring = self.books
        self.n = n_symbols
        self.cells[:-1, at.IN_STD] = 0.002
        self.cells[:-1, at.IN_ACTIVITY] = 1.0
        self.cells[:-1, at.IN_OPEN] = 1.0
        self.cells[-1, at.CLOCK] = 1.0  # so that nobody enters before `entry_steps` have passed
        for i in range(n_symbols):
            open_bar(self.rules, self.cells, i, (0.0, 0.0, 0.0))

    def __getitem__(self, column):
        """A column of the first symbol."""
        return float(self.cells[0, column])

    @property
    def price(self):
        """Log price of the first symbol."""
        return self[at.VALUE] + self[at.PULL]

    @property
    def moved(self):
        """Log price moved, by channel, of the first symbol."""
        return dict(zip(at.CHANNELS, self.cells[0, at.MOVED : at.TALLY], strict=False))

    def lane(self, side, *, kind=at.LIQUIDATED, pop=at.FREE):
        return lane_of(self.rules, side, pop, kind)

    def plant(self, side, distance, coins, *, i=0, kind=at.LIQUIDATED, pop=at.FREE):
        """Move coins that are out of reach to a log distance from price; returns their bin."""
        lane = self.lane(side, kind=kind, pop=pop)
        place = int(np.floor((own(self.cells, i, side) - distance) / at.BIN_WIDTH))
        source = self.lane(side, pop=pop)
        assert self.cells[i, source + at.SCALE] == 1.0
        assert self.cells[i, source + at.FAR] >= coins
        self.cells[i, source + at.FAR] -= coins
        add(self.cells, self.ring, i, lane, place, coins)
        return place

    def bin(self, side, place, *, i=0, kind=at.LIQUIDATED, pop=at.FREE):
        """Coins in a bin."""
        lane = self.lane(side, kind=kind, pop=pop)
        ring = self.ring[i, ring_of(lane)]
        return float(ring[place % ring.size] * self.cells[i, lane + at.SCALE])

    def reachable(self, side, *, i=0, kind=at.LIQUIDATED, pop=at.FREE):
        """Coins by log distance from price, of the bins that are occupied."""
        lane, last = self.lane(side, kind=kind, pop=pop), self.ring.shape[2] - 1
        top, here = int(self.cells[i, lane + at.TOP]), own(self.cells, i, side)
        places = [
            k for k in range(top - last, top + 1) if self.bin(side, k, i=i, kind=kind, pop=pop)
        ]
        return {
            round(here - k * at.BIN_WIDTH, 9): self.bin(side, k, i=i, kind=kind, pop=pop)
            for k in places
        }

    def advance(self, news=0.0, wicks=0.0, *, collateral=1.0):
        """One step of everything; `wicks` are unit exponentials, longs' (down) first."""
        cells, rules = self.cells, self.rules
        cells[:-1, at.IN_NEWS] = news
        cells[:-1, at.IN_DOWN : at.IN_DOWN + 2] = wicks
        enters = int(cells[-1, at.CLOCK]) % rules.entry_steps == 0
        forced = thin = 0.0
        for i in range(self.n):
            forced += cells[i, at.WEIGHT] * step(rules, cells, self.ring, i)
            thin += cells[i, at.THIN : at.THIN + 2].mean() / self.n
            for side in range(2 if enters else 0):
                for pop in range(rules.populations):
                    enter_waiting(rules, cells, self.ring, i, side, pop)
        step_basket(rules, cells, self.ring, collateral)
        cells[-1, [at.MEAN_THIN, at.FORCED]] = thin, forced
        cells[-1, at.CLOCK] += 1.0
        return forced

    def units(self, side):
        """Units of the basket, recounted from its ring."""
        return self._lanes(self.n, side)

    def recount(self, side, i=0):
        """Coins of a side wherever they are, counted one by one."""
        waiting = self.cells[i, at.QUEUE + side] + self.cells[i, at.OWED + side]
        basket = self.cells[i, at.UNIT] * self.units(side)
        return float(self._lanes(i, side) + waiting + basket)

    def _lanes(self, i, side):
        total = 0.0
        for pop in range(self.rules.populations):
            for kind in (at.LIQUIDATED, at.STOPPED):
                lane = self.lane(side, kind=kind, pop=pop)
                stored = self.ring[i, ring_of(lane)].sum() + self.cells[i, lane + at.FAR]
                total += stored * self.cells[i, lane + at.SCALE] + self.cells[i, lane + at.WAITING]
        return float(total)

    def assert_conserved(self):
        """On each side the cohorts sum to the open interest; sums kept on the way are true."""
        for i in range(self.n):
            held = self.cells[i, at.HELD]
            assert np.isfinite(held)
            for side in range(2):
                assert self.recount(side, i) == pytest.approx(held, rel=1e-9)
                masses = self.cells[i, at.MASS + 2 * side : at.MASS + 2 * side + 2].sum()
                assert self._lanes(i, side) == pytest.approx(masses, rel=1e-9, abs=1e-9 * held)


@pytest.fixture(scope="session")
def bench() -> type[Bench]:
    return Bench
