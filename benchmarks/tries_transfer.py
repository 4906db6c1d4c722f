"""Tries that learn from rows of another kind first: price shocks, and the simulated market."""

from dataclasses import replace
from functools import partial

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.models.rows import Rows, joined
from tries_kinds import Try
from tries_rows import Material
from tries_scorers import Growth, Maker, Staged


def transfer_tries(given: Material) -> list[Try]:
    def of(name: str, what: str, why: str, make: Maker) -> Try:
        return Try(name=name, group="transfer", what=what, why=why, make=make)

    shock = "twice the events, and March 2020 among them"
    return [
        of(
            "shocks_first",
            "shared trees first on BTC price shocks (no deleveraging asked)",
            shock,
            partial(Staged, first=(given.price, Growth())),
        ),
        of(
            "shocks_start",
            "a model of price shocks as the start, its bars before open interest too",
            shock,
            partial(Staged, start=partial(Pretrained, given.price)),
        ),
        of(
            "simulated_start",
            "a model of the simulated market as the start",
            "the mechanism, many events; the market is invented",
            partial(Staged, start=partial(Pretrained, given.simulated)),
        ),
        of(
            "simulated_added",
            "simulated rows added to training",
            "the same",
            partial(Staged, extra=partial(with_rows, given.simulated, 1)),
        ),
        of(
            "simulated_tenth",
            "one in ten of the simulated rows added",
            "the same, weaker",
            partial(Staged, extra=partial(with_rows, given.simulated, 10)),
        ),
        of(
            "simulated_alone",
            "never shown a real row",
            "does the simulated market know anything",
            partial(Staged, extra=partial(only, given.simulated)),
        ),
    ]


class Pretrained:
    """Staged trees of other rows, those known by the time training ends; shape (n_rows, 2)."""

    def __init__(self, other: Rows) -> None:
        self.other = other

    def fit(self, rows: Rows) -> "Pretrained":
        mine = rows.times.astype(np.int64)
        theirs = self.other.times.astype(np.int64)
        usable = np.isin(theirs, mine) | (self.other.end < rows.times.min())
        self.model_ = Staged().fit(aligned(self.other.take(np.flatnonzero(usable)), rows))
        return self

    def raw(self, rows: Rows) -> FloatArray:
        return self.model_.raw(rows)[:, :, 0]


def aligned(other: Rows, rows: Rows) -> Rows:
    X = np.column_stack([other.column(name) for name in rows.names])
    return replace(other, names=rows.names, families=rows.families, X=X)


def with_rows(other: Rows, step: int, rows: Rows) -> Rows:
    few = other.take(slice(None, None, step))
    return joined(rows, (replace(few, symbols=np.char.add("SIM", few.symbols)),))


def only(other: Rows, rows: Rows) -> Rows:
    return aligned(other, rows)
