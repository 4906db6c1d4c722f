"""The pool of pages: what is put comes back, and memory is held only where there are coins."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.liquidation.kernel_arrays import BINS, LANES
from liqwarn.liquidation.kernel_pages import PAGE
from liqwarn.liquidation.paged_mass import PagedMass

SHAPE = (2, LANES, BINS)


def sparse(seed, share):
    rng = np.random.default_rng(seed)
    mass = rng.exponential(1.0, SHAPE)
    mass[rng.random(SHAPE) > share] = 0.0
    return mass


def n_held(mass):
    return int(mass.reshape(-1, PAGE).any(axis=1).sum())


@settings(max_examples=15, deadline=None)
@given(seeds=st.lists(st.integers(0, 2**20), min_size=1, max_size=4))
def test_what_is_put_comes_back_however_often(seeds):
    paged, rows = PagedMass(3, 2), {}
    for turn, seed in enumerate(seeds):
        row = seed % 3
        rows[row] = sparse(seed, 10.0 ** -(turn + 1))
        paged.put(row, rows[row])
        assert paged.held_bytes == 8 * PAGE * sum(n_held(one) for one in rows.values())
    for row in range(3):
        expected = rows.get(row, np.zeros(SHAPE))
        assert paged.dense(row).tobytes() == expected.tobytes()


def test_nothing_takes_no_page_and_nothing_put_gives_all_back():
    paged = PagedMass(1, 2)
    paged.put(0, np.zeros(SHAPE))
    assert paged.held_bytes == 0
    paged.put(0, sparse(1, 0.5))
    paged.put(0, np.zeros(SHAPE))
    assert paged.held_bytes == 0
    assert not paged.tables.any()


def test_the_dense_copy_is_ones_own():
    paged = PagedMass(1, 2)
    paged.dense(0)[:] = 7.0
    assert not paged.dense(0).any()


def test_the_pool_holds_every_page_there_can_be():
    paged = PagedMass(2, 2)
    for row in range(2):
        paged.put(row, np.ones(SHAPE))
    assert paged.held_bytes == 2 * 2 * LANES * BINS * 8
    assert (paged.dense(1) == 1.0).all()
