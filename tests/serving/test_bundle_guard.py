"""The bundle in use is read again now and then; one bad look is none."""

from liqwarn.serving.bundle_guard import BundleGuard


class Holder:
    def __init__(self):
        self.looks, self.found = 0, None

    def fault(self):
        self.looks += 1
        return self.found


def test_it_looks_every_ten_minutes_and_twice_before_it_speaks():
    holder, now = Holder(), [0.0]
    guard = BundleGuard(holder, monotonic=lambda: now[0])

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
