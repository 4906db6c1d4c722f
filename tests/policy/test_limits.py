from hypothesis import given
from hypothesis import strategies as st

from liqwarn.decisions import Limits
from liqwarn.policy.limits import HOUSE_LIMITS, at_least_as_strict, no_new_risk, stricter

SHARE = st.floats(0, 1)
LIMITS = st.builds(
    Limits,
    leverage_frac=SHARE,
    order_size_frac=SHARE,
    add_frac=SHARE,
    collateral_buffer_mult=st.floats(1, 10),
    max_participation_frac=st.none() | SHARE,
    net_increase=st.booleans(),
    post_only=st.booleans(),
    collar_frac=st.none() | SHARE,
    cancel_increasing=st.booleans(),
)


@given(LIMITS, LIMITS)
def test_the_stricter_of_two_is_at_least_as_strict_as_both(a, b):
    both = stricter(a, b)
    assert at_least_as_strict(both, a)
    assert at_least_as_strict(both, b)
    assert both == stricter(b, a)


@given(LIMITS)
def test_house_limits_add_nothing(a):
    assert stricter(a, HOUSE_LIMITS) == a == stricter(a, a)
    assert at_least_as_strict(a, HOUSE_LIMITS)


@given(LIMITS)
def test_no_new_risk_is_stricter_and_bars_increases_only(a):
    closed = no_new_risk(a)
    assert at_least_as_strict(closed, a)
    assert not closed.net_increase
    assert closed.order_size_frac == a.order_size_frac
