"""Random histories of bars, orders, waits and kills: the laws that hold for every one of them.

The same history without its kills is the model: a kill changes nothing.
"""

import runpy
import shutil
import tempfile
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from liqwarn.data.bars.assembler import Assembler
from liqwarn.decisions import Tier
from liqwarn.frames import SIDES
from liqwarn.policy.audit import replay, verify
from liqwarn.policy.orders import BY_HAND, Action, Order

LIVE = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("live_given.py"))))
Kept = runpy.run_path(str(Path(__file__).with_name("test_live_orders.py")))["Kept"]
BARS = 99
EVENING = datetime.fromisoformat("2024-08-05T19:00:00+00:00")
"""A few bars before midnight: the daily cap counts anew on the way."""


@dataclass(frozen=True)
class Bar:
    """The next bar, taken some minutes after its close."""

    falls: bool
    late: int = 0


@dataclass(frozen=True)
class Wait:
    minutes: int


@dataclass(frozen=True)
class Kill:
    pass


@st.composite
def orders(draw):
    action = draw(st.sampled_from(BY_HAND))
    named = action in (Action.TIGHTEN, Action.LOOSEN)
    minutes = draw(st.sampled_from([5, 20, 45, 90, 200]))
    ends = action is Action.LOOSEN or (action is Action.TIGHTEN and draw(st.booleans()))
    return Order(
        id="o",
        action=action,
        symbols=draw(st.sampled_from([(), ("BTCUSDT",), ("DOGEUSDT",)])),
        sides=draw(st.sampled_from([SIDES, ("long",), ("short",)])),
        tier=draw(st.sampled_from([t for t in Tier if t not in (Tier.T0, Tier.T5)]))
        if named
        else None,
        names=("Ada", "Bob"),
        reason="Why.",
        lasts=timedelta(minutes=minutes) if ends else None,
    )


steps = st.one_of(
    st.builds(Bar, st.sampled_from([False, False, True]), st.sampled_from([0, 0, 15])),
    orders(),
    st.builds(Wait, st.sampled_from([1, 10, 31])),
    st.just(Kill()),
)


class World:
    """One history on a live folder of its own; the laws are asserted on the way."""

    def __init__(self, policy, panel):
        frame = LIVE.small_frame(BARS, first="2024-08-05T20:00:00")
        frame.fields["close"].flags.writeable = True
        self.folder = Path(tempfile.mkdtemp(prefix="liqwarn-orders-"))
        self.kept = Kept(self.folder, policy, panel, frame, LIVE.HandClock(EVENING))
        self.kept.noon = EVENING
        self.one, self.count = self.kept.begin(), 0

    def do(self, step):
        match step:
            case Bar(falls, late):
                self.close(falls, timedelta(minutes=late))
            case Wait(minutes):
                # a bar that nobody reports closes by itself, and that is another law's
                left = self.one.loop.engine.as_of + timedelta(minutes=79) - self.kept.clock.now
                self.kept.clock.forward(min(timedelta(minutes=minutes), left))
                self.one.loop.turn(threading.Event())
                self.assert_quiet()
            case Kill():
                first = self.kept.frame.times[self.bar]
                assembler = Assembler(
                    self.kept.panel, first=first, patience=timedelta(minutes=20), joined=True
                )
                self.one = self.kept.again(assembler=assembler)
            case order:
                self.order(order)
        self.assert_held()

    @property
    def bar(self):
        """Place of the next bar: one that nobody reported has closed by itself."""
        return round((self.one.loop.engine.as_of - EVENING) / timedelta(hours=1))

    def close(self, falls, late):
        bar, close = self.bar, self.one.loop.engine.as_of + timedelta(hours=1) + late
        if falls:
            self.kept.frame.fields["close"][0, bar] = 666.0
        if self.kept.clock.now < close:
            self.kept.clock.forward(close - self.kept.clock.now)
        self.kept.bars(self.one, bar, bar + 1)

    def order(self, order):
        self.count += 1
        # a second each, so that every order has a moment of its own
        self.kept.clock.forward(timedelta(seconds=1))
        again = Order(
            **{name: getattr(order, name) for name in order.__slots__}
            | {"id": f"o-{self.count}", "reason": f"Order {self.count}."}
        )
        entry = self.kept.order(self.one, again)
        if entry is not None and order.action in (Action.HALT, Action.TIGHTEN):
            assert entry.accepted
            for side in entry.sides:
                assert side.tier >= max(side.before, order.tier or Tier.T5)
        if entry is not None and order.action is Action.RELEASE:
            for side in entry.sides:
                assert self.positions[side.symbol, side.side].floors == ()

    @property
    def positions(self):
        return self.one.loop.engine.positions

    def assert_quiet(self):
        """What the service does by itself it does once."""
        before = len(self.one.orders.entries)
        self.one.loop.turn(threading.Event())
        assert len(self.one.orders.entries) == before

    def assert_held(self):
        now = self.kept.clock.now
        for key, position in self.positions.items():
            for floor in position.floors:
                assert position.ceiling is not None or position.ruled.tier >= floor.tier, key
            if position.ceiling is not None:
                assert position.ceiling.active(now)
        flags = self.one.shelf.read().latest
        for symbol, flag in () if flags is None else flags.flags.items():
            assert flag.sequence == max(self.positions[symbol, side].sequence for side in SIDES)
            for side in SIDES:
                assert flag.sides[side].tier == self.positions[symbol, side].tier

    def end(self):
        """Positions at the end; the record must be whole."""
        for symbol in self.kept.panel.symbol_names:
            told = [flags.flags[symbol].sequence for flags in self.kept.seen]
            assert told == sorted(told)
        log = self.folder / "audit.jsonl"
        if log.exists():
            verify(log, log.with_name("audit.head.json"))
            assert replay(log, self.kept.policy).differences == 0
        while self.kept.opened:
            self.kept.opened.pop().close()
        shutil.rmtree(self.folder)
        return dict(self.positions)


def told(policy, panel, steps):
    world = World(policy, panel)
    try:
        for one in steps:
            world.do(one)
        return world.end()
    finally:
        shutil.rmtree(world.folder, ignore_errors=True)


def an_order(action, tier, minutes):
    lasts = timedelta(minutes=minutes)
    return Order(
        id="o", action=action, tier=tier, names=("Ada", "Bob"), reason="Why.", lasts=lasts
    )  # fmt: skip


@example(  # a loosening that ends where the side would relax below it once ended for ever
    [
        an_order(Action.TIGHTEN, Tier.T2, 5),
        an_order(Action.LOOSEN, Tier.T1, 90),
        Bar(falls=False),
        Wait(31),
    ]
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=4, max_size=24))
def test_a_kill_changes_nothing_and_an_order_holds_until_it_ends(policy, history):
    panel = LIVE.small_panel()
    history = [Bar(False), *history]

    killed = told(policy, panel, history)

    assert killed == told(policy, panel, [one for one in history if one != Kill()])
