from datetime import timedelta

import pytest

from liqwarn.decisions import Limits, Tier
from liqwarn.errors import ConfigError
from liqwarn.policy.ladder import parse_policy


def _put(raw, path, value):
    *way, last = path.split(".")
    for key in way:
        raw = raw[key]
    if value is None:
        raw.pop(last)
    else:
        raw[last] = value


def test_the_shipped_policy_is_the_ladder_of_the_page(policy):
    rows = [
        (r.enter.quantile, r.enter.base_multiple, r.exit_quantile, r.dwell / timedelta(minutes=1))
        for r in policy.tiers[1:5]
    ]
    assert rows == [
        (0.9, 2, 0.85, 15),
        (0.95, 4, 0.9, 30),
        (0.98, 8, 0.95, 60),
        (0.995, 15, 0.98, 120),
    ]
    assert policy.tiers[4].quiet == timedelta(minutes=30)
    assert policy.tiers[4].block_opposite_adds == timedelta(minutes=15)
    assert (policy.expired_tier, policy.expired_later_tier) == (Tier.T2, Tier.T3)
    assert policy.expired_after == timedelta(minutes=60)
    assert policy.max_transitions_per_day == 6
    assert policy.max_loosening == timedelta(hours=4)
    assert policy.tiers[2].threatened.leverage_frac == 0.5
    assert policy.tiers[2].threatened.max_participation_frac == 0.05
    assert policy.tiers[2].other.leverage_frac == 0.75
    assert policy.tiers[4].threatened.collar_frac == 0.01
    assert policy.tiers[0].threatened == Limits()
    assert policy.stamp.version == "1.0.0"
    assert len(policy.stamp.sha256) == 64


def test_no_tier_sets_a_size_to_zero_that_could_be_read_as_no_reducing(policy):
    for rung in policy.tiers:
        for limits in (rung.threatened, rung.other):
            assert limits.leverage_frac > 0
            assert limits.order_size_frac > 0


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("schema", "liqwarn.policy/2", "schema: found 'liqwarn.policy/2'"),
        ("version", "one", "version: found 'one'"),
        ("expired.tier", "T9", "expired.tier: found 'T9'. expected one of T0, T1"),
        ("expired.tier", "T1", "expired.tier is T1, expected T2 or higher"),
        ("expired.later_tier", "T5", "expired.later_tier is T5, which only"),
        ("degraded.tier", "T0", "degraded.tier is T0, expected T2 or higher"),
        ("cascade.tier", "T3", "cascade.tier is T3, expected T4 or higher"),
        ("book.whole_book.tier", "T5", "book.whole_book.tier is T5"),
        ("book.company.tier", "T1", "book.company.tier is T1, expected T2 or higher"),
        ("manual.max_loosening_hours", 5, "manual.max_loosening_hours: found 5"),
        ("max_transitions_per_day", 0, "max_transitions_per_day: found 0"),
        ("validity", None, "validity: missing"),
        ("tiers.T3", None, "tiers.T3: missing"),
        ("tiers.T2.dwell_minutes", -1, "tiers.T2.dwell_minutes: found -1"),
        ("tiers.T2.dwel_minutes", 1, "tiers.T2.dwel_minutes: unknown key, did you mean 'dwell_min"),
        ("tires", {}, "tires: unknown key, did you mean 'tiers'"),
        ("tiers.T2.enter.xyz", 1, "xyz: unknown key, expected one of quantile, base_multiple"),
        ("tiers.T1.threatened.leverage", 0.5, "unknown key, did you mean 'leverage_frac'"),
        ("tiers.T3.enter.quantile", 0.95, "T3.enter.quantile is 0.95, expected above T2's 0.95"),
        ("tiers.T3.enter.base_multiple", 3, "T3.enter.base_multiple is 3.0, expected above T2's"),
        ("tiers.T2.exit_quantile", 0.95, "T2.exit_quantile is 0.95, expected below its enter"),
        ("tiers.T2.exit_quantile", 0.8, "T2.exit_quantile is 0.8, expected above T1's 0.85"),
        ("tiers.T2.exit_quantile", None, "tiers.T2 lacks enter or exit_quantile"),
        ("tiers.T5.exit_quantile", 0.9, "tiers.T5 has an enter or exit, expected none"),
        ("tiers.T0.threatened", {"leverage_frac": 0.9}, "tiers.T0.threatened has limits"),
        ("tiers.T3.threatened", {"post_only": True}, "tiers.T3.threatened is looser than T2's"),
        ("tiers.T4.other", {"leverage_frac": 0.8}, "tiers.T4.other is looser than T3's"),
        ("tiers.T2.enter.quantile", float("nan"), "tiers.T2.enter.quantile: found nan"),
        ("tiers.T2.threatened.leverage_frac", 1.5, "leverage_frac: found 1.5"),
        ("tiers.T2.threatened.net_increase", "no", "net_increase: found 'no'"),
    ],
)
def test_a_fault_is_named(raw_policy, path, value, message):
    raw = raw_policy()
    _put(raw, path, value)
    with pytest.raises(ConfigError, match="policy has") as caught:
        parse_policy(raw, sha256="")
    assert message in str(caught.value)


def test_all_faults_come_at_once(raw_policy):
    raw = raw_policy()
    raw["extra"] = 1
    raw["degraded"]["tier"] = "T1"
    raw["tiers"]["T3"]["enter"]["quantile"] = 0.9
    raw["tiers"]["T4"]["other"] = {}
    with pytest.raises(ConfigError, match="policy has 5 faults") as caught:
        parse_policy(raw, sha256="")
    assert len(str(caught.value).splitlines()) == 6


@pytest.mark.parametrize("raw", [None, [], "T0", {"tiers": 3}])
def test_what_is_no_policy_at_all_is_a_config_error(raw):
    with pytest.raises(ConfigError, match="policy has"):
        parse_policy(raw, sha256="")


def test_validity_counts_from_the_bars_close(policy, start):
    assert policy.valid_until(start, timedelta(hours=1)) == start + timedelta(minutes=70)
