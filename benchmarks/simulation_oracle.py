"""The simulator's many futures in plain NumPy: the oracle of the compiled engine.

The same rules as :func:`liqwarn.simulation.monte_carlo.run_paths` for a market in which nobody
obeys (one population), written anew. What a path knows of a symbol is an element of an array over
paths, a lane of cohorts is a matrix (paths, bins), and what only some paths do is done on their
rows. Loops go over bars, steps, symbols, sides and rounds. Shared with the engine: the books it
starts from (`layout` says what lies where) and the constants (`rules`). No compiled code is called.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from liqwarn.frames import FloatArray
from liqwarn.simulation import layout as lay
from liqwarn.simulation.layout import BIN_WIDTH, CHANNELS, Books
from liqwarn.simulation.monte_carlo import Drivers, Futures, new_futures
from liqwarn.simulation.plan import Plan
from liqwarn.simulation.rules import Rules

Rows = NDArray[np.int64]
Keys = NDArray[np.uint64]

SIDES = (0, 1)
ROUNDS = 4
PARTIAL, TIERED = 1, 2
TOO_FAR = 3.0
MASK = (1 << 64) - 1
GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mixed(z: Keys) -> Keys:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(FIRST)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(SECOND)
    return z ^ (z >> np.uint64(31))


def keys_of(seed: int, stream: int, paths: Rows) -> Keys:
    key = mixed(np.full(len(paths), (seed + GOLDEN) & MASK, dtype=np.uint64))
    key = mixed(key ^ np.uint64((stream * FIRST + 1) & MASK))
    return mixed(key ^ (paths.astype(np.uint64) * np.uint64(SECOND) + np.uint64(1)))


def uniforms(keys: Keys, draws: Rows) -> FloatArray:
    """Shape (n_draws, n_paths)."""
    steps = (draws.astype(np.uint64) + np.uint64(1)) * np.uint64(GOLDEN)
    bits = mixed(keys + steps[:, None]) >> np.uint64(11)
    return (bits.astype(np.float64) + 0.5) * 2.0**-53


class Lane:
    """Cohorts of one side and kind of one symbol, in every path."""

    def __init__(self, cells: FloatArray, ring: FloatArray, paths: int) -> None:
        names = ("scale", "far", "top", "front", "waiting")
        for name, value in zip(names, cells, strict=True):
            setattr(self, name, np.full(paths, value))
        self.top, self.front = self.top.astype(np.int64), self.front.astype(np.int64)
        self.ring = np.tile(ring, (paths, 1))
        self.flat = self.ring.reshape(-1)
        self.bins, self.last = ring.size, ring.size - 1

    def window(self, rows: Rows, high: Rows, width: int) -> tuple[Rows, Rows]:
        """Places from `high` downwards, and where the ring keeps them."""
        places = high[:, None] - np.arange(width)
        return places, rows[:, None] * self.bins + (places & self.last)

    def cross(self, rows: Rows, lowest: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Take out what lies at `lowest` and above: coins, and their mean coordinate."""
        coins, level = np.zeros(len(rows)), np.zeros(len(rows))
        first = np.ceil(lowest / BIN_WIDTH).astype(np.int64)
        hit = np.flatnonzero(first <= self.top[rows])
        if not len(hit):
            return coins, level
        who, first = rows[hit], first[hit]
        top = self.top[who]
        bottom = np.maximum(first, top - self.last)
        places, where = self.window(who, top, int((top - bottom).max()) + 1)
        inside = places >= bottom[:, None]
        there = self.flat[where]
        self.flat[where] = np.where(inside, 0.0, there)
        self.top[who] = first - 1
        stored = np.where(inside, there, 0.0)
        total = stored.sum(axis=1)
        some = total > 0.0
        coins[hit] = np.where(some, total * self.scale[who], 0.0)
        centre = (stored * places).sum(axis=1)
        level[hit] = BIN_WIDTH * np.divide(centre, total, out=np.zeros_like(total), where=some)
        return coins, level

    def raise_top(self, rows: Rows, place: Rows) -> None:
        """Make room up to `place`; what falls off the lower end is out of reach."""
        higher = np.flatnonzero(place > self.top[rows])
        if not len(higher):
            return
        who, place = rows[higher], place[higher]
        old = self.top[who]
        width = min(int((place - old).max()), self.bins)
        places, where = self.window(who, place, width)
        there = self.flat[where]
        fresh = places > old[:, None]
        self.far[who] += np.where(fresh, there, 0.0).sum(axis=1)
        self.flat[where] = np.where(fresh, 0.0, there)
        self.top[who] = place

    def put(self, rows: Rows, place: Rows, coins: FloatArray) -> None:
        """Coins of each row into one of its bins, none of them above the top."""
        stored = coins / self.scale[rows]
        kept = place > self.top[rows] - self.bins
        self.flat[rows * self.bins + (place & self.last)] += np.where(kept, stored, 0.0)
        self.far[rows] += np.where(kept, 0.0, stored)

    def revive(self, rows: Rows) -> None:
        """A lane that was closed whole starts anew: nothing scaled by nothing is nothing."""
        dead = rows[self.scale[rows] == 0.0]
        if len(dead):
            self.ring[dead], self.far[dead], self.scale[dead] = 0.0, 0.0, 1.0

    def add(self, rows: Rows, place: Rows, coins: FloatArray) -> None:
        self.revive(rows)
        self.raise_top(rows, place)
        self.put(rows, place, coins)

    def shrink(self, rows: Rows | slice, left: FloatArray) -> None:
        self.scale[rows] *= left
        self.waiting[rows] *= left

    def held(self) -> FloatArray:
        """Coins, one by one."""
        return self.scale * (self.ring.sum(axis=1) + self.far) + self.waiting


ALL = slice(None)


class Row:
    """One symbol, or the basket, in every path."""

    def __init__(self, rules: Rules, start: Books, i: int, paths: int) -> None:
        cells, self.rules, self.index = start.cells[i], rules, i
        self.rows = np.arange(paths)
        names = ("DEPTH", "BETA", "WEIGHT", "OPEN_INTEREST", "UNIT", "DAILY_VOLUME")
        for name in names:
            setattr(self, name.lower(), float(cells[getattr(lay, name)]))
        for name in ("VALUE", "PULL", "HELD", "TREND", "FUND", "ADL_USD"):
            setattr(self, name.lower(), np.full(paths, cells[getattr(lay, name)]))
        for name in ("THIN", "QUEUE", "LEVEL", "OWED", "LIQUIDATED_USD"):
            column = getattr(lay, name)
            setattr(self, name.lower(), [np.full(paths, cells[column + side]) for side in SIDES])
        self.mass = [np.full(paths, cells[lay.MASS + 2 * side]) for side in SIDES]
        self.moved = np.tile(cells[lay.MOVED : lay.MOVED + len(CHANNELS), None], paths)
        self.paid = [float(cells[lay.PAID + side]) for side in SIDES]  # the same in every path
        self.orders = [float(cells[lay.ORDERS + side]) for side in SIDES]
        lanes = cells[lay.LANES : lay.LANES + 4 * lay.LANE_SIZE].reshape(2, 2, lay.LANE_SIZE)
        self.lanes = [
            [Lane(lanes[side, kind], start.ring[i, 2 * side + kind], paths) for kind in (0, 1)]
            for side in SIDES
        ]
        blocks = cells[lay.MIX :].reshape(lay.BLOCKS, rules.rungs)
        self.mix = [np.tile(blocks[side][:, None], paths) for side in SIDES]
        self.away, self.log_ladder, self.calm_mix = blocks[2:4], blocks[4], blocks[5]
        self.stop_away = blocks[6][: rules.stops]
        self.std = self.activity = self.growth = np.zeros(paths)
        self.book = [0.0, 0.0]  # calm depth of now, log of its ratio to the long run's
        self.lowest = [self.own(side) for side in SIDES]
        self.forced = np.full(paths, cells[lay.OWN_FORCED])

    @property
    def price(self) -> FloatArray:
        return self.value + self.pull

    def own(self, side: int, rows: Rows | slice = ALL) -> FloatArray:
        return (1 - 2 * side) * (self.value[rows] + self.pull[rows]) - self.paid[side]

    def move(self, channel: int, lasting: FloatArray | float, passing: FloatArray | float) -> None:
        self.value += lasting
        self.pull += passing
        self.moved[channel] += lasting + passing

    def lift(self, side: int, coins: FloatArray, rows: Rows | slice = ALL) -> FloatArray:
        """Close coins of a side, from all its positions alike; returns what there was to close."""
        mass = self.mass[side][rows]
        closed = np.where(coins > 0.0, np.minimum(coins, np.maximum(mass, 0.0)), 0.0)
        share = np.divide(coins, mass, out=np.zeros_like(mass), where=closed > 0.0)
        left = np.maximum(0.0, 1.0 - share)
        for lane in self.lanes[side]:
            lane.shrink(rows, left)
        self.mass[side][rows] *= left
        return closed

    def await_entry(self, side: int, coins: FloatArray, rows: Rows | slice = ALL) -> None:
        self.lanes[side][lay.LIQUIDATED].waiting[rows] += coins
        self.mass[side][rows] += coins

    def enter(self, side: int, stops: float) -> None:
        """What was opened of late becomes cohorts at the price of now."""
        lane, stopped = self.lanes[side]
        rows = np.flatnonzero(lane.waiting > 0.0)
        coins = lane.waiting[rows]
        lane.waiting[rows] = 0.0
        if self.rules.leverage_off:
            lane.revive(rows)
            lane.far[rows] += coins / lane.scale[rows]
            return
        here = self.own(side, rows)
        parts = coins * (1.0 - stops) * self.mix[side][:, rows]
        self._enter_lane(lane, rows, here - self.away[side][:, None], parts)
        if stops > 0.0:
            each = np.tile(coins * stops / self.rules.stops, (self.rules.stops, 1))
            self._enter_lane(stopped, rows, here - self.stop_away[:, None], each)

    @staticmethod
    def _enter_lane(lane: Lane, rows: Rows, levels: FloatArray, parts: FloatArray) -> None:
        places = np.floor(levels / BIN_WIDTH).astype(np.int64)
        lane.revive(rows)
        lane.raise_top(rows, places.max(axis=0))
        for place, coins in zip(places, parts, strict=True):
            lane.put(rows, place, coins)

    # -- forced flow ---------------------------------------------------------------------------

    def cascade(self) -> FloatArray:
        """Liquidate what price has crossed; its impact crosses more, round after round."""
        forced = np.zeros(len(self.rows))
        active: Rows | None = None
        for again in range(ROUNDS):
            total = np.zeros(len(self.rows))
            for side in SIDES:
                rows, lowest = self._touched(side, active)
                if len(rows):
                    self._force(side, (rows, lowest), again == 0, (total, forced))
            active = np.flatnonzero(total > 0.0)
            if not len(active):
                break
        for side in SIDES:
            self._call_margin(side, forced)
        return forced

    def _touched(self, side: int, active: Rows | None) -> tuple[Rows, FloatArray]:
        """Paths in which something happens to a side, and its lowest coordinate there."""
        near, stop = self.lanes[side]
        if active is not None:
            lowest = self.own(side, active)
            top = np.maximum(near.top[active], stop.top[active])
            hit = np.ceil(lowest / BIN_WIDTH) <= top
            return active[hit], lowest[hit]
        lowest = np.minimum(self.lowest[side], self.own(side))
        hit = np.ceil(lowest / BIN_WIDTH) <= np.maximum(near.top, stop.top)
        hit |= self.owed[side] > 0.0
        hit |= self.queue[side] > 0.0
        rows = np.flatnonzero(hit)
        return rows, lowest[rows]

    def _force(
        self,
        side: int,
        touched: tuple[Rows, FloatArray],
        first: bool,
        sums: tuple[FloatArray, FloatArray],
    ) -> None:
        rows, lowest = touched
        total, forced = sums
        due, saved, owed = np.zeros((3, len(rows)))
        level = self.level[side][rows].copy()
        if first:
            due, saved = self._release(side, rows)
            owed = self.owed[side][rows]
            self.owed[side][rows] = 0.0
        coins, crossed = self._liquidate(side, rows, lowest)
        stops, _ = self.lanes[side][lay.STOPPED].cross(rows, lowest)
        self.mass[side][rows] -= stops
        back = np.flatnonzero(saved > 0.0)
        if len(back):
            place = np.rint(level[back] / BIN_WIDTH).astype(np.int64)
            self.lanes[side][lay.LIQUIDATED].add(rows[back], place, saved[back])
            self.mass[side][rows[back]] += saved[back]
        both = coins + due
        mean = coins * crossed + due * level
        level = np.divide(mean, both, out=crossed, where=due > 0.0)
        coins = both
        flows = coins + stops + owed
        some = flows > 0.0
        hit = rows[some]
        if len(hit):
            parts = (coins[some], stops[some], np.zeros(len(hit)), owed[some])
            forced[hit] += self._hit_book(side, hit, level[some], parts)
            total[hit] += flows[some]

    def _liquidate(
        self, side: int, rows: Rows, lowest: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """What the venue takes at once of what was crossed, and where that was."""
        lane, rules = self.lanes[side][lay.LIQUIDATED], self.rules
        found, level = lane.cross(rows, lowest)
        some = np.flatnonzero(found > 0.0)
        if not len(some):
            return found, level
        who, coins = rows[some], found[some]
        self.mass[side][who] -= coins
        if rules.venue == TIERED:
            kept = (1.0 - rules.at_once) * coins
            place = np.ceil(lowest[some] / BIN_WIDTH).astype(np.int64) - 1 - rules.relief
            lane.add(who, place, kept)
            self.mass[side][who] += kept
        if rules.venue == PARTIAL:
            rest, waiting = (1.0 - rules.at_once) * coins, self.queue[side][who]
            mean = waiting * self.level[side][who] + rest * level[some]
            self.level[side][who] = mean / (waiting + rest)
            self.queue[side][who] = waiting + rest
        return rules.at_once * found, level

    def _release(self, side: int, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """The second part of partial liquidations: what is due, and what is saved."""
        waiting = self.queue[side][rows]
        safe = self.own(side, rows) > self.level[side][rows] + self.rules.maintenance_rate
        due = np.where(safe, 0.0, self.rules.released * waiting)
        self.queue[side][rows] = np.where(safe, 0.0, waiting - due)
        return due, np.where(safe, waiting, 0.0)

    def _hit_book(
        self, side: int, rows: Rows, level: FloatArray, parts: tuple[FloatArray, ...]
    ) -> FloatArray:
        """Linear impact; `parts`: coins liquidated, stopped, called, owed. Returns the move."""
        rules, sign = self.rules, 1 - 2 * side
        liquidated, stopped, called, owed = parts
        pull, thin = self.pull[rows], self.thin[side][rows]
        depth = self.depth * np.exp(self.book[side] - thin)
        depth += self.depth * np.maximum(0.0, -sign * pull) / rules.bargain
        price = np.exp(self.value[rows] + pull)
        self.liquidated_usd[side][rows] += (liquidated + owed) * price
        if liquidated.any():
            drop = 0.005 * (liquidated + owed + stopped) / depth
            gain = self.own(side, rows) - drop - (level - rules.maintenance_rate)
            taken = self._insure(rows, (liquidated, price, gain))
            if taken.any():
                closed = self.lift(1 - side, taken, rows)
                self.held[rows] -= closed
                liquidated = liquidated - closed
        coins = liquidated + owed + stopped + called
        move = -sign * 0.01 * coins / depth
        lasting = rules.permanent * move
        self.value[rows] += lasting
        self.pull[rows] += move - lasting
        for k, part in enumerate((liquidated, stopped, called, owed)):
            if part.any():
                self.moved[lay.LIQUIDATION + k, rows] -= sign * 0.01 * part / depth
        self.thin[side][rows] = np.minimum(thin + rules.bite * coins / depth, rules.deepest)
        gone = self.lift(1 - side, (1.0 - rules.replaced) * coins, rows)
        self.held[rows] -= gone
        self.await_entry(side, coins - gone, rows)
        return move

    def _insure(self, rows: Rows, sale: tuple[FloatArray, FloatArray, FloatArray]) -> FloatArray:
        """Surplus goes to the fund until it is full, losses come from it; the coins not covered."""
        coins, price, gain = sale
        fund, m = self.fund[rows], self.rules.maintenance_rate
        full = self.rules.insurance * self.held[rows] * price
        filled = np.maximum(fund, np.minimum(full, fund + coins * price * np.minimum(gain, m)))
        missing = np.maximum(-gain, 0.0) * coins * price
        covered = fund >= missing
        share = np.divide(fund, missing, out=np.ones_like(fund), where=~covered)
        paid = np.where(covered, fund - missing, 0.0)
        self.fund[rows] = np.where((gain >= 0.0) & (coins > 0.0), filled, paid)
        uncovered = (1.0 - share) * coins
        self.adl_usd[rows] += uncovered * price
        return uncovered

    def _call_margin(self, side: int, forced: FloatArray) -> None:
        """Margin calls to whoever came near for the first time: added collateral, and sales."""
        rules, lane = self.rules, self.lanes[side][lay.LIQUIDATED]
        near = np.ceil((self.own(side) - rules.call_distance) / BIN_WIDTH).astype(np.int64)
        receded = near > lane.front + int(rules.call_distance / BIN_WIDTH)
        high = np.minimum(lane.front - 1, lane.top)
        low = np.maximum(near, lane.top - lane.last)
        lane.front = np.where(receded, near, np.minimum(lane.front, near))
        rows = np.flatnonzero((high >= low) & ~receded)
        if not len(rows):
            return
        sold = self._call(lane, rows, high[rows], low[rows])
        rows, sold = rows[sold > 0.0], sold[sold > 0.0]
        if len(rows):
            nothing = np.zeros(len(rows))
            self.mass[side][rows] -= sold
            forced[rows] += self._hit_book(side, rows, nothing, (nothing, nothing, sold, nothing))

    def _call(self, lane: Lane, rows: Rows, high: Rows, low: Rows) -> FloatArray:
        """Call places from `high` down to `low`; returns the coins sold.

        Blocks no longer than a top-up, so that collateral added in one lands in a later one.
        """
        rules, sold = self.rules, np.zeros(len(rows))
        bottom = (lane.top[rows] - lane.last)[:, None]
        block = max(rules.top_up, 1)
        for done in range(0, int((high - low).max()) + 1, block):
            places, where = lane.window(rows, high - done, block)
            stored = np.where(places >= low[:, None], lane.flat[where], 0.0)
            topped = np.where(places - rules.top_up >= bottom, rules.topped_up * stored, 0.0)
            lane.flat[where] -= rules.cut * stored + topped
            lower = rows[:, None] * lane.bins + ((places - rules.top_up) & lane.last)
            lane.flat[lower] += topped
            sold += rules.cut * stored.sum(axis=1) * lane.scale[rows]
        return sold

    # -- the rest of a step --------------------------------------------------------------------

    def step(self, market: "Market", news: FloatArray, wicks: FloatArray, now: int) -> FloatArray:
        """One step; returns the move that forced flow caused."""
        rules, plan, up = self.rules, market.plan, bool(market.plan.up[self.index, now])
        before = self.price
        thin = 0.5 * (self.thin[0] + self.thin[1])
        if up:
            self.move(lay.ARBITRAGE, 0.0, (rules.rebound - 1.0) * self.pull)
        self.move(lay.NEWS, news, 0.0)
        self.move(lay.THIN_BOOK, news * np.expm1(rules.aftershock * thin), 0.0)
        others = market.forced - self.weight * self.forced
        self.move(lay.CONTAGION, rules.contagion * self.beta * others, 0.0)
        self._trade_slowly(float(plan.supply[self.index, now]) * self.open_interest)
        for side in SIDES:
            self.paid[side] += float(plan.erosion[self.index, side, now])
            self.book[side] = float(market.drivers.depth[self.index, side])
            self.book[side] += float(plan.depth[self.index, now])
        after = self.price
        for side in SIDES:  # extremes of a Brownian bridge between the ends
            wild = np.sqrt((after - before) ** 2 + 2.0 * self.std * self.std * wicks[side])
            lowest = 0.5 * ((1 - 2 * side) * (before + after) - wild)
            self.lowest[side] = lowest - self.paid[side]
        forced = np.zeros(len(self.rows))
        if up and not rules.leverage_off:
            forced = self.cascade()
        move = self.price - before
        self._withdraw(move / self.std, rules.common_withdrawal * market.thin)
        if up:
            self._trade(move)
        self.forced = forced
        return forced

    def _trade_slowly(self, coins: float) -> None:
        """A planned order's piece moves price by what it adds to the root of its volume."""
        self.orders = [done * (1.0 - self.rules.forgotten) for done in self.orders]
        if coins == 0.0:
            return
        side, volume = int(coins < 0.0), self.daily_volume
        done = self.orders[side]
        self.orders[side] = done + abs(coins)
        root = np.sqrt(self.orders[side] / volume) - np.sqrt(done / volume)
        move = -(1 - 2 * side) * self.rules.impact * self.std * self.rules.day * root
        kept = self.rules.slow_permanent
        self.move(lay.SLOW_FLOW, kept * move, (1.0 - kept) * move)

    def _withdraw(self, surprise: FloatArray, common: FloatArray) -> None:
        """Makers step back after a large move, most on the side that was run over."""
        rules = self.rules
        shock = rules.withdrawal * np.maximum(0.0, np.abs(surprise) - 1.0)
        fell = surprise < 0.0
        for side in SIDES:
            against = np.where(fell == (side == 0), shock, 0.5 * shock)
            thin = rules.recovery * self.thin[side] + against + common
            self.thin[side] = np.minimum(thin, rules.deepest)

    def _trade(self, move: FloatArray) -> None:
        """Positions opened and closed by choice, on both sides alike."""
        turnover = self.rules.turnover * self.activity
        closing = turnover + np.maximum(-self.growth, 0.0) + self.rules.panic * np.abs(move)
        made = self.held * (turnover + np.maximum(self.growth, 0.0))
        closed = closing * np.minimum(self.mass[0], self.mass[1])
        for side in SIDES:
            self.lift(side, closed)
            self.await_entry(side, made)
        self.held += made - closed

    def open_bar(self, appetite: float, mood: float) -> None:
        rules = self.rules
        crowding = mood + rules.trend_pull * self.trend
        for side in SIDES:
            lean = rules.tilt * ((1 - 2 * side) * crowding + 1.5 * appetite)
            weight = self.calm_mix[:, None] * np.exp(self.log_ladder[:, None] * lean)
            self.mix[side] = weight / weight.sum(axis=0)
        gap = np.log(self.open_interest) + appetite - np.log(self.held)
        self.growth = rules.pursuit * gap / rules.steps
        self.opened_at = self.price

    def close_bar(self) -> None:
        rules = self.rules
        surprise = (self.price - self.opened_at) / (self.std * np.sqrt(rules.steps))
        gain = np.sqrt(1.0 - rules.trend_left**2)
        self.trend = rules.trend_left * self.trend + gain * surprise
        self.rescale()

    def rescale(self) -> None:
        """Keep the lazily shrinking scales away from underflow."""
        for lane in (lane for lanes in self.lanes for lane in lanes):
            tiny = lane.scale < 1e-60
            if tiny.any():
                lane.ring[tiny] *= lane.scale[tiny, None]
                lane.far[tiny] *= lane.scale[tiny]
                lane.scale[tiny] = 1.0


class Basket(Row):
    """What accounts that hold every symbol on one collateral hold; its price is the mean's."""

    def step_basket(self, symbols: list[Row], collateral: float, enters: bool) -> None:
        self.value = sum(row.weight * row.value for row in symbols)
        self.pull = sum(row.weight * row.pull for row in symbols)
        wanted = sum(row.weight / row.open_interest * row.held for row in symbols)
        for side in SIDES:
            lane = self.lanes[side][lay.LIQUIDATED]
            if collateral < 1.0:
                self._squeeze(side, lane, collateral)
            units, _ = lane.cross(self.rows, self.own(side))
            if units.any():
                self.mass[side] -= units
                for row in symbols:
                    row.owed[side] += units * row.unit
            if enters:
                self._turn_over(side, symbols, wanted)
                self.enter(side, 0.0)

    def _squeeze(self, side: int, lane: Lane, left: float) -> None:
        """A haircut: equity over notional is distance plus maintenance rate, and shrinks."""
        m, here = self.rules.maintenance_rate, self.own(side)[:, None]
        near = np.floor(here / BIN_WIDTH).astype(np.int64)
        places, where = lane.window(self.rows, lane.top, lane.bins)
        stored = lane.flat[where]
        level = (here - ((here - places * BIN_WIDTH + m) * left - m)) / BIN_WIDTH
        lower = np.floor(level).astype(np.int64)
        higher = np.where(places <= near, (level - lower) * stored, 0.0)
        parts = (
            (np.where(places <= near, np.minimum(near + 1, lower), places), stored - higher),
            (np.minimum(near + 1, lower + 1), higher),
        )
        top = lane.top.copy()
        for moved, coins in parts:
            reached = np.where(coins > 0.0, moved, lane.top[:, None])
            top = np.maximum(top, reached.max(axis=1))
        lane.flat[:] = 0.0
        for moved, coins in parts:
            fallen = moved <= (top - lane.bins)[:, None]
            lane.far += np.where(fallen, coins, 0.0).sum(axis=1)
            target = self.rows[:, None] * lane.bins + (moved & lane.last)
            kept = np.where(fallen, 0.0, coins)
            lane.flat += np.bincount(target.ravel(), kept.ravel(), lane.flat.size)
        lane.top = top

    def _turn_over(self, side: int, symbols: list[Row], wanted: FloatArray) -> None:
        """Some positions are opened anew; what joins or leaves was a position of its own."""
        turnover = min(1.0, self.rules.turnover * self.rules.entry_steps)
        held = self.mass[side]
        joins = turnover * (wanted - held)
        for row in symbols:
            if row.unit > 0.0:
                joins = np.minimum(joins, row.mass[side] / row.unit)
        for row in symbols:
            if row.unit > 0.0:
                row.lift(side, np.maximum(row.unit * joins, 0.0))
                row.await_entry(side, np.maximum(-row.unit * joins, 0.0))
        self.lanes[side][lay.LIQUIDATED].shrink(ALL, 1.0 - turnover)
        self.lanes[side][lay.LIQUIDATED].waiting += turnover * held + joins
        self.mass[side] = held + joins


class Market:
    """All symbols in many paths."""

    def __init__(
        self, rules: Rules, start: Books, drivers: Drivers, plan: Plan, span: tuple[int, int]
    ) -> None:
        if rules.populations != 1 or start.cells[:-1, lay.IN_RUSH : lay.IN_RUSH + 2].any():
            raise ValueError("found participants who obey or rush, expected none")
        self.rules, self.drivers, self.plan, self.paths = rules, drivers, plan, np.arange(*span)
        count, n = len(self.paths), len(start.cells) - 1
        self.rows = [Row(rules, start, i, count) for i in range(n)]
        self.basket = Basket(rules, start, n, count)
        self.thin = np.full(count, start.cells[n, lay.MEAN_THIN])
        self.forced = np.full(count, start.cells[n, lay.FORCED])
        self.clock = int(start.cells[n, lay.CLOCK])
        self.news = keys_of(drivers.seed, 1, self.paths)
        self.kicks = keys_of(drivers.seed, 2, self.paths)
        self.swing = np.zeros(count)

    def bar(self, bar: int, watch: "Watch") -> None:
        rules, drivers = self.rules, self.drivers
        kick = ndtri(uniforms(self.kicks, np.array([bar]))[0])
        self.swing = drivers.volatility_left * self.swing + drivers.volatility_std * kick
        for i, row in enumerate(self.rows):
            row.open_bar(float(drivers.appetite[i]), float(drivers.mood[i]))
            row.std = drivers.std[i] * np.exp(self.swing)
            row.activity = drivers.activity[i] * np.exp(self.swing)
        for now in range(bar * rules.steps, (bar + 1) * rules.steps):
            self._step(now)
            watch.step(self.rows, (now + 1) * rules.step_h)
        watch.bar(self.rows, bar)
        for row in self.rows:
            row.close_bar()
        self.basket.rescale()

    def _step(self, now: int) -> None:
        news, wicks = self._draw(now)
        thin, forced = np.zeros(len(self.paths)), np.zeros(len(self.paths))
        enters = self.clock % self.rules.entry_steps == 0
        for i, row in enumerate(self.rows):
            if self.plan.drained[now]:
                row.fund[:] = 0.0
            forced += row.weight * row.step(self, news[i], wicks[2 * i : 2 * i + 2], now)
            thin += (row.thin[0] + row.thin[1]) / (2.0 * len(self.rows))
            if enters and self.plan.up[i, now]:
                for side in SIDES:
                    row.enter(side, self.rules.stop_share)
        self.basket.step_basket(self.rows, float(self.plan.collateral[now]), enters)
        self.thin, self.forced = thin, forced
        self.clock += 1

    def _draw(self, now: int) -> tuple[list[FloatArray], FloatArray]:
        """News of each symbol, and two exponentials each."""
        drivers, n = self.drivers, len(self.rows)
        each = 1 + drivers.n_sectors + 3 * n
        drawn = uniforms(self.news, np.arange(now * each, (now + 1) * each))
        private = drawn[1 + drivers.n_sectors :].reshape(n, 3, -1)
        shared = ndtri(drawn[: 1 + drivers.n_sectors])
        private_news = ndtri(private[:, 0])
        news = []
        for i, row in enumerate(self.rows):
            market, sector, alone = drivers.loadings[i]
            sum_ = market * shared[0] + sector * shared[1 + drivers.sector[i]]
            news.append(row.std * (sum_ + alone * private_news[i]) + self.plan.news[i, now])
        return news, -np.log(private[:, 1:].reshape(2 * n, -1))


class Watch:
    """Extremes, what had caused the worse one, and which paths diverged."""

    def __init__(self, market: Market, n_kept: int) -> None:
        count, n = len(market.paths), len(market.rows)
        n_bars = market.plan.collateral.size // market.rules.steps
        self.signs = market.drivers.direction
        self.out = new_futures((count, n, len(CHANNELS)), n_bars, n_kept)
        self.worst = [row.price for row in market.rows]
        self.other = [row.price for row in market.rows]
        self.moved = [np.zeros((len(CHANNELS), count)) for _ in market.rows]
        self.hours = [np.zeros(count) for _ in market.rows]

    def step(self, rows: list[Row], hours: float) -> None:
        for i, row in enumerate(rows):
            price, sign = row.price, self.signs[i]
            further = np.flatnonzero(sign * price > sign * self.worst[i])
            self.worst[i][further] = price[further]
            self.hours[i][further] = hours
            self.moved[i][:, further] = row.moved[:, further]
            self.other[i] = np.minimum(sign * price, sign * self.other[i]) * sign

    def bar(self, rows: list[Row], bar: int) -> None:
        out, kept = self.out, len(self.out.closes)
        for i, row in enumerate(rows):
            out.closes[:, i, bar] = row.price[:kept]
            burnt = row.liquidated_usd[0] + row.liquidated_usd[1]
            out.burnt_usd[:, bar] += np.where(self.out.diverged, 0.0, burnt)[:kept]
        for row in rows:
            out.diverged[:] |= ~(np.abs(row.moved.sum(axis=0)) < TOO_FAR)

    def results(self, rows: list[Row]) -> Futures:
        out, lost = self.out, np.where(self.out.diverged, np.nan, 0.0)
        for i, row in enumerate(rows):
            for name, value in (
                ("worst", self.worst[i]),
                ("other", self.other[i]),
                ("worst_h", self.hours[i]),
                ("end", row.price),
                ("adl_usd", row.adl_usd),
                ("fund", row.fund),
            ):
                getattr(out, name)[:, i] = value + lost
            out.moved[:, i] = (self.moved[i] + lost).T
            out.liquidated_usd[:, i] = np.stack(row.liquidated_usd, axis=1) + lost[:, None]
        out.closes[:] += lost[: len(out.closes), None, None]
        out.burnt_usd[:] += lost[: len(out.closes), None]
        return out


def simulate(market: Market, n_kept: int = 0) -> Futures:
    """What :func:`run_paths` writes for the paths of a market, which it leaves at their end."""
    watch = Watch(market, n_kept)
    with np.errstate(all="ignore"):  # paths that diverge, until their bar is over
        for bar in range(market.plan.collateral.size // market.rules.steps):
            market.bar(bar, watch)
    return watch.results(market.rows)
