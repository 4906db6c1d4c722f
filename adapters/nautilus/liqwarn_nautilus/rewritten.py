"""The same order with another quantity, or as one that can only reduce."""

from decimal import Decimal

from nautilus_trader.model.events import OrderInitialized
from nautilus_trader.model.orders import Order, OrderUnpacker

__all__ = ["rewritten"]


def rewritten(order: Order, *, quantity: Decimal | None = None, reduce_only: bool = False) -> Order:
    """A new order of the same id, kind and price; the old one must not be submitted.

    Parameters
    ----------
    order : Order
        Not yet submitted.
    quantity : Decimal, optional
        None keeps the order's own.
    reduce_only : bool
        Whether to mark it so; never takes the mark off.
    """
    values = OrderInitialized.to_dict(order.init_event)
    if quantity is not None:
        values["quantity"] = str(quantity)
    values["reduce_only"] = bool(values["reduce_only"] or reduce_only)
    return OrderUnpacker.unpack(values)
