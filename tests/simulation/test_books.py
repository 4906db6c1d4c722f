"""A market before its first step: everybody far from liquidation, nobody under orders."""

import numpy as np
import pytest

from liqwarn.simulation import layout as at
from liqwarn.simulation.books import HISTORY_BINS, PATH_BINS, copied, new_books
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.rules import rules_of


@pytest.mark.parametrize("phi", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("leverage_off", [False, True])
def test_it_holds_its_open_interest_on_both_sides(bench, phi, leverage_off):
    made = bench(3, phi=phi, leverage_off=leverage_off)
    made.assert_conserved()
    assert not made.ring.any()
    masses = made.cells[:-1, at.MASS : at.MASS + 4].reshape(3, 2, 2)
    if phi > 0.0:
        np.testing.assert_allclose(masses[:, :, 1], phi * masses.sum(axis=2))
    assert made.units(0) == made.units(1) == (0.0 if leverage_off else 1.0)


def test_its_prices_are_those_of_its_symbols():
    config = MarketConfig()
    cells, ring = new_books(config, rules_of(config))
    prices = np.array([spec.price for spec in DEFAULT_SPECS])
    np.testing.assert_allclose(np.exp(cells[:-1, at.VALUE]), prices)
    assert cells[-1, at.VALUE] == pytest.approx(cells[:-1, at.WEIGHT] @ np.log(prices))
    assert not cells[:, at.PULL].any()
    assert ring.shape == (13, 4, HISTORY_BINS)


def test_the_fund_is_full_and_everybody_may_trade():
    config = MarketConfig()
    cells, _ = new_books(config, rules_of(config))
    usd = np.array([spec.open_interest_usd for spec in DEFAULT_SPECS])
    np.testing.assert_allclose(cells[:-1, at.FUND], config.venue.insurance_frac * usd)
    assert (cells[:-1, at.IN_ENTRY : at.IN_ENTRY + 2] == 1.0).all()
    assert not cells[:, at.IN_ROOM : at.IN_ERODE + 2].any()
    assert not cells[:, at.MOVED : at.MOVED + 9].any()


def test_the_number_of_bins_is_a_power_of_two():
    for n_bins in (HISTORY_BINS, PATH_BINS):
        assert n_bins & (n_bins - 1) == 0


def test_a_copy_is_another_market(bench):
    made = bench()
    other = copied(made.books)
    other.cells[0, at.VALUE] += 1.0
    other.ring[0, 0, 0] = 9.0
    assert made[at.VALUE] == pytest.approx(np.log(100.0))
    assert made.ring[0, 0, 0] == 0.0
