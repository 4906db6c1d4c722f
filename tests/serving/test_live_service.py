"""The live service on a small market: the flags of the batch, restarts, faults, silence."""

import re
import runpy
import shutil
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import orjson
import pandas as pd
import pytest

from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.replay_feed import columns_of, messages_of
from liqwarn.decisions import ModelStamp, flag_to_dict
from liqwarn.errors import StoreError
from liqwarn.frames import SIDES
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.engine import LiveEngine
from liqwarn.models.skill_floor import Standing
from liqwarn.pipelines.live_start import start_live
from liqwarn.pipelines.score import score
from liqwarn.policy.audit import replay, verify
from liqwarn.policy.orders import Action, Order
from liqwarn.serving import live_record
from liqwarn.serving.held_models import FixedModels
from liqwarn.serving.live_record import LiveRecord
from liqwarn.serving.live_restart import last_flags
from liqwarn.serving.live_service import LiveService, ServiceParts
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.order_journal import read_entries
from liqwarn.serving.order_view import LiveOrderView
from liqwarn.serving.shelf import FlagShelf
from liqwarn.signing import generate_key, sign_document
from liqwarn.tables import read_table

HERE = Path(__file__).parent
_MARKET = runpy.run_path(str(HERE.parent / "pipelines" / "conftest.py"))
study, market, given_market, policy = (
    _MARKET[name] for name in ("study", "market", "given_market", "policy")
)
bundle, bundle_folder, now = (_MARKET[name] for name in ("bundle", "bundle_folder", "now"))
_GIVEN = runpy.run_path(str(HERE / "live_given.py"))
HandClock, HandFeed = _GIVEN["HandClock"], _GIVEN["HandFeed"]

HOUR = timedelta(hours=1)
BARS = 40
"""Bars of the history that come live."""


@dataclass
class StudyEngines:
    """Engines from a study that is there already; counts what it was asked for."""

    study: object
    bundle: object
    policy: object
    fresh_: int = 0
    restored_: int = 0

    def fresh(self, columns, until, positions):
        self.fresh_ += 1
        at = self.study.market.frame.shape[1] - BARS + len(columns)
        return start_live(self.study, self.bundle, self.policy, at=at, positions=positions)

    def restored(self, memory):
        self.restored_ += 1
        panel = self.study.market.panel
        return LiveEngine(panel, self.bundle, self.bundle.model, self.policy, memory)

    def next_quarter(self, engine, columns):
        at = self.study.market.frame.shape[1] - BARS + len(columns) - 1
        positions = engine.memory.positions
        return start_live(self.study, self.bundle, self.policy, at=at, positions=positions)


@pytest.fixture
def begun(study, bundle, policy, tmp_path):
    """Make a service over a folder, with a feed and a clock by hand."""
    frame = study.market.frame
    first = frame.times[frame.shape[1] - BARS]
    start = datetime.fromtimestamp(int(first.astype("int64")), tz=UTC) - timedelta(hours=1)

    def make(folder=tmp_path / "live", **changes):
        clock = HandClock(start)
        feed = HandFeed(clock)
        panel = study.market.panel
        terms = SymbolTerms(
            symbols=frame.symbols, venue=study.map_job.venue, config=study.map_job.config
        )
        parts = ServiceParts(
            **{
                "folder": folder,
                "panel": panel,
                "panel_sha256": "p",
                "policy": policy,
                "terms": terms,
                "engines": StudyEngines(study, bundle, policy),
                "models": FixedModels(),
                "feed": feed,
                "joined": True,
                "patience": timedelta(minutes=2),
                "record": LiveRecord(folder, panel, panel_sha256="p", document=flag_to_dict),
                "shelf": FlagShelf(),
                "clock": clock,
                "watch": LoopWatch(ServingMetrics(clock), None, bar=panel.bar),
            }
            | changes
        )
        return LiveService(parts), parts

    return make


def run_to_end(service, within_s=60.0):
    service.start()
    assert service.ended.wait(within_s)
    service.stop()


def issued(folder):
    files = sorted((folder / "history").glob("*.parquet"))
    return pd.concat([read_table(path) for path in files], ignore_index=True)


def bars(study, start, stop=BARS):
    n = study.market.frame.shape[1]
    return study.market.frame.between(n - BARS + start, n - BARS + stop)


@pytest.fixture(scope="module")
def scored(study, bundle, policy, now, tmp_path_factory):
    """The scoring of the live bars."""
    folder = tmp_path_factory.mktemp("scored")
    first = datetime.fromtimestamp(int(bars(study, 0).times[0].astype("int64")), tz=UTC)
    score(study, bundle, policy, folder, now=now, since=first)
    return read_table(folder / "flags.parquet")


def assert_same(live, batch):
    kept = [name for name in batch.columns if name != "issued_at"]
    pd.testing.assert_frame_equal(live[kept], batch[kept], check_exact=True)


def test_a_day_through_the_whole_loop_is_the_scoring_of_it(study, begun, scored, policy):
    service, parts = begun()
    parts.feed.put_columns(bars(study, 0))

    run_to_end(service)

    assert_same(issued(parts.folder), scored)
    newest = parts.shelf.read()
    assert newest.fault is None
    assert set(newest.latest.flags) == set(study.market.frame.symbols)
    assert parts.feed.closed
    log = parts.folder / "audit.jsonl"
    assert verify(log, parts.folder / "audit.head.json").lines > 4
    assert replay(log, policy).differences == 0


def test_late_doubled_and_reordered_messages_change_nothing(study, begun, scored):
    service, parts = begun()
    parts.feed.put_columns(bars(study, 0, 10))
    queue = parts.feed.waiting
    old = queue[2][1]
    for at, messages in list(queue):
        queue[queue.index((at, messages))] = (at, (*reversed(messages), *messages, *old))

    run_to_end(service)

    assert_same(issued(parts.folder), scored[: 10 * 4])


def test_what_waits_in_the_feed_is_not_late_because_it_was_not_read_yet(study, begun, scored):
    service, parts = begun()
    for column in columns_of(bars(study, 0, 10)):
        parts.feed.put(*tuple(messages_of(column))[:1], at=parts.clock.now + 30 * HOUR, more=True)
        parts.feed.put(*tuple(messages_of(column))[1:], more=True)

    run_to_end(service)

    assert_same(issued(parts.folder)[: 10 * 4], scored[: 10 * 4])


def test_after_a_long_gap_the_first_to_report_is_not_lost(study, begun, monkeypatch):
    for module in ("data.bars.assembler", "serving.live_loop"):
        monkeypatch.setattr(f"liqwarn.{module}.MOST_AT_ONCE", 4)
    service, parts = begun()
    parts.feed.put_columns(bars(study, 0, 2))
    parts.feed.put_columns(bars(study, 20, 22))

    run_to_end(service)

    history = issued(parts.folder)
    last = history[history["as_of"] >= history["as_of"].max() - HOUR]
    assert len(history) == (2 + 3) * 4  # one of the gap's bars is valid still when it closes
    with Journal.open(parts.folder / "bars", parts.panel) as journal:
        assert len(journal.read().columns) == 22
    assert not set(last["quality"]) & {"stale", "unknown"}


def test_it_goes_on_after_a_stop_as_if_there_had_been_none(study, begun, scored):
    first, parts = begun()
    parts.feed.put_columns(bars(study, 0, 25))
    run_to_end(first)

    again, parts = begun()
    parts.feed.put_columns(bars(study, 25))
    run_to_end(again)

    assert parts.engines.restored_ == 1
    assert_same(issued(parts.folder), scored)


def disabled_for(start, first, last):
    """The ledger of a symbol that is disabled after some bars and enabled after more."""
    off = Standing(
        enabled=False,
        champion="7",
        since=start + first * HOUR + HOUR / 2,
        reason="its live skill is too low",
    )
    return off, start + last * HOUR + HOUR / 2


def ledger_of(clock, off, until):
    on = Standing(enabled=True, champion=off.champion, since=until)
    return lambda: {"DOGEUSDT": off if off.since <= clock.wall() < until else on}


def test_a_disabled_symbol_is_not_scored_as_in_the_batch_and_says_why(
    study, begun, bundle, policy, now, tmp_path
):
    _, parts = begun()
    off, never = disabled_for(parts.clock.now, 4, 99)
    parts = replace(parts, standings=ledger_of(parts.clock, off, never))
    parts.feed.put_columns(bars(study, 0, 10))

    run_to_end(LiveService(parts))

    first = datetime.fromtimestamp(int(bars(study, 0).times[0].astype("int64")), tz=UTC)
    barred = replace(bundle, standings={"DOGEUSDT": off})
    score(study, barred, policy, tmp_path / "scored", now=now, since=first)
    live = issued(parts.folder)
    assert_same(live, read_table(tmp_path / "scored" / "flags.parquet")[: len(live)])
    assert (live["quality"] == "unknown").sum() == 2 * 6
    reasons = parts.shelf.read().latest.flags["DOGEUSDT"].sides["long"].reasons
    assert reasons[-1] == "Not scored: its live skill is too low."
    assert replay(parts.folder / "audit.jsonl", policy).differences == 0


def test_bars_taken_again_know_who_was_disabled_whoever_is_now(study, begun, tmp_path):
    """Killed, enabled while it was down, and begun again from its first snapshot."""
    _, parts = begun()
    off, until = disabled_for(parts.clock.now, 3, 8)
    _, whole = begun(tmp_path / "whole")
    whole = replace(whole, standings=ledger_of(whole.clock, off, until))
    whole.feed.put_columns(bars(study, 0, 11))
    run_to_end(LiveService(whole))

    _, first = begun(tmp_path / "cut")
    first = replace(first, standings=ledger_of(first.clock, off, until))
    service = LiveService(first)
    kept = []
    first.feed.put_columns(bars(study, 0, 8))
    poll = first.feed.poll

    def polled(wait_s):  # the snapshot of the start is what a kill would leave
        if not kept:
            kept.append((first.folder / "snapshot.live").read_bytes())
        return poll(wait_s)

    first.feed.poll = polled
    run_to_end(service)
    (first.folder / "snapshot.live").write_bytes(kept[0])
    (first.folder / "scores.live").unlink()
    shutil.rmtree(first.folder / "history")  # it is made again, too
    _, again = begun(tmp_path / "cut")
    again = replace(again, standings=ledger_of(again.clock, off, until))
    again.feed.put_columns(bars(study, 8, 11))
    again.clock.forward(8 * HOUR + HOUR / 2)
    run_to_end(LiveService(again))

    assert_same(issued(again.folder), issued(whole.folder))
    assert (issued(again.folder)["quality"] == "unknown").sum() == 2 * 5
    logged = [records_of(parts.folder) for parts in (whole, again)]
    assert logged[0] == logged[1]


def records_of(folder):
    return (folder / "standings.jsonl").read_bytes()


def test_an_edited_journal_of_standings_halts_every_side(study, begun, tmp_path):
    _, parts = begun()
    off, never = disabled_for(parts.clock.now, 1, 99)
    parts = replace(parts, standings=ledger_of(parts.clock, off, never))
    parts.feed.put_columns(bars(study, 0, 4))
    run_to_end(LiveService(parts))
    log = parts.folder / "standings.jsonl"
    log.write_bytes(log.read_bytes().replace(b"DOGEUSDT", b"DOGEUSDC"))

    _, again = begun()
    again = replace(again, standings=dict)
    again.clock.forward(4 * HOUR)
    again.feed.put_columns(bars(study, 4, 6))
    run_to_end(LiveService(again))

    last = issued(again.folder).iloc[-4:]
    assert set(last["tier"]) == {"T5"}


def test_a_damaged_snapshot_is_set_aside_and_no_tier_is_looser(study, begun, scored):
    """The journal and the audit log stand in for it: scores are the same, stays begin anew."""
    first, parts = begun()
    parts.feed.put_columns(bars(study, 0, 25))
    run_to_end(first)
    path = parts.folder / "snapshot.live"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(bytes(damaged))

    again, parts = begun()
    parts.clock.forward(timedelta(hours=25))
    parts.feed.put_columns(bars(study, 25))
    run_to_end(again)

    assert (parts.folder / "snapshot.live.damaged").exists()
    assert parts.engines.restored_ == 0
    live = issued(parts.folder)
    same = [name for name in scored.columns if name[:2] in ("sy", "as", "si", "p_", "qu", "se")]
    pd.testing.assert_frame_equal(live[same], scored[same], check_exact=True)
    assert (live["tier"] >= scored["tier"]).all()


def test_a_silent_feed_gives_stale_flags_and_stricter_tiers(study, begun):
    _, parts = begun()
    metrics = ServingMetrics(parts.clock)
    parts = replace(parts, watch=LoopWatch(metrics, None, bar=timedelta(hours=1)))
    service = LiveService(parts)
    parts.feed.put_columns(bars(study, 0, 3))
    hour = timedelta(hours=1)
    for more in (1, 2, 3):
        parts.feed.put(at=parts.clock.now + (3 + more) * hour + timedelta(minutes=3))

    run_to_end(service)

    history = issued(parts.folder)
    silent = history[history["as_of"] > history["as_of"].min() + 2 * hour]
    assert set(silent["quality"]) == {"stale"}
    assert set(silent["tier"]) <= {"T2", "T3", "T4"}
    assert (silent["tier"].iloc[-1]) >= "T3"
    assert silent[["p_1h", "p_4h", "p_24h"]].isna().all().all()
    (age,) = re.findall(rb"\nliqwarn_newest_bar_age_seconds (.+)", metrics.render())
    assert float(age) > 3 * 3600  # empty bars are no news, or nobody would be woken


def test_a_full_disk_stops_it_until_there_is_room_and_nothing_is_lost(
    study, begun, scored, monkeypatch
):
    monkeypatch.setattr("liqwarn.serving.live_loop._AGAIN_S", 0.01)
    service, parts = begun()
    parts.feed.put_columns(bars(study, 0, 4))
    whole, seen = Journal.append, []

    def full(self, columns):
        if len(seen) < 3:
            seen.append(parts.shelf.read().fault)
            raise StoreError("no space left on the disk")
        return whole(self, columns)

    monkeypatch.setattr(Journal, "append", full)
    run_to_end(service)

    still = "the journal cannot be written: no space left on the disk"
    assert seen == ["no flags published yet", still, still]
    assert parts.shelf.read().fault is None
    assert_same(issued(parts.folder), scored[: 4 * 4])


def test_a_loop_that_breaks_says_so_and_begins_again(study, begun, monkeypatch):
    monkeypatch.setattr("liqwarn.serving.live_service._AGAIN_S", 0.01)
    service, parts = begun()
    parts.feed.put_columns(bars(study, 0, 4))
    whole, seen = LiveEngine.step, []

    def broken(self, column):
        seen.append(parts.shelf.read().fault)
        if len(seen) == 2:
            raise ZeroDivisionError("a bug")
        return whole(self, column)

    monkeypatch.setattr(LiveEngine, "step", broken)
    run_to_end(service)

    assert seen[2] == "the live loop stands still: a bug"
    assert parts.shelf.read().fault is None
    assert len(issued(parts.folder)) == 4 * 4


def test_what_was_said_of_an_open_bar_outlives_the_loop(study, begun, scored, monkeypatch):
    service, parts = begun()
    monkeypatch.setattr("liqwarn.serving.live_service._AGAIN_S", 0.05)
    parts.feed.put_columns(bars(study, 0, 2))
    (first, whole), (second, (early, *others)) = parts.feed.waiting
    parts.feed.waiting[:] = [(first, (*whole, early)), (second, tuple(others))]
    step, seen = LiveEngine.step, []

    def broken(self, column):
        seen.append(column.time)
        if len(seen) == 1:
            raise ZeroDivisionError("a bug")
        return step(self, column)

    monkeypatch.setattr(LiveEngine, "step", broken)
    parts.clock.now = second

    run_to_end(service)

    assert len(seen) == 3
    assert_same(issued(parts.folder), scored[: 2 * 4])


@pytest.mark.parametrize("error", [OSError("gone"), ValueError("a bug")])
def test_a_target_that_fails_does_not_keep_flags_from_the_others(study, begun, error):
    class Broken:
        def publish(self, flags):
            raise error

    service, parts = begun(outlets=(Broken(),))
    parts.feed.put_columns(bars(study, 0, 2))

    run_to_end(service)

    assert parts.shelf.read().latest is not None
    assert len(issued(parts.folder)) == 2 * 4


def changes(log):
    records = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    return [
        (one["now"], one["after"]["symbol"], one["after"]["side"])
        for one in records
        if one["tier_before"] != one["tier_after"]
    ]


@pytest.mark.parametrize("killed", [False, True])
def test_what_the_audit_log_did_not_take_is_logged_later(
    study, begun, policy, monkeypatch, tmp_path, killed
):
    whole, parts = begun(tmp_path / "whole")
    parts.feed.put_columns(bars(study, 0, 30))
    run_to_end(whole)
    expected = changes(parts.folder / "audit.jsonl")
    append, asked = live_record.append, []

    def failing(*given, **more):
        asked.append(given)
        if len(asked) > 1:
            raise OSError("no room")
        return append(*given, **more)

    monkeypatch.setattr(live_record, "append", failing)
    service, parts = begun(snapshot_every=timedelta(hours=1))
    parts.feed.put_columns(bars(study, 0, 25))
    run_to_end(service)
    log = parts.folder / "audit.jsonl"
    assert len(changes(log)) < len(expected)

    monkeypatch.setattr(live_record, "append", append)
    again, parts = begun(**({} if killed else {"record": parts.record}))
    parts.feed.put_columns(bars(study, 25, 30))
    run_to_end(again)

    assert changes(log) == expected
    verify(log, parts.folder / "audit.head.json")
    assert replay(log, policy).differences == 0


@pytest.mark.parametrize("forged", ["nothing", "a field", "no signature", "another's key"])
def test_a_server_that_signs_takes_up_only_what_it_signed(study, begun, forged):
    key = generate_key()
    service, parts = begun()
    parts.record._document = lambda flag: sign_document(flag_to_dict(flag), key)
    parts.feed.put_columns(bars(study, 0, 2))
    run_to_end(service)
    path = parts.folder / "flags.json"
    whole = orjson.loads(path.read_bytes())
    if forged == "a field":
        whole["flags"][0]["completeness"] = 0.5
    elif forged == "no signature":
        del whole["flags"][0]["signature"]
    elif forged == "another's key":
        del whole["flags"][0]["signature"]
        whole["flags"][0] = sign_document(whole["flags"][0], generate_key())
    path.write_bytes(orjson.dumps(whole))

    found = last_flags(parts.folder, parts.panel, (key.public,))

    assert (found is not None) == (forged == "nothing")
    assert last_flags(parts.folder, parts.panel) is not None


def test_bars_of_a_long_gap_are_walked_and_only_the_newest_is_issued(study, begun):
    """Nobody could have obeyed them; the breaker has seen every one of them all the same."""
    service, parts = begun()
    parts.feed.put_columns(bars(study, 0, 2))
    later = parts.clock.now + timedelta(hours=2 + 30, minutes=3)
    parts.feed.put(at=later)

    run_to_end(service)

    history = issued(parts.folder)
    closes = sorted(set(history["as_of"]))
    assert len(closes) == 2 + 2  # the flags of the last two would be valid still
    assert closes[2] - closes[1] == timedelta(hours=29)
    newest = history[history["as_of"] == closes[3]]
    assert set(newest["quality"]) == {"stale"}
    assert set(newest["tier"]) >= {"T3"}
    with Journal.open(parts.folder / "bars", parts.panel) as journal:
        assert len(journal.read().columns) == 2 + 30


def test_another_model_at_a_restart_does_not_take_back_what_was_published(
    study, begun, bundle, policy, scored
):
    """It takes the bars since the snapshot again; the ladder is climbed down, not left."""
    calm = replace(bundle, stamp=ModelStamp(version="calm", sha256="c"))

    class Calm(StudyEngines):
        def restored(self, memory):
            scorer = SimpleNamespace(
                raw=bundle.model.raw,
                calibrated=lambda raw: bundle.model.calibrated(raw) * 1e-3,
            )
            return LiveEngine(self.study.market.panel, calm, scorer, self.policy, memory)

    high = scored[scored["tier"] == scored["tier"].max()]["as_of"].max()
    stop = 1 + sorted(scored["as_of"].unique()).index(high)
    seldom = {"snapshot_every": timedelta(days=9)}
    first, parts = begun(**seldom)
    parts.feed.put_columns(bars(study, 0, 1))
    run_to_end(first)
    snapshot = (parts.folder / "snapshot.live").read_bytes()
    again, parts = begun(**seldom)
    parts.feed.put_columns(bars(study, 1, stop))
    run_to_end(again)
    before = parts.shelf.read().latest.flags
    (parts.folder / "snapshot.live").write_bytes(snapshot)  # as after a kill

    killed, parts = begun(engines=Calm(study, bundle, policy), **seldom)
    parts.clock.forward(timedelta(hours=stop))
    run_to_end(killed)

    after = parts.shelf.read().latest.flags
    assert {s: flag.sequence for s, flag in after.items()} == {
        s: flag.sequence for s, flag in before.items()
    }
    tiers = [(before[s].sides[j].tier, after[s].sides[j].tier) for s in before for j in SIDES]
    assert max(was for was, _ in tiers) >= 2
    assert all(now >= was - 1 for was, now in tiers)


def test_after_an_orderly_stop_every_target_has_the_last_flags_again(study, begun):
    """The snapshot is of the newest bar then: no bar is taken again, and a board begins empty."""
    first, parts = begun()
    parts.feed.put_columns(bars(study, 0, 3))
    run_to_end(first)
    seen = []
    again, parts = begun(outlets=(SimpleNamespace(publish=seen.append),))
    parts.shelf.publish(last_flags(parts.folder, parts.panel))

    run_to_end(again)

    assert [set(told.flags) for told in seen] == [set(study.market.frame.symbols)]


def halted(service, **changes):
    """Have a side halted while the service runs, as HTTP does."""
    given = {"id": "h", "action": Action.HALT, "names": ("Ada",), "reason": "A test."}
    return LiveOrderView(service, clock=service._parts.clock).ask(
        Order(**(given | changes)), "key 1"
    )


def test_an_order_before_the_next_bar_after_a_stop_knows_the_scores(study, begun, policy):
    first, parts = begun()
    parts.feed.put_columns(bars(study, 0, 6))
    run_to_end(first)
    before = parts.shelf.read().latest.flags["BTCUSDT"]

    again, parts = begun()
    parts.feed.end = False
    parts.shelf.publish(last_flags(parts.folder, parts.panel))
    parts.clock.forward(6 * HOUR)
    again.start()
    found = halted(again, symbols=("BTCUSDT",))
    while again.loop is None:
        time.sleep(0.001)
    shown = LiveOrderView(again, clock=parts.clock).in_force()
    after = parts.shelf.read().latest.flags["BTCUSDT"]
    again.stop()

    assert found["accepted"]
    assert [(one["tier"], len(one["sides"])) for one in shown] == [("T5", 2)]
    assert (after.quality, after.sides["long"].tier.name) == (before.quality, "T5")
    assert after.sides["long"].probability == before.sides["long"].probability
    assert after.data_sha256 == before.data_sha256
    log = parts.folder / "audit.jsonl"
    verify(log, parts.folder / "audit.head.json")
    assert replay(log, policy).differences == 0
    taken_up, parts = begun()
    run_to_end(taken_up)
    assert taken_up._parts.shelf.read().fault in (None, "no flags published yet")
    flags = last_flags(parts.folder, parts.panel).flags
    assert flags["BTCUSDT"].sequence == after.sequence


def test_a_damaged_journal_halts_once_and_not_again_when_it_was_released(study, begun):
    first, parts = begun()
    parts.feed.put_columns(bars(study, 0, 6))
    run_to_end(first)
    segment = sorted((parts.folder / "bars").glob("*.bars"))[-1]
    content = bytearray(segment.read_bytes())
    content[-9] ^= 1
    segment.write_bytes(bytes(content))

    again, parts = begun()
    run_to_end(again)
    tiers = {
        s.tier.name for f in parts.shelf.read().latest.flags.values() for s in f.sides.values()
    }
    assert tiers == {"T5"}

    third, parts = begun()
    parts.feed.end = False
    third.start()
    signed = {"action": Action.RELEASE, "names": ("Ada", "Bob"), "id": "r"}
    assert halted(third, **signed)["accepted"]
    third.stop()
    fourth, parts = begun()
    run_to_end(fourth)
    assert [e.order.action for e in read_entries(parts.folder)] == ["fault", "release"]
