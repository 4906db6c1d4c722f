"""Buckets: never more than the rate and the burst allow, whatever the clock does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import ConfigError
from liqwarn.serving.rate_limit import Rate, TokenBuckets, address_group


class Ticker:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@given(
    st.floats(0.1, 1000), st.integers(1, 50), st.lists(st.floats(0, 10), min_size=1, max_size=100)
)
def test_no_more_pass_than_burst_and_rate_allow(per_s, burst, pauses):
    ticker = Ticker()
    buckets = TokenBuckets(Rate(per_s=per_s, burst=burst), monotonic=ticker)
    passed = 0
    for pause in pauses:
        ticker.now += pause
        passed += buckets.take("k") == 0

    assert passed <= burst + sum(pauses) * per_s + 1e-6


def test_after_the_wait_it_was_told_a_caller_passes():
    ticker = Ticker()
    buckets = TokenBuckets(Rate(per_s=3, burst=2), monotonic=ticker)
    assert [buckets.take("k") for _ in range(2)] == [0, 0]
    wait = buckets.take("k")

    ticker.now += wait + 1e-9

    assert wait > 0
    assert buckets.take("k") == 0


def test_one_name_takes_nothing_from_another():
    buckets = TokenBuckets(Rate(per_s=1, burst=1), monotonic=Ticker())

    assert [buckets.take(name) for name in ("a", "b", "a")] == [0, 0, 1]


def test_a_clock_that_stands_or_goes_back_gives_nothing():
    ticker = Ticker()
    buckets = TokenBuckets(Rate(per_s=1, burst=1), monotonic=ticker)
    buckets.take("k")
    ticker.now -= 1000

    assert buckets.take("k") > 0


def test_a_million_names_fit_the_capacity():
    buckets = TokenBuckets(Rate(per_s=1, burst=1), monotonic=Ticker(), capacity=100)
    for n in range(1000):
        buckets.take("busy")
        buckets.take(str(n))

    assert len(buckets) == 100
    assert buckets.take("busy") > 0


@pytest.mark.parametrize(("per_s", "burst"), [(0, 1), (-1, 1), (float("inf"), 1), (1, 0)])
def test_a_rate_that_is_none_is_refused(per_s, burst):
    with pytest.raises(ConfigError, match="expected more than 0 and 1 or more"):
        Rate(per_s=per_s, burst=burst)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("2001:db8:0:1::5", "2001:db8:0:1::/64"),
        ("unknown", "unknown"),
    ],
)
def test_addresses_are_grouped_as_their_owners_are(address, group):
    assert address_group(address) == group


def test_an_address_that_is_none_is_no_burden():
    assert address_group("x" * 10_000) == "x" * 64
