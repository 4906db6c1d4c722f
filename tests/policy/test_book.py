from datetime import timedelta

import pytest

from liqwarn.decisions import Tier, TradingState
from liqwarn.frames import SIDES
from liqwarn.policy.book import book_floors, step_book
from liqwarn.policy.position import Rule

CORE = ("BTC", "ETH", "SOL")
HOUR = timedelta(hours=1)
CALM = {"multiple": 0.5, "quantile": 0.3}
T2 = {"multiple": 5, "quantile": 0.96}
T3 = {"multiple": 9, "quantile": 0.985}


@pytest.fixture
def book(policy, make_score, make_position, start):
    """Walk a book: each step gives the sides that are not calm; the last decisions come back."""

    class Book:
        def __init__(self, symbols):
            self.keys = [(symbol, side) for symbol in symbols for side in SIDES]
            self.positions = {key: make_position(*key) for key in self.keys}
            self.now = start

        def step(self, hot=None, *, silent=(), after=HOUR):
            self.now += after
            scores = {
                key: make_score(self.now, symbol=key[0], side=key[1], **(hot or {}).get(key, CALM))
                for key in self.keys
                if key not in silent
            }
            decisions, self.restrictions = step_book(self.positions, scores, self.now, policy)
            self.positions = {key: decision.after for key, decision in decisions.items()}
            return self

        def calm(self, hours=3):
            for _ in range(hours):
                self.step()
            return self

        def tiers(self, side="long"):
            return {s: p.tier.name for (s, where), p in self.positions.items() if where == side}

    return Book


def test_three_core_symbols_at_t2_enter_t3_and_take_the_book_along(book):
    walked = book((*CORE, "DOGE")).calm().step({(s, "long"): T2 for s in CORE})
    assert walked.tiers() == {"BTC": "T3", "ETH": "T3", "SOL": "T3", "DOGE": "T2"}
    assert walked.tiers("short") == dict.fromkeys((*CORE, "DOGE"), "T2")
    assert walked.positions["BTC", "long"].rule is Rule.COMPANY
    assert walked.positions["DOGE", "short"].rule is Rule.BOOK


@pytest.mark.parametrize(
    "hot",
    [
        {(s, "long"): T2 for s in CORE[:2]},
        {("BTC", "long"): T2, ("ETH", "long"): T2, ("SOL", "short"): T2},
        {(s, "long"): T2 for s in ("BTC", "DOGE", "PEPE")},
    ],
    ids=["two only", "not one side", "not core"],
)
def test_less_than_that_moves_nobody_else(book, hot):
    walked = book((*CORE, "DOGE", "PEPE")).calm().step(hot)
    moved = {key for key, position in walked.positions.items() if position.tier > Tier.T0}
    assert moved == set(hot)


def test_three_core_symbols_at_t3_count_on_any_side(book):
    hot = {("BTC", "long"): T3, ("ETH", "short"): T3, ("SOL", "short"): T3}
    assert book((*CORE, "DOGE")).calm().step(hot).tiers()["DOGE"] == "T2"


def test_the_book_lets_go_again(book):
    walked = book((*CORE, "DOGE")).calm().step({(s, "long"): T2 for s in CORE}).calm(24)
    assert set(walked.tiers().values()) == {"T0"}


def test_many_symbols_without_data_are_no_market_event(book):
    walked = book((*CORE, "DOGE")).calm()
    walked.step(silent=[(s, side) for s in CORE for side in SIDES])
    assert walked.tiers() == {"BTC": "T2", "ETH": "T2", "SOL": "T2", "DOGE": "T0"}


def test_silence_of_a_side_is_a_missing_score(book):
    walked = book(("BTC",)).calm().step(silent=[("BTC", "long")])
    assert walked.positions["BTC", "long"].rule is Rule.EXPIRED
    assert walked.restrictions["BTC", "long"].state is TradingState.REDUCING


def test_the_opposite_side_shares_what_the_page_says(book):
    cascade = {("BTC", "long"): {**CALM, "in_progress": True}}
    walked = book(("BTC",)).calm().step(cascade)
    short = walked.restrictions["BTC", "short"]
    assert (short.tier, short.state) == (Tier.T0, TradingState.REDUCING)
    assert "The long side is at T4 (reduce-only)." in short.reasons
    later = walked.step(cascade, after=timedelta(minutes=15)).restrictions["BTC", "short"]
    assert later.limits.net_increase
    assert later.limits.leverage_frac == 0.5
    assert later.state is TradingState.ACTIVE


def test_with_one_change_left_the_higher_side_holds(book):
    hot = {("BTC", "long"): T3, ("BTC", "short"): T2}
    walked = book(("BTC",)).calm().step(hot)
    assert sum(p.transitions for p in walked.positions.values()) == 6
    walked.positions = {
        key: type(p)(**{**_fields(p), "transitions": p.transitions - (key[1] == "long")})
        for key, p in walked.positions.items()
    }
    walked.step()
    assert walked.tiers() == {"BTC": "T3"}
    assert walked.tiers("short") == {"BTC": "T1"}
    assert walked.positions["BTC", "long"].rule is Rule.DAILY_CAP


def _fields(position):
    return {name: getattr(position, name) for name in type(position).__slots__}


def test_floors_count_own_tiers_only(policy):
    assert book_floors({("BTC", "long"): Tier.T4}, policy.book) == {}
