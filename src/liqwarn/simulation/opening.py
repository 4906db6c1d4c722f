"""The market when a scenario starts: synthetic, or rebuilt from what a map says of today."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from liqwarn.frames import SIDES, FloatArray
from liqwarn.liquidation.profile import Profile
from liqwarn.simulation.books import PATH_BINS, new_books, paused
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.history import new_record, run
from liqwarn.simulation.layout import (
    BIN_WIDTH,
    CROWDING,
    FAR,
    FRONT,
    HELD,
    LANE_SIZE,
    LANES,
    LIQUIDATED,
    MASS,
    PULL,
    SCALE,
    TOP,
    UNIT,
    VALUE,
    Books,
)
from liqwarn.simulation.market import draw_world
from liqwarn.simulation.rules import log_distance, rules_of
from liqwarn.simulation.scenario_start import SyntheticStart

__all__ = ["Opening", "opening_of_profiles", "synthetic_opening"]

HOUR, STEP = timedelta(hours=1), timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opening:
    """A market at the start of many futures.

    Attributes
    ----------
    config : MarketConfig
        Of the futures: their bars and steps.
    books : Books
        Cohorts, prices, makers' depth withdrawn.
    activity : ndarray, shape (n_symbols,)
        Volatility over its long-run mean.
    depth : ndarray, shape (n_symbols, 2)
        Log of calm bid and ask depth over the long-run depth.
    appetite, mood : ndarray, shape (n_symbols,)
        Log of the wanted open interest over its long-run level; crowding without the trend.
    notes : tuple of str
        What was assumed because nothing is known of it.
    """

    config: MarketConfig
    books: Books
    activity: FloatArray
    depth: FloatArray
    appetite: FloatArray
    mood: FloatArray
    notes: tuple[str, ...] = ()

    @property
    def prices(self) -> FloatArray:
        """Quote per coin, shape (n_symbols,)."""
        rows = self.books.cells[:-1]
        return np.asarray(np.exp(rows[:, VALUE] + rows[:, PULL]))

    @property
    def open_interest(self) -> FloatArray:
        """Coins, shape (n_symbols,)."""
        return self.books.cells[:-1, HELD].copy()


def synthetic_opening(config: MarketConfig, start: SyntheticStart) -> Opening:
    """Let the market live for some days, and stop it.

    Parameters
    ----------
    config : MarketConfig
        Of the futures.
    start : SyntheticStart
        Seed, days; crowding and appetite where they are to be what the scenario says; factors on
        calm depth and on volatility, which hold from the start of the futures on.
    """
    days = timedelta(days=start.days)
    first = config.start.replace(minute=0, second=0, microsecond=0) - days
    before = replace(config, bar=HOUR, step=STEP, n_bars=days // HOUR, start=first)
    world, _ = draw_world(before, start.seed)
    climate = world.climate
    if start.crowding is not None:
        climate = climate._replace(mood=np.full_like(climate.mood, start.crowding))
    if start.appetite is not None:
        climate = climate._replace(appetite=np.full_like(climate.appetite, start.appetite))
    n = len(config.specs)
    rules = rules_of(before)
    books, record = new_books(before, rules, n_bins=PATH_BINS), new_record(n, before.n_bars)
    run(rules, world._replace(climate=climate), books, record, (0, before.n_bars))
    calm = climate.depth[:, -1] + np.log(start.depth)
    tilt = climate.tilt[:, -1]
    return Opening(
        config=config,
        books=paused(books),
        activity=np.full(n, start.volatility),
        depth=np.stack([calm + tilt, calm - tilt], axis=1),
        appetite=climate.appetite[:, -1].copy(),
        mood=climate.mood[:, -1].copy(),
    )


def opening_of_profiles(
    config: MarketConfig, profiles: Mapping[str, Profile], climate: Mapping[str, FloatArray]
) -> Opening:
    """Rebuild a market from its liquidation map.

    Cross-margin accounts are an assumption no map can check: their share is taken off every
    cohort, and their liquidation prices follow from their leverages at the price of now.

    Parameters
    ----------
    config : MarketConfig
        Of the futures; its specs carry price, open interest, depth, volatility and loadings of now.
    profiles : mapping of symbol to Profile
        The map of every symbol.
    climate : mapping
        ``activity``, ``mood``, shape (n_symbols,), and ``depth``, shape (n_symbols, 2), as in
        :class:`Opening`.
    """
    rules = rules_of(config)
    books = new_books(config, rules, n_bins=PATH_BINS)
    cells = books.cells
    for i, symbol in enumerate(config.symbols):
        cells[i, CROWDING] = climate["mood"][i]
        alone = 1.0 - cells[i, UNIT] / cells[i, HELD]
        profile = profiles[symbol]
        for side, coins in enumerate((profile.long, profile.short)):
            away = np.abs(np.log(profile.prices / profile.price))
            held = np.flatnonzero(coins > 0.0)
            _place(books, (i, side), away[held], alone * coins[held])
    ladder, rate = config.leverage.ladder, config.leverage.maintenance_rate
    for side, name in enumerate(SIDES):
        away = np.array([log_distance(leverage, name, rate) for leverage in ladder])
        _place(books, (len(config.specs), side), away, np.array(config.cross.mix))
    return Opening(
        config=config,
        books=paused(books),
        activity=climate["activity"],
        depth=climate["depth"],
        appetite=np.zeros(len(config.specs)),
        mood=climate["mood"],
    )


def _place(books: Books, at: tuple[int, int], away: FloatArray, coins: FloatArray) -> None:
    """Turn coins of a fresh market, which are all out of reach, into cohorts at log distances."""
    i, side = at
    lane = LANES + LANE_SIZE * (2 * side + LIQUIDATED)
    ring = books.ring[i, 2 * side + LIQUIDATED]
    here = (1 - 2 * side) * books.cells[i, VALUE]
    places = np.floor((here - away) / BIN_WIDTH).astype(np.int64)
    top = int(places.max(initial=int(books.cells[i, lane + TOP]) - ring.size))
    reachable = places > top - ring.size
    np.add.at(ring, places[reachable] & (ring.size - 1), coins[reachable])
    books.cells[i, lane + TOP] = top
    books.cells[i, lane + FRONT] = np.floor(here / BIN_WIDTH)
    books.cells[i, lane + SCALE] = 1.0
    books.cells[i, lane + FAR] = max(0.0, books.cells[i, MASS + 2 * side] - ring.sum())
