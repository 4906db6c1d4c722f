"""Clocks that jump, and feeds that fall silent: no flag is good for longer than it was meant to be.

Keeper, shelf, board, gates over board and file: the real ones, by one pair of clocks that a test
moves. ``LIQWARN_FAULTS=full`` runs the counts that docs/faults.md reports.
"""

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.board.clocks import Clocks
from liqwarn.board.reader import BoardReader
from liqwarn.board.writer import BoardWriter
from liqwarn.client import open_gate
from liqwarn.client.board_source import BoardSource
from liqwarn.client.file_fetch import FileFetch
from liqwarn.client.gate import Gate
from liqwarn.client.polled import PolledSource
from liqwarn.config import load_policy
from liqwarn.decisions import (
    FLAGS_SCHEMA,
    Flag,
    ModelStamp,
    Restriction,
    Tier,
    flag_to_dict,
    iso_utc,
)
from liqwarn.policy.restriction import state_of
from liqwarn.serving.board_outlet import BoardOutlet
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.flag_file import FlagFile, FlagSet
from liqwarn.serving.keeper import FlagKeeper
from liqwarn.serving.shelf import FlagShelf

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
CASES = 2_000 if FULL else 25
SYMBOL = "BTCUSDT"
NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)
POLICY = load_policy(Path(__file__).parents[2] / "conf" / "policy.yaml")
SEEN = Counter()
_ROUNDING_S = 1e-5
_ROUNDING = timedelta(seconds=_ROUNDING_S)


@dataclass
class HandClocks:
    """A wall clock that jumps, and one that only runs."""

    now: datetime = NOON
    seconds: float = 5_000.0

    def wall(self):
        return self.now

    def monotonic(self):
        return self.seconds

    def run(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    def jump(self, seconds):
        self.now += timedelta(seconds=seconds)

    @property
    def in_ns(self):
        return Clocks(
            wall_ns=lambda: int(self.now.timestamp() * 1e9),
            boot_ns=lambda: int(self.seconds * 1e9),
        )


def make_flag(now, number, life_s, late_s=0.0):
    limits = POLICY.tiers[Tier.T0].threatened
    calm = Restriction(
        tier=Tier.T0,
        state=state_of(limits, halted=False),
        limits=limits,
        probability={1: 0.1, 4: 0.2, 24: 0.3},
        reasons=("Calm.",),
    )
    as_of = now - timedelta(seconds=late_s)
    return Flag(
        symbol=SYMBOL,
        as_of=as_of,
        issued_at=now,
        valid_until=as_of + timedelta(seconds=life_s),
        sequence=int(NOON.timestamp()) + number,
        quality="ok",
        sides={"long": calm, "short": calm},
        model=ModelStamp(version="1", sha256="ab" * 32),
        policy=POLICY.stamp,
        data_sha256="cd" * 32,
        completeness=1.0,
    )


@dataclass
class Readers:
    """Everything a flag is read through, by one pair of clocks."""

    folder: Path
    clocks: HandClocks = field(default_factory=HandClocks)

    def __post_init__(self):
        self.shelf, self.path = FlagShelf(), self.folder / "flags.json"
        self.keepers = {
            "keeper": FlagKeeper(self.shelf, policy=POLICY, clock=self.clocks),
            "keeper of a file": FlagKeeper(FlagFile(self.path), policy=POLICY, clock=self.clocks),
        }
        self.writer = BoardWriter.create(self.folder / "board", [SYMBOL])
        self.board = BoardOutlet(self.writer, clock=self.clocks)
        clocks = self.clocks.in_ns
        self.polled = PolledSource(FileFetch(self.path), poll_s=1e6, clocks=clocks)
        reader = BoardReader(self.folder / "board", clocks=clocks)
        self.gates = {
            "gate over the board": Gate(BoardSource(reader), "board", clocks=clocks),
            "gate over the file": Gate(self.polled, "file", clocks=clocks),
        }
        self.number, self.valid_until, self.deadline = 0, NOON, 0.0

    def publish(self, life_s, late_s):
        self.number += 1
        flag = make_flag(self.clocks.now, self.number, life_s, late_s)
        flags = FlagSet(generated_at=self.clocks.now, market="real", flags={SYMBOL: flag})
        self.shelf.publish(flags)
        self.board.publish(flags)
        document = {
            "schema": FLAGS_SCHEMA,
            "generated_at": iso_utc(self.clocks.now),
            "market": "real",
            "flags": [flag_to_dict(flag)],
        }
        self.path.write_bytes(orjson.dumps(document))
        stamp = int(self.clocks.now.timestamp() * 1e9) + self.number  # another one each time
        os.utime(self.path, ns=(stamp, stamp))
        self.valid_until = flag.valid_until
        self.deadline = self.clocks.seconds + max(0.0, life_s - late_s)
        self.check()  # every reader has seen it by now

    def check(self):
        """Nobody takes the flag for good once either clock says that it is over."""
        self.polled.ask()
        late = self.clocks.seconds - self.deadline  # flags tell time to the microsecond
        over = late > _ROUNDING_S or self.clocks.now >= self.valid_until + _ROUNDING
        fresh = self.fresh()
        SEEN.update({"reads": len(fresh), "good": sum(fresh.values())})
        if over:
            assert not any(fresh.values()), fresh

    def fresh(self):
        said = {name: gate(SYMBOL, "long").new_risk for name, gate in self.gates.items()}
        for name, keeper in self.keepers.items():
            served = keeper.look().of(SYMBOL)
            said[name] = served is not None and served.fresh
            if served is not None and not served.fresh:
                assert served.flag.quality == "stale"
                assert not served.flag.sides["long"].limits.net_increase
        return said

    def close(self):
        for gate in self.gates.values():
            gate.close()
        self.writer.close()


lives = st.floats(1.0, 4_200.0)
steps = st.one_of(
    st.tuples(st.just("run"), st.floats(0.001, 2_500.0)),
    st.tuples(st.just("jump"), st.one_of(st.just(-600.0), st.just(600.0), st.floats(-9e3, 9e3))),
    st.tuples(st.just("publish"), lives),
)


@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
)
@given(life=lives, late=st.floats(0.0, 60.0), then=st.lists(steps, max_size=14))
def test_no_flag_is_good_beyond_its_budget_whatever_the_clock_does(
    tmp_path_factory, life, late, then
):
    readers = Readers(tmp_path_factory.mktemp("clock"))
    try:
        readers.publish(life, late)
        for what, amount in then:
            if what == "publish":
                readers.publish(amount, late)
            else:
                getattr(readers.clocks, what)(amount)
            readers.check()
    finally:
        readers.close()


@pytest.mark.parametrize("jump_s", [-600.0, 600.0])
def test_ten_minutes_either_way_buy_no_time(tmp_path, jump_s):
    readers = Readers(tmp_path)
    readers.publish(4_200.0, 1.0)
    assert all(readers.fresh().values())
    readers.clocks.jump(jump_s)
    readers.clocks.run(3_600.0)
    readers.check()
    assert all(readers.fresh().values()) == (jump_s < 0)
    readers.clocks.run(600.0)
    assert not any(readers.fresh().values())
    readers.close()


def test_by_real_clocks_a_gate_denies_within_a_second_of_the_end(tmp_path):
    clock = SystemClock()
    with open_gate(f"board:{tmp_path / 'board'}") as gate:
        writer = BoardWriter.create(tmp_path / "board", [SYMBOL])
        flag = make_flag(clock.wall(), 0, 1.5)
        BoardOutlet(writer, clock=clock).publish(
            FlagSet(generated_at=flag.issued_at, market="real", flags={SYMBOL: flag})
        )
        assert gate(SYMBOL, "long").new_risk
        while gate(SYMBOL, "long").new_risk:
            time.sleep(0.005)
        assert -0.05 < (clock.wall() - flag.valid_until).total_seconds() < 1.0
        assert gate(SYMBOL, "long").quality == "stale"
        writer.close()


def test_by_real_clocks_a_gate_denies_within_a_second_of_its_allowed_silence(tmp_path):
    clock = SystemClock()
    with open_gate(f"board:{tmp_path / 'board'}", max_silence_s=1.0) as gate:
        writer = BoardWriter.create(tmp_path / "board", [SYMBOL])
        flag = make_flag(clock.wall(), 0, 600.0)
        board = BoardOutlet(writer, clock=clock)
        board.publish(FlagSet(generated_at=flag.issued_at, market="real", flags={SYMBOL: flag}))
        for _ in range(6):  # beats alone keep it good
            time.sleep(0.25)
            board.beat()
            assert gate(SYMBOL, "long").new_risk
        last = time.monotonic()
        while gate(SYMBOL, "long").new_risk:
            time.sleep(0.005)
        assert 0.9 < time.monotonic() - last < 2.0
        assert gate.status()["denials"]
        writer.close()


def test_the_counts_are_told():
    print(f"{CASES} sequences of steps, {dict(SEEN)}")
    assert SEEN["good"] > 0
