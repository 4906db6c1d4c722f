"""Where orders wait: taken once, withdrawn only while nobody has them."""

import threading

import pytest

from liqwarn.errors import StoreError
from liqwarn.policy.orders import Action, Order
from liqwarn.serving.order_desk import INBOX, OrderDesk, place, withdraw
from liqwarn.serving.order_journal import OrderEntry


@pytest.fixture
def order():
    return Order(id="1", action=Action.HALT, names=("Ada",), reason="Why.")


@pytest.fixture
def entry(order, noon):
    return OrderEntry(order=order, by="host", at=noon, as_of=noon, sides=())


def test_a_file_is_taken_and_removed_when_it_is_answered(tmp_path, order, entry):
    desk = OrderDesk(tmp_path)
    assert desk.take() == []
    path = place(tmp_path, order)

    (asked,) = desk.take()

    assert (asked.order, asked.by, asked.stale) == (order, "host", False)
    assert not withdraw(path)
    asked.answer(OSError("full"))
    assert [one.order for one in desk.take()] == [order]
    asked.answer(entry)
    assert desk.take() == []
    assert list((tmp_path / INBOX).iterdir()) == []


def test_what_nobody_has_taken_can_be_withdrawn(tmp_path, order):
    path = place(tmp_path, order)

    assert withdraw(path)
    assert OrderDesk(tmp_path).take() == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"id": "1"}', b"x" * 300_000, "another id", "the service's own"],
)
def test_what_is_no_order_is_set_aside(tmp_path, order, content):
    path = place(tmp_path, order)
    if content == "another id":
        content = path.read_bytes().replace(b'"1"', b'"2"')
    elif content == "the service's own":
        content = path.read_bytes().replace(b'"halt"', b'"fault"')
    path.write_bytes(content)
    desk = OrderDesk(tmp_path)

    assert desk.take() == []
    assert [one.name for one in (tmp_path / INBOX).iterdir()] == ["1.refused"]
    assert desk.take() == []


def test_an_order_from_another_thread_waits_for_its_answer(tmp_path, order, entry):
    desk = OrderDesk(tmp_path)
    found = []
    thread = threading.Thread(target=lambda: found.append(desk.ask(order, "key 1", within_s=20)))
    thread.start()
    while not (taken := desk.take()):
        pass
    taken[0].answer(entry)
    thread.join(20)

    assert found == [entry]
    assert taken[0].by == "key 1"


def test_an_order_that_nobody_takes_is_withdrawn(tmp_path, order):
    desk = OrderDesk(tmp_path)

    with pytest.raises(StoreError, match="took no order within"):
        desk.ask(order, "key 1", within_s=0.01)
    assert desk.take() == []
