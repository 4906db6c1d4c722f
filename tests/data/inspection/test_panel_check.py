"""Which files are read, what is wrong with them as a set, and that nothing else is raised."""

import io
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given
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
STAMPS = [str(1704067200000 + 3_600_000 * k) for k in range(4)]
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
