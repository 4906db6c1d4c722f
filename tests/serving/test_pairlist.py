"""The pair list: who is on it, who is not, and that nothing wrong ever puts a pair on it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from liqwarn.decisions import Limits, TradingState
from liqwarn.errors import PolicyError
from liqwarn.serving.pairlist import REFRESH_S, PairList, pair_of, pairlist, pairlist_router

LATER = timedelta(minutes=1)


def sided(flag, **tiers):
    """The flag with the sides of other flags."""
    return replace(flag, sides={name: other.sides[name] for name, other in tiers.items()})


def test_free_pairs_are_listed_in_order(make_flag, noon):
    flags = [make_flag("ETHUSDT", "T1"), make_flag("BTCUSDT"), make_flag("SOLUSDT", "T2")]
    body = pairlist(flags, noon + LATER)
    assert body["pairs"] == ["BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"]
    assert body["refresh_period"] == REFRESH_S
    PairList.model_validate(body)


@pytest.mark.parametrize("tier", ["T3", "T4", "T5"])
def test_a_restricted_pair_is_not_listed(make_flag, noon, tier):
    assert pairlist([make_flag(tier=tier)], noon + LATER)["pairs"] == []


@pytest.mark.parametrize("quality", ["stale", "unknown"])
def test_a_flag_of_no_use_is_not_listed(make_flag, noon, quality):
    assert pairlist([make_flag(quality=quality)], noon + LATER)["pairs"] == []


@pytest.mark.parametrize("minutes", [-1, 70, 71, 100_000])
def test_outside_of_its_validity_a_flag_is_not_listed(make_flag, noon, minutes):
    assert pairlist([make_flag()], noon + timedelta(minutes=minutes))["pairs"] == []


@pytest.mark.parametrize(
    ("asked", "listed"), [("both", False), ("any", True), ("long", False), ("short", True)]
)
def test_sides_are_asked_for(make_flag, noon, asked, listed):
    flag = sided(make_flag(), long=make_flag(tier="T3"), short=make_flag())
    assert bool(pairlist([flag], noon + LATER, sides=asked)["pairs"]) is listed


def test_a_side_without_any_size_is_not_listed(make_flag, noon):
    flag = make_flag()
    none = replace(flag.sides["long"], limits=Limits(order_size_frac=0.0))
    assert none.state is TradingState.ACTIVE
    flag = replace(flag, sides={**flag.sides, "long": none})
    assert pairlist([flag], noon + LATER)["pairs"] == []


def test_two_symbols_of_one_pair_must_both_be_free(make_flag, noon):
    flags = [make_flag("BTC", "T4"), make_flag("BTCUSDT")]
    assert pairlist(flags, noon + LATER)["pairs"] == []
    assert pairlist(flags[::-1], noon + LATER)["pairs"] == []


@pytest.mark.parametrize("symbol", [".*", ".*USDT", "B|E", "BTC/USDT", "", "USDT", "btcusdt"])
def test_a_symbol_that_could_be_a_pattern_has_no_pair(symbol):
    assert pair_of(symbol, "USDT") is None


def test_names_of_markets():
    assert pair_of("1000PEPEUSDT", "USDT") == "1000PEPE/USDT:USDT"
    assert pair_of("BTCUSDC", "USDC", spot=True) == "BTC/USDC"
    assert pair_of("BTCFDUSD", "FDUSD") == "BTC/FDUSD:FDUSD"
    assert pair_of("BTCFDUSD", "USD") is None


async def ask(flags, now, query=""):
    app = FastAPI()
    app.include_router(pairlist_router(flags, now))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://liqwarn") as client:
        return await client.get(f"/v1/freqtrade/pairlist{query}")


def get(*arguments):
    return asyncio.run(ask(*arguments))


def test_the_route_answers_freqtrade(make_flag, noon):
    answer = get(lambda: [make_flag(), make_flag("ETHUSDT", "T3")], lambda: noon + LATER)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"pairs": ["BTC/USDT:USDT"], "refresh_period": REFRESH_S}


def test_the_route_takes_stake_market_and_sides(make_flag, noon):
    flag = sided(make_flag("BTCUSDC"), long=make_flag(), short=make_flag(tier="T3"))
    query = "?stake=USDC&market=spot&sides=long"
    assert get(lambda: [flag], lambda: noon + LATER, query).json()["pairs"] == ["BTC/USDC"]


@pytest.mark.parametrize("query", ["?sides=none", "?stake=.*", "?stake=", "?market=moon"])
def test_the_route_refuses_what_it_does_not_know(noon, query):
    assert get(list, lambda: noon, query).status_code == 422


def test_unreadable_flags_list_nothing(noon):
    def broken():
        raise PolicyError("flags are torn")

    answer = get(broken, lambda: noon)
    assert (answer.status_code, answer.json()["pairs"]) == (200, [])
