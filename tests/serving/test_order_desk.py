"""Where orders wait: taken once, withdrawn only while nobody has them."""

import os
import runpy
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from liqwarn.errors import StoreError
from liqwarn.policy.orders import Action, Order
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.logs import logs_to
from liqwarn.serving.order_desk import INBOX, OrderDesk, place, withdraw
from liqwarn.serving.order_journal import OrderEntry

HandClock = runpy.run_path(str(Path(__file__).parents[1] / "hand_clocks.py"))["HandClock"]


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


def test_orders_are_taken_as_they_were_asked_for_whichever_way_they_came(tmp_path, order, entry):
    """A release of before must not undo a halt, whatever their names say."""
    clock = HandClock(datetime(2024, 8, 5, 12, tzinfo=UTC))
    desk = OrderDesk(tmp_path, clock=clock)
    first, second, third = (replace(order, id=name) for name in ("c", "b", "a"))
    for one, seconds in ((first, 1), (third, 3)):
        path = place(tmp_path, one)
        moment = clock.now.timestamp() + seconds
        os.utime(path, (moment, moment))
    clock.forward(timedelta(seconds=2))
    thread = threading.Thread(target=lambda: desk.ask(second, "key 1", within_s=20))
    thread.start()
    while not desk._queue:
        pass

    taken = desk.take()

    assert [one.order.id for one in taken] == ["c", "b", "a"]
    for one in taken:
        one.answer(replace(entry, order=one.order))
    thread.join(20)


def test_a_flood_is_taken_a_part_at_a_time(tmp_path, order, entry):
    desk = OrderDesk(tmp_path)
    for k in range(70):
        place(tmp_path, replace(order, id=f"f-{k}"))

    sizes = []
    while taken := desk.take():
        sizes.append(len(taken))
        for one in taken:
            one.answer(entry)

    assert sizes == [32, 32, 6]


def test_strange_things_in_the_folder_harm_nobody(tmp_path, order):
    """Each of them once stopped the loop, or could have made it wait for ever."""
    inbox = place(tmp_path, order).parent
    (inbox / "folder.json").mkdir()
    (inbox / "taken.json").write_text("{")
    (inbox / "taken.refused").mkdir()
    (inbox / "nowhere.json").symlink_to(inbox / "gone")
    os.mkfifo(inbox / "pipe.json")
    (Path(os.fsdecode(os.fsencode(inbox) + b"/\xff\n.json"))).write_text("{}")
    desk = OrderDesk(tmp_path)

    with logs_to(BytesIO(), clock=SystemClock()):
        for _ in range(2):
            assert [one.order for one in desk.take()] == [order]


def test_a_file_that_cannot_be_read_now_is_tried_again(tmp_path, order, monkeypatch):
    place(tmp_path, order)
    desk = OrderDesk(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(OSError("I/O error")))
        assert desk.take() == []

    assert [one.order for one in desk.take()] == [order]


def test_a_folder_that_cannot_be_read_is_as_one_without_orders(tmp_path):
    (tmp_path / INBOX).write_text("no folder")

    assert OrderDesk(tmp_path).take() == []


def test_a_folder_that_root_makes_is_given_to_the_owner_of_the_record(tmp_path, order, monkeypatch):
    given, owner = [], tmp_path.stat()
    monkeypatch.setattr(os, "chown", lambda *to: given.append(to))
    monkeypatch.setattr(os, "geteuid", lambda: owner.st_uid + 1)

    place(tmp_path, order)
    place(tmp_path, order)

    assert given == [(tmp_path / INBOX, owner.st_uid, owner.st_gid)]


def test_taken_without_an_answer_it_says_that_it_may_be_carried_out(tmp_path, order):
    desk, said = OrderDesk(tmp_path), []

    def ask():
        with pytest.raises(StoreError, match="may yet be carried out") as found:
            desk.ask(order, "key 1", within_s=0.1)
        said.append(found)

    thread = threading.Thread(target=ask)
    thread.start()
    while not desk.take():
        pass
    thread.join(20)
    assert said
