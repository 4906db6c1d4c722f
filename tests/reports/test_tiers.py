import pytest

from liqwarn.decisions import Tier
from liqwarn.reports.tiers import TIER_MEANINGS, flag_sides, tier_number, tier_title


def test_every_tier_has_a_word_and_a_meaning():
    assert len(TIER_MEANINGS) == len(Tier)
    assert [tier_title(t) for t in Tier][::5] == ["T0 normal", "T5 halt"]


@pytest.mark.parametrize("raw", [None, "", "T9", 7, -1, True, 2.0])
def test_an_unreadable_tier_is_never_a_loose_one(raw):
    assert tier_number(raw) == 2


def test_the_strictest_comes_first_and_the_likelier_of_equals(build, scores):
    rows = flag_sides(build["flags"](scores))
    keys = [(-row.tier, -row.probability[4]) for row in rows]

    assert len(rows) == 20
    assert keys == sorted(keys)


def test_a_flag_without_probabilities_is_still_a_row(build, scores):
    flag = build["flags"](scores)[0]
    flag["sides"]["long"] |= {"p_1h": None, "p_4h": None, "p_24h": None}
    row = next(r for r in flag_sides([flag]) if r.side == "long")

    assert row.probability == {1: None, 4: None, 24: None}
