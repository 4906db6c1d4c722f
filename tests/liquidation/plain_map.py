"""The liquidation map's rule in plain NumPy: dense, eager, obvious, slow; the kernel's oracle.

Every coin is where it is: one array per side over all bins a path can reach, every step multiplies
all of it by what outlives the step. No ring, no lazy decay, no bookkeeping of what lies lowest.
"""

import numpy as np

from liqwarn.liquidation.kernel_arrays import BINS, BLOCKS, LANES, ROWS

GOLDEN = 1.618033988749895
RATES = ("kept", "distance", "mix", "raised", "lowered")


class PlainSide:
    """Longs; or shorts, whose prices are handed in negated."""

    def __init__(self, rates, lowest, highest):
        for name in RATES:
            setattr(self, name, rates[name])
        self.first = int(np.floor(lowest - self.distance.max())) - 2
        self.mass = np.zeros((ROWS, int(np.ceil(highest)) + 2 - self.first))
        self.front = np.full(ROWS, -np.inf)

    def totals(self):
        return self.mass.sum(axis=1)

    def sweep(self, limit):
        """Everything above the limit is liquidated; a bin is filled evenly up to the front."""
        bottom = np.floor(limit)
        column = int(bottom) - self.first
        ceiling = np.clip(self.front, limit, bottom + 1.0)
        swept = self.mass[:, column + 1 :].sum()
        self.mass[:, column + 1 :] = 0.0
        part = np.zeros(ROWS)
        filled = ceiling > limit
        part[filled] = (ceiling[filled] - limit) / (ceiling[filled] - bottom)
        swept += (self.mass[:, column] * part).sum()
        self.mass[:, column] *= 1.0 - part
        self.front = np.minimum(self.front, limit)
        return swept

    def settle(self, stock, entry, close, crowding):
        """Age, close what is too much, open what is missing."""
        self.mass *= self.kept[:, None]
        missing = stock - self.mass.sum()
        if missing < 0.0:
            self.close(-missing)
        chance = abs(entry) * GOLDEN % 1.0
        later = close - 0.5 - np.maximum(self.distance - 0.5, 0.0) * chance
        level = entry - self.distance
        level = np.where(level < close - 0.5, level, later)
        bins = np.floor(level).astype(int)
        self.front = np.maximum(self.front, np.minimum(bins + 1.0, close))
        self.fold(bins - self.first - (BINS - 1))
        side = np.where(crowding > 0.0, self.raised, self.lowered)
        coins = max(missing, 0.0) * (self.mix + abs(crowding) * side)
        self.mass[np.arange(ROWS), bins - self.first] += coins

    def close(self, coins):
        """By the age hazard; who holds less than that is emptied, the others close the rest."""
        while coins > 0.0:
            held = self.totals()
            hazard = np.where(held > 0.0, 1.0 - self.kept, 0.0)
            if not held.any():
                return
            share = coins * hazard / (hazard * held).sum()
            coins = (np.maximum(share - 1.0, 0.0) * held).sum()
            self.mass *= np.maximum(1.0 - share, 0.0)[:, None]

    def fold(self, columns):
        """What is a ring or more below the new cohort moves up to the ring's lowest bin."""
        for lane in np.flatnonzero(columns > 0):
            deep = self.mass[lane, : columns[lane]].sum()
            self.mass[lane, : columns[lane]] = 0.0
            self.mass[lane, columns[lane]] += deep

    def within(self, price, edges):
        """Coins within each distance of the price; the price's own bin is cut off at the price."""
        top = int(np.floor(price))
        density = self.mass[:, : top - self.first + 1].sum(axis=0)[::-1]
        ends = price - top + np.arange(len(density))
        starts = np.concatenate([[0.0], ends[:-1]])
        widths = np.where(ends > starts, ends - starts, 1.0)
        reached = (np.asarray(edges)[:, None] - starts) / widths
        reached[:, ends == starts] = 1.0
        return (np.clip(reached, 0.0, 1.0) * density).sum(axis=1)


class PlainMap:
    """Both sides over the rates of a kernel's ``work`` and the prices of a kernel's ``path``."""

    def __init__(self, work, path):
        blocks = dict(zip(BLOCKS, np.asarray(work).reshape(len(BLOCKS), LANES), strict=True))
        longs = {name: blocks[name][:ROWS] for name in RATES}
        shorts = {name: blocks[name][ROWS:] for name in RATES}
        lowest, highest = path[:4].min(), path[:4].max()
        self.longs = PlainSide(longs, lowest, highest)
        self.shorts = PlainSide(shorts, -highest, -lowest)

    def step(self, low, high, close, entry, stock, crowding):
        """One step of the path; coins swept, longs and shorts."""
        swept = self.longs.sweep(low), self.shorts.sweep(-high)
        if not np.isnan(stock):
            self.longs.settle(stock, entry, close, crowding)
            self.shorts.settle(stock, -entry, -close, -crowding)
        return swept

    def totals(self):
        return np.concatenate([self.longs.totals(), self.shorts.totals()])

    def within(self, close, edges):
        return np.stack([self.longs.within(close, edges), self.shorts.within(-close, edges)])
