"""From a tape on disk to tables on disk: the same however often it was cut, read by the panel."""

import json
import random
import runpy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqwarn.collectors.tape import TapeWriter
from liqwarn.config import load_panel
from liqwarn.data.asof import market_frame
from liqwarn.data.ingest import ingest
from liqwarn.data.store import Store
from liqwarn.errors import ConfigError, StoreError
from liqwarn.pipelines.tape_tables import TapeTablesJob, make_tape_tables, table_path

PAPER = runpy.run_path(str(Path(__file__).parents[1] / "collectors" / "paper_venue.py"))
START, MINUTE, DAY_MS = PAPER["START"], PAPER["MINUTE"], PAPER["DAY"]
VENUE = PAPER["PaperVenue"]()
PANELS = Path(__file__).parents[2] / "conf" / "panels"


def job(folder, out="out", **changed):
    return TapeTablesJob(
        **{
            "tape": folder / "tape",
            "venue": VENUE,
            "symbols": ("BTCUSDT",),
            "kinds": VENUE.kinds,
            "out": folder / out,
            **changed,
        }
    )


def write(folder, records):
    writer = TapeWriter(folder / "tape", "paper")
    for record in records:
        writer.append(record)
    writer.close()


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def records():
    """Two nights: the end of a day, a pause, and the next one."""
    wild, rng = PAPER["wild_tape"], random.Random(8)
    first = wild(rng, start=START - 100 * MINUTE, minutes=190, every_ms=40_000)
    return first + wild(rng, start=START + DAY_MS - 30 * MINUTE, minutes=120, every_ms=40_000)


@pytest.mark.parametrize("cut", [1, 100, 250, 333, 500])
def test_however_the_tape_was_cut_the_tables_are_the_same(records, tmp_path, cut):
    write(tmp_path, records)
    done = make_tape_tables(job(tmp_path, "whole"))
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts", records[:cut])
    make_tape_tables(job(tmp_path / "parts"))
    write(tmp_path / "parts", records[cut:])
    make_tape_tables(job(tmp_path / "parts"))

    assert done.finished == ("2024-10-03", "2024-10-04")
    assert done.running == ("2024-10-05",)
    assert files(tmp_path / "parts" / "out") == files(tmp_path / "whole")


def test_a_rerun_changes_nothing_and_reads_finished_days_no_more(records, tmp_path):
    write(tmp_path, records)
    first = make_tape_tables(job(tmp_path))
    before = files(tmp_path / "out")

    again = make_tape_tables(job(tmp_path))

    assert files(tmp_path / "out") == before
    assert (again.finished, again.running) == ((), first.running)
    assert 0 < again.counts.frames < first.counts.frames


def test_a_look_at_a_running_day_reads_its_last_hours(tmp_path):
    start = START + 10 * 60 * MINUTE
    records = PAPER["wild_tape"](random.Random(2), start=start, minutes=480, every_ms=40_000)
    write(tmp_path, records)
    first = make_tape_tables(job(tmp_path))
    before = files(tmp_path / "out")

    again = make_tape_tables(job(tmp_path))

    last = records[-1].seen_ms
    since = (last // (60 * MINUTE) - 2) * 60 * MINUTE
    assert again.counts.samples == sum(
        r.what == "happenings" for r in records if r.seen_ms >= since
    )
    assert 3 * again.counts.samples < first.counts.samples
    assert files(tmp_path / "out") == before


def test_rows_that_are_gone_are_told_and_again_helps(tmp_path):
    start = START + 10 * 60 * MINUTE
    records = PAPER["wild_tape"](random.Random(2), start=start, minutes=240, every_ms=60_000)
    write(tmp_path, records)
    make_tape_tables(job(tmp_path))
    path = table_path(tmp_path / "out", "paper", "BTCUSDT", "mark", "2024-10-04")
    whole = path.read_bytes()
    path.unlink()

    with pytest.raises(
        StoreError, match=r"mark-2024-10-04.parquet: 0 rows, expected \d+; run with"
    ):
        make_tape_tables(job(tmp_path))
    make_tape_tables(job(tmp_path, again=True))

    assert path.read_bytes() == whole


def test_other_symbols_and_again_begin_anew(records, tmp_path):
    write(tmp_path, records)
    make_tape_tables(job(tmp_path))

    both = make_tape_tables(job(tmp_path, symbols=("BTCUSDT", "ETHUSDT")))
    anew = make_tape_tables(job(tmp_path, symbols=("BTCUSDT", "ETHUSDT"), again=True))

    assert both.finished == anew.finished == ("2024-10-03", "2024-10-04")
    assert table_path(tmp_path / "out", "paper", "ETHUSDT", "liquidations", "2024-10-04").is_file()


def test_a_day_has_a_row_a_minute_and_tells_what_was_refused(records, tmp_path):
    write(tmp_path, records)
    done = make_tape_tables(job(tmp_path))

    table = pd.read_parquet(
        table_path(tmp_path / "out", "paper", "BTCUSDT", "liquidations", "2024-10-04")
    )

    assert len(table) == 1_440
    assert table["time"].is_monotonic_increasing
    assert done.counts.unread > 0
    assert f"frames unread {done.counts.unread}" in done.to_text()
    assert done.to_dict()["unread"] == done.counts.unread


def test_no_tape_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"paper: no tape, expected what collect recorded"):
        make_tape_tables(job(tmp_path))


BARE = json.dumps(
    {
        "schema": "liqwarn.tape_tables/2",
        "asked": {"symbols": ["BTCUSDT"], "kinds": sorted(VENUE.kinds)},
        "next_hour": 480_000,
        "rows": {},
        "carry": {},
    }
)


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": "liqwarn.tape_tables/2"}', BARE])
def test_damaged_notes_are_refused_and_again_helps(records, tmp_path, content):
    write(tmp_path, records[:50])
    path = tmp_path / "out" / "paper" / "progress.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)

    with pytest.raises(StoreError, match=r"progress.json: damaged .* run with --again"):
        make_tape_tables(job(tmp_path))
    assert make_tape_tables(job(tmp_path, again=True)).running


def test_notes_of_another_format_are_not_used(records, tmp_path):
    write(tmp_path, records)
    make_tape_tables(job(tmp_path))
    path = tmp_path / "out" / "paper" / "progress.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": "older"}))

    assert make_tape_tables(job(tmp_path)).finished == ("2024-10-03", "2024-10-04")


# through the panel


@pytest.fixture(scope="module")
def calm():
    """Twelve hours of a venue called binance, with a liquidation of 1,000 USD every half minute."""
    told, start = [], START - 30 * MINUTE
    tape = [PAPER["rules"](start)]
    tape += [PAPER["event"](start, "opened", line) for line in ("orders", "marks")]
    for k in range(1, 6 * 60 * 4):
        now = start + 15_000 * k
        price = 100.0 + k % 7
        rows = [PAPER["reading"](now - 100, price), PAPER["reading"](now - 100, price, "index")]
        rows.append(PAPER["reading"](now - 100, 5_000.0 + k, "open_interest"))
        for field, value in FIXED.items():
            rows.append(PAPER["reading"](now - 100, value, field))
        if k % 4 == 0:
            tape.append(PAPER["samples"](now + 3_000, PAPER["candle"](now, price)))
        if k % 2:
            told.append(["BTCUSDT", now - 50, "long" if k % 4 == 1 else "short", 100.0, 10.0])
            tape.append(PAPER["orders"](now, told[-1]))
        tape.append(PAPER["samples"](now, *rows))
    return sorted(tape, key=lambda record: record.seen_ms)


FIXED = {
    "funding_rate": 1e-4,
    "funding_interval_h": 8.0,
    "bid_depth_usd": 1e6,
    "ask_depth_usd": 2e6,
}


def frame_of(folder, records, bar="5m"):
    writer = TapeWriter(folder / "tape", "binance")
    for record in records:
        writer.append(record)
    writer.close()
    make_tape_tables(job(folder, venue=replace(VENUE, name="binance")))
    panel = load_panel(PANELS / f"collected_{bar}.yaml")
    store = Store(folder / "store")
    now = datetime.fromtimestamp(records[-1].seen_ms / 1_000, tz=UTC)
    ingest(panel, folder / "out", store, now=now)
    return market_frame(store, panel).select(("BTCUSDT",))


def test_a_tape_becomes_a_frame_of_the_panel(calm, tmp_path):
    frame = frame_of(tmp_path, calm)

    values = {name: plane[0] for name, plane in frame.fields.items()}
    full = slice(2, -1)
    assert frame.shape[1] == 6 * 12 - 1
    for name in ("open", "high", "low", "close", "mark", "index", "open_interest", *FIXED):
        assert np.isfinite(values[name][full]).all(), name
    assert (values["volume"][full] == 50.0).all()
    assert (values["taker_sell_volume"][full] == 20.0).all()
    assert (values["long_liq_usd"][full] == 5_000.0).all()
    assert (values["short_liq_usd"][full] == 5_000.0).all()
    assert (frame.ages["long_liq_usd"][0][full] == 0.0).all()
    assert (frame.ages["mark"][0][full] == 0.0).all()
    # the value of the last minute before the close, not one that came after it
    closes = frame.times.astype("datetime64[ms]").astype(np.int64)
    k = (closes - (START - 30 * MINUTE)) // 15_000
    assert (values["open_interest"][full] == 5_000.0 + k[full]).all()


@pytest.mark.parametrize("minutes", [91, 152.3])
def test_no_bar_holds_what_came_after_its_close(calm, tmp_path, minutes):
    """But for what came within ten seconds after it: the law of docs/tape.md."""
    cut_ms = START + int(minutes * MINUTE)
    then = [record for record in calm if record.seen_ms <= cut_ms]
    (tmp_path / "then").mkdir()
    early = frame_of(tmp_path / "then", then)
    whole = frame_of(tmp_path, calm)

    n = int((cut_ms - 10_000) // (5 * MINUTE) - (START - 30 * MINUTE) // (5 * MINUTE))
    assert n > 20
    for name, plane in whole.fields.items():
        np.testing.assert_array_equal(early.fields[name][0, :n], plane[0, :n], err_msg=name)


def test_an_hour_is_made_of_its_minutes(calm, tmp_path):
    frame = frame_of(tmp_path, calm, "1h")

    assert frame.field("long_liq_usd")[0].tolist() == [60_000.0] * 5
    assert np.isfinite(frame.field("close")[0]).all()


def test_an_hour_with_a_hole_is_unknown_not_less(calm, tmp_path):
    deaf = [
        record
        for record in calm
        if record.line != "orders" or not START + 70 * MINUTE < record.seen_ms < START + 80 * MINUTE
    ]
    silence = PAPER["event"](START + 80 * MINUTE, "silent", content=b"line: nothing for 599.0 s")
    tape = sorted([*deaf, silence], key=lambda record: record.seen_ms)

    frame = frame_of(tmp_path, tape, "1h")

    assert np.isnan(frame.field("long_liq_usd")[0, 1])
    assert frame.field("long_liq_usd")[0, 2] == 60_000.0
    assert np.isfinite(frame.field("close")[0, 1])
