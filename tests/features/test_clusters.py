"""Cluster features on readings of the map short enough to compute by hand."""

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.features.builder import FeatureBuilder, all_features
from liqwarn.frames import MAP_FIELDS

SIDES = ("long", "short")
BOOK = {"long": "bid_depth_usd", "short": "ask_depth_usd"}
CLUSTERS = {one.name: one for one in all_features() if one.family == "clusters"}
HELD = {"1": 2.0, "2": 5.0, "3": 9.0, "5": 15.0, "10": 40.0}


def flat(n_bars, price=100.0):
    """A market that trades at one price, with a range of 1 each bar."""
    at = np.full(n_bars, price)
    return {"high": at + 0.5, "low": at - 0.5, "close": at.copy()}


def zigzag(n_bars):
    """Closes that rise and fall by 1 % in turn, and 1,000 coins a bar."""
    return {
        "close": 100.0 * 1.01 ** (np.arange(n_bars) % 2),
        "volume": np.full(n_bars, 1_000.0),
    }


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("band", "coins"), [("1", 2.0), ("2", 3.0), ("3", 4.0), ("5", 6.0), ("10", 25.0)]
)
def test_mass_is_what_lies_between_two_distances(column, side, band, coins):
    within = {f"map_{side}_within_{name}": [held] for name, held in HELD.items()}

    found = column(f"cluster_mass_{band}_{side}", open_interest=[200.0], **within)
    assert found[0] == pytest.approx(coins / 200.0)


@pytest.mark.parametrize("side", SIDES)
def test_masses_add_up_to_what_is_within_ten_percent(market, side):
    frame = market(np.timedelta64(1, "h").astype(object), 30, gaps=0.0)
    matrix = FeatureBuilder().build(frame)

    bands = [matrix.column(f"cluster_mass_{name}_{side}") for name in HELD]
    share = frame.field(f"map_{side}_within_10") / frame.field("open_interest")
    np.testing.assert_allclose(sum(bands), share)


@pytest.mark.parametrize("side", SIDES)
def test_distances_are_positive_on_both_sides(column, side):
    distance = {f"map_{side}_nearest": np.full(24, 0.0125)}

    assert column(f"cluster_dist_{side}_pct", **distance)[-1] == pytest.approx(1.25)
    # 1.25 of price over a range of 0.5 each hour
    half = {name: values / 2 for name, values in flat(24, 200.0).items()}
    half["high"], half["low"] = half["close"] + 0.25, half["close"] - 0.25
    assert column(f"cluster_dist_{side}_atr", **distance, **half)[-1] == pytest.approx(2.5)
    mean = column(f"cluster_mean_dist_{side}_pct", **{f"map_{side}_mean_distance": [0.04]})
    assert mean[0] == pytest.approx(4.0)


@pytest.mark.parametrize("side", SIDES)
def test_mass_over_the_side_of_the_book_that_must_absorb_it(column, side):
    held, depth = {f"map_{side}_within_2": [5.0]}, {BOOK[side]: [250.0]}

    assert column(f"cluster_over_depth_{side}", close=[100.0], **held, **depth)[0] == 2.0
    other = {BOOK[{"long": "short", "short": "long"}[side]]: [250.0]}
    assert np.isnan(column(f"cluster_over_depth_{side}", close=[100.0], **held, **other)[0])


@pytest.mark.parametrize("side", SIDES)
def test_mass_in_hours_of_volume(column, side):
    held = {f"map_{side}_within_2": np.full(24, 60.0)}

    found = column(f"cluster_hours_{side}", volume=np.full(24, 30.0), **held)
    assert found[-1] == pytest.approx(2.0)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("name", "what"), [("gain", "within_1"), ("gain_peak", "peak")])
def test_the_cascade_gain_is_impact_times_what_a_move_liquidates(column, side, name, what):
    bars, coins = zigzag(25), 500.0

    # each bar moves by log 1.01 and trades 1,000 coins at 100 or 101: the impact of a USD
    impact = np.log(1.01) * (1 / 100e3 + 1 / 101e3) / 2
    expected = coins * 100.0 / 0.01 * impact
    held = {f"map_{side}_{what}": np.full(25, coins)}
    assert column(f"cluster_{name}_{side}", **bars, **held)[-1] == pytest.approx(expected)
    assert 0.4 < expected < 0.6  # half of what is traded in a move of 1 %


@pytest.mark.parametrize("side", SIDES)
def test_above_one_what_a_move_liquidates_makes_the_next(column, side):
    bars = zigzag(25)
    held = {f"map_{side}_within_1": np.full(25, 1_100.0)}

    assert column(f"cluster_gain_{side}", **bars, **held)[-1] > 1.0


@pytest.mark.parametrize("side", SIDES)
def test_the_gain_by_the_book_needs_no_history(column, side):
    held, depth = {f"map_{side}_peak": [30.0]}, {BOOK[side]: [2_000.0]}

    # 3,000 USD are liquidated in 1 % of price, 2,000 USD move it so far
    found = column(f"cluster_gain_book_{side}", close=[100.0], **held, **depth)
    assert found[0] == pytest.approx(1.5)


@pytest.mark.parametrize("side", SIDES)
def test_spent_fuel_is_the_days_sum(column, side):
    swept = np.r_[np.full(6, 100.0), np.arange(1.0, 25.0)]

    found = column(
        f"cluster_swept_{side}_24h",
        open_interest=np.full(30, 1_000.0),
        **{f"map_{side}_swept": swept},
    )
    assert found[-1] == pytest.approx(300.0 / 1_000.0)


@pytest.mark.parametrize("side", SIDES)
def test_growth_and_rank_of_the_fuel(column, side):
    within = {f"map_{side}_within_3": np.linspace(10.0, 40.0, 721)}

    assert column(f"cluster_growth_{side}_24h", **within)[-1] == pytest.approx(np.log(40 / 39))
    coins = np.full(721, 1_000.0)
    assert column(f"cluster_rank_{side}_30d", open_interest=coins, **within)[-1] > 0.99
    within[f"map_{side}_within_3"] = within[f"map_{side}_within_3"][::-1]
    assert column(f"cluster_growth_{side}_24h", **within)[-1] == pytest.approx(np.log(10 / 11))
    assert column(f"cluster_rank_{side}_30d", open_interest=coins, **within)[-1] < 0.01


@pytest.mark.parametrize("band", ["2", "5"])
def test_skew_is_positive_where_more_fuel_lies_above(column, band):
    held = {f"map_long_within_{band}": [10.0, 30.0], f"map_short_within_{band}": [30.0, 10.0]}

    found = column(f"cluster_skew_{band}", **held)
    assert found == pytest.approx([np.log(3.0), -np.log(3.0)])


def test_skew_is_positive_where_longs_are_nearer(column):
    found = column("cluster_skew", map_long_nearest=[0.01], map_short_nearest=[0.02])

    assert found[0] == pytest.approx(np.log(2.0))


def test_doubt_and_quality_are_passed_on(column):
    assert column("cluster_doubt_long", map_long_doubt=[0.25])[0] == 0.25
    assert column("cluster_doubt_short", map_short_doubt=[0.5])[0] == 0.5
    assert column("cluster_quality", map_quality=[0.75])[0] == 0.75


@pytest.mark.parametrize("side", SIDES)
def test_no_cluster_in_reach_leaves_the_distance_unknown_but_not_the_mass(column, side):
    assert np.isnan(column(f"cluster_dist_{side}_pct", **{f"map_{side}_nearest": [np.nan]})[0])
    held = {f"map_{side}_within_1": [0.0]}
    assert column(f"cluster_mass_1_{side}", open_interest=[50.0], **held)[0] == 0.0


@pytest.mark.parametrize("name", CLUSTERS)
def test_without_a_map_there_is_nothing_to_say(market, name):
    frame = market(np.timedelta64(1, "h").astype(object), 800, gaps=0.0)
    known = {key: values for key, values in frame.fields.items() if key not in MAP_FIELDS}
    bare = type(frame)(
        symbols=frame.symbols, times=frame.times, bar=frame.bar, fields=known, ages={}
    )
    blind = bare.joined({key: np.full(frame.shape, np.nan) for key in MAP_FIELDS})

    builder = FeatureBuilder((CLUSTERS[name],))
    assert np.isnan(builder.build(bare).values).all()
    assert np.isnan(builder.build(blind).values).all()
    assert np.isfinite(builder.build(frame).values[:, -1]).all()


def test_every_reading_is_read_and_both_sides_alike():
    read = {field for one in CLUSTERS.values() for field in one.inputs}
    longs = {name.replace("long", "S") for name in CLUSTERS if "long" in name}

    assert set(MAP_FIELDS) <= read
    assert longs == {name.replace("short", "S") for name in CLUSTERS if "short" in name}
    assert len(CLUSTERS) == 2 * len(longs) + len({"skew", "skew_2", "skew_5", "quality"})


def test_a_field_that_is_not_the_maps_is_refused(market):
    frame = market(np.timedelta64(1, "h").astype(object), 5)
    with pytest.raises(FrameError, match=r"unknown fields \['map_long_within_4'\]"):
        frame.joined({"map_long_within_4": np.zeros(frame.shape)})
