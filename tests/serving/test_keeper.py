from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.decisions import Tier, TradingState
from liqwarn.policy.limits import at_least_as_strict
from liqwarn.serving.flag_file import FlagFile, FlagSet, Reading
from liqwarn.serving.keeper import FlagKeeper

HOUR = timedelta(hours=1)


@pytest.fixture
def keep(policy, clock, tmp_path):
    return FlagKeeper(FlagFile(tmp_path), policy=policy, clock=clock)


def test_within_validity_a_flag_is_served_as_issued(keep, write_flags, make_flag, clock):
    flag = make_flag(tier="T3")
    write_flags(flag)
    served = keep.look().of("BTCUSDT")
    assert served.flag == flag
    assert served.remaining == timedelta(minutes=69)
    clock.run(minutes=68, seconds=59)
    assert keep.look().of("BTCUSDT").fresh


def test_expired_it_is_stale_and_never_as_it_was(keep, write_flags, make_flag, clock):
    write_flags(make_flag())
    assert keep.look().of("BTCUSDT").fresh
    clock.run(minutes=69)
    stale = keep.look().of("BTCUSDT")
    assert not stale.fresh
    assert stale.flag.quality == "stale"
    for side in stale.flag.sides.values():
        assert (side.tier, side.state) == (Tier.T2, TradingState.REDUCING)
        assert not side.probability
    clock.run(minutes=60)
    assert keep.look().of("BTCUSDT").flag.sides["long"].tier is Tier.T3


@pytest.mark.parametrize("tier", ["T2", "T3", "T4", "T5"])
def test_expired_it_is_never_looser(keep, write_flags, make_flag, clock, tier):
    fresh = make_flag(tier=tier)
    write_flags(fresh)
    keep.look()
    for _ in range(30):
        clock.run(minutes=10)
        side = keep.look().of("BTCUSDT").flag.sides["long"]
        assert side.tier >= Tier[tier]
        assert side.tier < Tier.T5 or tier == "T5"
        assert at_least_as_strict(side.limits, fresh.sides["long"].limits)


def test_a_flag_that_was_old_when_loaded_is_stale_at_once(keep, write_flags, make_flag, clock):
    write_flags(make_flag())
    clock.run(hours=5)
    stale = keep.look().of("BTCUSDT").flag
    assert (stale.quality, stale.sides["long"].tier) == ("stale", Tier.T3)


@pytest.mark.parametrize("minutes", [-10, 10, -100, -10_000])
def test_no_jump_of_the_wall_clock_buys_time(keep, write_flags, make_flag, clock, minutes):
    write_flags(make_flag())
    assert keep.look().of("BTCUSDT").fresh
    clock.set_wall(minutes=minutes)
    clock.run(minutes=69)
    assert not keep.look().of("BTCUSDT").fresh
    clock.set_wall(minutes=-60)
    assert not keep.look().of("BTCUSDT").fresh


def test_a_clock_that_was_set_back_before_the_load_buys_no_time(
    keep, write_flags, make_flag, clock
):
    write_flags(make_flag())
    clock.set_wall(minutes=-10)
    assert keep.look().of("BTCUSDT").remaining == timedelta(minutes=69)
    clock.run(minutes=69)
    assert not keep.look().of("BTCUSDT").fresh


@pytest.mark.parametrize(("written", "left"), [(-60, 69), (1, 69), (31, 39), (90, 0)])
def test_a_wall_clock_in_the_past_is_outdone_by_the_flag_and_its_file(
    keep, write_flags, make_flag, clock, noon, *, written, left
):
    write_flags(make_flag(), generated_at=noon + timedelta(minutes=written))
    clock.set_wall(hours=-3)
    keep.look()
    if left:
        clock.run(minutes=left, seconds=-1)
        assert keep.look().of("BTCUSDT").fresh
        clock.run(seconds=1)
    assert not keep.look().of("BTCUSDT").fresh


def test_writing_the_same_flag_again_buys_no_time(keep, write_flags, make_flag, clock):
    write_flags(make_flag())
    keep.look()
    clock.set_wall(minutes=-60)
    clock.run(minutes=40)
    write_flags(make_flag(), generated_at=make_flag().issued_at + timedelta(minutes=1))
    keep.look()
    clock.run(minutes=29)
    assert not keep.look().of("BTCUSDT").fresh


def test_a_newer_flag_is_fresh_again(keep, write_flags, make_flag, clock, noon):
    write_flags(make_flag(tier="T4"))
    clock.run(hours=1)
    write_flags(make_flag(tier="T1", as_of=noon + HOUR))
    served = keep.look().of("BTCUSDT")
    assert (served.fresh, served.flag.sides["long"].tier) == (True, Tier.T1)


def test_an_older_flag_is_refused(keep, write_flags, make_flag, clock, noon):
    write_flags(make_flag(tier="T4", as_of=noon))
    keep.look()
    write_flags(make_flag(tier="T0", as_of=noon - HOUR))
    view = keep.look()
    assert view.of("BTCUSDT").flag.sides["long"].tier is Tier.T4
    assert view.fault == "older than served before: BTCUSDT"
    write_flags(make_flag(tier="T0", issued_at=noon))
    assert keep.look().of("BTCUSDT").flag.sides["long"].tier is Tier.T4
    write_flags(make_flag(tier="T1", as_of=noon + timedelta(minutes=1)))
    assert keep.look().fault is None


@pytest.mark.parametrize("days", [1.01, 40, 27_000])
def test_a_flag_from_the_future_is_refused_and_poisons_nothing(
    keep, write_flags, make_flag, noon, days
):
    write_flags(make_flag("A"), make_flag(tier="T4"))
    keep.look()
    ahead = timedelta(days=days)
    later = noon + timedelta(minutes=1)
    for poison in (
        make_flag(as_of=noon + ahead),
        make_flag(as_of=later, issued_at=noon + ahead),
        make_flag(as_of=later, issued_at=noon + ahead, sequence=int((noon + ahead).timestamp())),
    ):
        write_flags(make_flag("A"), poison, generated_at=noon)
        view = keep.look()
        assert view.fault == "from more than a day ahead of the clock: BTCUSDT"
        assert view.of("BTCUSDT").flag.sides["long"].tier is Tier.T4
        assert view.of("A").fresh
    write_flags(make_flag("A"), make_flag(tier="T1", as_of=later))
    assert keep.look().fault is None
    assert keep.look().of("BTCUSDT").flag.sides["long"].tier is Tier.T1


def test_a_bar_ahead_of_the_clock_stays_fresh_no_longer_than_its_life(
    keep, write_flags, make_flag, clock, noon
):
    flag = make_flag(as_of=noon + 20 * HOUR, issued_at=noon)
    write_flags(flag, generated_at=noon)
    assert keep.look().of("BTCUSDT").remaining == timedelta(minutes=70)
    clock.run(minutes=70)
    assert not keep.look().of("BTCUSDT").fresh


def test_a_flag_that_is_looser_than_its_tier_is_refused(keep, write_flags, make_flag, policy):
    calm, restricted = make_flag().sides["long"], make_flag(tier="T4").sides["long"]
    active = replace(restricted, state=calm.state, limits=calm.limits)
    wider = replace(restricted, limits=replace(restricted.limits, leverage_frac=0.6))
    for side in (active, wider):
        write_flags(make_flag("A"), make_flag(sides={"long": calm, "short": side}))
        view = keep.look()
        assert view.fault == "looser than their tier by the policy: BTCUSDT"
        assert view.of("BTCUSDT") is None
        assert view.of("A").fresh


def test_a_torn_file_serves_the_last_flags_until_they_expire(keep, write_flags, make_flag, clock):
    path = write_flags(make_flag(tier="T1"))
    keep.look()
    path.write_bytes(path.read_bytes()[:100])
    view = keep.look()
    assert view.of("BTCUSDT").fresh
    assert "torn" in view.fault
    clock.run(minutes=69)
    assert keep.look().of("BTCUSDT").flag.quality == "stale"


def test_a_symbol_that_vanished_expires_and_touches_no_other(
    keep, write_flags, make_flag, clock, noon
):
    write_flags(make_flag("A", tier="T4"), make_flag("B"))
    keep.look()
    clock.run(hours=1)
    write_flags(make_flag("B", as_of=noon + HOUR))
    clock.run(minutes=30)
    view = keep.look()
    assert view.of("A").flag.quality == "stale"
    assert view.of("A").flag.sides["long"].tier is Tier.T4
    assert view.of("B").fresh
    assert view.of("C") is None


class OneReading:
    def __init__(self, flag, modified):
        latest = FlagSet(generated_at=modified, market="real", flags={flag.symbol: flag})
        self._reading = Reading(latest=latest, modified=modified, fault=None)

    def read(self):
        return self._reading


MOVES = st.lists(
    st.tuples(st.sampled_from(["run", "jump"]), st.integers(-20, 40)), min_size=1, max_size=30
)


@settings(max_examples=200, deadline=None)
@given(moves=MOVES, before=st.integers(-60, 60))
def test_no_flag_outlives_its_monotonic_budget(policy, make_flag, moves, before):
    """Whatever the wall clock does, before the load and after it."""
    flag = make_flag()
    clock = _Clock(flag.issued_at + timedelta(minutes=before))
    keeper = FlagKeeper(OneReading(flag, flag.issued_at), policy=policy, clock=clock)
    keeper.look()
    for kind, minutes in moves:
        if kind == "run":
            clock.seconds += 60 * abs(minutes)
            clock.now += timedelta(minutes=abs(minutes))
        else:
            clock.now += timedelta(minutes=minutes)
        served = keeper.look().of("BTCUSDT")
        if served.fresh:
            assert clock.seconds < 69 * 60
            assert clock.now < flag.valid_until


class _Clock:
    def __init__(self, now):
        self.now, self.seconds = now, 0.0

    def wall(self):
        return self.now

    def monotonic(self):
        return self.seconds
