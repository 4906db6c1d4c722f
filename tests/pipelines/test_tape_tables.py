"""From a tape on disk to tables on disk: the same however often it was cut, read by the panel."""

import json
import random
import runpy
from pathlib import Path

import pandas as pd
import pytest

from liqwarn.collectors.tape import TapeWriter
from liqwarn.errors import ConfigError, StoreError
from liqwarn.pipelines.tape_tables import TapeTablesJob, make_tape_tables, table_path

PAPER = runpy.run_path(str(Path(__file__).parents[1] / "collectors" / "paper_venue.py"))
START, MINUTE, DAY_MS = PAPER["START"], PAPER["MINUTE"], PAPER["DAY"]
VENUE = PAPER["PaperVenue"]()


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


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": "liqwarn.tape_tables/1"}'])
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
