"""What the order loop asks, places, cuts and refuses."""

from dataclasses import replace

import pytest
from fake_exchange import FakeExchange
from order_loop import House, Wish, cancel_forbidden, place, run_once

from liqwarn.client import open_gate
from liqwarn.client.decision import Moment, allowed, denied
from liqwarn.decisions import Limits, Restriction, Tier, TradingState

BTC = "BTC/USDT:USDT"
ETH = "ETH/USDT:USDT"
HOUSE = House(leverage=4.0, order_usd=6_000.0)
CALM = allowed(
    "BTCUSDT",
    "long",
    Restriction(
        tier=Tier.T0, state=TradingState.ACTIVE, limits=Limits(), probability={}, reasons=()
    ),
    Moment(sequence=1, as_of_ns=0, valid_until_ns=1, quality="ok"),
)


class Gate:
    """Answers the same to all, and remembers who asked."""

    def __init__(self, **changes):
        self.decision = replace(CALM, **changes)
        self.asked = []

    def __call__(self, symbol, side):
        self.asked.append((symbol, side))
        return replace(self.decision, symbol=symbol, side=side)


class Broken:
    """Raises; the loop must not pass it on."""

    asked = ()

    def __call__(self, symbol, side):
        raise RuntimeError("out of order")


@pytest.fixture
def exchange():
    return FakeExchange()


SHUT = {
    "denied": Gate(new_risk=False, state="REDUCING", tier=3, add_frac=0.0),
    "halted": Gate(new_risk=False, state="HALTED", tier=5, cancel_increasing=True),
    "stale": Gate(fresh=False),
    "contradicts itself": Gate(state="HALTED", tier=5),
    "raises": Broken(),
}


@pytest.fixture(params=SHUT.values(), ids=SHUT.keys())
def shut(request):
    return request.param


def test_a_calm_flag_places_the_wish_as_it_is(exchange):
    gate = Gate()
    (order,) = place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.05), HOUSE)
    assert (order["amount"], order["type"], order["reduceOnly"]) == (0.05, "market", False)
    assert gate.asked == [("BTCUSDT", "long")]
    assert exchange.leverage[BTC] == 4


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_nothing_grows_against_the_gate(exchange, shut, side):
    assert place(exchange, shut, Wish(pair=BTC, side=side, amount=0.05), HOUSE) == []
    assert exchange.orders == []


@pytest.mark.parametrize(("held", "side"), [(0.05, "sell"), (-0.05, "buy")])
@pytest.mark.parametrize("price", [None, 60_000.0])
def test_reducing_never_asks(exchange, shut, held, side, price):
    exchange.held[BTC] = held
    asked = list(shut.asked)
    (order,) = place(exchange, shut, Wish(pair=BTC, side=side, amount=0.05, price=price), HOUSE)
    assert (order["amount"], order["reduceOnly"]) == (0.05, True)
    assert list(shut.asked) == asked
    assert exchange.held[BTC] == 0.0


def test_a_turn_reduces_whatever_the_gate_says_and_asks_for_the_rest(exchange, shut):
    exchange.held[BTC] = 0.05
    (order,) = place(exchange, shut, Wish(pair=BTC, side="sell", amount=0.08), HOUSE)
    assert (order["amount"], order["reduceOnly"]) == (0.05, True)
    assert exchange.held[BTC] == 0.0


def test_a_turn_under_a_calm_flag_is_two_orders(exchange):
    exchange.held[BTC] = 0.05
    gate = Gate()
    first, second = place(exchange, gate, Wish(pair=BTC, side="sell", amount=0.08), HOUSE)
    assert first["reduceOnly"]
    assert second["amount"] == pytest.approx(0.03)
    assert not second["reduceOnly"]
    assert gate.asked == [("BTCUSDT", "short")]


def test_size_is_a_share_of_the_houses_and_of_the_wish(exchange):
    gate = Gate(order_size_frac=0.5)
    small = place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.05), HOUSE)
    large = place(exchange, gate, Wish(pair=ETH, side="buy", amount=50.0), HOUSE)
    assert small[0]["amount"] == 0.025
    assert large[0]["amount"] == 1.0  # 6,000 USD at 3,000, half of it


def test_an_add_takes_the_stricter_share(exchange):
    exchange.held[BTC] = 0.01
    gate = Gate(order_size_frac=0.75, add_frac=0.5)
    (order,) = place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.04), HOUSE)
    assert order["amount"] == 0.02


def test_what_is_left_below_the_least_amount_is_no_order(exchange):
    gate = Gate(order_size_frac=0.1)
    assert place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.009), HOUSE) == []


@pytest.mark.parametrize(("frac", "leverage"), [(1.0, 4), (0.75, 3), (0.5, 2), (0.1, 1), (0.0, 1)])
def test_leverage_is_clamped_and_at_least_one(exchange, frac, leverage):
    place(exchange, Gate(leverage_frac=frac), Wish(pair=BTC, side="buy", amount=0.01), HOUSE)
    assert exchange.leverage[BTC] == leverage


def test_post_only_rests_or_is_not_placed(exchange):
    gate = Gate(post_only=True)
    assert place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.01), HOUSE) == []
    (order,) = place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.01, price=59e3), HOUSE)
    assert (order["postOnly"], order["status"]) == (True, "open")
    (order,) = place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.01, price=61e3), HOUSE)
    assert order["status"] == "rejected"
    assert exchange.held == {}


@pytest.mark.parametrize(
    ("price", "placed"),
    [(59_400.0, True), (59_399.0, False), (60_600.0, True), (60_601.0, False), (None, False)],
)
def test_a_collar_is_kept(exchange, price, placed):
    gate = Gate(collar_frac=0.01)
    orders = place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.01, price=price), HOUSE)
    assert bool(orders) is placed


def test_at_market_participation_is_capped(exchange):
    exchange.volume = 0.4
    gate = Gate(max_participation_frac=0.05)
    (order,) = place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.05), HOUSE)
    assert order["amount"] == 0.02
    (order,) = place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.05, price=59e3), HOUSE)
    assert order["amount"] == 0.05


def test_a_larger_collateral_buffer_is_kept_free(exchange):
    exchange.balance = 1_000.0
    wish = Wish(pair=BTC, side="buy", amount=0.058)  # 870 of margin at fourfold leverage
    assert place(exchange, Gate(collateral_buffer_mult=1.5), wish, HOUSE) == []
    assert len(place(exchange, Gate(), wish, HOUSE)) == 1


def test_only_what_adds_risk_is_cancelled_and_only_when_told(exchange):
    exchange.held[BTC] = 0.05
    calm = Gate()
    entry = place(exchange, calm, Wish(pair=BTC, side="buy", amount=0.01, price=59e3), HOUSE)[0]
    leave = place(exchange, calm, Wish(pair=BTC, side="sell", amount=0.05, price=61e3), HOUSE)[0]
    assert leave["reduceOnly"]
    assert cancel_forbidden(exchange, calm) == []
    assert cancel_forbidden(exchange, Broken()) == []
    halted = Gate(cancel_increasing=True, new_risk=False)
    assert cancel_forbidden(exchange, halted) == [entry["id"]]
    assert (entry["status"], leave["status"]) == ("canceled", "open")
    assert halted.asked == [("BTCUSDT", "long")]


def test_a_round_cancels_first_and_goes_on_after_a_refusal(exchange):
    place(exchange, Gate(), Wish(pair=BTC, side="buy", amount=0.01, price=59e3), HOUSE)
    exchange.held[ETH] = 1.0
    halted = Gate(cancel_increasing=True, new_risk=False, state="HALTED", tier=5)
    wishes = [
        Wish(pair=BTC, side="buy", amount=0.01),
        Wish(pair=ETH, side="sell", amount=1.0),
    ]
    orders = run_once(exchange, halted, wishes, HOUSE)
    assert [(order["symbol"], order["reduceOnly"]) for order in orders] == [(ETH, True)]
    assert exchange.fetch_open_orders() == []


def test_with_the_real_client_and_no_flags_nothing_grows_and_everything_can_leave(
    exchange, tmp_path
):
    exchange.held[ETH] = 1.0
    for source in (f"file:{tmp_path / 'flags.json'}", f"board:{tmp_path / 'board'}"):
        with open_gate(source) as gate:
            assert place(exchange, gate, Wish(pair=BTC, side="buy", amount=0.01), HOUSE) == []
            (order,) = place(exchange, gate, Wish(pair=ETH, side="sell", amount=0.5), HOUSE)
            assert order["reduceOnly"]
    assert denied("BTCUSDT", "long", "nothing there").new_risk is False


class Stubborn(FakeExchange):
    """Cancels nothing and does not know one of its pairs' leverage."""

    def cancel_order(self, order_id, pair):
        raise ConnectionError("try again")

    def set_leverage(self, leverage, pair):
        if pair == ETH:
            raise ConnectionError("try again")
        super().set_leverage(leverage, pair)


def test_what_fails_keeps_nobody_from_leaving():
    exchange = Stubborn()
    exchange.held[BTC] = 0.05
    exchange.create_order(BTC, "limit", "buy", 0.01, 50_000.0, {})
    wishes = [
        Wish(pair=ETH, side="buy", amount=0.1),
        Wish(pair=BTC, side="sell", amount=0.05),
    ]

    placed = run_once(exchange, Gate(cancel_increasing=True), wishes, HOUSE)

    assert [(order["symbol"], order["reduceOnly"]) for order in placed] == [(BTC, True)]
    assert exchange.held[BTC] == 0.0


@pytest.mark.parametrize(("size", "most"), [(0.01, 10.0), (1.0, 0.1), (100.0, 0.001)])
def test_a_contract_of_many_coins_is_held_against_the_house_by_its_coins(exchange, size, most):
    exchange.sizes[BTC] = size
    (order,) = place(exchange, Gate(), Wish(pair=BTC, side="buy", amount=50.0), HOUSE)

    assert order["amount"] == most  # 6,000 dollars


@pytest.mark.parametrize("empty", [None, 0.0])
def test_a_position_without_contracts_is_none(exchange, empty, monkeypatch):
    row = {"symbol": BTC, "side": None, "contracts": empty}
    monkeypatch.setattr(exchange, "fetch_positions", lambda pairs: [row])

    assert place(exchange, Gate(), Wish(pair=BTC, side="buy", amount=0.05), HOUSE)


def test_a_dated_future_is_not_judged_by_the_perpetual(exchange):
    gate = Gate()
    dated = "BTC/USDT:USDT-261225"
    exchange.marks[dated] = 60_000.0
    place(exchange, gate, Wish(pair=dated, side="buy", amount=0.05), HOUSE)

    assert gate.asked == [(dated, "long")]
