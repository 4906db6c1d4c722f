"""A market that can be told something after every bar: the ground of the closed loop."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.books import copied, new_books
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.history import Record, World, new_record, run
from liqwarn.simulation.layout import Books
from liqwarn.simulation.market import draw_world
from liqwarn.simulation.restraint import Obedience, Restraint, house_restraint, impose
from liqwarn.simulation.rules import Rules, rules_of

__all__ = ["LoopMarket", "LoopRun", "loop_config", "prepare"]

BAR, STEP = timedelta(minutes=15), timedelta(minutes=5)
WARM_UP = timedelta(days=20)  # until the cohorts carry no trace of how they were started


def loop_config(days: int) -> MarketConfig:
    """The default market, decided upon every quarter of an hour."""
    return MarketConfig(bar=BAR, step=STEP, n_bars=timedelta(days=days) // BAR)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoopMarket:
    """One market after its warm-up; every arm starts from it with the same news.

    Attributes
    ----------
    config, seed, obedience
        What it was made from.
    rules, world : Rules, World
        Of the warm-up and the run together.
    books : Books
        The market when the run begins.
    lead : int
        Bars of the warm-up.
    """

    config: MarketConfig
    seed: int
    obedience: Obedience
    rules: Rules
    world: World
    books: Books
    record: Record
    lead: int

    def start(self) -> "LoopRun":
        """A run of its own."""
        record = Record(*(part.copy() for part in self.record))
        shape = (len(self.config.specs), 2)
        return LoopRun(
            market=self,
            books=copied(self.books),
            record=record,
            present=np.full(shape, self.obedience.fearful),
        )


@dataclass(slots=True, kw_only=True, eq=False)
class LoopRun:
    """One arm on its way.

    Attributes
    ----------
    record : Record
        Everything so far, the warm-up included.
    present : ndarray, shape (n_symbols, 2)
        Share of the disobedient who are fearful and have not left.
    bar : int
        Bars of the run that are over.
    """

    market: LoopMarket
    books: Books
    record: Record
    present: FloatArray
    bar: int = 0

    @property
    def last(self) -> int:
        """Row of the last bar that is over, in `record`."""
        return self.market.lead + self.bar - 1

    def advance(self, told: Restraint) -> None:
        """Live through one bar under a restraint."""
        market, now = self.market, self.market.lead + self.bar
        self.present = impose(
            self.books, told, market.obedience, present=self.present, config=market.config
        )
        run(market.rules, market.world, self.books, self.record, (now, now + 1))
        self.bar += 1

    def closes(self) -> FloatArray:
        """Log price at the close of every bar so far, warm-up included: (n_symbols, n)."""
        return self.record.prices[3, :, : self.last + 1]


def prepare(config: MarketConfig, seed: int, obedience: Obedience) -> LoopMarket:
    """Warm a market up under house limits.

    Parameters
    ----------
    config : MarketConfig
        Its `n_bars` are those of the run; the warm-up of 20 days comes before.
    """
    lead = WARM_UP // config.bar
    longer = replace(config, n_bars=config.n_bars + lead, start=config.start - lead * config.bar)
    rules = rules_of(longer, phi=obedience.phi)
    world, _ = draw_world(longer, seed)
    n = len(config.specs)
    books, record = new_books(longer, rules), new_record(n, longer.n_bars)
    impose(
        books,
        house_restraint(n),
        obedience,
        present=np.zeros((n, 2)),
        config=config,
    )
    run(rules, world, books, record, (0, lead))
    return LoopMarket(
        config=config,
        seed=seed,
        obedience=obedience,
        rules=rules,
        world=world,
        books=books,
        record=record,
        lead=lead,
    )
