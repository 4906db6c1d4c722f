"""Which files are read, what is wrong with them as a set, and that nothing else is raised."""

import io
import json
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.config import load_panel
from liqwarn.data.inspection.check_text import check_text
from liqwarn.data.inspection.panel_check import check_panel
from liqwarn.data.inspection.reading import Limits
from liqwarn.data.panel import Panel


def wrong(found):
    return [told.text for _, told in found.doubts("wrong")]


def test_bad_files_are_wrong_each_with_its_reason(check, flow_source, flows, data_dir):
    missing = flow_source({"open_interest": "oi"}) | {"file": "flws.csv"}

    found = check(missing, tables={"flows.csv": flows})

    assert found.is_wrong
    (text,) = wrong(found)
    assert "no such file, did you mean 'flows.csv'?" in text


def test_a_pattern_without_files_is_wrong_unless_it_is_optional(check, flow_source):
    fields = {"open_interest": "oi"}
    needed = flow_source(fields) | {"file": "oi-*.csv"}

    assert "no file matches" in wrong(check(needed))[0]
    found = check(needed | {"optional": True})
    assert wrong(found) == []
    assert found.doubts("note")[-1][1].text == "no file matches; the source is optional"


def test_a_path_that_leads_out_is_wrong(check, flow_source, data_dir, tmp_path):
    (tmp_path / "elsewhere.csv").write_text("t,oi\n1704067200,5\n")
    (data_dir / "link.csv").symlink_to(tmp_path / "elsewhere.csv")

    found = check(flow_source({"open_interest": "oi"}) | {"file": "link.csv"})

    assert "leads out of the data folder" in wrong(found)[0]


def test_of_many_files_the_ends_are_read(check, flow_source, flows):
    tables = {f"oi-{k}.csv": flows.iloc[24 * k : 24 * k + 24] for k in range(5)}
    look = check(flow_source({"open_interest": "oi"}) | {"file": "oi-*.csv"}, tables=tables).sources

    assert [file.file for file in look[1].files] == ["oi-0.csv", "oi-4.csv"]
    assert look[1].skipped == 3


@pytest.mark.parametrize(("moved", "doubted"), [(False, False), (True, True)])
def test_a_provider_that_moved_its_labels_is_noticed_in_the_last_file(
    check, flow_source, flows, moved, doubted
):
    """As Binance's metrics did: ends until one day's file, starts from the next on."""
    day = [flows.iloc[24 * k : 24 * k + 24] for k in range(4)]
    ends = [table.assign(t=table["t"] + 3_600) for table in day]
    tables = {f"m-{k}.csv": day[k] if moved and k >= 2 else ends[k] for k in range(4)}
    time = {"column": "t", "unit": "s", "label": "end", "step": "1h"}

    found = check(
        flow_source({"open_interest": "oi"}, time=time) | {"file": "m-*.csv"}, tables=tables
    )

    told = [place for place, doubt in found.doubts("doubt") if doubt.kind == "label"]
    assert told == (["flows: m-3.csv"] if doubted else [])


def test_a_symbol_without_rows_is_doubted(check, flow_source, flows):
    source = flow_source({"open_interest": "oi"}, symbol={"column": "coin"})
    symbols = {"symbols": ["BTCUSDT", "ETHUSDT"]}

    one = check(source, tables={"flows.csv": flows.assign(coin="BTC")}, **symbols)
    both = flows.assign(coin=["BTC", "ETH"] * (len(flows) // 2))

    assert "no row of ETHUSDT" in [told.text for _, told in one.doubts("doubt")]
    both = check(source, tables={"flows.csv": both}, **symbols)
    assert "symbols" not in {told.kind for _, told in both.doubts("doubt")}


def test_a_symbol_in_the_middle_of_a_large_file_is_found(check, flow_source, flows, limits):
    coin = ["ETH"] * 200 + ["BTC"] * 80 + ["SOL"] * 200
    source = flow_source({"open_interest": "oi"}, symbol={"column": "coin"})
    few = type(limits)(now=limits.now, most=50)

    found = check(source, tables={"flows.csv": flows.assign(coin=coin)}, limits=few)

    assert wrong(found) == []
    assert found.sources[1].files[0].kept == 80


def test_lags_are_counted_from_the_stamp(check, flow_source, flows):
    found = check(flow_source({"netflow": "netflow"}, known_lag="2h"), tables={"flows.csv": flows})

    assert [look.lag_s for look in found.sources] == [3_600, 3 * 3_600]


def test_a_calendar_is_shown_and_not_doubted(check, data_dir):
    (data_dir / "fomc.csv").write_text(
        "when,what\n2024-01-31T19:00:00Z,a\n2028-03-20T18:00:00Z,b\n"
    )
    calendar = {
        "name": "fomc", "gives": "macro", "file": "fomc.csv", "known_before": "30d",
        "time": {"column": "when", "label": "end"},
    }  # fmt: skip

    found = check(calendars=[calendar])

    assert wrong(found) == []
    assert "fomc: events known 30d before their stamp" in check_text(found)
    assert "2028-03-20 18:00:00Z" in check_text(found)


LIMITS = Limits(now=datetime(2027, 1, 1, tzinfo=UTC))
RAW = {
    "name": "one", "market": "real", "bar": "1h", "symbols": ["BTCUSDT"], "core": ["close"],
    "sources": [{
        "name": "klines", "symbol": "BTCUSDT",
        "time": {"column": "t", "unit": "ms", "label": "start", "step": "1h"},
        "fields": {"open": "o", "close": "c", "volume": "v", "open_interest": "c"},
    }],
}  # fmt: skip
T0 = 1_704_067_200_000
STAMPS = [str(T0 + 3_600_000 * k) for k in range(4)]
CELLS = st.sampled_from(
    [
        *STAMPS,
        "nan",
        "-1",
        "1e400",
        "abc",
        "1704067200",
        "40000.5",
        "2024-01-01",
        "[1]",
        "",
        "\x00",
        '"',
        "9" * 40,
        "\u0661",
    ]
)
ROWS = st.lists(st.lists(CELLS, min_size=0, max_size=6).map(",".join), max_size=30)
TEXTS = ROWS.map(lambda rows: "\n".join(["t,o,c,v", *rows]).encode())


def zipped(raw):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", raw)
    return out.getvalue()


@pytest.mark.parametrize("suffix", ["csv", "csv.zip", "json", "parquet", "feather"])
@given(raw=st.one_of(st.binary(max_size=200), TEXTS, TEXTS.map(zipped)))
def test_garbage_raises_nothing_and_is_told(suffix, raw, tmp_path_factory):
    folder = tmp_path_factory.mktemp("garbage")
    (folder / f"a.{suffix}").write_bytes(raw)
    source = RAW["sources"][0] | {"file": f"a.{suffix}"}
    panel = Panel.model_validate(RAW | {"sources": [source]})

    found = check_panel(panel, folder, LIMITS)

    assert found.to_dict()["panel"] == "one"
    assert check_text(found).endswith("nothing was written")
    assert found.is_wrong or found.sources[0].files[0].kept > 0


ODD = st.sampled_from(
    [None, True, "", [], {}, [1], {"a": 1}, "x", -1, 0, 1e308, 10**30, "Infinity", "\u0663",
     float("nan"), T0, T0 // 1000, "2024-01-01T00:00:00Z", "2024-01-01", "2024-01-01T00:00+03:00"]
)  # fmt: skip
OBJECTS = st.fixed_dictionaries(
    {
        "t": st.one_of(st.integers(0, 9).map(lambda k: T0 + k * 3_600_000), ODD),
        "c": st.one_of(st.floats(1e3, 1e5), ODD),
        "coin": st.one_of(st.just("BTC"), ODD),
        "close_time": ODD,
    }
)
DOCUMENTS = st.one_of(
    st.lists(OBJECTS, max_size=10),
    st.lists(st.lists(ODD, max_size=3), max_size=4),
    st.dictionaries(st.sampled_from(["t", "c", "coin"]), st.lists(ODD, max_size=3)),
    ODD,
)
CLOCKS = st.sampled_from([{}, {"unit": "ms"}, {"unit": "ns"}, {"tz": "UTC"}])


def odd_panel(file, clock, symbol):
    source = RAW["sources"][0] | {
        "file": file,
        "symbol": symbol,
        "time": {"column": "t", "label": "end", "step": "1h"} | clock,
        "fields": {"open": "c", "close": "c", "open_interest": "c"},
    }
    return Panel.model_validate(RAW | {"sources": [source]})


@settings(max_examples=300)
@given(DOCUMENTS, CLOCKS, st.sampled_from(["BTCUSDT", {"column": "coin"}]))
def test_odd_json_raises_nothing(tmp_path_factory, document, clock, symbol):
    folder = tmp_path_factory.getbasetemp()
    (folder / "odd.json").write_text(json.dumps(document))

    found = check_panel(odd_panel("odd.json", clock, symbol), folder, LIMITS)

    assert check_text(found).endswith("nothing was written")
    assert found.is_wrong or found.sources[0].files[0].kept > 0


HOURS = [T0 + 3_600_000 * k for k in range(3)]
TYPES = {
    "int": pa.array(HOURS),
    "text": pa.array([str(ms) for ms in HOURS]),
    "utc": pa.array(HOURS, pa.timestamp("ms", "UTC")),
    "bare": pa.array(HOURS, pa.timestamp("us")),
    "list": pa.array([[1]] * 3),
    "struct": pa.array([{"a": 1}] * 3),
    "bool": pa.array([True] * 3),
    "null": pa.nulls(3),
    "float": pa.array([1.5, None, float("inf")]),
    "bytes": pa.array([b"\xff"] * 3),
    "date": pa.array([date(2024, 1, 1)] * 3),
    "decimal": pa.array([Decimal("1.5")] * 3),
    "duration": pa.array([1] * 3, pa.duration("s")),
    "category": pa.array(["1"] * 3).dictionary_encode(),
}


@pytest.mark.parametrize("clock", TYPES)
@pytest.mark.parametrize("unit", [{}, {"unit": "ms"}])
def test_odd_parquet_raises_nothing(tmp_path, clock, unit):
    for value in TYPES.values():
        table = pa.table({"t": TYPES[clock], "c": value, "coin": value})
        pq.write_table(table, tmp_path / "odd.parquet")
        for symbol in ("BTCUSDT", {"column": "coin"}):
            found = check_panel(odd_panel("odd.parquet", unit, symbol), tmp_path, LIMITS)
            assert check_text(found).endswith("nothing was written")


@pytest.mark.parametrize(
    "name",
    ["btc_core", "majors_4h", "hyperliquid_1h", "wide_30m", "venue_binance_4h", "venue_okx_4h"],
)
def test_nothing_is_wrong_with_the_shipped_panels(real_data, pytestconfig, limits, name):
    panel = load_panel(pytestconfig.rootpath / "conf" / "panels" / f"{name}.yaml")

    found = check_panel(panel, real_data, limits)

    assert wrong(found) == []
    assert {told.kind for _, told in found.doubts("doubt")} <= {
        "gaps", "missing", "symbols", "label", "published"
    }  # fmt: skip
