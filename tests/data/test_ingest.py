"""Provider files to the store: golden files of each format, and every kind of bad input."""

import json
import zipfile
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as pf
import pytest

from liqwarn.data.asof import market_frame
from liqwarn.data.ingest import ingest, panel_files
from liqwarn.data.records import SeriesKey
from liqwarn.errors import ConflictError, DataError

T0 = 1_704_067_200
HOUR = 3_600
KEY = SeriesKey(panel="test", source="klines", symbol="BTCUSDT")


# ---------------------------------------------------------------- golden files


def test_binance_kline_archives(make_panel, make_source, load, data_dir, store):
    columns = ["open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume",
               "trades", "taker_buy_base", "taker_buy_quote", "ignore"]  # fmt: skip
    for month, first in (("2024-01", T0), ("2024-02", T0 + 744 * HOUR)):
        rows = "".join(
            f"{(first + HOUR * i) * 1000},10,12,9,11,5.5,{(first + HOUR * (i + 1)) * 1000 - 1},"
            "60.5,7,3.25,35.75,0\n"
            for i in range(3)
        )
        header = ",".join(columns) + "\n" if month == "2024-02" else ""
        with zipfile.ZipFile(data_dir / f"BTCUSDT-1h-{month}.zip", "w") as archive:
            archive.writestr(f"BTCUSDT-1h-{month}.csv", header + rows)
    panel = make_panel(
        make_source(
            file="{symbol}-1h-*.zip",
            symbol=None,
            columns=columns,
            time={"column": "open_time", "unit": "ms", "label": "start", "step": "1h"},
            fields={"close": "close", "taker_buy_volume": "taker_buy_base"},
        )
    )
    assert load(panel).total("new") == 6

    frame = market_frame(store, panel)

    assert frame.times[0] == np.datetime64("2024-01-01T01:00:00")
    assert frame.field("taker_buy_volume")[0, :4].tolist()[:3] == [3.25] * 3
    assert int(np.isfinite(frame.field("close")).sum()) == 6


def test_binance_metrics_stamped_at_the_end_and_later_at_the_start(
    make_panel, make_source, load, data_dir, store, candles
):
    """Since 2026-06-25 `create_time` is the start of the five minutes, before it was the end."""
    change = pd.Timestamp("2026-06-25")
    stamps = pd.date_range("2026-06-24 23:45", "2026-06-25 00:10", freq="5min")
    pd.DataFrame(
        {"create_time": stamps.strftime("%Y-%m-%d %H:%M:%S"), "symbol": "BTCUSDT",
         "sum_open_interest": np.arange(1.0, 1.0 + len(stamps))}
    ).to_csv(data_dir / "metrics.csv", index=False)  # fmt: skip
    clock = {"column": "create_time", "tz": "UTC", "step": "5min"}
    common = {"file": "metrics.csv", "symbol": {"column": "symbol"},
              "fields": {"open_interest": "sum_open_interest"}}  # fmt: skip
    panel = make_panel(
        make_source(time={"column": "t", "unit": "s", "label": "end", "step": "5min"},
                    fields={"close": "close"}),
        make_source(name="before", time=clock | {"label": "end"},
                    valid={"to": change.date()}, **common),
        make_source(name="since", time=clock | {"label": "start"},
                    valid={"from": change.date()}, **common),
        bar="5min",
    )  # fmt: skip
    load(panel, candles(6, start=int(stamps[0].timestamp()), step=300))

    frame = market_frame(store, panel)

    told = dict(zip(frame.times.astype(str), frame.field("open_interest")[0], strict=True))
    assert told["2026-06-25T00:00:00"] == 4.0  # stamped 00:00 as an end
    assert told["2026-06-25T00:05:00"] == 4.0  # the same row, read as a start
    assert told["2026-06-25T00:10:00"] == 5.0  # stamped 00:05 as a start


def test_hyperliquid_funding_json(make_panel, make_source, load, data_dir, candles, store):
    hours = range(1, 6)
    told = [
        {"coin": "BTC", "fundingRate": f"0.0000{i}", "time": (T0 + HOUR * i) * 1000 + 151}
        for i in hours
    ]
    (data_dir / "fundingHistory.json").write_text(json.dumps(told))
    funding = make_source(
        name="funding",
        file="fundingHistory.json",
        time={"column": "time", "unit": "ms", "label": "end", "step": "1h", "snap": "10s"},
        symbol={"column": "coin"},
        fields={
            "funding_rate": "fundingRate",
            "funding_interval_h": {"spacing_of": "funding_rate"},
        },
    )
    load(panel := make_panel(make_source(), funding), candles(6))

    frame = market_frame(store, panel)

    assert frame.field("funding_rate")[0].tolist() == [1e-5, 2e-5, 3e-5, 4e-5, 5e-5, 5e-5]
    np.testing.assert_array_equal(frame.field("funding_interval_h")[0], [np.nan, 1, 1, 1, 1, 1])


def test_coinglass_envelope_with_numbers_as_text(
    make_panel, make_source, load, data_dir, candles, store
):
    rows = [
        {"time": (T0 + HOUR * i) * 1000, "aggregated_long_liquidation_usd": f"{i}.5"}
        for i in range(3)
    ]
    (data_dir / "liq.json").write_text(json.dumps({"code": "0", "data": rows}))
    liquidations = make_source(
        name="liq",
        file="liq.json",
        records_at="data",
        time={"column": "time", "unit": "ms", "label": "start", "step": "1h"},
        fields={"long_liq_usd": "aggregated_long_liquidation_usd"},
    )
    load(panel := make_panel(make_source(), liquidations), candles(3))

    assert market_frame(store, panel).field("long_liq_usd")[0].tolist() == [0.5, 1.5, 2.5]


def test_freqtrade_feather_and_coinalyze_columns(
    make_panel, make_source, load, data_dir, candles, store
):
    table = candles(8)
    dates = pa.array(table.pop("t"), pa.timestamp("s", tz="UTC")).cast(pa.timestamp("ns", tz="UTC"))
    pf.write_feather(pa.table({"date": dates, **table}), data_dir / "BTC_USDT.feather")
    told = {"t": [T0 + HOUR * i for i in range(8)], "c": [1e9] * 8}
    (data_dir / "oi.json").write_text(json.dumps(told))
    clock = {"column": "date", "label": "start", "step": "1h"}
    usd = {"open_interest": {"column": "c", "unit": "usd_at_close"}}
    panel = make_panel(
        make_source(file="BTC_USDT.feather", time=clock),
        make_source(name="oi", file="oi.json", fields=usd),
    )
    load(panel)
    frame = market_frame(store, panel)

    np.testing.assert_allclose(frame.field("open_interest")[0], 1e9 / table["close"], rtol=1e-12)


def test_unlocks_add_up_and_belong_to_their_token(
    make_panel, make_source, load, data_dir, candles, store
):
    pd.DataFrame(
        {
            "token": ["BTC", "BTC", "WLD"],
            "at": ["2024-01-01T12:00:00Z"] * 3,
            "tokens": [5.0, 7.0, 99.0],
        }
    ).to_csv(data_dir / "unlocks.csv", index=False)
    calendar = {
        "name": "unlocks",
        "gives": "unlock",
        "file": "unlocks.csv",
        "time": {"column": "at", "label": "end"},
        "symbol": {"column": "token"},
        "amount": "tokens",
        "known_before": "7d",
    }
    summary = load(panel := make_panel(calendars=[calendar]), candles(24))
    frame = market_frame(store, panel)

    assert summary.files[1].other == 1
    assert frame.field("next_unlock_frac")[0, :11].tolist() == [12.0] * 11
    assert frame.field("next_unlock_h")[0, 10:].tolist()[0] == 1.0
    assert np.isnan(frame.field("next_unlock_h")[0, 11:]).all()


# ---------------------------------------------------------------- bad input


BAD_CELLS = {
    "NaN": (np.nan, "missing price"),
    "inf": (np.inf, "infinite"),
    "negative": (-5.0, "negative"),
    "zero": (0.0, "zero price"),
    "text": ("oops", "missing price"),
    "spike": (4.0, "more than 20x off its neighbours"),
}


@pytest.mark.parametrize("kind", BAD_CELLS)
def test_a_bad_price_is_quarantined_with_its_place(load, candles, store, kind):
    value, reason = BAD_CELLS[kind]
    table = candles(24)[["t", "open", "high", "low", "close", "volume"]].astype(object)
    table.loc[7, ["open", "high", "low", "close"]] = value

    summary = load(table=table)

    (kept,) = (store.root / "quarantine" / "test" / "klines").iterdir()
    refusals = [json.loads(line) for line in kept.read_text().splitlines()]
    assert {r["row"] for r in refusals} == {8}
    assert reason in summary.quarantined
    assert summary.total("new") == 23
    assert len(store.read(KEY)) == 23


def test_every_row_is_accounted_for(load, candles):
    table = candles(24)
    table.loc[3, "high"] = table.loc[3, "low"] - 1.0
    table.loc[[5], "volume"] = np.nan
    table = pd.concat([table, table.iloc[[0, 1]], table.iloc[[9]].assign(close=table["open"][9])])
    table = pd.concat([table, table.iloc[[2]].assign(t=T0 + 77)]).drop(index=[12, 13])

    file = load(table=table).files[0]

    assert file.quarantined == {
        "conflicting duplicate": 2,
        "high below low": 1,
        "off the 1:00:00 grid": 1,
    }
    assert (file.duplicates, file.missing, file.new) == (2, 1, 20)
    assert file.gaps == 4  # two dropped, one crossed candle, one pair that disagrees
    assert file.rows == file.new + file.duplicates + sum(file.quarantined.values())


def test_ingesting_twice_changes_nothing(load, candles, store):
    table = candles(24)
    table.loc[4, "close"] = -1.0
    load(table=table)
    before = {p: p.read_bytes() for p in store.root.rglob("*") if p.is_file() and p.name != ".lock"}

    again = load(table=table)

    after = {p: p.read_bytes() for p in store.root.rglob("*") if p.is_file() and p.name != ".lock"}
    assert after == before
    assert (again.total("new"), again.total("unchanged")) == (0, 23)
    assert again.quarantined == {"negative": 1}


def test_a_file_that_grew_brings_only_its_new_rows(load, candles):
    load(table=candles(48).head(24))

    assert load(table=candles(48)).total("new") == 24


def test_a_conflicting_value_is_an_error_unless_replaced(load, candles, store):
    table = candles(24)
    load(table=table)
    old = table.loc[6, "volume"]
    table.loc[6, "volume"] = 1.25

    place = r"klines\.csv row 7 field 'volume' of BTCUSDT at 2024-01-01T07:00:00Z"
    with pytest.raises(ConflictError, match=place + r": found 1\.25, the store has"):
        load(table=table)
    assert store.read(KEY).values["volume"][6] == old

    assert load(table=table, replace=True).total("replaced") == 1
    assert store.read(KEY).values["volume"][6] == 1.25
    assert len(store.snapshot().history(KEY)) == 2


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda t: t.assign(t=t["t"] * 1_000), "set time.unit to ms"),
        (lambda t: t.assign(t=pd.to_datetime(t["t"], unit="s")), "expected a time; set time.unit"),
        (lambda t: t.rename(columns={"close": "Close"}), "no column 'close', did you mean 'Close'"),
        (lambda t: t.assign(close="x"), "column 'close' holds 'x', expected numbers"),
        (lambda t: t.assign(t=t["t"] + 1_800), "expected stamps on the grid of its step"),
        (lambda t: t.assign(close=0.03, open=0.03, high=0.03, low=0.03), "expected 1000 to 1e"),
        (lambda t: t.iloc[:0], "no rows"),
    ],
    ids=["milliseconds", "text", "column", "words", "grid", "unit", "empty"],
)
def test_a_file_that_is_wrong_as_a_whole_is_named(make_panel, load, candles, spoil, match):
    panel = make_panel(symbols={"BTCUSDT": {"plausible": {"close": [1e3, 1e6]}}})

    with pytest.raises(DataError, match=match) as caught:
        load(panel, spoil(candles(24)))
    assert "klines.csv" in str(caught.value)


def test_stamps_without_a_zone_are_named(make_panel, make_source, load, candles):
    table = candles(24)
    table["t"] = pd.to_datetime(table["t"], unit="s").astype(str)
    clock = {"column": "t", "label": "start", "step": "1h"}

    with pytest.raises(
        DataError, match=r"klines\.csv \(klines\): column 't' row 1: 2024-01-01.* no time zone"
    ):
        load(make_panel(make_source(time=clock)), table)
    assert load(make_panel(make_source(time=clock | {"tz": "UTC"})), table).total("new") == 24


def test_a_row_after_the_present_is_quarantined_and_no_bar_of_the_frame(
    make_panel, data_dir, store, candles
):
    table = candles(24)
    now = datetime.fromtimestamp(T0 + 24 * HOUR, tz=UTC)  # the last close
    ahead = int((now + timedelta(days=30)).timestamp())
    table = pd.concat([table, table.iloc[[5, 6]].assign(t=[ahead, T0 + 24 * HOUR])])
    table.to_csv(data_dir / "klines.csv", index=False)

    summary = ingest(make_panel(), data_dir, store, now=now)

    assert summary.quarantined == {"after the present": 1}
    assert summary.total("new") == 25  # one is an hour ahead: clocks differ
    frame = market_frame(store, make_panel())
    assert frame.times[-1] == np.datetime64(T0 + 25 * HOUR, "s")
    (kept,) = (store.root / "quarantine" / "test" / "klines").iterdir()
    assert json.loads(kept.read_text())["row"] == 25


def test_a_calendar_may_speak_of_what_is_ahead(make_panel, load, data_dir, candles):
    (data_dir / "dates.csv").write_text("at\n2030-01-01T12:00:00Z\n")
    calendar = {"name": "dates", "gives": "macro", "file": "dates.csv", "known_before": "30d",
                "time": {"column": "at", "label": "end"}}  # fmt: skip

    summary = load(make_panel(calendars=[calendar]), candles(3))

    assert (summary.files[1].new, summary.quarantined) == (1, {})


def test_a_missing_file_is_named(load):
    with pytest.raises(DataError, match=r"klines\.csv: no such file"):
        load()


def test_open_interest_that_is_missing_shows_in_the_frame(
    make_panel, make_source, load, candles, store
):
    table = candles(6).assign(oi=[1.0, 2.0, np.nan, np.nan, np.nan, np.nan])
    panel = make_panel(make_source(fields={"close": "close", "open_interest": "oi"}),
                       max_age={"open_interest": "1h"})  # fmt: skip

    assert load(panel, table).total("missing") == 4
    assert np.isnan(market_frame(store, panel).field("open_interest")[0]).tolist() == [
        False, False, False, True, True, True,
    ]  # fmt: skip


def test_rows_without_any_value_are_counted(make_panel, make_source, load, candles, data_dir):
    candles(6).assign(x=np.nan).to_csv(data_dir / "x.csv", index=False)
    empty = make_source(name="x", file="x.csv", fields={"inflow": "x"})

    file = load(make_panel(make_source(), empty), candles(6)).files[1]

    assert (file.rows, file.empty, file.new) == (6, 6, 0)


# ---------------------------------------------------------------- files and progress


def test_patterns_run_over_symbols_and_assets(make_panel, make_source, tmp_path):
    for name in ("BTC-1.csv", "BTC-2.csv", "ETH-1.csv"):
        (tmp_path / name).write_text("x")
    panel = make_panel(
        make_source(symbol=None, file="{asset}-*.csv"), symbols=["BTCUSDT", "ETHUSDT"]
    )

    found = [(p.name, s) for p, s in panel_files(panel, panel.sources[0], tmp_path)]

    assert found == [("BTC-1.csv", "BTCUSDT"), ("BTC-2.csv", "BTCUSDT"), ("ETH-1.csv", "ETHUSDT")]
    (tmp_path / "ETH-1.csv").unlink()
    with pytest.raises(DataError, match=r"ETH-.*no file matches"):
        list(panel_files(panel, panel.sources[0], tmp_path))


def test_an_optional_source_may_have_no_file_and_it_is_told(make_panel, make_source, load, candles):
    mark = make_source(name="mark", file="mark/{symbol}-*.csv", symbol=None, optional=True,
                       fields={"mark": "close"})  # fmt: skip

    summary = load(make_panel(make_source(), mark), candles(3))

    assert summary.absent == ("mark: no file matches mark/BTCUSDT-*.csv",)
    assert summary.absent[0] in summary.to_text()


def test_a_path_that_leads_out_of_the_folder_is_refused(make_panel, load, data_dir, candles):
    candles(3).to_csv(data_dir.parent / "secret.csv", index=False)
    (data_dir / "klines.csv").symlink_to(data_dir.parent / "secret.csv")

    with pytest.raises(DataError, match=r"klines\.csv: leads out of the data folder"):
        load()


def test_progress_is_told_file_by_file(make_panel, data_dir, store, candles):
    candles(3).to_csv(data_dir / "klines.csv", index=False)
    told = []

    ingest(make_panel(), data_dir, store, now=datetime(2024, 1, 1, tzinfo=UTC),
           on_progress=lambda *step: told.append(step))  # fmt: skip

    assert told == [("klines.csv", 0, 1), ("", 1, 1)]


@pytest.fixture
def seen_at(make_panel, make_source, load, data_dir, candles, store):
    """When hours that were seen at some stamps are known, seconds after the end of each."""

    def run(stamps):
        table = candles(len(stamps))
        table[["t", "volume"]].assign(seen_at=stamps).to_csv(data_dir / "flows.csv", index=False)
        source = make_source(
            name="flows", file="flows.csv", fields={"inflow": "volume"}, known_lag="30min",
            seen={"column": "seen_at", "within": "2h"}, symbol="BTCUSDT",
        )  # fmt: skip
        load(make_panel(make_source(), source), table=table)
        records = store.read(SeriesKey(panel="test", source="flows", symbol="BTCUSDT"))
        return (records.known - records.event).tolist()

    return run


def test_a_row_seen_live_is_known_from_then_on_and_history_after_the_lag(seen_at):
    ends = [T0 + 3_600 * n for n in (1, 2, 3, 4)]
    late = [0.0, 599.2, 7_200.0, 7_201.0]
    stamps = [pd.Timestamp(e + s, unit="s", tz="UTC").isoformat()
              for e, s in zip(ends, late, strict=True)]  # fmt: skip

    assert seen_at(stamps) == [0, 600, 7_200, 1_800]


@pytest.mark.parametrize(
    ("stamps", "match"),
    [
        (["2024-01-01T01:10:00Z"] * 3 + ["soon"], "column 'seen_at' row 4: expected the time"),
        (["2024-01-01T01:10:00"] * 4, "column 'seen_at' row 1: .* has no time zone"),
        ([1_704_071_400] * 4, "column 'seen_at' holds|column 'seen_at' row 1"),
    ],
)
def test_a_row_that_does_not_say_when_it_was_seen_is_refused(seen_at, stamps, match):
    with pytest.raises(DataError, match=match):
        seen_at(stamps)
