import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from liqwarn.serving.ports import Announcer, Publisher
from liqwarn.serving.shelf import FlagShelf

HOUR = timedelta(hours=1)


@pytest.fixture
def shelf():
    return FlagShelf()


def test_it_is_empty_before_the_first_publication(shelf):
    assert shelf.read().latest is None
    assert shelf.read().fault == "no flags published yet"
    assert isinstance(shelf, Announcer)


def test_what_is_published_is_read_as_the_same_object_until_the_next(shelf, flag_set, make_flag):
    shelf.publish(flag_set(make_flag("A")))
    reading = shelf.read()
    assert reading is shelf.read()
    assert reading.latest.flags["A"] == make_flag("A")
    assert (reading.fault, reading.modified) == (None, make_flag("A").issued_at)


def test_symbols_that_are_not_in_a_publication_stay(shelf, flag_set, make_flag, noon):
    shelf.publish(flag_set(make_flag("A"), make_flag("B")))
    before = shelf.read().latest
    shelf.publish(flag_set(make_flag("B", "T3", as_of=noon + HOUR)))
    latest = shelf.read().latest
    assert latest.flags["A"] is before.flags["A"]
    assert latest.flags["B"].as_of == noon + HOUR
    assert before.flags["B"].as_of == noon  # a reader keeps what it has


def test_an_older_flag_stays_outside_and_is_named(shelf, flag_set, make_flag, noon):
    shelf.publish(flag_set(make_flag("A", "T4")))
    shelf.publish(flag_set(make_flag("A", as_of=noon - HOUR), generated_at=noon))
    assert shelf.read().latest.flags["A"] == make_flag("A", "T4")
    assert shelf.read().fault == "older than published before: A"
    shelf.publish(flag_set(make_flag("A", as_of=noon + HOUR)))
    assert shelf.read().fault is None


def test_a_fault_of_the_loop_stays_until_it_is_over(shelf, flag_set, make_flag):
    shelf.fail("no bar for 20 minutes")
    assert shelf.read().fault == "no bar for 20 minutes"
    shelf.publish(flag_set(make_flag("A")))
    assert shelf.read().fault == "no bar for 20 minutes"
    shelf.fail(None)
    assert shelf.read().fault is None


def test_listeners_hear_every_publication(shelf, flag_set, make_flag):
    heard = []
    shelf.listen(lambda: heard.append(shelf.read().latest))
    publisher: Publisher = shelf
    publisher.publish(flag_set(make_flag("A")))
    shelf.fail("x")
    assert [list(latest.flags) for latest in heard] == [["A"], ["A"]]


def test_readers_in_other_threads_see_whole_publications(shelf, flag_set, make_flag, noon):
    flags = [make_flag(symbol) for symbol in "ABCDEFGH"]
    torn, done = [], threading.Event()

    def read():
        while not done.is_set():
            latest = shelf.read().latest
            if latest and len({flag.sequence for flag in latest.flags.values()}) != 1:
                torn.append(latest)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for n in range(300):
        moved = [replace(flag, sequence=flag.sequence + n) for flag in flags]
        shelf.publish(flag_set(*moved))
    done.set()
    for reader in readers:
        reader.join()
    assert torn == []
