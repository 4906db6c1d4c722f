"""What the whole live service survives: a full disk, impossible values, symbols, silence.

``LIQWARN_FAULTS=full`` runs the counts that docs/faults.md reports.
"""

import math
import os
import random
import runpy
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml

from liqwarn.config import config_sha256, load_panel
from liqwarn.data.bars.message import BarMessage
from liqwarn.decisions import flag_to_dict
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.snapshot import unpack_memory
from liqwarn.pipelines.live_engines import HistoryEngines
from liqwarn.pipelines.market import MarketJob
from liqwarn.serving.flag_file import parse_flags
from liqwarn.serving.keeper import FlagKeeper
from liqwarn.serving.live_record import LiveRecord
from liqwarn.tables import read_table

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
FILLED = 100 if FULL else 4
VALUES = 10_000 if FULL else 200
JUMPY = 200 if FULL else 8
GIVEN = runpy.run_path(str(Path(__file__).parent / "live_given.py"))
HandClock = GIVEN["HandClock"]
at, bars_of, told, wait_for = (GIVEN[k] for k in ("at", "bars_of", "told", "wait_for"))
history, journal, audited = (GIVEN[k] for k in ("history", "journal", "audited"))
assert_same_bars, assert_same_flags = GIVEN["assert_same_bars"], GIVEN["assert_same_flags"]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def play(begun, bars, change=lambda bar, messages: messages, **more):
    """A service over all its bars, to their end; each bar's messages may be changed."""
    service, parts, frame = begun(bars=bars, **more)
    given = list(bars_of(frame, random.Random(3)))
    for bar, (time_, messages) in enumerate(given):
        parts.feed.put_bar(time_, change(bar, messages))
    parts.feed.end = True
    service.start()
    assert service.ended.wait(1_500)
    service.stop()
    assert parts.shelf.read().fault is None
    return parts, given


# ------------------------------------------------------------------ a full disk


@pytest.fixture
def tiny_disk(tmp_path):
    disk, mount = tmp_path / "disk", shutil.which("mount")
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=24m", "none", str(disk)]
    made = mount and subprocess.run([mount, *options], capture_output=True, check=False)
    if not made or made.returncode:
        pytest.skip("no file system may be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk, room):
    """Leave so many bytes of a disk."""
    ballast = os.open(disk / "ballast", os.O_CREAT | os.O_WRONLY)
    try:
        while os.write(ballast, bytes(1 << 12)):
            pass
    except OSError:
        os.ftruncate(ballast, max(0, os.fstat(ballast).st_size - room))
    finally:
        os.close(ballast)


def check_whole(parts, terms):
    folder = parts.folder
    if (folder / "flags.json").exists():
        parse_flags((folder / "flags.json").read_bytes())
    with (folder / "snapshot.live").open("rb") as snapshot:
        unpack_memory(snapshot, parts.panel, terms, panel_sha256=parts.panel_sha256)
    for path in (folder / "history").glob("2*.parquet"):
        read_table(path)


def test_a_full_disk_is_never_half_written_and_nothing_is_lost(
    begun, tiny_disk, tmp_path, policy, monkeypatch
):
    monkeypatch.setattr("liqwarn.serving.live_loop._AGAIN_S", 0.01)
    calm, _ = play(begun, FILLED, folder=tmp_path / "calm", snapshot_every=2 * HOUR)
    dice, seen = random.Random(4), Counter()
    service, parts, frame = begun(tiny_disk, bars=FILLED, snapshot_every=2 * HOUR)
    service.start()
    wait_for(lambda: parts.feed.idle)
    for time_, messages in bars_of(frame, random.Random(3)):
        fill(tiny_disk, dice.choice([0, 0, 4_096, 8_192, 16_384, 32_768, 1 << 20]))
        parts.feed.put_bar(time_, messages)

        came = partial(is_out, parts, at(time_))
        wait_for(lambda came=came: came() or "cannot be written" in str(parts.shelf.read().fault))
        if came():
            parts.feed.drained()
            seen["published with what room there was"] += 1
        else:
            seen["held back"] += 1
            runs_out(parts, policy)
        check_whole(parts, parts.terms)
        (tiny_disk / "ballast").unlink()
        wait_for(came)
        parts.feed.drained()
    parts.feed.end = True
    assert service.ended.wait(60)
    again, other, _ = begun(tiny_disk, bars=FILLED)  # what is owed is written with the next bar
    other.clock.now, other.feed.end = parts.clock.now, True
    again.start()
    assert again.ended.wait(60)

    assert other.shelf.read().fault is None
    folders = parts.folder, calm.folder
    assert_same_bars(*(journal(folder, parts.panel) for folder in folders))
    found, expected = (history(folder) for folder in folders)
    assert len(found) == len(expected)
    assert_same_flags(found, expected)
    assert audited(parts.folder, policy) >= 4
    print(f"{FILLED} times full: {dict(seen)}")


def is_out(parts, moment):
    latest = parts.shelf.read().latest
    return latest is not None and all(flag.as_of == moment for flag in latest.flags.values())


def runs_out(parts, policy):
    """What was published stays as long as it was meant to, and not longer."""
    clock = HandClock(parts.clock.now)
    keeper = FlagKeeper(parts.shelf, policy=policy, clock=clock)
    assert "cannot be written" in keeper.look().fault
    clock.forward(timedelta(minutes=70))
    served = keeper.look().flags
    assert not any(one.fresh for one in served)
    assert {one.flag.quality for one in served} <= {"stale"}


# ------------------------------------------------------------------ impossible values

PRICES = ("open", "high", "low", "close", "mark", "index")
EVERYWHERE = (math.nan, math.inf, -math.inf, 1e308, -1e308)


def spoil(message, dice):
    """Two or three values that cannot be, and which fields have them."""
    names = sorted(set(dice.sample(sorted(message.fields), 2)) | {dice.choice(PRICES)})
    bad = {}
    for name in names:
        more = (0.0, -1.0, -0.0) if name in PRICES else ()
        more = (-1.0, -1e12) if name == "open_interest" else more
        bad[name] = dice.choice(EVERYWHERE + more)
    fields = {**message.fields, **bad}
    return told(message.symbol, message.time, message.bar_s, fields), bad


@pytest.mark.timeout(3_000)
def test_impossible_values_crash_nothing_and_are_never_filled_in_silence(begun, study, policy):
    dice, spoilt, n_bars = random.Random(5), {}, VALUES // 5 + 8
    panel = study.market.panel

    def change(bar, messages):
        out = []
        for message in messages:
            if bar % 8 and sum(map(len, spoilt.values())) < VALUES:
                changed, spoilt[str(message.time), message.symbol] = spoil(message, dice)
                out.append(changed)
            else:
                out.append(message)
        return out

    parts, _ = play(begun, n_bars, change)

    bars, seen = journal(parts.folder, panel), Counter()
    assert len(bars) == n_bars
    for (time_, symbol), bad in spoilt.items():
        row = panel.symbol_names.index(symbol)
        for name, value in bad.items():
            found, age = bars[time_].fields[name][row], bars[time_].ages[name][row]
            assert np.isnan(found) or age > 0.0, (time_, symbol, name, value, found)
            seen["missing" if np.isnan(found) else "carried, with its age"] += 1
    table = history(parts.folder)
    check_told(table, bars, panel, seen)
    assert audited(parts.folder, policy) >= 4
    print(f"{sum(map(len, spoilt.values()))} values in {len(spoilt)} messages: {dict(seen)}")


def check_told(table, bars, panel, seen):
    """Who has no price or open interest has no score, and the flag says so."""
    scores = table[["p_1h", "p_4h", "p_24h"]]
    assert ((scores.isna()) | ((scores >= 0.0) & (scores <= 1.0))).all().all()
    for (moment, symbol, _), flag in table.iterrows():
        fields = bars[str(moment.tz_localize(None).to_datetime64().astype("datetime64[s]"))].fields
        row = panel.symbol_names.index(symbol)
        whole = all(np.isfinite(fields[name][row]) for name in panel.core)
        seen[f"flags {flag['quality']}"] += 1
        if not whole:
            assert flag["quality"] == "stale"
            assert np.isnan(flag["p_4h"])
            assert flag["tier"] >= "T2"


# ------------------------------------------------------------------ symbols that come and go


def test_strangers_change_nothing(begun, tmp_path):
    def strangers(bar, messages):
        first = messages[0]
        names = ("NEWUSDT", "btcusdt", "BTCUSDT ", "", "BTC/USDT")
        others = [told(name, first.time, first.bar_s, first.fields) for name in names]
        return [others[bar % 5], *messages, *others]

    calm, _ = play(begun, 8, folder=tmp_path / "calm")
    parts, _ = play(begun, 8, strangers, folder=tmp_path / "strange")

    assert set(parts.shelf.read().latest.flags) == set(parts.panel.symbol_names)
    assert_same_bars(*(journal(one.folder, one.panel) for one in (parts, calm)))
    assert_same_flags(*(history(one.folder) for one in (parts, calm)))


def test_a_symbol_that_falls_silent_is_stale_and_the_others_are_not(begun, tmp_path):
    def gone(bar, messages):
        if bar < 3:
            return messages
        lost = next(m for m in messages if m.symbol == "DOGEUSDT")
        renamed = BarMessage(symbol="DOGE2USDT", time=lost.time, bar_s=lost.bar_s, fields={})
        return [renamed if m is lost else m for m in messages]

    service, parts, frame = begun(bars=10)
    for bar, (time_, messages) in enumerate(bars_of(frame, random.Random(3))):
        parts.feed.put(*gone(bar, messages), at=at(time_) + timedelta(minutes=2))
    parts.feed.end = True
    service.start()
    assert service.ended.wait(60)

    found = history(parts.folder)
    silent = found.xs("DOGEUSDT", level="symbol")
    silent = silent[silent.index.get_level_values("as_of") > at(frame.times[4])]
    assert set(silent["quality"]) == {"stale"}
    assert silent["p_4h"].isna().all()
    assert set(found.xs("BTCUSDT", level="symbol")["quality"]) <= {"ok", "degraded"}
    assert "DOGE2USDT" not in parts.shelf.read().latest.flags


def test_a_panel_that_changed_starts_anew_and_what_left_it_is_unknown(
    begun, given_market, bundle, policy, tmp_path
):
    service, first, frame = begun(tmp_path / "s", bars=9)
    for time_, messages in list(bars_of(frame, random.Random(3)))[:6]:
        first.feed.put_bar(time_, messages)
    first.feed.end = True
    service.start()
    assert service.ended.wait(60)
    service.stop()
    assert set(first.shelf.read().latest.flags) == {"BTCUSDT", "DOGEUSDT"}
    files = shutil.copytree(given_market.files, tmp_path / "files")
    shutil.move(files / "market" / "DOGEUSDT.parquet", files / "market" / "PEPEUSDT.parquet")
    raw = yaml.safe_load(given_market.panel.read_text())
    panel_file = tmp_path / "panel.yaml"
    panel_file.write_text(yaml.safe_dump(raw | {"symbols": ["BTCUSDT", "PEPEUSDT"]}))
    panel, stamp = load_panel(panel_file), config_sha256(panel_file)
    engines = HistoryEngines(
        job=MarketJob(panel=panel_file, data=files, store=tmp_path / "store"),
        panel=panel,
        bundle=lambda: bundle,
        policy=policy,
        now=lambda: first.clock.now,
    )
    record = LiveRecord(first.folder, panel, panel_sha256=stamp, document=flag_to_dict)
    terms = replace(first.terms, symbols=panel.symbol_names)
    changes = {
        "panel": panel,
        "panel_sha256": stamp,
        "engines": engines,
        "record": record,
        "terms": terms,
    }
    service, parts, frame = begun(tmp_path / "s", bars=3, **changes)
    assert isinstance(terms, SymbolTerms)
    for time_, messages in bars_of(frame, random.Random(3)):
        renamed = [
            told(m.symbol.replace("DOGE", "PEPE"), m.time, m.bar_s, m.fields) for m in messages
        ]
        parts.feed.put_bar(time_, renamed)
    parts.feed.end = True
    service.start()
    assert service.ended.wait(120)
    service.stop()

    assert parts.shelf.read().fault is None
    flags = parts.shelf.read().latest.flags
    assert set(flags) <= {"BTCUSDT", "PEPEUSDT"}
    assert flags["BTCUSDT"].as_of == at(frame.times[-1])
    assert flags["BTCUSDT"].quality in ("ok", "degraded")
    assert (first.folder / "snapshot.live.damaged").exists()
    assert parse_flags((first.folder / "flags.json").read_bytes()).flags.keys() == flags.keys()


# ------------------------------------------------------------------ silence


def test_a_silent_feed_is_stale_within_a_second_of_its_patience(begun, policy):
    service, parts, frame = begun(bars=6)
    time_, messages = next(bars_of(frame, random.Random(3), gap=0.0))
    parts.feed.put_bar(time_, messages)
    service.start()
    parts.feed.drained()
    keeper = FlagKeeper(parts.shelf, policy=policy, clock=parts.clock)
    close = at(time_) + HOUR
    quality = {}
    for after_s in (-1, 60, 119, 121, 599, 601):  # of the close of the bar that never came
        parts.feed.put(at=close + timedelta(seconds=after_s))
        parts.feed.drained()
        served = keeper.look().of("BTCUSDT")
        quality[after_s] = served.flag.quality
        assert served.flag.sides["long"].limits.net_increase <= (after_s < 120)
    assert quality[-1] == quality[60] == quality[119] == "ok"
    assert quality[121] == quality[599] == quality[601] == "stale"
    service.stop()


def test_a_loop_that_stands_still_leaves_its_flags_to_run_out_on_the_second(begun, policy):
    service, parts, frame = begun(bars=6)
    time_, messages = next(bars_of(frame, random.Random(3), gap=0.0))
    parts.feed.put_bar(time_, messages)
    service.start()
    parts.feed.drained()
    service.stop()
    keeper = FlagKeeper(parts.shelf, policy=policy, clock=parts.clock)
    keeper.look()
    flag = parts.shelf.read().latest.flags["BTCUSDT"]
    assert flag.valid_until == at(time_) + timedelta(minutes=70)
    parts.clock.forward(flag.valid_until - parts.clock.now - timedelta(seconds=1))
    assert keeper.look().of("BTCUSDT").fresh
    parts.clock.forward(timedelta(seconds=1))
    assert keeper.look().of("BTCUSDT").flag.quality == "stale"


def test_a_clock_that_jumps_while_bars_come_buys_no_flag_any_time(begun, policy):
    """Steps of ten minutes; at some the wall clock is set ten minutes on or back."""
    service, parts, frame = begun(bars=JUMPY)
    clock, dice, seen = parts.clock, random.Random(8), Counter()
    keeper = FlagKeeper(parts.shelf, policy=policy, clock=clock)
    began = clock.now
    service.start()
    deadlines, jumped = {}, 0
    for time_, messages in bars_of(frame, random.Random(3)):
        for step in range(6):
            true_time = at(time_) - 50 * MINUTE + step * 10 * MINUTE + timedelta(seconds=1)
            clock.forward(true_time - began - timedelta(seconds=clock.ticks))
            if dice.random() < 0.3:
                clock.jump(dice.choice([-10, 10]) * MINUTE)
                jumped += 1
            if step == 5:
                parts.feed.put(*messages, at=began)
            parts.feed.drained()
            latest = parts.shelf.read().latest
            for flag in latest.flags.values() if latest else ():
                life = flag.valid_until - max(flag.issued_at, flag.as_of)
                until = clock.ticks + life.total_seconds()
                deadlines.setdefault((flag.symbol, flag.sequence, flag.issued_at), until)
            for one in keeper.look().flags:
                flag = one.flag
                fresh = one.fresh and flag.quality != "stale"
                seen["good" if fresh else "not good"] += 1
                if one.fresh:
                    assert clock.ticks < deadlines[flag.symbol, flag.sequence, flag.issued_at]
                    assert clock.now < flag.valid_until
    assert parts.shelf.read().fault is None
    assert seen["good"]
    print(f"{jumped} jumps of ten minutes over {JUMPY} bars: flags looked at {dict(seen)}")


def test_a_value_that_is_no_longer_told_is_carried_as_long_as_it_may_be(begun, study):
    panel = study.market.panel
    longest = panel.max_age_s("open_interest") // panel.bar_s

    def change(bar, messages):
        silent = [
            told(m.symbol, m.time, m.bar_s, {k: v for k, v in m.fields.items() if k != OI})
            for m in messages
        ]
        return messages if bar < 2 else silent

    parts, given = play(begun, longest + 6, change)
    found = history(parts.folder).xs(("BTCUSDT", "long"), level=("symbol", "side"))
    last_told = at(given[1][0])
    for moment, flag in found.iterrows():
        held = (moment - last_told) / HOUR <= longest
        assert (flag["quality"] != "stale") == held, (moment, flag["quality"])


OI = "open_interest"
