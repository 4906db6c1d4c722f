import dataclasses
import itertools
import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqwarn.liquidation.ledger import Ledger
from liqwarn.reports.map_export import (
    bin_centres,
    heat_map_table,
    heaviest_clusters,
    profile_dict,
    profile_table,
)

maps = runpy.run_path(str(Path(__file__).with_name("synthetic_maps.py")))


@pytest.fixture(scope="module")
def heat_map():
    return maps["simulate"](n_times=60, n_bins=80)


@pytest.fixture(scope="module")
def profile(heat_map):
    return maps["last_profile"](heat_map)


def test_the_table_sums_to_the_map(heat_map):
    table = heat_map_table(heat_map)
    centres = bin_centres(heat_map.edges)

    assert table["long_coins"].sum() == pytest.approx(heat_map.long.sum(), rel=1e-12)
    assert table["short_coins"].sum() == pytest.approx(heat_map.short.sum(), rel=1e-12)
    assert table["long_usd"].sum() == pytest.approx((heat_map.long @ centres).sum(), rel=1e-12)
    assert table["short_usd"].sum() == pytest.approx((heat_map.short @ centres).sum(), rel=1e-12)


def test_empty_bins_have_no_row_and_unknown_ones_do():
    table = heat_map_table(maps["small"]())

    assert list(table.columns) == [
        "time", "price_low", "price_high", "long_coins", "short_coins", "long_usd", "short_usd",
    ]  # fmt: skip
    assert len(table) == 4 + 3 + 3
    unknown = table[table["long_coins"].isna()]
    assert unknown["time"].tolist() == [pd.Timestamp("2024-01-01T02", tz="UTC")]
    assert unknown[["price_low", "price_high"]].to_numpy().tolist() == [[90.0, 100.0]]


def test_a_bin_with_one_side_unknown_has_a_row():
    heat_map = maps["small"](unknown=False)
    long = heat_map.long.copy()
    long[1, 1] = np.nan  # its shorts are 0
    row = heat_map_table(dataclasses.replace(heat_map, long=long)).query("long_coins.isna()")

    assert row[["price_low", "short_coins"]].to_numpy().tolist() == [[90.0, 0.0]]


def test_a_coin_is_worth_the_price_that_liquidates_it():
    row = heat_map_table(maps["small"]()).iloc[0]

    assert row["long_usd"] == pytest.approx(3.0 * np.sqrt(80.0 * 90.0))
    assert row["time"] == pd.Timestamp("2024-01-01T01", tz="UTC")


def test_the_profile_table_sums_to_the_profile(profile):
    table = profile_table(profile)

    for side in ("long", "short"):
        coins = getattr(profile, side)
        assert table[f"{side}_coins"].sum() == pytest.approx(coins.sum(), rel=1e-12)
        assert table[f"{side}_usd"].sum() == pytest.approx(coins @ profile.prices, rel=1e-12)
        band = getattr(profile, f"{side}_band").sum(axis=1)
        assert table[[f"{side}_low", f"{side}_high"]].sum().tolist() == pytest.approx(band)
    assert (table.loc[table["long_coins"] > 0, "distance_pct"] < 0.5).all()
    assert table["price"].is_monotonic_increasing


def test_a_bin_with_a_band_alone_is_kept(profile):
    nothing = np.zeros_like(profile.long)
    high = nothing.copy()
    high[7] = 2.0
    some = dataclasses.replace(
        profile,
        long=nothing,
        short=nothing,
        long_band=np.stack([nothing, high]),
        short_band=np.stack([nothing, nothing]),
    )

    assert profile_table(some)["price"].tolist() == [profile.prices[7]]


def test_the_dict_is_json_and_says_what_the_profile_says(profile):
    data = json.loads(json.dumps(profile_dict(profile, clusters=3), allow_nan=False))

    assert data["schema"] == "liqwarn.map_profile/1"
    assert data["symbol"] == "BTCUSDT"
    assert data["as_of"] == "2024-05-03T12:00:00Z"
    assert data["price"] == profile.price
    assert data["open_interest"] == profile.open_interest
    assert sum(row["long_coins"] for row in data["bins"]) == pytest.approx(profile.long.sum())
    assert data["totals"]["short_usd"] == pytest.approx(profile.short @ profile.prices)
    assert data["totals"]["long_share_of_open_interest"] == pytest.approx(
        profile.long.sum() / profile.open_interest
    )
    assert len(data["clusters"]["long"]) == 3
    assert set(data["bins"][0]) == {
        "price", "distance_pct", "long_coins", "long_usd", "long_low", "long_high",
        "short_coins", "short_usd", "short_low", "short_high",
    }  # fmt: skip


def test_what_is_unknown_is_null(profile):
    unknown = np.full_like(profile.long, np.nan)
    data = profile_dict(
        dataclasses.replace(profile, long=unknown, long_band=np.stack([unknown, unknown]))
    )

    assert json.loads(json.dumps(data, allow_nan=False))["bins"][0]["long_coins"] is None
    assert data["totals"]["long_coins"] is None
    assert data["clusters"]["long"] == []
    assert data["clusters"]["short"] != []


def test_an_empty_map_gives_empty_tables(profile):
    nothing, bands = np.zeros_like(profile.long), np.zeros_like(profile.long_band)
    empty = dataclasses.replace(
        profile, long=nothing, short=nothing, long_band=bands, short_band=bands, open_interest=0.0
    )

    assert profile_table(empty).empty
    assert profile_dict(empty)["totals"]["long_share_of_open_interest"] is None
    assert profile_dict(empty)["clusters"] == {"long": [], "short": []}


@pytest.mark.parametrize("side", ["long", "short"])
def test_clusters_come_heaviest_first_and_never_share_a_bin(profile, side):
    found = heaviest_clusters(profile, side, 1_000)
    spans = sorted((c.low, c.high) for c in found)

    assert [c.usd for c in found] == sorted((c.usd for c in found), reverse=True)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))
    assert sum(c.coins for c in found) <= getattr(profile, side).sum() * (1 + 1e-12)
    assert all(c.low <= c.price * (1 + 1e-12) and c.price <= c.high * (1 + 1e-12) for c in found)
    assert heaviest_clusters(profile, side, 2) == found[:2]


def test_a_cluster_is_one_percent_wide_at_most(profile):
    found = heaviest_clusters(profile, "long", 20)

    assert len(found) > 5
    assert all(c.high <= c.low * 1.01 for c in found)


def test_no_percent_of_price_holds_more_than_the_first_cluster(profile):
    usd = profile.long * profile.prices
    best = max(
        usd[(profile.prices >= p) & (profile.prices <= p * 1.01)].sum() for p in profile.prices
    )

    assert heaviest_clusters(profile, "long", 1)[0].usd == pytest.approx(best, rel=1e-9)


def test_the_dict_carries_what_the_map_has_seen_and_missed(profile):
    ledger = Ledger(bars=100, unknown=7, rescaled=1, age_bars=93)

    told = profile_dict(dataclasses.replace(profile, ledger=ledger))["ledger"]
    assert {name: count for name, count in told.items() if count} == {
        "bars": 100,
        "unknown": 7,
        "rescaled": 1,
        "age_bars": 93,
    }
    assert profile_dict(profile)["ledger"] is None
