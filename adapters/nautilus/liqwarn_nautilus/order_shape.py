"""What can be told of an order by itself, and by the list it is in."""

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.objects import Price
from nautilus_trader.model.orders import Order, OrderList

__all__ = ["comes_nearer", "parent_of", "position_side"]


def position_side(order: Order) -> str:
    """The side of the position that the order would open or grow: ``long`` or ``short``."""
    return "long" if order.side == OrderSide.BUY else "short"


def parent_of(order: Order, listed: OrderList) -> Order | None:
    """The order of the same list that must be filled first; None when there is none."""
    wanted = order.parent_order_id
    if wanted is None:
        return None
    return next((one for one in listed.orders if one.client_order_id == wanted), None)


def comes_nearer(order: Order, price: Price | None, trigger_price: Price | None) -> bool:
    """Whether an order that is modified so may be filled sooner; any new trigger may do that."""
    if trigger_price is not None:
        return True
    if price is None:
        return False
    return bool(price > order.price if order.side == OrderSide.BUY else price < order.price)
