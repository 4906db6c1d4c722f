"""Contagion by impulse: nobody answers without leverage, the large are answered most."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.simulation.config import DEFAULT_SPECS, Liquidity, MarketConfig
from liqwarn.simulation.contagion import Contagion, measure_contagion, spectral_radius
from liqwarn.simulation.futures import PathOrder
from liqwarn.simulation.opening import synthetic_opening
from liqwarn.simulation.scenario_start import SyntheticStart

SYMBOLS = ("BTCUSDT", "FETUSDT", "TAOUSDT")
SPECS = tuple(spec for spec in DEFAULT_SPECS if spec.name in SYMBOLS)
ORDER = PathOrder(paths=60, seed=5)


@pytest.fixture(scope="module")
def opening():
    return synthetic_opening(MarketConfig(specs=SPECS, n_bars=4), SyntheticStart(days=20))


@pytest.fixture(scope="module")
def found(opening):
    return measure_contagion(opening, ORDER)


def test_a_fall_is_answered_by_itself_and_the_largest_by_all(found):
    assert (np.diag(found.matrix) > 0.03).all()
    assert (found.matrix[0, 1:] > 0.01).all()
    assert found.matrix[0, 1:].min() > 3.0 * found.matrix[1:, 0].max()


def test_the_radius_is_the_matrix_s_and_lies_in_its_interval(found):
    assert found.spectral_radius == pytest.approx(np.abs(np.linalg.eigvals(found.matrix)).max())
    assert found.ci[0] < found.spectral_radius < found.ci[1]
    assert found.ci[1] - found.ci[0] < 0.1


def test_where_nobody_can_answer_nobody_does(opening):
    """No leverage, and no book that thins: path by path prices differ by the news alone."""
    config = replace(opening.config, leverage_off=True, liquidity=Liquidity(aftershock=0.0))
    deaf = measure_contagion(replace(opening, config=config), ORDER)

    np.testing.assert_allclose(deaf.matrix, 0.0, atol=1e-12)
    assert max(map(abs, deaf.ci)) < 1e-12


def test_without_leverage_only_thin_books_answer(opening, found):
    config = replace(opening.config, leverage_off=True)
    quiet = measure_contagion(replace(opening, config=config), ORDER)

    assert quiet.spectral_radius < 0.5 * found.spectral_radius
    off_diagonal = quiet.matrix[~np.eye(len(SYMBOLS), dtype=bool)]
    assert np.abs(off_diagonal).max() < 0.01


def test_the_bits_are_the_seed_s_not_the_threads(opening, found):
    again = measure_contagion(opening, replace(ORDER, threads=2))
    other = measure_contagion(opening, replace(ORDER, seed=6))

    assert again.to_dict() == found.to_dict()
    assert other.to_dict() != found.to_dict()
    assert other.spectral_radius == pytest.approx(found.spectral_radius, rel=0.3)


def test_the_scenario_s_own_bars_do_not_matter(opening, found):
    config = replace(opening.config, bar=opening.config.bar / 2, n_bars=8)

    assert measure_contagion(replace(opening, config=config), ORDER).to_dict() == found.to_dict()


def test_it_says_how_far_it_is(opening):
    told = []
    measure_contagion(
        opening, PathOrder(paths=2), on_progress=lambda done, total: told.append((done, total))
    )

    assert told == [(k, 4) for k in range(1, 5)]


def test_plain_data(found):
    plain = found.to_dict()

    assert plain["shock_pct"] == -5.0
    assert np.shape(plain["matrix"]) == (3, 3)
    nothing = Contagion(matrix=np.full((1, 1), np.nan), spectral_radius=np.nan, ci=(np.nan,) * 2)
    assert np.isnan(nothing.to_dict()["spectral_radius"])


def test_the_radius_of_a_stack_of_matrices():
    stack = np.array([np.diag([0.5, -2.0]), [[0.0, 3.0], [3.0, 0.0]]])

    np.testing.assert_allclose(spectral_radius(stack), [2.0, 3.0])
