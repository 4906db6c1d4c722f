"""An order path asks; it always gets an answer, and never one that is too loose."""

import os
import threading
from dataclasses import replace

import pytest

from liqwarn.board import Refusal
from liqwarn.board.clocks import epoch_ns
from liqwarn.client import Gate
from liqwarn.client.seen import seen_from_flag


class Told:
    """A source that finds what it was told to."""

    def __init__(self):
        self.found, self.closed = Refusal(kind="missing", detail="nothing there"), False

    def find(self, symbol):
        if isinstance(self.found, BaseException):
            raise self.found
        return self.found

    def status(self):
        return {"age_s": 1.0, "fault": None}

    def close(self):
        self.closed = True


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def gate(told, fake):
    return Gate(told, "told", clocks=fake.clocks)


@pytest.fixture
def seen(make_flag, fake):
    def seen(**changes):
        flag = make_flag(**changes)
        return seen_from_flag(flag, epoch_ns(flag.issued_at), fake.boot, None)

    return seen


def test_each_side_has_its_answer(gate, told, seen):
    told.found = seen()
    assert gate("BTCUSDT", "long").new_risk
    assert gate("BTCUSDT", "short").reason == "A cascade is running."
    assert gate("BTCUSDT", "long") is gate("BTCUSDT", "long")
    assert gate.status() == {"source": "told", "age_s": 1.0, "fault": None, "denials": {}}


def test_no_flag_is_no_new_risk(gate):
    found = gate("BTCUSDT", "long")
    assert (found.new_risk, found.tier, found.state) == (False, 3, "REDUCING")
    assert found.reason == "missing: nothing there"


def test_a_lower_sequence_is_refused_and_the_higher_one_stays_the_measure(gate, told, seen):
    told.found = seen(later=300)
    assert gate("BTCUSDT", "long").new_risk
    newest = gate("BTCUSDT", "long").sequence
    told.found = seen()
    for _ in range(2):
        found = gate("BTCUSDT", "long")
        assert (found.new_risk, found.tier) == (False, 3)
        assert f"sequence is {newest - 300}, expected {newest} or higher" in found.reason
        assert found.sequence == newest
    told.found = seen(later=300)
    assert gate("BTCUSDT", "long").new_risk
    assert gate.status()["denials"] == {"lower sequence": 2}


def test_the_same_sequence_issued_earlier_is_refused(gate, told, seen, make_flag):
    told.found = seen()
    assert gate("BTCUSDT", "long").new_risk
    told.found = seen(issued_at=make_flag().as_of)
    assert "lower sequence" in gate("BTCUSDT", "long").reason


def test_an_expired_flag_holds_its_tier_and_grows_stricter(gate, told, seen, fake):
    told.found = seen()
    gate("BTCUSDT", "long")
    told.found = Refusal(kind="expired", detail="valid until just now")
    fake.run(70 * 60)
    long, short = gate("BTCUSDT", "long"), gate("BTCUSDT", "short")
    assert [(d.tier, d.state, d.new_risk) for d in (long, short)] == [
        (2, "REDUCING", False),
        (4, "REDUCING", False),
    ]
    assert (short.leverage_frac, short.collateral_buffer_mult) == (0.25, 2.0)
    fake.run(3600)
    assert gate("BTCUSDT", "long").tier == 3


def test_an_operators_halt_is_not_lifted_by_silence(gate, told, seen, make_flag):
    barred = make_flag().sides["short"]
    halt = replace(barred, tier=type(barred.tier).T5, state=type(barred.state).HALTED)
    told.found = seen(long=halt)
    assert gate("BTCUSDT", "long").state == "HALTED"
    told.found = Refusal(kind="unreachable", detail="gone")
    assert (gate("BTCUSDT", "long").state, gate("BTCUSDT", "short").state) == ("HALTED", "REDUCING")


@pytest.mark.parametrize(
    "error", [OSError("x"), ValueError(), RecursionError(), MemoryError(), AssertionError("y")]
)
def test_whatever_is_raised_inside_it_denies(gate, told, error):
    told.found = error
    found = gate("BTCUSDT", "long")
    assert (found.new_risk, found.reason.startswith("error: ")) == (False, True)
    assert gate.status()["denials"] == {"error": 1}


@pytest.mark.parametrize("symbol", [None, 7, [], {}, b"BTCUSDT", "", "É" * 100])
@pytest.mark.parametrize("side", ["buy", "", None, [], "LONG"])
def test_whatever_is_asked_it_answers(gate, told, seen, symbol, side):
    assert not gate(symbol, side).new_risk
    told.found = seen()
    found = gate(symbol, side)
    assert (found.new_risk, found.state) == (False, "REDUCING")


def test_an_unknown_side_says_so(gate, told, seen):
    told.found = seen()
    assert "unknown side: 'buy', expected long or short" in gate("BTCUSDT", "buy").reason


def test_closed_it_denies(told, seen, fake):
    told.found = seen()
    with Gate(told, "told", clocks=fake.clocks) as gate:
        assert gate("BTCUSDT", "long").new_risk
    assert told.closed
    assert gate("BTCUSDT", "long").reason == "closed: the gate was closed"


def test_threads_never_lower_the_measure(gate, told, seen):
    made = [seen(later=n) for n in range(50)]

    class Turning(Told):
        turn = 0

        def find(self, symbol):
            self.turn += 1
            return made[self.turn * 7 % 50]

    gate._source = Turning()
    taken = {n: [] for n in range(4)}

    def ask(n):
        taken[n] = [gate("BTCUSDT", "long") for _ in range(500)]

    threads = [threading.Thread(target=ask, args=(n,)) for n in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answers in taken.values():
        good = [d.sequence for d in answers if d.new_risk]
        assert good == sorted(good)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_forked_while_the_lock_is_held_still_gets_answers(gate, told, seen):
    told.found = seen()
    with gate._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if gate("BTCUSDT", "long").new_risk else 1)
    assert os.waitpid(child, 0)[1] == 0
