"""Single rules of the breaker; what holds for all histories is in test_breaker_laws.py."""

from datetime import timedelta

import pytest

from liqwarn.decisions import Tier
from liqwarn.errors import PolicyError
from liqwarn.policy.breaker import Floor, step
from liqwarn.policy.position import Rule, first_position

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def run(policy, make_score, make_position):
    """Step through (minutes since the start, score keywords); the last position comes back."""

    def run(*steps, position=None, score_age=timedelta(0), **step_options):
        position = position or make_position()
        for minutes, given in steps:
            now = make_position().own.since + minutes * MINUTE
            score = make_score(now - score_age, **given)
            position, _ = step(position, score, now, policy, **step_options)
        return position

    return run


CALM = {"multiple": 0.5, "quantile": 0.3}
T1 = {"multiple": 2, "quantile": 0.90}
T2 = {"multiple": 4, "quantile": 0.95}
T3 = {"multiple": 8, "quantile": 0.98}
T4 = {"multiple": 15, "quantile": 0.995}
CASCADE = {**CALM, "in_progress": True}
# from the start's T2 down to T0
SETTLED = [(60, CALM), (120, CALM), (180, CALM)]


def test_a_side_starts_as_expired(make_position, start, policy):
    position = make_position()
    assert (position.tier, position.rule) == (Tier.T2, Rule.START)
    with pytest.raises(PolicyError, match="without a timezone"):
        first_position("BTC", "long", start.replace(tzinfo=None), bar=HOUR, policy=policy)


def test_calm_relaxes_the_start_step_by_step(run):
    tiers = [run(*SETTLED[:n]).tier for n in range(1, 4)]
    assert tiers == [Tier.T1, Tier.T0, Tier.T0]
    assert run(*SETTLED).rule is Rule.CALM


@pytest.mark.parametrize(
    ("given", "tier", "rule"),
    [
        (CALM, Tier.T0, Rule.CALM),
        (T1, Tier.T1, Rule.SCORE),
        (T2, Tier.T2, Rule.SCORE),
        (T3, Tier.T3, Rule.SCORE),
        (T4, Tier.T4, Rule.SCORE),
        ({"multiple": 15, "quantile": 0.97}, Tier.T2, Rule.SCORE),
        ({"multiple": 1.9, "quantile": 1.0}, Tier.T0, Rule.CALM),
        (CASCADE, Tier.T4, Rule.CASCADE),
        ({**CALM, "quality": "degraded"}, Tier.T2, Rule.QUALITY),
        ({**T3, "quality": "degraded"}, Tier.T3, Rule.SCORE),
        ({**CALM, "quality": "stale"}, Tier.T2, Rule.EXPIRED),
        ({**CALM, "quality": "unknown"}, Tier.T2, Rule.EXPIRED),
        ({**T4, "quality": "stale"}, Tier.T4, Rule.SCORE),
        ({**CALM, "probability": {}}, Tier.T2, Rule.EXPIRED),
        ({**CALM, "probability": {}, "in_progress": True}, Tier.T4, Rule.CASCADE),
        ({**CALM, "quantile": None}, Tier.T2, Rule.QUALITY),
        ({**CALM, "multiple": 9, "quantile": None}, Tier.T3, Rule.SCORE),
        ({**T1, "base_rate": float("nan")}, Tier.T1, Rule.SCORE),
    ],
)
def test_from_calm_every_rule_acts_at_once(run, given, tier, rule):
    position = run(*SETTLED, (240, given))
    assert (position.tier, position.rule) == (tier, rule)


def test_an_old_score_is_as_none(run):
    position = run(*SETTLED, (240, CALM))
    assert run((250, CALM), position=position, score_age=69 * MINUTE).tier is Tier.T0
    old = run((250, CALM), position=position, score_age=70 * MINUTE)
    assert (old.tier, old.rule) == (Tier.T2, Rule.EXPIRED)
    assert run((250, CALM), position=position, score_age=130 * MINUTE).tier is Tier.T3


def test_a_score_of_a_bar_that_has_not_closed_is_as_none(run):
    position = run(*SETTLED, (240, CALM))
    assert run((250, CALM), position=position, score_age=timedelta(0)).expired_since is None
    for ahead in (timedelta(seconds=1), HOUR, timedelta(days=365)):
        early = run((250, CALM), position=position, score_age=-ahead)
        assert (early.tier, early.rule) == (Tier.T2, Rule.EXPIRED)
        assert run((310, CALM), position=early, score_age=-ahead).tier is Tier.T3


def test_without_a_score_t2_then_t3_after_an_hour_and_never_t5(run):
    nothing = {**CALM, "probability": {}}
    assert run(*SETTLED, (240, nothing), (299, nothing)).tier is Tier.T2
    assert run(*SETTLED, (240, nothing), (300, nothing)).tier is Tier.T3
    days = [(240 + 60 * hour, nothing) for hour in range(200)]
    assert run(*SETTLED, *days).tier is Tier.T3
    assert run((60, T4), (61, nothing), (60 * 99, nothing)).tier is Tier.T4


def test_hysteresis_holds_between_exit_and_enter(run):
    between = {"multiple": 1, "quantile": 0.87}
    held = run(*SETTLED, (240, T1), (300, between), (900, between))
    assert (held.tier, held.rule) == (Tier.T1, Rule.EXIT)
    assert run((901, {"multiple": 1, "quantile": 0.84}), position=held).tier is Tier.T0


def test_the_stay_counts_from_the_last_reason(run):
    held = run(*SETTLED, (240, T3), (290, T3), (349, CALM))
    assert (held.tier, held.rule) == (Tier.T3, Rule.DWELL)
    relaxed = run((350, CALM), position=held)
    assert (relaxed.tier, relaxed.rule) == (Tier.T2, Rule.RELAXED)


def test_t4_waits_for_quiet(run):
    hot = run(*SETTLED, (240, CASCADE))
    unknown = {**CALM, "probability": {}}
    late = run((241, CALM), (350, unknown), (351, CALM), (375, CALM), position=hot)
    assert (late.tier, late.rule) == (Tier.T4, Rule.EXIT)
    assert run((381, CALM), position=late).tier is Tier.T3
    assert run((241, CALM), (359, CALM), position=hot).rule is Rule.DWELL
    assert run((241, CALM), (360, CALM), position=hot).tier is Tier.T3


def test_after_the_daily_cap_the_higher_tier_holds_until_midnight(run, policy):
    position = run(*SETTLED)
    for n in range(4):
        position = run((240 + 60 * n, T1), (270 + 60 * n, CALM), position=position)
    assert (position.tier, position.rule) == (Tier.T1, Rule.DAILY_CAP)
    assert position.transitions >= policy.max_transitions_per_day
    assert run((600, T4), position=position).tier is Tier.T4
    assert run((1439, CALM), position=position).tier is Tier.T1
    assert run((1440, CALM), position=position).tier is Tier.T0


def test_the_cap_counts_the_other_side(run):
    position = run(*SETTLED, (240, T1))
    assert run((300, CALM), position=position, spent=2).tier is Tier.T0
    assert run((300, CALM), position=position, spent=3).tier is Tier.T1


def test_the_book_can_only_raise(run):
    book = Floor(Tier.T2, Rule.BOOK)
    assert run(*SETTLED, (240, CALM), book=book).rule is Rule.BOOK
    assert run(*SETTLED, (240, T3), book=book).tier is Tier.T3


def test_what_the_book_imposed_is_not_the_sides_own(run):
    assert run(*SETTLED, (240, CALM), book=Floor(Tier.T3, Rule.COMPANY)).own.tier is Tier.T0


def test_the_sequence_grows_even_when_the_clock_goes_back(run):
    late = run((600, CALM))
    early = run((10, CALM), position=late)
    assert early.sequence == late.sequence + 1
    assert early.tier >= late.tier
    assert run((60, CALM)).sequence == int((run((60, CALM)).own.since + 60 * MINUTE).timestamp())


def test_a_clock_that_jumps_back_a_day_keeps_the_count(run):
    position = run((1500, T1), (1560, CALM))
    again = run((30, T2), position=position)
    assert again.day == position.day
    assert again.transitions == position.transitions + 1
