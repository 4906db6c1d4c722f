"""Orders by hand in the loop: at once, told everywhere, logged, and the same after a restart."""

import runpy
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.data.bars.assembler import Assembler
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import BarColumn
from liqwarn.data.bars.replay_feed import columns_of
from liqwarn.decisions import Tier, TradingState, flag_to_dict
from liqwarn.errors import AuditError, StoreError
from liqwarn.frames import SIDES
from liqwarn.policy.audit import replay, verify
from liqwarn.policy.orders import Action, Order
from liqwarn.policy.position import Rule
from liqwarn.serving import live_record
from liqwarn.serving.live_loop import LiveLoop, LoopParts
from liqwarn.serving.live_orders import LiveOrders, shown_reason
from liqwarn.serving.live_record import LiveRecord
from liqwarn.serving.live_restart import audited_until, last_positions
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.order_desk import OrderDesk, place
from liqwarn.serving.order_journal import OrderJournal
from liqwarn.serving.shelf import FlagShelf
from liqwarn.tables import read_table

given = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("live_given.py"))))
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
BTC = ("BTCUSDT", "long")


def an_order(action, **changes):
    two = action in (Action.LOOSEN, Action.RELEASE)
    plain = {"id": f"{action}-1", "names": ("Ada", "Bob") if two else ("Ada",), "reason": "A test."}
    return Order(action=action, **(plain | changes))


@dataclass
class Kept:
    """What a killed loop leaves: its folder. And what its readers have seen."""

    folder: Path
    policy: object
    panel: object
    frame: object
    clock: object
    opened: list = field(default_factory=list)
    seen: list = field(default_factory=list)

    def begin(self, **changes):
        """A loop over the folder, as if the one before had been killed."""
        while self.opened:
            self.opened.pop().close()
        journal = Journal.open(self.folder / "bars", self.panel)
        self.opened.append(journal)
        shelf = FlagShelf()
        shelf.listen(lambda: self.seen.append(shelf.read().latest))
        orders = OrderJournal(self.folder)
        desk = OrderDesk(self.folder, clock=self.clock)
        metrics = ServingMetrics(self.clock)
        document = flag_to_dict
        parts = LoopParts(
            **{
                "panel": self.panel,
                "policy": self.policy,
                "feed": given.HandFeed(self.clock),
                "assembler": Assembler(
                    self.panel, first=self.frame.times[0], patience=20 * MINUTE, joined=True
                ),
                "journal": journal,
                "record": LiveRecord(self.folder, self.panel, panel_sha256="p", document=document),
                "models": given.Told(),
                "clock": self.clock,
                "watch": LoopWatch(metrics, None, bar=HOUR),
                "rebuild": lambda engine, _: engine,
                "outlets": (shelf, metrics),
                "orders": LiveOrders(orders, desk, self.policy, self.panel.symbol_names),
                "snapshot_every": timedelta(days=99),
            }
            | changes
        )
        loop = LiveLoop(parts, given.HandEngine(self.policy, self.noon))
        return SimpleNamespace(
            loop=loop, parts=parts, shelf=shelf, desk=desk, orders=orders, metrics=metrics
        )

    def again(self, **changes):
        """Killed and begun again: every bar of the journal is taken up."""
        one = self.begin(**changes)
        tail = one.parts.journal.read()
        columns = list(columns_of(tail.frame(self.panel))) if tail.columns else []
        one.loop.catch_up(columns, audited_until(self.folder))
        one.loop.between()
        return one

    def order(self, one, order):
        """Ask through the folder, as the command does, and let the loop go round."""
        place(self.folder, order)
        one.loop.turn(threading.Event())
        return one.orders.find(order.id)

    def bars(self, one, start, stop):
        """Closed bars, each a second after its close."""
        one.parts.feed.end = False
        one.parts.feed.put_columns(self.frame.between(start, stop))
        for _ in range(start, stop):
            one.loop.turn(threading.Event())


@pytest.fixture
def kept(policy, noon, tmp_path):
    frame = given.small_frame(8)
    frame.fields["close"].flags.writeable = True
    frame.fields["close"][0, 2] = 666.0  # a cascade of BTCUSDT in the third bar: T4
    made = Kept(
        folder=tmp_path,
        policy=policy,
        panel=given.small_panel(),
        frame=frame,
        clock=given.HandClock(noon),
    )
    made.noon = noon
    yield made
    for one in made.opened:
        one.close()


@pytest.fixture
def one(kept):
    """A loop that has taken three bars and stands twenty minutes into the fourth."""
    begun = kept.begin()
    kept.bars(begun, 0, 3)
    kept.clock.forward(20 * MINUTE)
    return begun


def flag_of(one, symbol="BTCUSDT"):
    return one.shelf.read().latest.flags[symbol]


def assert_log_is_whole(kept):
    log = kept.folder / "audit.jsonl"
    verify(log, kept.folder / "audit.head.json")
    assert replay(log, kept.policy).differences == 0


def assert_sequences_only_grow(kept):
    for symbol in kept.panel.symbol_names:
        sequences = [flags.flags[symbol].sequence for flags in kept.seen]
        assert sequences == sorted(sequences)


def test_an_order_is_in_force_before_the_next_bar(kept, one):
    before = flag_of(one)

    entry = kept.order(one, an_order(Action.HALT, symbols=("BTCUSDT",), sides=("long",)))

    after = flag_of(one)
    assert entry.accepted
    assert (after.sides["long"].tier, after.sides["short"].tier) == (Tier.T5, Tier.T4)
    assert after.sides["long"].state is TradingState.HALTED
    assert after.sides["long"].reasons[0] == "Tightened by hand: A test."
    assert after.sequence > before.sequence
    assert (after.as_of, after.valid_until) == (before.as_of, before.valid_until)
    assert after.issued_at == kept.clock.now
    assert flag_of(one, "DOGEUSDT").sequence == before.sequence
    assert not list((kept.folder / "orders").iterdir())


def test_it_is_told_and_recorded_everywhere(kept, one):
    kept.order(one, an_order(Action.TIGHTEN, tier=Tier.T4, lasts=HOUR))

    on_disk = (kept.folder / "flags.json").read_text()
    assert on_disk.count('"tier":"T4"') == 4
    (day,) = (kept.folder / "history").iterdir()
    rows = read_table(day)
    newest = rows[rows["as_of"] == rows["as_of"].max()]
    assert list(newest["tier"]) == ["T4", "T4", "T0", "T0"] + ["T4"] * 4
    assert_log_is_whole(kept)
    positions = last_positions(kept.folder, None, kept.panel.symbol_names)
    assert all(p.tier is Tier.T4 and len(p.floors) == 1 for p in positions.values())
    text = one.metrics.render()
    assert b'liqwarn_orders_total{action="tighten",outcome="accepted"} 1.0' in text
    assert b'liqwarn_sides_by_hand{how="tightened"} 4.0' in text


@pytest.mark.parametrize("late", [False, True])
def test_the_next_bar_goes_on_from_it_even_if_it_closed_before(kept, one, late):
    if late:
        kept.clock.forward(40 * MINUTE + timedelta(seconds=10))  # the bar has closed, unheard of
    kept.order(one, an_order(Action.TIGHTEN, tier=Tier.T3, lasts=3 * HOUR))
    ordered = flag_of(one)

    kept.bars(one, 3, 5)

    after = flag_of(one)
    assert after.as_of == ordered.as_of + 2 * HOUR
    assert after.sequence > ordered.sequence
    assert {side.tier for side in after.sides.values()} == {Tier.T4}
    assert {side.tier for side in flag_of(one, "DOGEUSDT").sides.values()} == {Tier.T3}
    assert_sequences_only_grow(kept)
    assert_log_is_whole(kept)


def test_an_order_to_tighten_never_ends_looser(kept, one):
    """What time alone would relax waits for the next bar."""
    low = an_order(Action.TIGHTEN, symbols=("BTCUSDT",), tier=Tier.T1)
    kept.bars(one, 3, 5)
    before = flag_of(one)
    assert before.sides["long"].tier is Tier.T4
    kept.clock.forward(30 * MINUTE)  # the minimum stay is over now

    kept.order(one, low)

    assert {k: s.tier for k, s in flag_of(one).sides.items()} == {
        k: s.tier for k, s in before.sides.items()
    }


def test_a_loosening_ends_at_its_end(kept, one):
    kept.bars(one, 3, 4)
    kept.clock.forward(20 * MINUTE)
    btc = an_order(Action.LOOSEN, symbols=("BTCUSDT",), tier=Tier.T0, lasts=10 * MINUTE)
    entry = kept.order(one, btc)
    loosened = flag_of(one)
    assert entry.accepted
    assert loosened.sides["long"].tier is Tier.T0
    assert loosened.valid_until == kept.clock.now + 10 * MINUTE

    kept.clock.forward(9 * MINUTE)
    one.loop.turn(threading.Event())
    assert flag_of(one) is loosened

    kept.clock.forward(MINUTE)
    one.loop.turn(threading.Event())
    ended = flag_of(one)
    assert ended.sides["long"].tier is Tier.T4
    assert ended.sequence > loosened.sequence
    assert ended.valid_until == loosened.as_of + HOUR + 10 * MINUTE
    assert [e.order.action for e in one.orders.entries] == ["loosen", "lapse"]
    assert_log_is_whole(kept)


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (an_order(Action.RELEASE), "was not tightened by hand"),
        (
            an_order(Action.LOOSEN, symbols=("DOGEUSDT",), tier=Tier.T3, lasts=HOUR),
            "expected a tier below T0",
        ),
        (
            an_order(Action.LOOSEN, tier=Tier.T1, lasts=5 * HOUR, symbols=("BTCUSDT",)),
            "expected within 4:00:00",
        ),
        (an_order(Action.HALT, symbols=("XRPUSDT",)), "are not of the panel"),
    ],
)
def test_an_order_that_is_refused_changes_nothing_and_is_written_down(kept, one, order, why):
    before, log = one.shelf.read().latest, (kept.folder / "audit.jsonl").read_bytes()

    entry = kept.order(one, order)

    assert not entry.accepted
    assert why in entry.refused[0]
    assert one.shelf.read().latest is before
    assert (kept.folder / "audit.jsonl").read_bytes() == log
    assert OrderJournal(kept.folder).find(order.id) == entry
    assert b'outcome="refused"} 1.0' in one.metrics.render()


def test_a_halted_side_is_released_by_two_and_never_loosened(kept, one):
    kept.order(one, an_order(Action.HALT))
    refused = kept.order(one, an_order(Action.LOOSEN, tier=Tier.T1, lasts=HOUR))
    assert "is at T5, which needs a release" in refused.refused[0]

    kept.bars(one, 3, 6)
    assert flag_of(one).sides["long"].tier is Tier.T5

    kept.order(one, an_order(Action.RELEASE))
    assert flag_of(one).sides["long"].tier is Tier.T4
    assert flag_of(one).sides["long"].state is TradingState.REDUCING
    assert_sequences_only_grow(kept)


def test_an_order_is_carried_out_once_however_often_it_is_sent(kept, one):
    order = an_order(Action.TIGHTEN, tier=Tier.T3)
    first = kept.order(one, order)
    newest = flag_of(one)

    again = kept.order(one, order)
    other = kept.order(one, an_order(Action.TIGHTEN, tier=Tier.T4, id=order.id))

    assert again is first
    assert other is first
    assert flag_of(one) is newest
    assert [len(e.sides) for e in one.orders.entries] == [4, 0]


def test_what_takes_back_is_refused_when_it_waited_and_what_tightens_is_not(kept, one):
    for order in (an_order(Action.HALT), an_order(Action.RELEASE)):
        place(kept.folder, order)
    one.desk._clock = given.HandClock(kept.clock.now.replace(year=2100))

    one.loop.turn(threading.Event())

    assert [e.accepted for e in one.orders.entries] == [True, False]
    assert "waited too long" in one.orders.entries[1].refused[0]


def test_what_was_ordered_survives_a_kill_bit_for_bit(kept, one):
    kept.order(one, an_order(Action.TIGHTEN, symbols=("BTCUSDT",), tier=Tier.T4, lasts=9 * HOUR))
    kept.bars(one, 3, 5)
    kept.order(one, an_order(Action.LOOSEN, symbols=("DOGEUSDT",), tier=Tier.T0, lasts=3 * HOUR))
    expected, flags = dict(one.loop.engine.positions), one.shelf.read().latest
    logged = (kept.folder / "audit.jsonl").read_bytes()

    again = kept.again()

    assert again.loop.engine.positions == expected
    for symbol, flag in again.shelf.read().latest.flags.items():
        assert flag.sequence == flags.flags[symbol].sequence
        assert flag.sides == flags.flags[symbol].sides
    assert_sequences_only_grow(kept)
    assert_log_is_whole(kept)
    added = (kept.folder / "audit.jsonl").read_bytes()[len(logged) :]
    assert added.count(b"\n") == 4  # the last bar's, once a life; no order twice
    rows = read_table(next((kept.folder / "history").iterdir()))
    assert not rows.duplicated(["symbol", "side", "sequence"]).any()


def test_killed_before_it_was_told_it_is_in_force_after_the_restart(kept, one, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    monkeypatch.setattr(LiveLoop, "_tell_again", kill)
    with pytest.raises(Killed):
        kept.order(one, an_order(Action.HALT, symbols=("BTCUSDT",)))
    assert flag_of(one).sides["long"].tier is Tier.T4
    monkeypatch.undo()

    again = kept.again()

    assert flag_of(again).sides["long"].tier is Tier.T5
    assert again.orders.find("halt-1").accepted
    positions = last_positions(kept.folder, None, kept.panel.symbol_names)
    assert positions[BTC].tier is Tier.T5
    assert_log_is_whole(kept)


def test_killed_before_it_was_written_down_it_waits_and_is_carried_out(kept, one, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    monkeypatch.setattr(OrderJournal, "append", kill)
    with pytest.raises(Killed):
        kept.order(one, an_order(Action.HALT))
    monkeypatch.undo()

    again = kept.again()

    assert flag_of(again).sides["long"].tier is Tier.T5
    assert not list((kept.folder / "orders").iterdir())


def test_a_disk_that_refuses_the_journal_refuses_the_order_until_there_is_room(
    kept, one, monkeypatch
):
    append = OrderJournal.append
    monkeypatch.setattr(OrderJournal, "append", lambda *_: (_ for _ in ()).throw(OSError("full")))
    place(kept.folder, an_order(Action.HALT))
    one.loop.turn(threading.Event())
    assert flag_of(one).sides["long"].tier is Tier.T4
    assert one.orders.entries == []

    monkeypatch.setattr(OrderJournal, "append", append)
    one.loop.turn(threading.Event())
    assert flag_of(one).sides["long"].tier is Tier.T5


def test_floors_that_the_positions_lost_are_put_back(kept, one):
    """As after a start without snapshot whose audit log had not taken the order."""
    kept.order(one, an_order(Action.TIGHTEN, tier=Tier.T4))
    for key, position in one.loop.engine.positions.items():
        one.loop.engine.positions[key] = replace(position, floors=())
    one.parts.orders._seen = 0

    one.loop.turn(threading.Event())
    one.parts.orders._seen = 0
    one.loop.turn(threading.Event())

    assert all(len(p.floors) == 1 for p in one.loop.engine.positions.values())
    assert_log_is_whole(kept)


# ---------------------------------------------------------------- integrity


def test_a_broken_audit_log_halts_every_side_until_two_release_it(kept, one):
    log = kept.folder / "audit.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole[:-20] + b"9" + whole[-19:])

    kept.bars(one, 3, 4)
    kept.order(one, an_order(Action.TIGHTEN, tier=Tier.T3, symbols=("BTCUSDT",)))

    for flag in one.shelf.read().latest.flags.values():
        assert {side.tier for side in flag.sides.values()} == {Tier.T5}
        assert {side.state for side in flag.sides.values()} == {TradingState.REDUCING}
        assert str(kept.folder) not in flag.sides["long"].reasons[0]
        assert flag.sides["long"].reasons[0].startswith("An integrity check failed: audit.jsonl")
    assert one.loop.engine.positions[BTC].rule in (Rule.INTEGRITY, Rule.OPERATOR)
    assert b"liqwarn_integrity_failures_total 1.0" in one.metrics.render()
    assert b'liqwarn_sides_by_hand{how="integrity"} 4.0' in one.metrics.render()

    log.write_bytes(whole)
    kept.bars(one, 4, 6)
    assert flag_of(one).sides["long"].tier is Tier.T5
    kept.order(one, an_order(Action.RELEASE))
    kept.bars(one, 6, 7)
    assert flag_of(one).sides["long"].tier is Tier.T4
    assert_log_is_whole(kept)


def test_released_while_it_is_still_broken_it_halts_again(kept, one):
    log = kept.folder / "audit.jsonl"
    log.write_bytes(log.read_bytes()[:-20])
    kept.order(one, an_order(Action.TIGHTEN, tier=Tier.T3))
    assert flag_of(one).sides["long"].tier is Tier.T5

    kept.order(one, an_order(Action.RELEASE))

    assert [e.order.action for e in one.orders.entries] == ["tighten", "fault", "release", "fault"]
    assert flag_of(one).sides["long"].tier is Tier.T5


def test_an_interrupted_append_is_no_failure_of_integrity(kept, one):
    with (kept.folder / "audit.jsonl").open("ab") as log:
        log.write(b'{"half a line": ')

    kept.order(one, an_order(Action.TIGHTEN, tier=Tier.T3))
    kept.bars(one, 3, 4)

    assert flag_of(one, "DOGEUSDT").sides["long"].tier is Tier.T3
    assert_log_is_whole(kept)


@pytest.mark.parametrize(
    ("error", "tier"), [(OSError("no room"), Tier.T4), (AuditError("cut short"), Tier.T5)]
)
def test_a_log_that_cannot_be_written_halts_nobody_and_one_that_was_cut_all(
    kept, one, monkeypatch, error, tier
):
    monkeypatch.setattr(live_record, "append", lambda *_, **__: (_ for _ in ()).throw(error))

    kept.bars(one, 3, 4)
    kept.order(one, an_order(Action.TIGHTEN, tier=Tier.T2))

    assert one.loop.engine.positions[BTC].tier is tier


def test_a_check_that_fails_in_an_idle_round_halts(kept):
    faults = []
    one = kept.begin(checks=(lambda: faults.pop(0) if faults else None,))
    kept.bars(one, 0, 2)
    one.loop.turn(threading.Event())
    assert flag_of(one).sides["long"].tier < Tier.T5

    faults.append("bundle /srv/b: hash of model.txt")
    one.loop.turn(threading.Event())

    assert flag_of(one).sides["long"].tier is Tier.T5
    assert kept.again().loop.engine.positions[BTC].tier is Tier.T5


def test_a_feed_that_never_pauses_does_not_keep_the_checks_waiting(kept):
    asked = []
    one = kept.begin(checks=(lambda: asked.append(kept.clock.ticks),))

    kept.bars(one, 0, 3)

    assert [b - a for a, b in pairwise(asked)] == [3_600, 3_600]


def test_a_check_that_breaks_has_found_nothing_and_the_others_are_asked(kept):
    one = kept.begin(checks=(lambda: 1 / 0, lambda: "the store was changed"))
    kept.bars(one, 0, 2)
    one.loop.turn(threading.Event())

    assert flag_of(one).sides["long"].tier is Tier.T5
    assert flag_of(one).sides["long"].reasons[0].endswith("the store was changed")


def test_each_fault_is_told_and_none_twice(kept, one):
    """Who releases must know of all of them; a restart must not halt again for the second."""
    for _ in range(3):
        one.loop.broken("orders.jsonl: line 3")
        one.loop.broken("journal of bars: a segment")
        one.loop.turn(threading.Event())

    assert [e.order.reason for e in one.orders.entries] == [
        "orders.jsonl: line 3",
        "journal of bars: a segment",
    ]
    assert len(one.loop.engine.positions[BTC].floors) == 2


def test_a_halt_that_could_not_be_decided_is_tried_again(kept, one, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(LiveOrders, "_decide", lambda *_: 1 / 0)
        one.loop.broken("the store was changed")
        one.loop.turn(threading.Event())
    assert flag_of(one).sides["long"].tier is Tier.T4

    one.loop.turn(threading.Event())

    assert flag_of(one).sides["long"].tier is Tier.T5


def test_a_swap_of_the_model_leaves_a_snapshot(kept):
    """A restart must not decide again with one model what another decided."""
    snapped, swaps = [], []

    def refresh(engine):
        if swaps:
            engine.swap(swaps.pop(), None)

    one = kept.begin(models=given.Told(refresh=refresh))
    stamp = replace(one.loop.engine.bundle.stamp, version="2")
    one.parts.record.snapshot = lambda engine, _: snapped.append(engine.as_of)
    kept.bars(one, 0, 2)
    assert snapped == []

    swaps.append(SimpleNamespace(stamp=stamp))
    kept.bars(one, 2, 4)

    assert snapped == [kept.noon + 3 * HOUR]


def test_under_another_model_a_loosening_of_before_is_not_granted_again(kept, one):
    kept.order(one, an_order(Action.LOOSEN, symbols=("BTCUSDT",), tier=Tier.T0, lasts=3 * HOUR))
    loosened = flag_of(one)
    assert loosened.sides["long"].tier is Tier.T0

    other = kept.begin()
    columns = list(columns_of(other.parts.journal.read().frame(kept.panel)))
    floor = last_positions(kept.folder, None, kept.panel.symbol_names)
    other.loop.catch_up(columns, audited_until(kept.folder), floor)
    other.loop.between()

    assert flag_of(other).sides["long"].tier is Tier.T4
    assert flag_of(other).sequence >= loosened.sequence
    assert_sequences_only_grow(kept)
    assert_log_is_whole(kept)


@pytest.mark.parametrize(("cause", "tier"), [(None, Tier.T5), (OSError("unreadable"), Tier.T4)])
def test_a_store_that_was_changed_halts_before_the_loop_stops(kept, one, cause, tier):
    one.loop.engine.unready.add("2024-08-05T16:00:00")

    def rebuild(*_):
        raise StoreError("p.parquet: its SHA-256 is not the manifest's") from cause

    object.__setattr__(one.parts, "rebuild", rebuild)
    with pytest.raises(StoreError, match="not the manifest's"):
        kept.bars(one, 3, 4)

    assert flag_of(one).sides["long"].tier is tier


def test_without_scores_an_order_is_decided_as_without_a_score(kept, one):
    """As after an orderly stop whose scores were not kept."""
    one.loop.stand_on(None, None)

    kept.order(one, an_order(Action.TIGHTEN, tier=Tier.T1))

    for symbol, tier in (("BTCUSDT", Tier.T4), ("DOGEUSDT", Tier.T2)):
        assert flag_of(one, symbol).quality == "stale"
        assert {side.tier for side in flag_of(one, symbol).sides.values()} == {tier}
    refused = kept.order(one, an_order(Action.LOOSEN, tier=Tier.T0, lasts=HOUR))
    assert "no usable score" in refused.refused[0]
    assert_log_is_whole(kept)


def test_a_reason_says_nothing_of_this_machine():
    assert shown_reason("/a/b-c/audit.jsonl: line 2, see runs/x.md") == (
        "audit.jsonl: line 2, see x.md"
    )


@pytest.mark.parametrize("reason", ["", "/srv/live/", "a\x00b\u200b\ud800c", "x" * 9_999])
def test_whatever_the_words_of_a_fault_it_halts(kept, one, reason):
    one.loop.broken(reason)
    one.loop.turn(threading.Event())

    assert flag_of(one).sides["long"].tier is Tier.T5
    assert OrderJournal(kept.folder).entries == one.orders.entries


def test_columns_of_no_bar_are_harmless(kept, one):
    wrong = BarColumn(
        time=np.datetime64("2020-01-01T00:00:00"), symbols=(), fields={}, ages={}, bar_s=3_600
    )
    one.loop.stand_on(None, wrong)
    assert kept.order(one, an_order(Action.HALT)).accepted
    assert len({s for s, _ in one.loop.engine.positions}) == 2
    assert set(SIDES) == {k for _, k in one.loop.engine.positions}
