import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.client.decision import ASSUMED, Decision, Moment, allowed, denied, expired_tier
from liqwarn.decisions import Limits, Restriction, Tier, TradingState

NOON = Moment(sequence=7, as_of_ns=10**9, valid_until_ns=2 * 10**9, quality="ok")
shares = st.floats(0, 1)
limits = st.builds(
    Limits,
    leverage_frac=shares,
    order_size_frac=shares,
    add_frac=shares,
    collateral_buffer_mult=st.floats(1, 100),
    max_participation_frac=st.none() | shares,
    net_increase=st.booleans(),
    post_only=st.booleans(),
    collar_frac=st.none() | shares,
    cancel_increasing=st.booleans(),
)


def restriction(limits=Limits(), tier=Tier.T1, state=None):  # noqa: B008  frozen
    natural = TradingState.ACTIVE if limits.net_increase else TradingState.REDUCING
    return Restriction(
        tier=tier, state=state or natural, limits=limits, probability={4: 0.2}, reasons=("So.",)
    )


def test_a_good_flag_says_what_it_says():
    found = allowed("BTCUSDT", "long", restriction(Limits(add_frac=0.5)), NOON)
    assert (found.new_risk, found.fresh, found.add_frac, found.tier) == (True, True, 0.5, 1)
    assert (found.sequence, found.as_of_s, found.valid_until_s, found.p_4h) == (7, 1.0, 2.0, 0.2)
    assert (found.state, found.quality, found.reason) == ("ACTIVE", "ok", "So.")


def test_degraded_is_fresh_and_obeyed():
    moment = Moment(sequence=7, as_of_ns=0, valid_until_ns=1, quality="degraded")
    assert allowed("BTCUSDT", "long", restriction(), moment).new_risk


@pytest.mark.parametrize("quality", ["stale", "unknown"])
def test_a_flag_that_says_it_is_stale_denies(quality):
    moment = Moment(sequence=7, as_of_ns=0, valid_until_ns=1, quality=quality)
    found = allowed("BTCUSDT", "long", restriction(tier=Tier.T4), moment)
    assert (found.new_risk, found.fresh, found.tier, found.sequence) == (False, False, 4, 7)


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_a_flag_that_contradicts_itself_is_taken_by_the_stricter(state):
    found = allowed("BTCUSDT", "long", restriction(Limits(), state=state), NOON)
    assert (found.new_risk, found.state) == (False, state.value)


@pytest.mark.parametrize("name", ["leverage_frac", "order_size_frac", "add_frac"])
def test_nothing_times_anything_is_no_new_risk(name):
    assert not allowed("X", "long", restriction(Limits(**{name: 0.0})), NOON).new_risk


@given(limits=limits, tier=st.sampled_from(Tier), least=st.integers(2, 3))
def test_a_denial_is_never_looser_than_what_was_known(limits, tier, least):
    last = allowed("X", "long", restriction(limits, tier), NOON)
    found = denied("X", "long", "gone", last=last, tier=least)

    assert (found.new_risk, found.add_frac, found.order_size_frac) == (False, 0.0, 0.0)
    assert found.tier == max(tier, least)
    assert found.state == "REDUCING"
    assert found.leverage_frac <= min(last.leverage_frac, 0.5)
    assert found.collateral_buffer_mult >= last.collateral_buffer_mult
    assert found.max_participation_frac <= (last.max_participation_frac or 1.0)
    assert found.collar_frac == last.collar_frac
    assert found.post_only
    assert found.cancel_increasing == last.cancel_increasing
    assert (found.fresh, found.quality, found.p_4h) == (False, "stale", None)


def test_an_operators_halt_outlives_its_flag_and_nothing_else_halts():
    barred = Limits(net_increase=False, add_frac=0.0)
    halt = allowed("X", "long", restriction(barred, Tier.T5, TradingState.HALTED), NOON)
    assert denied("X", "long", "gone", last=halt).state == "HALTED"
    assert denied("X", "long", "gone").state == "REDUCING"


def test_without_any_flag_everything_is_unknown():
    found = denied("X", "short", "no flag")
    assert isinstance(found, Decision)
    assert (found.tier, found.quality, found.sequence) == (3, "unknown", -1)
    assert math.isnan(found.as_of_s)
    assert math.isnan(found.valid_until_s)
    assert found.leverage_frac == ASSUMED.leverage_frac


def test_an_hour_later_it_is_stricter():
    assert [expired_tier(s) for s in (0, 3599.9, 3600, 1e9)] == [2, 2, 3, 3]
