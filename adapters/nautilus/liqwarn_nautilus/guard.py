"""A strategy whose every order is held against the flags, per instrument and side.

The risk engine's state is one for the whole node, and lets a flat account open in REDUCING. So what
a flag says of one side of one symbol is enforced here, before the order leaves the strategy.
"""

from collections import Counter
from decimal import Decimal

from nautilus_trader.config import StrategyConfig
from nautilus_trader.core.message import Event
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OmsType, OrderSide
from nautilus_trader.model.events import OrderDenied
from nautilus_trader.model.identifiers import ClientId, InstrumentId, PositionId, StrategyId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order, OrderList
from nautilus_trader.model.position import Position
from nautilus_trader.trading.strategy import Strategy

from liqwarn_nautilus.allowance import House, Permission, opening_allowed, price_refusal, split
from liqwarn_nautilus.flag import FLAG_TOPIC, LiqwarnFlag
from liqwarn_nautilus.flag_book import FlagBook, Verdict
from liqwarn_nautilus.order_shape import comes_nearer, parent_of, position_side
from liqwarn_nautilus.rewritten import rewritten

__all__ = ["LiqwarnGuardConfig", "LiqwarnGuardedStrategy"]

_UNWATCHED = "(not watched)"
_EXTERNAL = StrategyId("EXTERNAL")
_ORDER_SIDE = {"long": OrderSide.BUY, "short": OrderSide.SELL}


class LiqwarnGuardConfig(StrategyConfig, frozen=True, kw_only=True):
    """What the guard knows of the house.

    Attributes
    ----------
    symbols : dict of instrument id to liqwarn symbol
        An instrument that is not in it may take no new risk.
    order_notional, position_notional : dict of instrument id to decimal text
        The house's largest order and position, in quote currency. Without the first the asked
        quantity is scaled; without the second `leverage_frac` binds nothing.
    resize : bool
        Whether an order that is too large is sent smaller; otherwise it is denied.
    mark_exits : bool
        Whether an exit is marked reduce-only while the side it could flip to may take no risk.
    cancel_when_restricted : bool
        Whether to cancel resting entries whenever a side may take no new risk; a flag's
        `cancel_increasing` is always obeyed.
    """

    symbols: dict[str, str] = {}
    order_notional: dict[str, str] = {}
    position_notional: dict[str, str] = {}
    resize: bool = True
    mark_exits: bool = True
    cancel_when_restricted: bool = False


class LiqwarnGuardedStrategy(Strategy):
    """Subclass it in place of ``Strategy``, with a config that subclasses LiqwarnGuardConfig.

    A subclass's ``on_start`` calls ``super().on_start()``; without that there are no flags, and
    without flags no new risk.
    """

    def __init__(self, config: LiqwarnGuardConfig) -> None:
        super().__init__(config)
        self.flags = FlagBook(config.symbols.values())
        self.guard_counts: Counter[str] = Counter()

    def on_start(self) -> None:
        """Listen to the flags, and to the risk engine's state."""
        self.flags = FlagBook(self.config.symbols.values())
        self.msgbus.subscribe(FLAG_TOPIC, self._on_flag)
        self.msgbus.subscribe("events.risk", self._on_risk_event)

    def may_open(
        self, instrument_id: InstrumentId, side: str, quantity: Quantity | Decimal | float
    ) -> Permission:
        """Whether exposure may grow, and by how much of `quantity`: to size an order by.

        Parameters
        ----------
        instrument_id : InstrumentId
        side : str
            ``long`` or ``short``: of the position that would open or grow.
        quantity : Quantity, Decimal or number

        Returns
        -------
        Permission
            A tuple: allowed, quantity (rounded down to what the instrument trades), reason.
        """
        found = self._permission(instrument_id, side, Decimal(str(quantity)))
        tradable = self._tradable(instrument_id, found.quantity)
        return Permission(found.allowed and tradable > 0, tradable, found.reason)

    def verdict(self, instrument_id: InstrumentId, side: str) -> Verdict:
        """What the newest flag says of a side now."""
        symbol = self.config.symbols.get(str(instrument_id), _UNWATCHED)
        return self.flags.verdict(symbol, side, self.clock.timestamp_ns())

    def submit_order(
        self,
        order: Order,
        position_id: PositionId | None = None,
        client_id: ClientId | None = None,
        params: dict[str, object] | None = None,
    ) -> None:
        """Submit what the flags allow of an order; the rest is denied as the risk engine denies."""
        self.guard_counts["asked"] += 1
        allowed, reason = self._allowed(order, position_id)
        if allowed is None:
            self.guard_counts["denied"] += 1
            self._deny(order, reason)
            return
        if allowed is not order:
            resized = allowed.quantity != order.quantity
            self.guard_counts["resized" if resized else "marked"] += 1
        super().submit_order(allowed, position_id, client_id, params)

    def submit_order_list(
        self,
        order_list: OrderList,
        position_id: PositionId | None = None,
        client_id: ClientId | None = None,
        params: dict[str, object] | None = None,
    ) -> None:
        """Submit a list whole or not at all; its exits are marked as single ones are."""
        sent = []
        for order in order_list.orders:
            self.guard_counts["asked"] += order.parent_order_id is None
            exits = self._leaves_parent(order, order_list)
            found = (self._marked(order), "reduces") if exits else self._allowed(order, position_id)
            allowed, reason = found
            if allowed is None or allowed.quantity != order.quantity:
                self.guard_counts["denied"] += 1
                for each in order_list.orders:
                    self._deny(each, reason)
                return
            sent.append(allowed)
        if any(new is not old for new, old in zip(sent, order_list.orders, strict=True)):
            self.guard_counts["marked"] += 1
            order_list = OrderList(order_list.id, sent)
        super().submit_order_list(order_list, position_id, client_id, params)

    def modify_order(
        self,
        order: Order,
        quantity: Quantity | None = None,
        price: Price | None = None,
        trigger_price: Price | None = None,
        client_id: ClientId | None = None,
        params: dict[str, object] | None = None,
    ) -> None:
        """Modify an order; what an entry gains by it is held against the flags, or not sent."""
        if not order.is_reduce_only:
            refusal = self._growth_refusal(order, quantity)
            if refusal is None and comes_nearer(order, price, trigger_price):
                refusal = self._move_refusal(order, quantity, price)
            if refusal is not None:
                self.guard_counts["modify denied"] += 1
                self.log.warning(f"Modify of {order.client_order_id} denied: {refusal}")
                return
        super().modify_order(order, quantity, price, trigger_price, client_id, params)

    def _leaves_parent(self, order: Order, listed: OrderList) -> bool:
        """Whether an order of a list can only leave what its parent opens."""
        parent = parent_of(order, listed)
        if parent is None or parent.is_reduce_only or self._opposite(parent, None):
            return False
        return bool(order.side != parent.side and order.quantity <= parent.quantity)

    def _opening(self, order: Order, quantity: Quantity | None = None) -> Decimal:
        """What a resting order would open, with another quantity if one is given."""
        position_id = self.cache.position_id(order.client_order_id)
        asked = order.quantity if quantity is None else quantity
        return split(asked.as_decimal(), self._opposite(order, position_id))[1]

    def _growth_refusal(self, order: Order, quantity: Quantity | None) -> str | None:
        more = self._opening(order, quantity) - self._opening(order)
        if more <= 0:
            return None
        permission = self._permission(order.instrument_id, position_side(order), more)
        return None if permission.quantity >= more else permission.reason

    def _move_refusal(
        self, order: Order, quantity: Quantity | None, price: Price | None
    ) -> str | None:
        """Why an entry may not come nearer to being filled; an exit always may."""
        if not self._opening(order, quantity):
            return None
        verdict = self.verdict(order.instrument_id, position_side(order))
        if not verdict.new_risk:
            return verdict.reason
        return self._price_refusal(order, price, verdict)

    def _price_refusal(self, order: Order, price: Price | None, verdict: Verdict) -> str | None:
        if price is None and order.has_price:
            price = order.price
        return price_refusal(
            None if price is None else price.as_decimal(),
            self._mark(order.instrument_id),
            post_only=bool(getattr(order, "is_post_only", False)),
            limits=verdict.limits,
        )

    def _allowed(self, order: Order, position_id: PositionId | None) -> tuple[Order | None, str]:
        """The order to send, as it is or rewritten; None when nothing of it may be sent."""
        if order.is_reduce_only:
            return order, "reduces"
        quantity = self._base_quantity(order)
        if quantity is None:
            return None, f"no price of {order.instrument_id} to size by"
        reducing, opening = split(quantity, self._opposite(order, position_id))
        side = position_side(order)
        if opening == 0:
            return self._exit(order), "reduces"
        permission = self._entry(order, side, opening)
        if permission.quantity >= opening:
            return order, permission.reason
        return self._cut(order, reducing, permission), permission.reason

    def _cut(self, order: Order, reducing: Decimal, permission: Permission) -> Order | None:
        """What is left of an order that may not open all it asks for."""
        opening = self._tradable(order.instrument_id, permission.quantity)
        if order.is_quote_quantity or not (reducing or opening):
            return None
        if not opening:
            return rewritten(order, quantity=reducing, reduce_only=self._margin(order))
        if not self.config.resize:
            return None if not reducing else rewritten(order, quantity=reducing)
        return rewritten(order, quantity=reducing + opening)

    def _exit(self, order: Order) -> Order:
        """An exit, unable to flip the position where the other side may take no risk."""
        own = self._opposite(order, None, external=False) > 0
        return self._marked(order) if own else order

    def _marked(self, order: Order) -> Order:
        flips = not self.verdict(order.instrument_id, position_side(order)).new_risk
        unmarked = not order.is_reduce_only
        if flips and unmarked and self.config.mark_exits and self._margin(order):
            return rewritten(order, reduce_only=True)
        return order

    def _entry(self, order: Order, side: str, quantity: Decimal) -> Permission:
        """Of an order's opening part: by its kind and price, and by its size; not rounded."""
        refusal = self._price_refusal(order, None, self.verdict(order.instrument_id, side))
        permission = self._permission(order.instrument_id, side, quantity)
        if permission.allowed and refusal:
            return Permission(False, Decimal(0), refusal)
        return permission

    def _permission(self, instrument_id: InstrumentId, side: str, quantity: Decimal) -> Permission:
        try:
            house = self._house(instrument_id, self._mark(instrument_id))
        except LookupError as missing:
            return Permission(False, Decimal(0), str(missing))
        exposure = self._exposure(instrument_id, side)
        return opening_allowed(quantity, exposure, self.verdict(instrument_id, side), house)

    def _opposite(
        self, order: Order, position_id: PositionId | None, *, external: bool = True
    ) -> Decimal:
        """Quantity that the order would reduce: the strategy's own, and what the venue reported.

        A position taken over from the venue at a start belongs to no strategy of the node; whoever
        leaves it reduces risk.
        """
        if position_id is not None:
            positions = [self.cache.position(position_id)]
        elif self.oms_type == OmsType.HEDGING:
            return Decimal(0)  # without a position id it opens one of its own
        else:
            positions = self._positions(order.instrument_id)
            if external:
                positions += self.cache.positions_open(
                    instrument_id=order.instrument_id, strategy_id=_EXTERNAL
                )
        signed = sum(
            (
                p.signed_decimal_qty()
                for p in positions
                if p and p.instrument_id == order.instrument_id
            ),
            Decimal(0),
        )
        return max(Decimal(0), -signed if order.side == OrderSide.BUY else signed)

    def _positions(self, instrument_id: InstrumentId) -> list[Position]:
        return self.cache.positions_open(instrument_id=instrument_id, strategy_id=self.id)

    def _exposure(self, instrument_id: InstrumentId, side: str) -> Decimal:
        sign = 1 if side == "long" else -1
        held = sum((p.signed_decimal_qty() for p in self._positions(instrument_id)), Decimal(0))
        resting = sum(
            (o.leaves_qty.as_decimal() for o in self._resting(instrument_id, side)), Decimal(0)
        )
        return max(held * sign, Decimal(0)) + resting

    def _resting(self, instrument_id: InstrumentId, side: str) -> list[Order]:
        """Own orders at work, or on their way, that could add to a side."""
        wanted = {
            "instrument_id": instrument_id,
            "strategy_id": self.id,
            "side": _ORDER_SIDE[side],
        }
        found = [
            *self.cache.orders_open(**wanted),
            *self.cache.orders_inflight(**wanted),
            *self.cache.orders_emulated(**wanted),
        ]
        once = {order.client_order_id: order for order in found}.values()
        return [
            order
            for order in once
            if not order.is_reduce_only
            and order.leaves_qty.as_decimal() > self._opposite(order, None)
        ]

    def _house(self, instrument_id: InstrumentId, mark: Decimal | None) -> House:
        text = str(instrument_id)
        order, position = (
            self._quantity_of(Decimal(table[text]), instrument_id, mark) if text in table else None
            for table in (self.config.order_notional, self.config.position_notional)
        )
        return House(order, position)

    def _quantity_of(
        self, notional: Decimal, instrument_id: InstrumentId, mark: Decimal | None
    ) -> Decimal:
        instrument = self.cache.instrument(instrument_id)
        if instrument.is_inverse:
            return notional / instrument.multiplier.as_decimal()
        if not mark:
            raise LookupError(f"no price of {instrument_id} to size by")
        return notional / (mark * instrument.multiplier.as_decimal())

    def _base_quantity(self, order: Order) -> Decimal | None:
        quantity = order.quantity.as_decimal()
        if not order.is_quote_quantity:
            return quantity
        price = order.price.as_decimal() if order.has_price else self._mark(order.instrument_id)
        return quantity / price if price else None

    def _tradable(self, instrument_id: InstrumentId, quantity: Decimal) -> Decimal:
        instrument = self.cache.instrument(instrument_id)
        step = instrument.size_increment.as_decimal()
        rounded = quantity // step * step
        least = instrument.min_quantity
        return Decimal(0) if least and rounded < least.as_decimal() else rounded

    def _mark(self, instrument_id: InstrumentId) -> Decimal | None:
        quote = self.cache.quote_tick(instrument_id)
        if quote is not None:
            return (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
        trade = self.cache.trade_tick(instrument_id)
        return None if trade is None else trade.price.as_decimal()

    def _margin(self, order: Order) -> bool:
        """Whether the venue's account can hold positions, and so knows reduce-only."""
        account = self.cache.account_for_venue(order.instrument_id.venue)
        return account is not None and account.is_margin_account

    def _deny(self, order: Order, reason: str) -> None:
        self.log.warning(f"Order {order.client_order_id} denied: {reason}")
        self.msgbus.publish(f"events.order.{order.strategy_id}", order.init_event)
        if not self.cache.order_exists(order.client_order_id):
            self.cache.add_order(order)
        denied = OrderDenied(
            trader_id=order.trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            reason=f"LIQWARN: {reason}",
            event_id=UUID4(),
            ts_init=self.clock.timestamp_ns(),
        )
        self.msgbus.send("ExecEngine.process", denied)

    def _on_flag(self, flag: LiqwarnFlag) -> None:
        if self.flags.take(flag, self.clock.timestamp_ns()) is None:
            self._cancel_increasing()

    def _on_risk_event(self, _event: Event) -> None:
        self._cancel_increasing()

    def _cancel_increasing(self) -> None:
        for text in self.config.symbols:
            instrument_id = InstrumentId.from_str(text)
            for side in _ORDER_SIDE:
                verdict = self.verdict(instrument_id, side)
                restricted = self.config.cancel_when_restricted and not verdict.new_risk
                if verdict.limits.cancel_increasing or restricted:
                    for order in self._resting(instrument_id, side):
                        self.guard_counts["cancelled"] += 1
                        self.cancel_order(order)
