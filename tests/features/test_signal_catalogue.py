"""The catalogue of signals: true to the features, whole, and the page made from it."""

from collections import Counter
from pathlib import Path

import pytest

from liqwarn.features.builder import all_features
from liqwarn.features.signal_catalogue import SIGNALS, signals_markdown
from liqwarn.features.signals import GROUPS, group_of
from liqwarn.frames import SIDES

PAGE = Path(__file__).parents[2] / "docs" / "signals.md"
MAKE = (
    "the list in docs/signals.md is stale; replace everything from '## The signals' on by "
    "liqwarn.features.signal_catalogue.signals_markdown()"
)
FAMILIES = {feature.name: feature.family for feature in all_features()}


def test_the_page_ends_with_what_the_catalogue_says():
    assert PAGE.read_text(encoding="utf-8").endswith("\n" + signals_markdown()), MAKE


def test_there_are_more_than_27_signals_and_some_in_every_group():
    counts = Counter(signal.group for signal in SIGNALS)

    assert len(SIGNALS) >= 40  # a panel that lacks a source or two still shows 27
    assert set(counts) == set(GROUPS)
    assert min(counts.values()) >= 2


def test_keys_are_unique_and_groups_stand_together():
    groups = [signal.group for signal in SIGNALS]

    assert len({signal.key for signal in SIGNALS}) == len(SIGNALS)
    assert groups == sorted(groups, key=GROUPS.index)


@pytest.mark.parametrize("side", SIDES)
def test_each_signal_shows_a_feature_of_its_own_group_no_other_shows(side):
    columns = [signal.column_of(side) for signal in SIGNALS]

    assert len(set(columns)) == len(columns)
    for signal, column in zip(SIGNALS, columns, strict=True):
        assert group_of(column, FAMILIES[column]) == signal.group, column


def test_what_is_mirrored_threatens_both_sides_alike():
    for signal in SIGNALS:
        if signal.column_of("long") != signal.column_of("short"):
            assert signal.raises[0] == signal.raises[1], signal.key


def test_no_column_of_one_side_is_shown_to_the_other():
    for side, other in (SIDES, SIDES[::-1]):
        for signal in SIGNALS:
            assert f"_{other}_" not in signal.column_of(side).replace("long_short", "")


def test_the_signs_the_mechanism_is_sure_of():
    raises = {signal.key: signal.raises for signal in SIGNALS}

    assert raises["funding_rate"] == (1, -1)  # longs pay, longs are crowded
    assert raises["cluster_distance"] == (-1, -1)
    assert raises["depth"] == (-1, -1)
    assert raises["volatility_day"] == raises["oi_month"] == (1, 1)
    assert raises["leader"] == (-1, 1)
