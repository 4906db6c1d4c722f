"""What the live feed makes of the answers of a gate."""

import math
from dataclasses import replace

import pytest
from market import BAR, MINUTE, START, SYMBOL, run

from liqwarn.client import Decision
from liqwarn_nautilus.flag_book import FlagBook
from liqwarn_nautilus.gate_feed import LiqwarnGateFeed, LiqwarnGateFeedConfig, flag_of

CALM = Decision(
    symbol=SYMBOL,
    side="long",
    tier=0,
    state="ACTIVE",
    new_risk=True,
    leverage_frac=1.0,
    order_size_frac=1.0,
    add_frac=1.0,
    collateral_buffer_mult=1.0,
    max_participation_frac=None,
    post_only=False,
    collar_frac=None,
    cancel_increasing=False,
    quality="ok",
    reason="calm",
    fresh=True,
    sequence=7,
    as_of_s=START / 1e9,
    valid_until_s=(START + BAR + 10 * MINUTE) / 1e9,
    p_4h=0.01,
)
NONE = replace(
    CALM,
    tier=3,
    state="REDUCING",
    new_risk=False,
    order_size_frac=0.0,
    add_frac=0.0,
    quality="unknown",
    fresh=False,
    sequence=-1,
    as_of_s=math.nan,
    valid_until_s=math.nan,
    p_4h=None,
)


class FakeGate:
    """Answers by the engine's clock: a flag a bar, none between two minutes."""

    def __init__(self, silent=(math.inf, math.inf)):
        self.clock = None
        self.silent = silent
        self.closed = False

    def __call__(self, symbol, side):
        now = self.clock.timestamp_ns()
        if self.silent[0] <= (now - START) / MINUTE < self.silent[1]:
            return replace(NONE, symbol=symbol, side=side)
        bar = (now - START) // BAR * BAR + START
        return replace(
            CALM,
            symbol=symbol,
            side=side,
            sequence=bar // 10**9,
            as_of_s=bar / 1e9,
            valid_until_s=(bar + BAR + 10 * MINUTE) / 1e9,
        )

    def close(self):
        self.closed = True


class ClockedFeed(LiqwarnGateFeed):
    """Lends its clock to the gate, which a real one has of its own."""

    def on_start(self):
        self._gate.clock = self.clock
        super().on_start()


def run_with(gate):
    config = LiqwarnGateFeedConfig(source="fake:", symbols=[SYMBOL], poll_interval_s=10.0)
    return run([], extra=[ClockedFeed(config, gate=gate)])


def test_two_fresh_answers_are_a_flag():
    flag = flag_of(CALM, replace(CALM, side="short", tier=2), START + MINUTE)

    assert (flag.ts_event, flag.ts_init) == (START, START + MINUTE)
    assert flag.valid_until_ns == START + BAR + 10 * MINUTE
    assert (flag.sequence, flag.quality, flag.short.tier) == (7, "ok", 2)
    assert flag.long.new_risk


@pytest.mark.parametrize("short", [NONE, replace(CALM, sequence=8), replace(CALM, fresh=False)])
def test_an_answer_that_is_not_usable_withdraws_the_flag_before(short):
    book = FlagBook([SYMBOL])
    assert book.take(flag_of(CALM, CALM, START), START) is None

    assert book.take(flag_of(CALM, short, START + 1, last_sequence=7), START + 1) is None
    assert not book.verdict(SYMBOL, "long", START + 1).new_risk

    later = replace(CALM, sequence=8)
    assert book.take(flag_of(later, later, START + 2), START + 2) is None
    assert book.verdict(SYMBOL, "long", START + 2).new_risk


def test_a_gate_that_answers_changes_no_fill_and_is_closed_at_the_end():
    gate = FakeGate()

    assert run_with(gate).trader.fills == run(None).trader.fills
    assert gate.closed


def test_a_silent_gate_means_reducing_at_the_next_poll():
    found = run_with(FakeGate(silent=(600, 720)))

    names = [(name, (at - START) / MINUTE) for at, name, _ in found.states]
    assert names[-3:-1] == [("REDUCING", 600), ("ACTIVE", 720)]
    assert found.trader.denied_entries > 0
    assert found.trader.denied_exits == 0
