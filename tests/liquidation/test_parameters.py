"""What a map assumes: mixes, distances by the margin formulas, and a venue's own tiers."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.config import load_margin_tiers
from liqwarn.errors import FrameError
from liqwarn.liquidation.kernel import LANES, STEP
from liqwarn.liquidation.margin import inverse_liquidation_price, liquidation_price
from liqwarn.liquidation.parameters import (
    LEVERAGES,
    MapParameters,
    at_venue,
    maintenance_by_leverage,
    map_rates,
)
from liqwarn.liquidation.tiers import Tier, TierTable

CONF = Path(__file__).parents[2] / "conf" / "margin_tiers"
MEDIANS = st.floats(1.0, 200.0)
SPREADS = st.floats(0.05, 3.0)
TILTS = st.floats(0.0, 2.0)
CROWDING = st.floats(-1.0, 1.0)


def table(*rows, measure="notional", contract="linear", fee_rate=0.0):
    tiers = [Tier(cap=c, rate=r, max_leverage=lever, amount=a) for c, r, lever, a in rows]
    return TierTable(
        venue="a",
        symbols=("X",),
        contract=contract,
        effective=date(2024, 1, 1),
        source="a test",
        measure=measure,
        tiers=tuple(tiers),
        fee_rate=fee_rate,
    )


def mean_leverage(parameters, crowding):
    return float(parameters.mix(crowding) @ np.log(LEVERAGES))


@given(median=MEDIANS, spread=SPREADS, tilt=TILTS, crowding=CROWDING, most=st.floats(2.0, 200.0))
def test_a_mix_is_shares_of_what_the_venue_allows(median, spread, tilt, crowding, most):
    mix = MapParameters(
        median_leverage=median, leverage_spread=spread, tilt=tilt, max_leverage=most
    ).mix(crowding)
    assert mix.sum() == pytest.approx(1.0, abs=1e-12)
    assert (mix >= 0.0).all()
    assert not mix[np.array(LEVERAGES) > most].any()


def test_a_mix_far_from_every_leverage_is_still_one():
    mix = MapParameters(median_leverage=1e9, leverage_spread=0.01).mix()
    assert mix.tolist() == [0.0] * 9 + [1.0]


@given(median=st.floats(3.0, 80.0), spread=st.floats(0.3, 2.0), tilt=st.floats(0.01, 1.0))
def test_the_crowded_side_has_the_higher_leverage(median, spread, tilt):
    guess = MapParameters(median_leverage=median, leverage_spread=spread, tilt=tilt)
    means = [mean_leverage(guess, crowding) for crowding in (-1.0, -0.3, 0.0, 0.3, 1.0)]
    assert all(low < high for low, high in pairwise(means))


def test_without_a_tilt_crowding_changes_nothing():
    guess = MapParameters(tilt=0.0)
    assert guess.mix(1.0).tolist() == guess.mix(-1.0).tolist() == guess.mix().tolist()


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize(
    ("contract", "formula"),
    [("linear", liquidation_price), ("inverse", inverse_liquidation_price)],
)
def test_distances_are_those_of_the_margin_formulas(side, contract, formula):
    rates = tuple(0.3 / lever for lever in LEVERAGES)
    guess = MapParameters(maintenance=rates, contract=contract, spent=0.0)
    price = formula(side, 250.0, LEVERAGES, rates)
    assert np.allclose(guess.distance(side), np.abs(np.log(price / 250.0)), rtol=1e-12)
    half = replace(guess, spent=0.5)
    assert np.allclose(half.distance(side), guess.distance(side) / 2.0, rtol=1e-12)


@pytest.mark.parametrize("side", ["long", "short"])
def test_higher_leverage_is_liquidated_sooner(side):
    distance = MapParameters().distance(side)
    assert (np.diff(distance) < 0.0).all()
    assert (distance > 0.0).all()


def blocks(guess, step_s):
    return map_rates([guess], step_s).reshape(6, LANES)


def test_rates_say_what_the_kernel_reads():
    guess = MapParameters(half_life_h=12.0, age_power=1.0)
    kept, grow, distance, mix, raised, lowered = blocks(guess, 3_600.0)
    assert kept[LEVERAGES.index(10.0)] == pytest.approx(0.5 ** (1 / 12))
    assert kept[LEVERAGES.index(20.0)] == pytest.approx(0.5 ** (2 / 12))
    assert np.allclose(kept * grow, 1.0, rtol=1e-15)
    assert np.array_equal(kept[:10], kept[10:])
    assert np.allclose(distance * STEP, [*guess.distance("long"), *guess.distance("short")])
    assert np.array_equal(mix[:10], guess.mix())
    assert np.allclose(mix + raised, np.tile(guess.mix(1.0), 2))
    assert np.allclose(mix + lowered, np.tile(guess.mix(-1.0), 2))


def test_three_steps_age_a_map_as_one_of_their_length():
    guess = MapParameters(half_life_h=5.0, age_power=0.7)
    assert np.allclose(blocks(guess, 1_200.0)[0] ** 3, blocks(guess, 3_600.0)[0], rtol=1e-12)


def test_no_lane_is_closed_whole_in_one_step():
    kept, grow, *_ = blocks(MapParameters(half_life_h=0.01, age_power=3.0), 14_400.0)
    assert kept.min() == pytest.approx(0.001)
    assert np.isfinite(grow).all()


def test_maps_have_their_own_rows():
    guesses = [MapParameters(), MapParameters(median_leverage=5.0)]
    both = map_rates(guesses, 300.0)
    assert both.shape == (2, 6 * LANES)
    for row, guess in zip(both, guesses, strict=True):
        assert np.array_equal(row, map_rates([guess], 300.0)[0])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"median_leverage": 0.0}, "median_leverage is 0.0, expected a positive number"),
        ({"median_leverage": np.nan}, "median_leverage is nan"),
        ({"leverage_spread": -1.0}, "leverage_spread is -1.0"),
        ({"half_life_h": np.inf}, "half_life_h is inf"),
        ({"age_power": -0.1}, "age_power is -0.1, expected a number from 0"),
        ({"tilt": np.nan}, "tilt is nan"),
        ({"spent": 1.0}, "spent is 1.0, expected a share"),
        ({"spent": np.nan}, "spent is nan"),
        ({"max_leverage": 1.9}, "max_leverage is 1.9, expected at least 2"),
        ({"max_leverage": np.nan}, "max_leverage is nan"),
        ({"maintenance": (0.01,) * 9}, "9 maintenance rates, expected 10"),
        (
            {"maintenance": (0.01,) * 10},
            "maintenance rate is 0.01 at 100x, expected one in .0, 0.01",
        ),
        ({"maintenance": (np.nan,) * 10}, "maintenance rate is nan at 2x"),
        ({"maintenance": (-0.01,) * 10}, "maintenance rate is -0.01 at 2x"),
    ],
)
def test_what_cannot_be_is_refused(wrong, message):
    with pytest.raises(FrameError, match=message):
        MapParameters(**wrong)


# --- a venue's tiers ----------------------------------------------------------------------------


def test_binance_btc_by_leverage():
    binance = load_margin_tiers(CONF / "binance.yaml")
    tiers = binance.table_at("BTCUSDT", date(2024, 12, 1))
    rates = maintenance_by_leverage(tiers, 100_000.0, 67_000.0)
    # 100,000 is in the second tier: 0.5 % less 50 USDT
    assert rates == pytest.approx((0.0045 + tiers.fee_rate,) * 10)
    large = maintenance_by_leverage(tiers, 1e7, 67_000.0)
    assert large[LEVERAGES.index(50.0)] == pytest.approx(0.01 - 11_450 / 1e7 + tiers.fee_rate)
    # at 100x no more than 600,000 is allowed
    assert large[LEVERAGES.index(100.0)] == pytest.approx(0.005 - 50 / 6e5 + tiers.fee_rate)


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_table_gives_a_map_that_can_walk(path):
    venue = load_margin_tiers(path)
    for tiers in (*venue.tables, venue.default):
        for position in (100.0, 1e5, 1e7, 1e11):
            guess = at_venue(MapParameters(contract=tiers.contract), tiers, position, 30_000.0)
            offered = [t.max_leverage for t in tiers.tiers if t.max_leverage]
            assert guess.max_leverage == max(offered, default=np.inf)
            assert np.isfinite(map_rates([guess], 300.0)).all()
            assert guess.mix()[np.array(LEVERAGES) > guess.max_leverage].sum() == 0.0


def test_a_position_is_cut_to_what_its_leverage_allows():
    tiers = table((1e4, 0.01, 50.0, 0.0), (1e6, 0.02, 10.0, 100.0))
    rates = maintenance_by_leverage(tiers, 1e5, 1.0)
    assert rates[: LEVERAGES.index(10.0) + 1] == pytest.approx((0.02 - 100 / 1e5,) * 5)
    assert rates[LEVERAGES.index(20.0) : LEVERAGES.index(50.0) + 1] == pytest.approx((0.01,) * 3)


def test_a_leverage_beyond_the_table_uses_its_first_tier_and_stays_solvent():
    rates = maintenance_by_leverage(table((1e6, 0.015, 50.0, 0.0)), 1e5, 1.0)
    assert rates[LEVERAGES.index(75.0)] == pytest.approx(0.9 / 75.0)
    assert rates[LEVERAGES.index(50.0)] == pytest.approx(0.015)
    assert at_venue(MapParameters(), table((1e6, 0.015, 50.0, 0.0)), 1e5, 1.0).max_leverage == 50.0


def test_a_table_silent_about_leverage_bounds_none():
    tiers = table((1e6, 0.004, None, 0.0))
    guess = at_venue(MapParameters(), tiers, 1e5, 1.0)
    assert guess.max_leverage == np.inf
    assert guess.maintenance == pytest.approx((0.004,) * 10)


def test_a_tier_silent_about_leverage_allows_no_more_than_the_one_below():
    tiers = table((1e4, 0.01, 25.0, 0.0), (np.inf, 0.02, None, 100.0))
    rates = maintenance_by_leverage(tiers, 1e5, 1.0)
    assert rates[LEVERAGES.index(25.0)] == pytest.approx(0.02 - 100.0 / 1e5)
    assert rates[LEVERAGES.index(50.0)] == pytest.approx(0.01)


def test_tables_by_coins_measure_the_position_in_coins():
    tiers = table((1.0, 0.004, 100.0, 0.0), (9.0, 0.02, 20.0, 0.0), measure="coins")
    assert maintenance_by_leverage(tiers, 9e4, 1e5)[0] == 0.004
    assert maintenance_by_leverage(tiers, 9e4, 1e4)[0] == 0.02


def test_inverse_tables_measure_the_position_in_coins():
    rows = ((1.0, 0.004, 100.0, 0.0), (9.0, 0.02, 20.0, 0.016))
    tiers = table(*rows, contract="inverse")
    assert maintenance_by_leverage(tiers, 2e4, 1e4)[0] == pytest.approx(0.02 - 0.016 / 2.0)


def test_the_fee_counts_as_required_margin():
    assert maintenance_by_leverage(table((1e6, 0.004, 100.0, 0.0), fee_rate=0.001), 1e5, 1.0)[
        0
    ] == pytest.approx(0.005)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_position_and_a_price_are_positive(value):
    tiers = table((1e6, 0.004, 100.0, 0.0))
    with pytest.raises(FrameError, match=r"position_usd is .*, expected a positive number"):
        maintenance_by_leverage(tiers, value, 1.0)
    with pytest.raises(FrameError, match=r"price is .*, expected a positive number"):
        maintenance_by_leverage(tiers, 1e5, value)
