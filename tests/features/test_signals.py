"""What a signal is, and that every feature is in exactly one group."""

import pytest

from liqwarn.errors import FrameError
from liqwarn.features.builder import all_features
from liqwarn.features.signals import (
    GROUP_TITLES,
    GROUPS,
    Shown,
    Signal,
    Words,
    group_of,
    mirrored,
)

CALM = Words("a high one", "a low one")


def made(**changes):
    parts = {
        "group": "depth",
        "key": "depth",
        "column": "depth_to_oi",
        "title": "Depth",
        "raises": (-1, -1),
        "words": CALM,
        "shown": Shown(),
    }
    return Signal(**(parts | changes))


def test_every_feature_is_in_a_group_and_every_group_has_features():
    found = {feature.name: group_of(feature.name, feature.family) for feature in all_features()}

    assert set(found.values()) == set(GROUPS) == set(GROUP_TITLES)
    assert found["long_short_z_30d"] == "leverage"
    assert found["basis_z_7d"] == "funding"
    assert found["taker_imbalance_1h"] == "flows"
    assert found["illiquidity_24h"] == "depth"
    assert found["high_dist_pct_7d"] == "clusters"
    assert found["leader_rv_1d"] == "contagion"
    assert found["rv_7d"] == "volatility"


def test_a_family_without_a_group_is_named():
    with pytest.raises(FrameError, match="feature 'x' is of family 'weather', expected one of"):
        group_of("x", "weather")


@pytest.mark.parametrize(
    ("side", "column", "title"),
    [("long", "low_dist_pct_7d", "Week's low"), ("short", "high_dist_pct_7d", "Week's high")],
)
def test_a_signal_is_mirrored_by_side(side, column, title):
    signal = made(column="{extreme}_dist_pct_7d", title="Week's {extreme}", raises=(-1, 0))

    assert (signal.column_of(side), signal.title_of(side)) == (column, title)
    assert signal.expected(side) == {"long": -1, "short": 0}[side]


def test_a_value_stays_in_the_words_until_it_is_known():
    assert mirrored("a cluster {value} {where}", "short") == "a cluster {value} above"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": "weather"}, "signal 'depth' is in group 'weather'"),
        ({"raises": (2, 0)}, r"signal 'depth' raises \(2, 0\), expected -1, 0 or 1"),
        ({"title": "Depth {here}"}, "signal 'depth' has an unknown word in 'Depth {here}'"),
        ({"words": Words("a {b}", "c")}, "signal 'depth' has an unknown word in 'a {b}'"),
    ],
)
def test_what_cannot_be_shown_is_refused(change, message):
    with pytest.raises(FrameError, match=message):
        made(**change)
