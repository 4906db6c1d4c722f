"""What the tables hold, shown."""

import json
import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from liqwarn.collectors.tape import TapeWriter
from liqwarn.errors import ConfigError, StoreError
from liqwarn.pipelines.tape_show import (
    SeriesJob,
    liquidations_across_venues,
    series_rows,
    tape_days,
    write_series,
)
from liqwarn.pipelines.tape_tables import TapeTablesJob, make_tape_tables

PAPER = runpy.run_path(str(Path(__file__).parents[1] / "collectors" / "paper_venue.py"))
START, MINUTE = PAPER["START"], PAPER["MINUTE"]


def night(hours, side):
    """An order of 100 USD every minute; the tape begins ten minutes before the day."""
    start = START - 10 * MINUTE
    tape = [PAPER["rules"](start), PAPER["event"](start, "opened")]
    for k in range(1, 60 * hours + 13):
        now = start + k * MINUTE
        tape.append(PAPER["orders"](now, ["BTCUSDT", now - 9, side, 100.0, 1.0]))
    return tape


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Tables of two venues, of which one ends an hour before the other."""
    folder = tmp_path_factory.mktemp("tape")
    for name, hours, side in (("paper", 4, "long"), ("scrap", 3, "short")):
        venue = replace(PAPER["PaperVenue"](), name=name)
        writer = TapeWriter(folder / "tape", name)
        for record in night(hours, side):
            writer.append(record)
        writer.close()
        job = TapeTablesJob(
            tape=folder / "tape", venue=venue, symbols=("BTCUSDT",), kinds=venue.kinds,
            out=folder / "out",
        )  # fmt: skip
        make_tape_tables(job)
    return folder / "out"


def test_days_tell_what_was_heard(tables):
    days = tape_days(tables)

    assert [(one["day"], one["venue"]) for one in days] == [
        ("2024-10-03", "paper"), ("2024-10-03", "scrap"),
        ("2024-10-04", "paper"), ("2024-10-04", "scrap"),
    ]  # fmt: skip
    assert days[2]["covered"] == pytest.approx(241 / 1_440, abs=2 / 1_440)
    assert days[2]["long_usd"] == 100.0 * days[2]["orders"]
    assert (days[2]["largest_usd"], days[2]["priced"]) == (100.0, 0.0)
    assert tape_days(tables, venue="scrap", symbol="BTCUSDT") == days[1::2]


def test_the_series_of_two_venues_says_when_one_is_missing(tables):
    series = liquidations_across_venues(
        SeriesJob(tables=tables, symbol="BTCUSDT", since=datetime(2024, 10, 4, tzinfo=UTC))
    )

    assert series["long_usd"].iloc[:4].tolist() == [6_000.0] * 4
    assert series["net_usd"].iloc[:4].tolist() == [0.0, 0.0, 0.0, 6_000.0]
    assert series["missing"].iloc[:4].tolist() == ["", "", "", "scrap"]


def test_a_span_and_one_venue_in_bars_of_five_minutes(tables):
    since = datetime(2024, 10, 4, 1, tzinfo=UTC)
    job = SeriesJob(
        tables=tables, symbol="BTCUSDT", venues=("paper",), bar=timedelta(minutes=5),
        since=since, until=since + timedelta(minutes=20),
    )  # fmt: skip

    series = liquidations_across_venues(job)

    assert series["time"].dt.minute.tolist() == [5, 10, 15, 20]
    assert series["paper_long_usd"].tolist() == [500.0] * 4


@pytest.mark.parametrize(
    ("job", "told"),
    [
        ({"symbol": "NONE"}, "no liquidations of NONE from any venue; make them"),
        ({"venues": ("paper", "nobody")}, "no liquidations of BTCUSDT from nobody"),
        ({"until": datetime(2020, 1, 1, tzinfo=UTC)}, "from any venue in that time"),
    ],
)
def test_what_is_not_there_is_told(tables, job, told):
    with pytest.raises(ConfigError, match=told):
        liquidations_across_venues(SeriesJob(**{"tables": tables, "symbol": "BTCUSDT", **job}))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json", ".png", ".svg"])
def test_a_series_is_written_by_its_suffix(tables, tmp_path, suffix):
    series = liquidations_across_venues(SeriesJob(tables=tables, symbol="BTCUSDT"))
    path = tmp_path / f"series{suffix}"

    write_series(series, path, title="BTCUSDT")

    if suffix == ".csv":
        assert len(pd.read_csv(path)) == len(series)
    elif suffix == ".parquet":
        pd.testing.assert_frame_equal(
            pd.read_parquet(path), series, check_dtype=False, check_freq=False
        )
    elif suffix == ".json":
        assert json.loads(path.read_text())["bars"] == series_rows(series)
    else:
        assert path.stat().st_size > 5_000


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"ends with '.xls', expected one of .png"):
        write_series(pd.DataFrame(), tmp_path / "a.xls", title="")


def test_a_damaged_table_is_told(tmp_path):
    path = tmp_path / "paper" / "BTCUSDT" / "liquidations"
    path.mkdir(parents=True)
    (path / "BTCUSDT-liquidations-2024-10-04.parquet").write_bytes(b"PAR1 nothing PAR1")

    with pytest.raises(StoreError, match=r"BTCUSDT-liquidations-2024-10-04.parquet: damaged"):
        tape_days(tmp_path)
