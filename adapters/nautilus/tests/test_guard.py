"""The guarded strategy: per side and instrument, and never in the way of an exit."""

from decimal import Decimal

import pytest
from market import (
    MINUTE,
    PERPETUAL,
    SPOT,
    START,
    GuardedTrader,
    every_bar,
    flag,
    guard_config,
    run,
    scripted,
)
from nautilus_trader.model.enums import OmsType, OrderSide
from nautilus_trader.model.events import OrderInitialized
from nautilus_trader.model.identifiers import PositionId, StrategyId
from nautilus_trader.model.orders import OrderUnpacker
from nautilus_trader.model.position import Position
from nautilus_trader.test_kit.stubs.events import TestEventStubs

SHORT_RUN = 40
TEXT = str(PERPETUAL.id)


def go(script, flags=None, *, oms=OmsType.NETTING, **config):
    flags = every_bar(until=SHORT_RUN * MINUTE) if flags is None else flags
    return run(flags, trader=scripted(script, **config), minutes=SHORT_RUN, oms=oms)


def then(long, short, *, halted=False, at=10):
    """Normal flags, and others from a minute on."""
    return [
        flag(START + m * MINUTE, *((long, short) if m >= at else (0, 0)), halted=halted and m >= at)
        for m in range(0, SHORT_RUN, 5)
    ]


def limit(trader, side, quantity, price, **kwargs):
    order = trader.order_factory.limit(
        PERPETUAL.id, side, PERPETUAL.make_qty(quantity), PERPETUAL.make_price(price), **kwargs
    )
    trader.submit_order(order)
    return order


def test_may_open_says_what_is_allowed():
    seen = {}

    def ask(trader):
        for side in ("long", "short"):
            seen[side] = trader.may_open(PERPETUAL.id, side, Decimal("2.0005"))

    go({12: ask}, then(2, 0))

    assert tuple(seen["long"])[:2] == (True, Decimal("1.000"))  # half, rounded down to the step
    assert tuple(seen["short"])[:2] == (True, Decimal("2.000"))


def test_the_house_cap_and_the_position_cap_bind_instead_of_scaling():
    seen = {}

    def ask(trader):
        seen["may"] = trader.may_open(PERPETUAL.id, "long", 100)

    orders = {TEXT: "600000"}
    go({12: ask}, then(2, 0), order_notional=orders)
    assert Decimal("4.9") < seen["may"].quantity < Decimal("5.1")  # half of 10 coins

    go({5: lambda t: t.buy(4), 12: ask}, then(2, 0), position_notional=orders)
    assert Decimal("0.9") < seen["may"].quantity < Decimal("1.1")  # half of 10, 4 held


def test_an_order_beyond_the_position_is_cut_to_its_reducing_part():
    found = go({5: lambda t: t.buy(2), 15: lambda t: t.sell(5)}, then(0, 3))

    assert [f[1:3] for f in found.trader.fills] == [("buy", "2.000"), ("sell", "2.000")]
    assert found.position == 0


def test_two_exits_at_once_cannot_flip_a_restricted_side():
    def leave_twice(trader):
        limit(trader, OrderSide.SELL, 2, 50_000)
        trader.sell(2)

    found = go({5: lambda t: t.buy(2), 15: leave_twice}, then(0, 4))

    assert found.position == 0
    assert found.trader.guard_counts["marked"] >= 1


def test_a_reduce_only_order_and_close_all_positions_always_pass():
    for leave in (
        lambda t: t.sell(2, reduce_only=True),
        lambda t: t.close_all_positions(PERPETUAL.id),
    ):
        found = go({5: lambda t: t.buy(2), 15: leave}, then(4, 4))
        assert found.trader.denials == {}
        assert found.position == 0


def test_resize_off_denies_what_is_too_large():
    found = go({12: lambda t: t.buy(2)}, then(2, 0), resize=False)

    assert found.denied == 1


def test_resting_entries_are_cancelled_when_the_flag_says_so_and_exits_stay():
    kept = {}

    def rest(trader):
        trader.buy(2)
        kept["entry"] = limit(trader, OrderSide.BUY, 1, 40_000)
        kept["exit"] = limit(trader, OrderSide.SELL, 2, 90_000)

    found = go({5: rest}, then(5, 5, halted=True))
    assert kept["entry"].is_closed
    assert kept["exit"].is_open
    assert found.trader.guard_counts["cancelled"] == 1

    go({5: rest}, then(4, 4))  # T4 asks for no cancelling
    assert kept["entry"].is_open

    go({5: rest}, then(4, 4), cancel_when_restricted=True)
    assert kept["entry"].is_closed
    assert kept["exit"].is_open


def test_stale_flags_cancel_when_asked_to():
    kept = {}

    def rest(trader):
        kept["entry"] = limit(trader, OrderSide.BUY, 1, 40_000)

    go({5: rest}, every_bar(until=5 * MINUTE), cancel_when_restricted=True)

    assert kept["entry"].is_closed


def test_a_bracket_is_denied_whole_or_passes_whole():
    def bracket(trader):
        trader.submit_order_list(
            trader.order_factory.bracket(
                PERPETUAL.id,
                OrderSide.BUY,
                PERPETUAL.make_qty(1),
                tp_price=PERPETUAL.make_price(90_000),
                sl_trigger_price=PERPETUAL.make_price(40_000),
            )
        )

    denied = go({15: bracket}, then(3, 0))
    passed = go({15: bracket}, then(0, 3))

    assert sum(denied.trader.denials.values()) == 3
    assert denied.trader.fills == []
    assert [f[1] for f in passed.trader.fills] == ["buy"]
    assert passed.trader.denials == {}


def test_an_entry_may_not_be_modified_to_grow_and_may_be_to_shrink():
    kept = {}

    def rest(trader):
        kept["order"] = limit(trader, OrderSide.BUY, 2, 40_000)

    def grow(trader):
        trader.modify_order(kept["order"], quantity=PERPETUAL.make_qty(3))

    def shrink(trader):
        trader.modify_order(kept["order"], quantity=PERPETUAL.make_qty(1))

    found = go({5: rest, 15: grow}, then(3, 0))
    assert str(kept["order"].quantity) == "2.000"
    assert found.trader.guard_counts["modify denied"] == 1

    go({5: rest, 15: shrink}, then(3, 0))
    assert str(kept["order"].quantity) == "1.000"

    go({5: rest, 15: grow})
    assert str(kept["order"].quantity) == "3.000"


def test_in_a_hedging_venue_an_exit_is_known_by_its_position():
    def leave(trader):
        for position in trader.cache.positions_open(instrument_id=PERPETUAL.id):
            trader.close_position(position)

    config = {"oms_type": "HEDGING"}
    closed = go({5: lambda t: t.buy(2), 15: leave}, then(4, 4), oms=OmsType.HEDGING, **config)
    opened = go(
        {5: lambda t: t.buy(2), 15: lambda t: t.sell(2)}, then(4, 4), oms=OmsType.HEDGING, **config
    )

    assert closed.trader.closed == 1
    assert opened.denied == 1  # without a position id it would open a short of its own


def test_an_instrument_that_is_not_watched_opens_nothing():
    trader = GuardedTrader(guard_config(SPOT))
    found = run(every_bar(), trader=trader, minutes=SHORT_RUN)

    assert found.trader.fills == []
    assert found.denied > 0


def test_a_strategy_that_forgets_to_start_the_guard_opens_nothing():
    class Forgetful(GuardedTrader):
        def on_start(self):
            self.begin()

    found = run(every_bar(), trader=Forgetful(guard_config()), minutes=SHORT_RUN)

    assert found.trader.fills == []
    assert set(found.trader.denials) == {"LIQWARN: no flag yet"}


@pytest.mark.parametrize("quality", ["stale", "unknown"])
def test_a_flag_of_no_usable_quality_opens_nothing(quality):
    found = run(every_bar(quality=quality), trader=GuardedTrader(guard_config()), minutes=SHORT_RUN)

    assert found.trader.fills == []


def test_a_quantity_in_quote_currency_passes_whole_or_is_denied():
    def ask(trader):
        order = trader.order_factory.market(
            PERPETUAL.id, OrderSide.BUY, PERPETUAL.make_qty("1234.567"), quote_quantity=True
        )
        trader.submit_order(order)

    calm, caution = go({15: ask}), go({15: ask}, then(2, 0))

    assert calm.denied == 0
    assert [f[1] for f in calm.trader.fills] == ["buy"]
    assert caution.denied == 1


def test_an_order_that_breaks_the_house_limit_is_cut_at_t0_too():
    found = go({15: lambda t: t.buy(20)}, order_notional={TEXT: "600000"})

    assert 9.9 < float(found.trader.fills[0][2]) < 10.1


def test_a_position_reported_by_the_venue_may_be_left_by_any_strategy():
    def take_over(trader):
        buy = trader.order_factory.market(PERPETUAL.id, OrderSide.BUY, PERPETUAL.make_qty(2))
        fill = TestEventStubs.order_filled(
            buy,
            PERPETUAL,
            strategy_id=StrategyId("EXTERNAL"),
            position_id=PositionId("P-EXTERNAL"),
            last_px=PERPETUAL.make_price(60_000),
        )
        trader.cache.add_order(buy)
        trader.cache.add_position(Position(PERPETUAL, fill), OmsType.NETTING)

    found = go({14: take_over, 15: lambda t: t.sell(2), 16: lambda t: t.buy(2)}, then(4, 4))

    assert [f[1] for f in found.trader.fills] == ["sell"]
    assert found.denied == 1  # what comes after would open
    assert found.position == 0


def test_a_resting_entry_may_not_be_moved_while_its_side_is_denied():
    kept = {}

    def rest(trader):
        kept["order"] = limit(trader, OrderSide.BUY, 2, 40_000)

    def move(trader):
        trader.modify_order(kept["order"], price=PERPETUAL.make_price(90_000))

    denied = go({5: rest, 15: move}, then(3, 0))
    assert denied.trader.fills == []
    assert str(kept["order"].price) == "40000.0"
    assert denied.trader.guard_counts["modify denied"] == 1

    assert [f[1] for f in go({5: rest, 15: move}).trader.fills] == ["buy"]


def test_a_resting_exit_may_be_moved_at_every_tier():
    kept = {}

    def rest(trader):
        trader.buy(2)
        kept["order"] = limit(trader, OrderSide.SELL, 2, 90_000)

    def leave(trader):
        trader.modify_order(kept["order"], price=PERPETUAL.make_price(40_000))

    found = go({5: rest, 15: leave}, then(4, 4))

    assert found.position == 0


def exits(trader, *quantities):
    trader.submit_order_list(
        trader.order_factory.create_list(
            [
                trader.order_factory.market(PERPETUAL.id, OrderSide.SELL, PERPETUAL.make_qty(q))
                for q in quantities
            ]
        )
    )


def test_the_exits_of_a_list_cannot_flip_a_position_together():
    twice = go({5: lambda t: t.buy(2), 15: lambda t: exits(t, 2, 2)}, then(0, 3))
    halves = go({5: lambda t: t.buy(2), 15: lambda t: exits(t, 1, 1)}, then(0, 3))

    assert twice.position == 0
    assert twice.trader.guard_counts["marked"] == 1
    assert halves.position == 0


def test_a_child_that_opens_more_than_its_parent_is_held_against_the_flags():
    def hidden(trader):
        parent = trader.order_factory.market(
            PERPETUAL.id, OrderSide.SELL, PERPETUAL.make_qty(1), reduce_only=True
        )
        child = trader.order_factory.market(PERPETUAL.id, OrderSide.BUY, PERPETUAL.make_qty(9))
        first, second = (
            OrderUnpacker.unpack({**OrderInitialized.to_dict(order.init_event), **values})
            for order, values in (
                (
                    parent,
                    {"contingency_type": "OTO", "linked_order_ids": [str(child.client_order_id)]},
                ),
                (child, {"parent_order_id": str(parent.client_order_id)}),
            )
        )
        trader.submit_order_list(trader.order_factory.create_list([first, second]))

    found = go({5: lambda t: t.buy(2), 15: hidden}, then(3, 0))

    assert [f[1] for f in found.trader.fills] == ["buy"]
    assert sum(found.trader.denials.values()) == 2
