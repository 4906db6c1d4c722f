"""Where orders wait for the live loop: a folder for who is on this machine, a queue for HTTP.

::

    FOLDER/orders/ID.json      asked for; whoever can write there may order
    FOLDER/orders/ID.taken     the loop has it: it can no longer be withdrawn
    FOLDER/orders/ID.refused   no order at all

What waits is carried out in the order in which it was asked for, whichever way it came: a release
that was asked for before a halt must not undo it. What cannot be read now is tried again.

The answer is the line in the journal of orders; see :mod:`liqwarn.serving.order_journal`.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson

from liqwarn.durable import write_bytes
from liqwarn.errors import PolicyError, StoreError
from liqwarn.policy.orders import BY_HAND, Order, order_from_dict, order_to_dict
from liqwarn.serving.clock import Clock, SystemClock
from liqwarn.serving.logs import get_logger
from liqwarn.serving.order_journal import OrderEntry

__all__ = ["INBOX", "Asked", "OrderDesk", "place", "withdraw"]

INBOX: Final = "orders"

_LOG: Final = get_logger("orders")
_LARGEST: Final = 256 << 10
_AT_ONCE: Final = 32
"""Files taken in one round: a flood of them must not keep the bars waiting."""
_STALE: Final = timedelta(minutes=2)
"""How long what takes a restriction back may wait in the folder: it was meant for that moment."""


@dataclass(slots=True, eq=False)
class Asked:
    """An order that waits; whoever asked is told through :meth:`answer`."""

    order: Order
    by: str
    stale: bool = False
    """Whether it waited so long that nothing may be taken back by it."""
    since: float = 0.0
    """When it was asked for, epoch seconds."""
    answer: Callable[[OrderEntry | Exception], None] = lambda _: None


@dataclass(slots=True, eq=False)
class _Waiting:
    asked: Asked
    done: threading.Event = field(default_factory=threading.Event)
    found: OrderEntry | Exception | None = None

    def tell(self, found: OrderEntry | Exception) -> None:
        self.found = found
        self.done.set()


class OrderDesk:
    """Takes orders in from any thread and hands them to the loop's.

    Parameters
    ----------
    folder : Path
        Of the live record.
    clock : Clock, optional
        Of the machine: it tells how long a file has waited.
    """

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self._inbox = folder / INBOX
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._queue: list[_Waiting] = []

    def ask(self, order: Order, by: str, *, within_s: float) -> OrderEntry:
        """Have an order carried out, and wait for what came of it.

        Raises
        ------
        StoreError
            When the loop did not take it in time: nothing has changed and nothing will. Or when
            it could not be written down, or was taken and has no answer yet.
        """
        waiting = _Waiting(Asked(order, by, since=self._clock.wall().timestamp()))
        waiting.asked.answer = waiting.tell
        with self._lock:
            self._queue.append(waiting)
        if not waiting.done.wait(within_s):
            with self._lock:
                withdrawn = waiting in self._queue
                if withdrawn:
                    self._queue.remove(waiting)
            if withdrawn:
                raise StoreError(f"the live loop took no order within {within_s:g} s")
            if not waiting.done.wait(within_s):
                raise StoreError(
                    "the order was taken and may yet be carried out: send it again with the same id"
                )
        if isinstance(waiting.found, OrderEntry):
            return waiting.found
        raise StoreError(f"the order could not be carried out: {waiting.found}")

    def take(self) -> list[Asked]:
        """What waits now, the oldest first; it can no longer be withdrawn."""
        with self._lock:
            found = [one.asked for one in self._queue]
            self._queue.clear()
        return sorted(found + self._files(), key=lambda one: one.since)

    def _files(self) -> list[Asked]:
        asked = []
        for since, path in self._waiting()[:_AT_ONCE]:
            taken = path.with_suffix(".taken")
            waited = self._clock.wall().timestamp() - since
            try:
                path.rename(taken)
                order = _read(taken)
            except FileNotFoundError:
                continue  # withdrawn
            except OSError as error:
                _LOG.error("order cannot be read", file=path.name, error=str(error))
                continue
            except (PolicyError, ValueError) as error:
                _LOG.error("no order", file=path.name, error=str(error))
                _set_aside(taken)
                continue
            stale = waited > _STALE.total_seconds()
            asked.append(Asked(order, "host", stale, since, _remover(taken)))
        return asked

    def _waiting(self) -> list[tuple[float, Path]]:
        """When files were placed, and where; nothing where the folder cannot be read."""
        try:
            return sorted(_placed(self._inbox))
        except FileNotFoundError:
            return []
        except OSError as error:  # whatever stands there must not stop the bars
            _LOG.error("orders cannot be read", error=str(error))
            return []


def place(folder: Path, order: Order) -> Path:
    """Put an order where the loop of that folder finds it; it is on disk when this returns."""
    inbox = folder / INBOX
    try:
        inbox.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        _give_to_owner_of(folder, inbox)
    path = inbox / f"{order.id}.json"
    write_bytes(path, orjson.dumps(order_to_dict(order)))
    return path


def withdraw(path: Path) -> bool:
    """Take an order back; False when the loop has it already."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _give_to_owner_of(folder: Path, made: Path) -> None:
    """Root may order first, and the service must still be able to look there."""
    owner = folder.stat()
    if os.geteuid() != owner.st_uid:
        os.chown(made, owner.st_uid, owner.st_gid)


def _placed(inbox: Path) -> Iterator[tuple[float, Path]]:
    for path in inbox.iterdir():
        if path.name[0] == "." or path.suffix not in (".json", ".taken"):
            continue
        try:
            told = path.lstat()
        except FileNotFoundError:
            continue  # withdrawn
        if stat.S_ISREG(told.st_mode):  # nothing that could be waited for in vain
            yield told.st_mtime, path


def _set_aside(taken: Path) -> None:
    try:
        taken.replace(taken.with_suffix(".refused"))
    except OSError as error:
        _LOG.error("a file that is no order stays", file=taken.name, error=str(error))


def _read(path: Path) -> Order:
    if path.stat().st_size > _LARGEST:
        raise PolicyError(f"{path.name} has more than {_LARGEST} bytes")
    order = order_from_dict(orjson.loads(path.read_bytes()))
    if order.id != path.stem:
        raise PolicyError(f"{path.name} holds order {order.id!r}")
    if order.action not in BY_HAND:
        raise PolicyError(f"{order.action} is the service's own, expected {[*BY_HAND]}")
    return order


def _remover(path: Path) -> Callable[[OrderEntry | Exception], None]:
    def answered(found: OrderEntry | Exception) -> None:
        if isinstance(found, OrderEntry):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # it is known by its id: taken again, nothing changes
                _LOG.error("an order that was carried out stays", error=str(error))
        # what could not be written down is tried again

    return answered
