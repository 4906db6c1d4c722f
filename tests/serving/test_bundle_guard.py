"""The bundle in use is read again now and then; one bad look is none."""

import threading

from liqwarn.serving.bundle_guard import BundleGuard


class Holder:
    def __init__(self):
        self.looks, self.found = 0, None

    def fault(self):
        self.looks += 1
        return self.found


def test_it_looks_every_ten_minutes_and_twice_before_it_speaks():
    holder, now = Holder(), [0.0]
    guard = BundleGuard(holder, monotonic=lambda: now[0], begin=lambda look: look())

    def after(seconds):
        now[0] += seconds
        return guard()

    assert [after(599), holder.looks] == [None, 0]
    assert [after(1), holder.looks] == [None, 1]
    holder.found = "hash of model.txt"
    assert [after(600), after(29)] == [None, None]
    assert after(1) == "hash of model.txt"
    holder.found = None
    assert [after(600), after(600)] == [None, None]
    holder.found = "again"
    assert after(600) is None
    holder.found = None
    assert after(30) is None


def test_a_share_that_hangs_keeps_nobody_waiting():
    holder, now, free = Holder(), [0.0], threading.Event()
    real = holder.fault
    holder.fault = lambda: free.wait(20) and real()
    holder.found = "hash of model.txt"
    guard = BundleGuard(holder, monotonic=lambda: now[0])

    for _ in range(3):
        now[0] += 600
        assert guard() is None
    assert holder.looks == 0

    free.set()
    said = None
    while said is None:
        now[0] += 30
        said = guard()
    assert said == "hash of model.txt"


def test_a_look_that_breaks_has_found_nothing():
    now, begun = [600.0], []
    guard = BundleGuard(Holder(), monotonic=lambda: now[0], begin=begun.append)
    now[0] += 600
    assert guard() is None

    guard._holder.fault = lambda: 1 / 0
    begun[0]()

    assert guard() is None
    assert not guard._looking
