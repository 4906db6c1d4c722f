"""Orders of the live service as the application asks for them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from liqwarn.errors import StoreError
from liqwarn.policy.orders import Order
from liqwarn.serving.clock import Clock
from liqwarn.serving.live_service import LiveService
from liqwarn.serving.standing_orders import in_force

__all__ = ["LiveOrderView"]

_LOOP_S: Final = 5.0
_WAIT_S: Final = 1.0


class LiveOrderView:
    """Asks the loop's thread, and looks at where the sides stand.

    Parameters
    ----------
    service : LiveService
    clock : Clock
        The loop's.
    """

    def __init__(self, service: LiveService, *, clock: Clock) -> None:
        self._service, self._clock = service, clock

    def ask(self, order: Order, by: str) -> Mapping[str, Any]:
        """See :class:`liqwarn.serving.ports.OrderPort`."""
        return self._service.desk.ask(order, by, within_s=_LOOP_S).to_dict()

    def in_force(self) -> Sequence[Mapping[str, Any]]:
        """See :class:`liqwarn.serving.ports.OrderPort`."""
        loop = self._service.loop
        if loop is None:
            raise StoreError("the live loop is being begun")
        if not loop.lock.acquire(timeout=_WAIT_S):
            raise StoreError("the live loop is at a bar: ask again")
        try:
            positions = dict(loop.engine.memory.positions)
        finally:
            loop.lock.release()
        return in_force(positions, self._clock.wall())
