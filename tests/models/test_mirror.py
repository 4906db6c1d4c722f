"""The mirror: a law of involution, and every feature of the catalogue held against it."""

import runpy
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.features.builder import FeatureBuilder, all_features
from liqwarn.frames import MarketFrame
from liqwarn.models.mirror import NO_SIDE, SHARES, SIGNED, mirror_of, partner

MARKETS = runpy.run_path(str(Path(__file__).parents[1] / "features" / "conftest.py"))
HOUR = timedelta(hours=1)
NAMES = tuple(feature.name for feature in all_features())
SWAPS = (
    ("taker_buy_volume", "taker_sell_volume"),
    ("long_liq_usd", "short_liq_usd"),
    ("bid_depth_usd", "ask_depth_usd"),
    ("inflow", "outflow"),
)
NEGATED = ("funding_rate", "funding_rate_2", "netflow")

IN_SMALL = {
    "a distance or a range as a share of the price, which is not a logarithm": (
        "atr_pct",
        "high_dist",
        "low_dist",
        "cluster_dist_long_atr",
        "cluster_dist_short_atr",
        "touch_",
        "wick_",
    ),
    "US dollars held against coins, whose price is another one upside down": (
        "illiquidity",
        "liq_long_share",
        "liq_short_share",
        "leader_liq_",
        "liq_to_volume",
        "depth_to_",
        "cluster_over_depth",
        "cluster_gain",
    ),
}
"""The same only where moves are small, and why."""

NOT_AT_ALL = {
    "round numbers stand where they are": ("round_",),
    "coins that leave exchanges have no column": ("inflow_",),
    "price is a part of it": ("oi_price_gap",),
}
"""Features that keep to the rule although nothing makes it exact, and why."""


def begins(name, reasons):
    return name.startswith(tuple(start for starts in reasons.values() for start in starts))


def flattened(frame, share):
    """The market with its price moves, as logarithms, times a share."""
    fields = dict(frame.fields)
    for name in ("open", "high", "low", "close", "mark", "index"):
        first = frame.fields["close"][:, :1]
        fields[name] = first * (frame.fields[name] / first) ** share
    return of(frame, fields)


def upside_down(frame):
    """The market in which everything that went up goes down: the price is one over the price."""
    given, fields = frame.fields, dict(frame.fields)
    level = given["close"][:, :1] ** 2
    for name, source in (("open", "open"), ("high", "low"), ("low", "high"), ("close", "close")):
        fields[name] = level / given[source]
    fields["index"] = level / given["index"]
    fields["mark"] = fields["index"] * (2.0 - given["mark"] / given["index"])
    fields["long_short_ratio"] = 1.0 / given["long_short_ratio"]
    for name in NEGATED:
        fields[name] = -given[name]
    swaps = [*SWAPS]
    swaps += [(n, n.replace("long", "short")) for n in given if n.startswith("map_long")]
    for one, other in swaps:
        fields[one], fields[other] = given[other], given[one]
    return of(frame, fields)


def of(frame, fields):
    return MarketFrame(
        symbols=frame.symbols, times=frame.times, bar=frame.bar, fields=fields, ages={}
    )


def table(frame):
    return FeatureBuilder().build(frame).rows()


def gaps(frame):
    """Of every feature, how far the mirrored original is from the market upside down.

    In units of the feature's usual size.
    """
    here, there = table(frame), table(upside_down(frame))
    mirrored = mirror_of(NAMES).turned(here)
    np.testing.assert_array_equal(np.isnan(mirrored), np.isnan(there))
    size = np.nanmean(np.abs(there), axis=0)
    found = np.nanmax(np.abs(mirrored - there), axis=0)
    return dict(zip(NAMES, found / np.where(size > 0, size, 1.0), strict=True))


@pytest.fixture(scope="module")
def frame():
    return MARKETS["synthetic_market"](HOUR, 24 * 70, gaps=0.0)


@pytest.fixture(scope="module")
def as_it_moves(frame):
    return gaps(frame)


@pytest.fixture(scope="module")
def moving_little(frame):
    return gaps(flattened(frame, 1e-4))


@pytest.mark.parametrize("name", NAMES)
def test_a_feature_upside_down_is_its_mirror_image(name, as_it_moves, moving_little):
    if begins(name, IN_SMALL):
        assert moving_little[name] < 0.01
    elif not begins(name, NOT_AT_ALL):
        assert as_it_moves[name] < 1e-6


@pytest.mark.parametrize("reasons", [IN_SMALL, NOT_AT_ALL], ids=["in small", "not at all"])
def test_no_feature_is_excused_that_need_not_be(reasons, as_it_moves):
    for start in (start for starts in reasons.values() for start in starts):
        assert max(gap for name, gap in as_it_moves.items() if name.startswith(start)) > 0.01, start


def test_every_feature_has_a_partner_in_the_catalogue_that_has_it_as_partner():
    for name in NAMES:
        assert partner(name) in NAMES
        assert partner(partner(name)) == name


def test_every_word_of_the_table_is_about_a_feature_there_is():
    for start in (*SIGNED, *SHARES, *NO_SIDE):
        assert any(name.startswith(start) for name in NAMES), start


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(len(NAMES))), seed=st.integers(0, 99))
def test_turned_twice_a_row_is_itself_in_any_order_of_columns(order, seed):
    mirror = mirror_of(tuple(NAMES[k] for k in order))
    X = np.random.default_rng(seed).normal(size=(3, len(NAMES)))
    X[0, ::7] = np.nan

    np.testing.assert_allclose(mirror.turned(mirror.turned(X)), X, atol=1e-12)
    np.testing.assert_array_equal(mirror.given_back(mirror.given_back(X)), X)


def test_numbers_about_a_turned_column_go_to_the_column_it_was():
    mirror = mirror_of(("low_dist_pct_7d", "rv_1d", "high_dist_pct_7d", "basis"))

    np.testing.assert_array_equal(
        mirror.given_back(np.array([[1.0, 2.0, 3.0, 4.0]])), [[3.0, 2.0, 1.0, 4.0]]
    )


def test_a_column_whose_partner_is_not_there_is_missing_when_turned():
    mirror = mirror_of(("touch_low_7d", "funding_positive_share_7d"))

    np.testing.assert_allclose(mirror.turned(np.array([[0.3, 0.2]])), [[np.nan, 0.8]])
    np.testing.assert_array_equal(mirror.given_back(np.array([[5.0, 6.0]])), [[5.0, 6.0]])
