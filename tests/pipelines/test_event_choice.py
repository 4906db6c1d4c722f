"""A day names an event: the most severe of the day, the nearest within 48 h, or a refusal."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import ConfigError
from liqwarn.models.events import Event
from liqwarn.pipelines.event_choice import REACH, EventQuery, choose_event, matching

DAY = date(2024, 8, 5)
NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)


def event(onset=NOON, hours=2, **changes):
    made = Event(
        symbol="BTCUSDT", side="long", onset=onset, peak=onset, end=onset + timedelta(hours=hours),
        confirmed=onset, move=-0.1, oi_loss=0.1, long_liq_usd=1.0, short_liq_usd=1.0,
        severity=3.0, flags=(), runs=((onset, onset),),
    )  # fmt: skip
    return replace(made, **changes)


def test_the_most_severe_of_the_day_is_chosen_and_the_others_are_named():
    mild, worst = event(severity=2.0), event(NOON + timedelta(hours=8), severity=9.0)
    elsewhere = event(NOON + timedelta(days=1), severity=50.0)

    choice = choose_event([mild, worst, elsewhere], EventQuery(day=DAY))

    assert (choice.event, choice.exact, choice.others) == (worst, True, (mild,))


@pytest.mark.parametrize("onset", [NOON - timedelta(hours=13), NOON + timedelta(hours=11)])
def test_an_event_is_of_every_day_it_runs_on(onset):
    running = event(onset, hours=2)
    days = {running.onset.date(), running.end.date()}

    assert len(days) == 2
    assert all(choose_event([running], EventQuery(day=day)).exact for day in days)


def test_the_nearest_within_48_hours_answers_for_an_empty_day():
    before = event(NOON - timedelta(hours=40), severity=9.0)
    after = event(NOON + timedelta(hours=20), severity=1.0)

    choice = choose_event([before, after], EventQuery(day=DAY))

    assert (choice.event, choice.exact, choice.others) == (after, False, ())


def test_none_so_near_is_refused_and_the_nearest_are_named():
    far = [event(NOON + timedelta(days=3 * k)) for k in (-9, -2, 2, 3, 4, 5)]

    with pytest.raises(
        ConfigError, match=r"no event within 48 h of 2024-08-05; .*07-30 12:00"
    ) as e:
        choose_event(far, EventQuery(day=DAY))

    assert "2024-08-11 12:00" in str(e.value)
    assert "2024-07-09" not in str(e.value)


def test_an_empty_catalogue_is_refused():
    query = EventQuery(day=DAY, symbol="BTCUSDT", side="short")

    with pytest.raises(ConfigError, match="no BTCUSDT short event in the catalogue at all"):
        choose_event([], query)


def test_symbol_and_side_narrow_the_catalogue():
    events = (event(), event(side="short"), event(symbol="ETHUSDT"))
    symbols = ("BTCUSDT", "ETHUSDT")

    assert matching(events, symbols, None, None) == events
    assert matching(events, symbols, "BTCUSDT", "short") == events[1:2]
    with pytest.raises(ConfigError, match="symbol is 'BTC', expected one of BTCUSDT, ETHUSDT"):
        matching(events, symbols, "BTC", None)


@given(st.lists(st.integers(-200, 200), min_size=1, max_size=8))
def test_nothing_nearer_is_ever_passed_over(hours):
    events = [event(NOON + timedelta(hours=h), hours=1) for h in hours]
    start = datetime(2024, 8, 5, tzinfo=UTC)

    def away(one):
        if one.onset.date() <= DAY <= one.end.date():
            return timedelta(0)
        return max(start - one.end, one.onset - start - timedelta(days=1))

    nearest = min(map(away, events))
    if nearest > REACH:
        with pytest.raises(ConfigError, match="within 48 h"):
            choose_event(events, EventQuery(day=DAY))
    else:
        assert away(choose_event(events, EventQuery(day=DAY)).event) == nearest
