"""The builder: columns in order, any symbols, exact lookback."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.features.builder import FAMILIES, FeatureBuilder, all_features, lookback_of

HOUR = timedelta(hours=1)
BY_NAME = {feature.name: feature for feature in all_features()}
NEEDED_BY_BASELINES = {
    "rv_1h",
    "rv_6h",
    "rv_1d",
    "rv_7d",
    "rv_30d",
    "funding_z_60d",
    "oi_z_7d",
    "oi_change_1h",
    "liq_long_share_1h",
    "liq_short_share_1h",
    "cluster_dist_long_pct",
    "cluster_dist_short_pct",
}


def test_there_are_at_least_a_hundred_features_in_ten_families():
    assert len(BY_NAME) >= 100
    assert {feature.family for feature in BY_NAME.values()} == set(FAMILIES)
    assert len(FAMILIES) == 10


def test_the_columns_that_baselines_rely_on_exist():
    assert set(BY_NAME) >= NEEDED_BY_BASELINES


def test_columns_come_family_by_family():
    families = [feature.family for feature in all_features()]

    assert families == sorted(families, key=FAMILIES.index)


def test_a_build_has_the_axes_of_the_frame(market):
    frame = market(HOUR, 50)
    matrix = FeatureBuilder().build(frame)

    assert matrix.values.shape == (*frame.shape, len(BY_NAME))
    assert matrix.names == tuple(BY_NAME)
    assert matrix.families["rv_1h"] == "market"
    assert matrix.symbols == frame.symbols
    assert matrix.times is frame.times


def test_the_order_of_features_is_the_order_of_columns(market):
    chosen = (BY_NAME["rv_1d"], BY_NAME["leader_return_1h"], BY_NAME["funding_8h"])
    matrix = FeatureBuilder(chosen).build(market(HOUR, 50))

    assert matrix.names == ("rv_1d", "leader_return_1h", "funding_8h")
    assert np.isfinite(matrix.column("leader_return_1h")[:, -1]).all()


def test_symbols_may_be_asked_for_in_any_order(market):
    frame = market(HOUR, 60)
    matrix = FeatureBuilder().build(frame, ("XRPUSDT", "ADAUSDT", "ADAUSDT"))

    assert matrix.symbols == ("ADAUSDT", "XRPUSDT")
    np.testing.assert_array_equal(matrix.values, FeatureBuilder().build(frame).values[[0, 2]])


def test_an_unknown_symbol_is_refused(market):
    with pytest.raises(FrameError, match=r"symbols \['DOGE'\] are not in the frame"):
        FeatureBuilder().build(market(HOUR, 5), ("DOGE",))


def test_features_of_one_name_are_refused():
    with pytest.raises(FrameError, match="are not unique"):
        FeatureBuilder((BY_NAME["rv_1d"], BY_NAME["rv_1d"]))


def test_many_symbols_are_built_in_blocks_to_the_same_bits(market, monkeypatch):
    frame = market(HOUR, 300)
    whole = FeatureBuilder().build(frame).values
    monkeypatch.setattr("liqwarn.features.builder._BLOCK_CELLS", 10)

    np.testing.assert_array_equal(FeatureBuilder().build(frame).values, whole)


@pytest.mark.parametrize(
    ("name", "minutes", "bars"),
    [
        ("funding_8h", 60, 1),
        ("price_return_4h", 60, 5),
        ("price_return_4h", 30, 9),
        ("rv_1d", 60, 2 * 24 + 1),
        ("rv_30d", 60, 2 * 720 + 1),
        ("rv_30d", 30, 2 * (2 * 720 + 1) + 1),
        ("funding_rank_90d", 60, 8 * 2 * 270 + 7),
        ("funding_rank_90d", 240, 2 * 2 * 270 + 1),
        ("inflow_z_24h", 60, 2 * 720 + 2 * 24 - 1),
        ("rv_1h", 240, 2),
    ],
)
def test_lookback_is_what_the_windows_add_up_to(name, minutes, bars):
    assert lookback_of(BY_NAME[name], timedelta(minutes=minutes)) == bars


def test_the_builder_needs_what_its_longest_feature_needs():
    chosen = FeatureBuilder((BY_NAME["rv_1d"], BY_NAME["price_return_4h"]))

    assert chosen.lookback_bars(HOUR) == 49
    assert FeatureBuilder(()).lookback_bars(HOUR) == 1


def test_live_is_batch_bar_by_bar(market):
    """A loop that keeps `lookback_bars` and appends one bar at a time gives the batch's bits."""
    chosen = tuple(
        BY_NAME[name]
        for name in ("rv_1d", "funding_mean_3d", "cluster_skew", "mean_corr_7d", "oi_change_24h")
    )
    builder = FeatureBuilder(chosen)
    need = builder.lookback_bars(HOUR)
    frame = market(HOUR, need + 30)
    whole = builder.build(frame).values
    for at in range(need - 1, need + 29):
        live = builder.build(frame.between(at + 1 - need, at + 1), ("XRPUSDT",)).values
        np.testing.assert_array_equal(live[0, -1], whole[2, at])


def test_a_panel_coarser_than_the_resolution_is_read_on_its_own_bars(column):
    day = timedelta(days=1)
    rising = column("reserve_change_7d", bar=day, first="2024-01-02", reserve=np.arange(1.0, 11.0))

    np.testing.assert_allclose(rising[7:], np.log([8.0, 4.5, 10.0 / 3.0]))
    assert np.isnan(column("rv_6h", bar=day, first="2024-01-02", close=np.arange(1.0, 9.0))).all()
