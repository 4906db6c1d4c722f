"""What holds for every history, and broken breakers that these laws must reject.

A breaker under test is a function like :func:`liqwarn.policy.breaker.step`. Each law draws
histories and walks them; each mutant is a breaker with one fault, and names the law that must find
it. ``LAWS`` times the real breaker and the mutants is the table in docs/policy.md.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from liqwarn.decisions import RiskScore, Tier, TradingState
from liqwarn.policy.audit_record import position_from_dict, position_to_dict
from liqwarn.policy.breaker import step
from liqwarn.policy.limits import at_least_as_strict
from liqwarn.policy.position import Hold, Rule, first_position

START = datetime(2024, 8, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SETTINGS = settings(
    max_examples=250,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
# the page's ladder, written once more: the tests must not read it from what they test
ENTER = {Tier.T1: (0.90, 2), Tier.T2: (0.95, 4), Tier.T3: (0.98, 8), Tier.T4: (0.995, 15)}
EXIT = {Tier.T1: 0.85, Tier.T2: 0.90, Tier.T3: 0.95, Tier.T4: 0.98}
DWELL = {Tier.T1: 15, Tier.T2: 30, Tier.T3: 60, Tier.T4: 120}
QUALITY = ("ok", "degraded", "stale", "unknown")


@dataclass(frozen=True)
class Moment:
    after: int  # minutes since the moment before
    quantile: float | None
    multiple: float
    running: bool = False
    quality: str = "ok"
    missing: bool = False
    age: int = 0  # minutes

    def score(self, now):
        p = min(0.01 * self.multiple, 1.0)
        return RiskScore(
            symbol="BTC",
            side="long",
            as_of=now - self.age * MINUTE,
            probability={} if self.missing else {1: p / 2, 4: p, 24: p},
            quantile=self.quantile,
            base_rate=0.01,
            drivers=(),
            in_progress=self.running,
            quality=self.quality,
        )

    @property
    def enters(self):
        """The tier that this moment alone asks for."""
        floors = [Tier.T4] if self.running else [Tier.T0]
        if not self.missing:
            q = 1.0 if self.quantile is None else self.quantile
            floors += [
                tier
                for tier, (enter, multiple) in ENTER.items()
                if q >= enter and min(0.01 * self.multiple, 1.0) >= multiple * 0.01
            ]
        if self.expired or self.quality == "degraded" or self.quantile is None:
            floors.append(Tier.T2)
        return max(floors)

    @property
    def expired(self):
        return self.missing or self.quality in ("stale", "unknown") or self.age >= 70


QUANTILES = st.sampled_from([0.0, 0.5, 0.84, 0.86, 0.89, 0.91, 0.94, 0.96, 0.97, 0.985, 0.99, 1.0])
CLEAN = st.builds(
    Moment,
    after=st.sampled_from([1, 10, 15, 20, 30, 45, 60, 120]),
    quantile=QUANTILES,
    multiple=st.sampled_from([0.5, 2.5, 5, 9, 20]),
)
ANY = st.builds(
    Moment,
    after=st.sampled_from([1, 10, 15, 20, 30, 45, 60, 120]),
    quantile=st.none() | QUANTILES,
    multiple=st.sampled_from([0.5, 0.5, 2.5, 5, 9, 20]),
    running=st.sampled_from([False] * 7 + [True]),
    quality=st.sampled_from(["ok"] * 5 + list(QUALITY)),
    missing=st.sampled_from([False] * 7 + [True]),
    age=st.sampled_from([0] * 5 + [30, 69, 70, 200]),
)
CALM = Moment(after=60, quantile=0.3, multiple=0.5)
QUIET = st.builds(
    Moment,
    after=st.sampled_from([10, 20, 45, 60, 90]),
    quantile=st.sampled_from([0.3, 0.3, 0.94, 0.97]),
    multiple=st.just(0.5),
    quality=st.sampled_from(["ok"] * 5 + ["degraded", "stale"]),
)
CAUTION = replace(CALM, quantile=0.96, multiple=5)
# worlds that chance seldom draws: a stay that began earlier with the same last reason; silence
# at the end of a stay at T4
EARLIER = [
    (CALM, 0.96, 10),
    (replace(CAUTION, after=20), 0.0, 1),
    (replace(CALM, after=20), 0.0, 1),
]
SILENCE = [CALM, replace(CALM, running=True), replace(CALM, after=110, missing=True)]


def stretches(*parts):
    """Tuples of `parts`, drawn in stretches, after a calm start or none: worlds last a while."""
    drawn = st.lists(st.tuples(st.tuples(*parts), st.integers(1, 4)), min_size=1, max_size=10)
    return drawn.map(lambda runs: [part for part, times in runs for _ in range(times)])


def after_calm(path):
    return st.booleans().flatmap(lambda calm: path.map(lambda p: [CALM] * 3 * calm + p))


MOMENTS = st.one_of(QUIET, CLEAN, ANY)
ANY_PATHS = after_calm(stretches(MOMENTS).map(lambda rows: [moment for (moment,) in rows]))
WORSE_QUALITY = st.sampled_from(["ok", "ok", *QUALITY])
HIGHER = st.sampled_from([0.0, 0.0, 0.87, 0.96, 0.985, 1.0])


def walk(breaker, policy, path, position=None):
    """[(now, moment, before, after, restriction), ...]"""
    position = position or first_position("BTC", "long", START, bar=HOUR, policy=policy)
    now, steps = position.own.since, []
    for moment in path:
        now += moment.after * MINUTE
        after, restriction = breaker(position, moment.score(now), now, policy)
        steps.append((now, moment, position, after, restriction))
        position = after
    return steps


def uncapped(policy):
    return replace(policy, max_transitions_per_day=10**9)


def no_looser(breaker, policy, pairs):
    """The second of each pair of moments is the worse one: its tier is never lower."""
    calm = [CALM] * 3
    better = walk(breaker, policy, calm + [a for a, _ in pairs])
    worse = walk(breaker, policy, calm + [b for _, b in pairs])
    for (now, _, _, a, _), (_, _, _, b, _) in zip(better, worse, strict=True):
        assert b.tier >= a.tier, f"{b.tier.name} < {a.tier.name} at {now}"


def law_escalates_at_once(breaker, policy):
    @SETTINGS
    @given(ANY_PATHS)
    def law(path):
        for _, moment, _, after, _ in walk(breaker, policy, path):
            assert after.tier >= moment.enters

    law()


def law_rises_for_a_reason_only(breaker, policy):
    @SETTINGS
    @given(ANY_PATHS)
    def law(path):
        late = Tier.T3  # what lasting expiry may ask for
        for _, moment, before, after, _ in walk(breaker, policy, path):
            if after.tier > before.tier:
                assert after.tier <= max(moment.enters, late if moment.expired else Tier.T0)

    law()


def law_relaxes_one_step_at_a_time(breaker, policy):
    @SETTINGS
    @given(ANY_PATHS)
    def law(path):
        for _, _, before, after, _ in walk(breaker, policy, path):
            assert after.tier >= before.tier - 1

    law()


def law_relaxes_below_exit_after_dwell_and_quiet(breaker, policy):
    @SETTINGS
    @example([*SILENCE, replace(CALM, after=15), replace(CALM, after=10)])
    @given(ANY_PATHS)
    def law(path):
        reason = quiet = START  # last reason for the tier held; since when quiet
        for now, moment, before, after, _ in walk(breaker, policy, path):
            if moment.running or moment.expired:
                quiet = now
            if after.tier < before.tier:
                tier = before.tier
                assert not moment.expired
                assert moment.quantile is not None
                assert moment.quantile < EXIT[tier]
                assert now - reason >= DWELL[tier] * MINUTE
                assert tier is not Tier.T4 or now - quiet >= 30 * MINUTE
            if after.tier != before.tier or moment.enters >= after.tier:
                reason = now

    law()


def raised(moment, least, times=1):
    quantile = None if moment.quantile is None else max(moment.quantile, least)
    return replace(moment, quantile=quantile, multiple=moment.multiple * times)


def law_higher_scores_are_never_looser(breaker, policy):
    @SETTINGS
    @example(EARLIER)
    @given(stretches(MOMENTS, HIGHER, st.sampled_from([1, 2, 10])))
    def law(drawn):
        no_looser(breaker, uncapped(policy), [(m, raised(m, q, times)) for m, q, times in drawn])

    law()


def law_worse_quality_is_never_looser(breaker, policy):
    @SETTINGS
    @given(stretches(MOMENTS, WORSE_QUALITY))
    def law(drawn):
        pairs = [
            (m, replace(m, quality=max(m.quality, worse, key=QUALITY.index))) for m, worse in drawn
        ]
        no_looser(breaker, uncapped(policy), pairs)

    law()


def law_older_data_is_never_looser(breaker, policy):
    @SETTINGS
    @given(stretches(MOMENTS, st.sampled_from([0, 0, 40, 400])))
    def law(drawn):
        no_looser(breaker, uncapped(policy), [(m, replace(m, age=m.age + add)) for m, add in drawn])

    law()


def law_one_step_is_monotone_from_anywhere(breaker, policy):
    """With the daily cap, too: from one position the worse score never ends lower."""

    @SETTINGS
    @given(ANY_PATHS, MOMENTS, HIGHER, WORSE_QUALITY, st.sampled_from([0, 0, 40, 400]))
    def law(path, last, higher, quality, age):
        position = walk(breaker, policy, path)[-1][3]
        now = position.own.since + timedelta(days=1)
        worse = replace(
            raised(last, higher),
            quality=max(last.quality, quality, key=QUALITY.index),
            age=last.age + age,
        )
        (a, _), (b, _) = (breaker(position, m.score(now), now, policy) for m in (last, worse))
        assert b.tier >= a.tier

    law()


def law_expired_is_never_calm_never_relaxes_never_halts(breaker, policy):
    @SETTINGS
    @given(ANY_PATHS)
    def law(path):
        since = START
        for now, moment, before, after, restriction in walk(breaker, policy, path):
            since = (
                min(since or now, now - max(moment.age - 70, 0) * MINUTE)
                if moment.expired
                else None
            )
            if moment.expired:
                assert after.tier >= max(before.tier, Tier.T2)
                assert after.tier >= Tier.T3 or now - since < HOUR
                assert after.tier < Tier.T5
                assert restriction.state is TradingState.REDUCING

    law()


def law_no_chatter(breaker, policy):
    """On noise: the day's cap, then only up; and no tier is left sooner than its stay."""

    @SETTINGS
    @given(st.lists(CLEAN, min_size=25, max_size=60))
    def law(path):
        changes = {}
        for now, _, before, after, _ in walk(breaker, policy, path):
            if after.tier != before.tier:
                day = changes.setdefault(now.date(), [])
                day.append(after.tier > before.tier)
        for day in changes.values():
            assert all(day[6:]), "relaxed after six changes"
            assert len(day) <= 6 + 5

    law()


def law_replay_is_identical(breaker, policy):
    """Twice the same; and the same when carried on from a written position, cut anywhere."""

    @SETTINGS
    @given(ANY_PATHS, st.data())
    def law(path, data):
        whole = walk(breaker, policy, path)
        assert [s[3:] for s in walk(breaker, policy, path)] == [s[3:] for s in whole]
        cut = data.draw(st.integers(0, len(path) - 1))
        position = position_from_dict(position_to_dict(whole[cut][2]))
        for now, moment, _, after, restriction in whole[cut:]:
            position, again = breaker(position, moment.score(now), now, policy)
            assert (position, again) == (after, restriction)

    law()


def law_restrictions_tighten_with_the_tier(breaker, policy):
    """And nothing ever bars reducing: HALTED is an operator's, sizes stay above zero."""

    @SETTINGS
    @given(ANY_PATHS)
    def law(path):
        by_tier = {}
        for _, moment, _, after, restriction in walk(breaker, policy, path):
            assert restriction.state is not TradingState.HALTED
            assert restriction.limits.order_size_frac > 0
            if not moment.expired:
                by_tier[after.tier] = restriction.limits
        for (_, loose), (_, strict) in pairwise(sorted(by_tier.items())):
            assert at_least_as_strict(strict, loose)

    law()


LAWS = {
    name.removeprefix("law_"): law for name, law in globals().items() if name.startswith("law_")
}


@pytest.mark.parametrize("name", LAWS)
def test_the_breaker_obeys(name, policy):
    LAWS[name](step, policy)


def _at(position, tier):
    return replace(position, tier=tier, ruled=replace(position.ruled, tier=tier))


def ignores_dwell(position, score, now, policy):
    hasty = replace(policy, tiers=tuple(replace(rung, dwell=timedelta(0)) for rung in policy.tiers))
    return step(position, score, now, hasty)


def relaxes_two_steps(position, score, now, policy):
    after, restriction = step(position, score, now, policy)
    if after.tier < position.tier and after.tier > Tier.T0:
        after = _at(after, Tier(after.tier - 1))
    return after, restriction


def staleness_resets_to_t0(position, score, now, policy):
    after, restriction = step(position, score, now, policy)
    return (_at(after, Tier.T0) if after.rule is Rule.EXPIRED else after), restriction


def staleness_halts(position, score, now, policy):
    return step(position, score, now, replace(policy, expired_later_tier=Tier.T5))


def climbs_one_step_at_a_time(position, score, now, policy):
    after, restriction = step(position, score, now, policy)
    return _at(after, min(after.tier, Tier(min(position.tier + 1, 5)))), restriction


def leaves_at_the_entry_line(position, score, now, policy):
    tiers = tuple(
        replace(rung, exit_quantile=rung.enter and rung.enter.quantile) for rung in policy.tiers
    )
    return step(position, score, now, replace(policy, tiers=tiers))


def forgets_the_daily_cap(position, score, now, policy):
    return step(position, score, now, uncapped(policy))


def takes_either_condition(position, score, now, policy):
    return step(position, replace(score, base_rate=0.0), now, policy)


def trusts_degraded_data(position, score, now, policy):
    quality = "ok" if score.quality == "degraded" else score.quality
    return step(position, replace(score, quality=quality), now, policy)


def takes_stale_for_ok(position, score, now, policy):
    return step(position, replace(score, quality="ok"), now, policy)


def trusts_stale_more_than_degraded(position, score, now, policy):
    quality = "ok" if score.quality == "stale" else score.quality
    return step(position, replace(score, quality=quality), now, policy)


def ignores_age(position, score, now, policy):
    return step(position, replace(score, as_of=now), now, policy)


def shrugs_at_extremes(position, score, now, policy):
    absurd = score.quantile is not None and score.quantile > 0.99
    return step(position, replace(score, quantile=0.5) if absurd else score, now, policy)


def forgives_what_is_late(position, score, now, policy):
    old = now - score.as_of > timedelta(minutes=100)
    return step(position, replace(score, as_of=now) if old else score, now, policy)


def counts_the_stay_from_entry(position, score, now, policy):
    after, restriction = step(position, score, now, policy)
    hold = after.ruled
    return replace(after, ruled=Hold(hold.tier, hold.entered, hold.entered)), restriction


def forgets_quiet(position, score, now, policy):
    tiers = tuple(replace(rung, quiet=timedelta(0)) for rung in policy.tiers)
    return step(position, score, now, replace(policy, tiers=tiers))


def _counting():
    calls = iter(range(10**9))

    def counts_its_calls(position, score, now, policy):
        after, restriction = step(position, score, now, policy)
        return replace(after, sequence=after.sequence + next(calls)), restriction

    return counts_its_calls


def halts_by_itself(position, score, now, policy):
    after, restriction = step(position, score, now, policy)
    halted = after.tier is Tier.T4
    return after, replace(restriction, state=TradingState.HALTED) if halted else restriction


def loosens_the_limits_on_top(position, score, now, policy):
    after, restriction = step(position, score, now, policy)
    top = after.tier is Tier.T3
    return after, replace(restriction, limits=policy.tiers[0].threatened) if top else restriction


MUTANTS = [
    (ignores_dwell, "relaxes_below_exit_after_dwell_and_quiet"),
    (relaxes_two_steps, "relaxes_one_step_at_a_time"),
    (staleness_resets_to_t0, "expired_is_never_calm_never_relaxes_never_halts"),
    (staleness_halts, "expired_is_never_calm_never_relaxes_never_halts"),
    (climbs_one_step_at_a_time, "escalates_at_once"),
    (leaves_at_the_entry_line, "relaxes_below_exit_after_dwell_and_quiet"),
    (forgets_the_daily_cap, "no_chatter"),
    (takes_either_condition, "rises_for_a_reason_only"),
    (trusts_degraded_data, "escalates_at_once"),
    (takes_stale_for_ok, "expired_is_never_calm_never_relaxes_never_halts"),
    (ignores_age, "expired_is_never_calm_never_relaxes_never_halts"),
    (shrugs_at_extremes, "higher_scores_are_never_looser"),
    (shrugs_at_extremes, "one_step_is_monotone_from_anywhere"),
    (trusts_stale_more_than_degraded, "worse_quality_is_never_looser"),
    (forgives_what_is_late, "older_data_is_never_looser"),
    (counts_the_stay_from_entry, "higher_scores_are_never_looser"),
    (forgets_quiet, "relaxes_below_exit_after_dwell_and_quiet"),
    (_counting(), "replay_is_identical"),
    (halts_by_itself, "restrictions_tighten_with_the_tier"),
    (loosens_the_limits_on_top, "restrictions_tighten_with_the_tier"),
]


def _rejects(law, breaker, policy):
    try:
        law(breaker, policy)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(("mutant", "name"), MUTANTS, ids=lambda x: getattr(x, "__name__", x))
def test_the_law_rejects(mutant, name, policy):
    assert _rejects(LAWS[name], mutant, policy)


def test_every_law_has_a_mutant_that_it_rejects():
    assert {name for _, name in MUTANTS} == set(LAWS)
