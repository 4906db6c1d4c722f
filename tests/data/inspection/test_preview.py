"""The first rows, raw beside read."""

import numpy as np
import pandas as pd

from liqwarn.data.inspection.clock import measure_clock
from liqwarn.data.inspection.labels import label_doubts
from liqwarn.data.inspection.preview import first_rows
from liqwarn.data.inspection.reading import used_columns


def cells(shown):
    return {cell.name: (cell.raw, cell.becomes) for cell in shown.cells}


def test_stamp_and_values_are_shown_beside_what_they_become(read, bars):
    first = first_rows(read(bars, known_lag="5min"))[0]

    assert first.row == 1
    assert cells(first)["time (start + 1h)"] == (
        "1704067200",
        "2024-01-01 01:00:00Z, known 2024-01-01 01:05:00Z",
    )
    assert cells(first)["close"][1].endswith(" quote per coin")


def test_a_row_seen_live_is_known_from_then_on(read, bars):
    """As the ingest takes it, and not the lag of history."""
    ends = pd.to_datetime(bars["t"] + 3_600, unit="s", utc=True)
    seen = ends + pd.to_timedelta(np.where(np.arange(len(bars)) == 0, 9_000, 600), unit="s")
    bars["seen_at"] = seen.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    reading = read(bars, known_lag="5min", seen={"column": "seen_at", "within": "1h"})

    shown = [cells(one)["time (start + 1h)"][1] for one in first_rows(reading)]
    known = [text.rpartition(", known ")[2] for text in shown]
    assert known == ["2024-01-01 01:05:00Z", "2024-01-01 02:10:00Z", "2024-01-01 03:10:00Z"]
    assert "seen_at" in used_columns(reading)
    assert not list(label_doubts(reading, measure_clock(reading)))


def test_a_file_that_does_not_say_when_it_was_seen_is_what_the_ingest_says(read, bars):
    reading = read(bars, seen={"column": "seen_at", "within": "1h"})
    assert "no column 'seen_at'" in reading.error


def test_a_refused_row_is_shown_with_its_reason(read, bars):
    bars.loc[1, "close"] = -3.0
    shown = first_rows(read(bars))

    assert [row.row for row in shown] == [1, 2, 3]
    assert cells(shown[1])["time (start + 1h)"][1] == "refused (close: negative)"
    assert cells(shown[1])["close"] == ("-3.0", "refused (negative)")


def test_a_file_that_cannot_be_used_is_shown_raw(read, bars):
    bars["t"] *= 1_000
    shown = first_rows(read(bars))

    assert [row.row for row in shown] == [1, 2, 3]
    assert cells(shown[0])["time (start + 1h)"] == ("1704067200000", "")
    assert cells(shown[0])["close"][1] == ""


def test_a_missing_column_is_said(read, bars):
    shown = first_rows(read(bars.drop(columns="close")))

    assert cells(shown[0])["close"] == ("no column 'close'", "")


def test_long_text_is_cut(read, bars):
    shown = first_rows(read(bars.assign(close="x\n" * 500)))

    assert len(cells(shown[0])["close"][0]) == 40


def test_a_file_that_cannot_be_read_shows_nothing(read, bars, data_dir):
    assert first_rows(read(bars.iloc[:0])) == ()
