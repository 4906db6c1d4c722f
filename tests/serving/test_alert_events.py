"""What is told: each rise once, each fault once, and that it is over."""

from datetime import timedelta

import pytest

from liqwarn.decisions import Tier
from liqwarn.serving.alert_events import AlertRules, Escalations, Faults
from liqwarn.serving.flag_file import FlagSet


@pytest.fixture
def escalations(clock):
    return Escalations(AlertRules(least=Tier.T3, repeat=timedelta(hours=1)), clock.monotonic)


@pytest.fixture
def see(escalations, make_flag, noon):
    """Show a set of flags, {symbol: tier of both sides}; gives (title, severity) of the alerts."""

    def see(market="real", **tiers):
        flags = {symbol: make_flag(symbol, tier) for symbol, tier in tiers.items()}
        found = escalations.see(FlagSet(generated_at=noon, market=market, flags=flags))
        return [(alert.title, alert.severity) for alert in found]

    return see


def test_a_rise_is_told_once_and_so_is_its_end(see):
    assert see(BTC="T0") == []
    assert see(BTC="T3") == [("T3: BTC long and 1 more", "warning")]
    assert see(BTC="T3") == []
    assert see(BTC="T4") == [("T4: BTC long and 1 more", "failure")]
    assert see(BTC="T3") == []
    assert see(BTC="T2") == [("Back below T3: BTC long, BTC short", "info")]
    assert see(BTC="T0") == []


def test_a_rise_below_the_least_is_not_told(see):
    assert see(BTC="T2") == []


def test_a_symbol_that_begins_high_is_told(see):
    assert see(BTC="T5") == [("T5: BTC long and 1 more", "failure")]


def test_up_and_down_above_the_least_is_told_once_an_hour(see, clock):
    see(BTC="T4")
    assert [see(BTC="T3"), see(BTC="T4")] == [[], []]
    clock.run(hours=1)
    see(BTC="T3")
    assert see(BTC="T4") == [("T4: BTC long and 1 more", "failure")]


def test_who_was_told_it_is_over_is_told_when_it_is_not(see):
    see(BTC="T3")
    see(BTC="T1")
    assert see(BTC="T3") == [("T3: BTC long and 1 more", "warning")]


def test_a_falling_market_is_one_alert_that_names_the_first(escalations, make_flag, noon):
    flags = {f"S{n}": make_flag(f"S{n}", "T5" if n == 7 else "T3") for n in range(100)}
    (alert,) = escalations.see(FlagSet(generated_at=noon, market="simulated", flags=flags))

    assert alert.title == "T5: S7 long and 1 more"
    assert "T5: S7 long, S7 short\nT3: S0 long" in alert.text
    assert "and 190 more" in alert.text
    assert "SIMULATED" in alert.text


def test_a_delisted_symbol_is_forgotten(see):
    see(BTC="T3", ETH="T0")
    assert see(ETH="T0") == []
    assert see(BTC="T3", ETH="T0") == [("T3: BTC long and 1 more", "warning")]


def test_a_fault_is_told_when_it_comes_each_hour_and_when_it_goes(clock):
    faults = Faults(AlertRules(), clock.monotonic)

    assert faults.cleared("stale_feed") == []
    (first,) = faults.raised("stale_feed", "no bar for 3 min")
    assert (first.kind, first.severity, first.text) == ("stale_feed", "failure", "no bar for 3 min")
    assert faults.raised("stale_feed", "no bar for 4 min") == []
    assert len(faults.raised("audit_failed", "cut")) == 1
    clock.run(hours=1)
    assert len(faults.raised("stale_feed", "no bar for 64 min")) == 1
    (over,) = faults.cleared("stale_feed")
    assert (over.kind, over.title) == ("recovered", "Over: The feed is silent")
    assert len(faults.raised("stale_feed", "again")) == 1
