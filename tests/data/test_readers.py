import json
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.feather as pf
import pyarrow.parquet as pq
import pytest

from liqwarn.data import readers
from liqwarn.data.readers import format_of, read_table
from liqwarn.errors import DataError


@pytest.fixture
def layout(make_panel, make_source):
    def told(**changes):
        return make_panel(make_source(**changes)).sources[0]

    return told


TABLE = pd.DataFrame({"time": [1, 2], "close": [10.5, 11.5]})
BINANCE = (
    "1704067200000,42283.58,42298.62,42261.02,42298.61,35.92,1704067259999,1519032.1,1327,23.3,9.8,0\n"
    "1704067260000,42298.62,42320.00,42298.61,42320.00,21.16,1704067319999,895580.5,1348,13.1,5.5,0\n"
)
BINANCE_COLUMNS = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume",
    "trades", "taker_buy_base", "taker_buy_quote", "ignore",
)  # fmt: skip


def test_parquet_feather_csv_and_zip_give_the_same_table(tmp_path, layout):
    TABLE.to_parquet(tmp_path / "a.parquet")
    pf.write_feather(TABLE, tmp_path / "a.feather")
    TABLE.to_csv(tmp_path / "a.csv", index=False)
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "a.csv", "a.csv")

    for name in ("a.parquet", "a.feather", "a.csv", "a.csv.zip"):
        found = read_table(tmp_path / name, layout())

        assert list(found.columns) == ["time", "close"], name
        assert pd.to_numeric(found["close"]).tolist() == [10.5, 11.5], name


def test_csv_keeps_text_as_it_stands_and_drops_a_byte_order_mark(tmp_path, layout):
    (tmp_path / "a.csv").write_text("\ufeffDate, Data\n2012.4.2,0.020\n")

    found = read_table(tmp_path / "a.csv", layout())

    assert found.to_dict("list") == {"Date": ["2012.4.2"], "Data": ["0.020"]}


@pytest.mark.parametrize("header", ["", ",".join(BINANCE_COLUMNS) + "\n"])
def test_binance_archives_are_read_with_or_without_a_header(tmp_path, layout, header):
    with zipfile.ZipFile(tmp_path / "BTCUSDT-1m-2024-01.zip", "w") as archive:
        archive.writestr("BTCUSDT-1m-2024-01.csv", header + BINANCE)

    found = read_table(tmp_path / "BTCUSDT-1m-2024-01.zip", layout(columns=BINANCE_COLUMNS))

    assert found["open_time"].tolist() == ["1704067200000", "1704067260000"]
    assert found["taker_buy_base"].tolist() == ["23.3", "13.1"]


def test_columns_that_do_not_fit_are_told(tmp_path, layout):
    (tmp_path / "a.csv").write_text(BINANCE)

    with pytest.raises(DataError, match=r"12 columns found, the panel names 2"):
        read_table(tmp_path / "a.csv", layout(columns=("t", "close")))


@pytest.mark.parametrize(
    ("content", "told", "columns"),
    [
        ([{"t": 1, "c": "2.5"}], {}, ["t", "c"]),
        ({"t": [1], "c": ["2.5"]}, {}, ["t", "c"]),
        (
            {"code": "0", "data": {"list": [{"t": 1, "c": "2.5"}]}},
            {"records_at": "data.list"},
            ["t", "c"],
        ),
        ([[1, "2.5"]], {}, ["0", "1"]),
        ([[1, "2.5"]], {"columns": ("t", "c")}, ["t", "c"]),
    ],
    ids=["records", "columns", "envelope", "arrays", "named arrays"],
)
def test_json_comes_in_every_shape_providers_use(tmp_path, layout, content, told, columns):
    (tmp_path / "a.json").write_text(json.dumps(content))

    found = read_table(tmp_path / "a.json", layout(**told))

    assert list(found.columns) == columns
    assert found.iloc[0].tolist() == [1, "2.5"]


@pytest.mark.parametrize(
    ("content", "told", "match"),
    [
        ({"code": "1", "msg": "limit"}, {}, "hold no list.*an envelope needs records_at"),
        ({"t": [1], "c": [1, 2]}, {}, "expected equal lengths"),
        ({"dta": []}, {"records_at": "data"}, "key 'data' not found, did you mean 'dta'"),
        ([], {}, "no rows"),
        ([1, 2], {}, "rows are not all objects"),
        (3, {}, "found int, expected a list"),
        ([[1, 2.0], [3]], {"columns": ["t", "c"]}, r"rows of \[1, 2\] cells"),
        ([[1, 2.0], None], {}, r"rows of \[0, 2\] cells"),
    ],
)
def test_json_of_another_shape_is_told(tmp_path, layout, content, told, match):
    (tmp_path / "a.json").write_text(json.dumps(content))

    with pytest.raises(DataError, match=match):
        read_table(tmp_path / "a.json", layout(**told))


def test_a_missing_file_is_told_with_the_nearest_name(tmp_path, layout):
    (tmp_path / "BTCUSDT-1h.csv").write_text("a\n1\n")

    with pytest.raises(DataError, match=r"no such file, did you mean 'BTCUSDT-1h\.csv'"):
        read_table(tmp_path / "BTCUSDT_1h.csv", layout())


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.csv", "a.csv.zip", "a.json"])
def test_an_empty_file_is_told(tmp_path, layout, name):
    (tmp_path / name).write_bytes(b"")

    with pytest.raises(DataError, match="the file is empty"):
        read_table(tmp_path / name, layout())


def test_a_header_without_rows_is_told(tmp_path, layout):
    (tmp_path / "a.csv").write_text("t,close\n")

    with pytest.raises(DataError, match="no rows, expected at least one"):
        read_table(tmp_path / "a.csv", layout())


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.csv.zip", "a.json"])
def test_a_file_cut_short_is_told(tmp_path, layout, name):
    table = pd.DataFrame({"t": range(500), "c": [float(i) for i in range(500)]})
    whole = tmp_path / f"whole-{name}"
    if name.endswith("parquet"):
        table.to_parquet(whole)
    elif name.endswith("feather"):
        pf.write_feather(table, whole)
    elif name.endswith("json"):
        whole.write_text(table.to_json(orient="records"))
    else:
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", table.to_csv(index=False))
    content = whole.read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 2 // 3])

    with pytest.raises(DataError, match=r"not readable as .* cut short or damaged"):
        read_table(tmp_path / name, layout())


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path, layout, monkeypatch):
    monkeypatch.setattr(readers, "MAX_BYTES", 100_000)
    with zipfile.ZipFile(tmp_path / "bomb.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "t\n" + "0\n" * 100_000)

    assert (tmp_path / "bomb.csv.zip").stat().st_size < 1_000
    with pytest.raises(DataError, match="unpacks to more than 100000 bytes, refused"):
        read_table(tmp_path / "bomb.csv.zip", layout())


def test_a_file_that_is_too_large_is_refused_unread(tmp_path, layout, monkeypatch):
    monkeypatch.setattr(readers, "MAX_BYTES", 10)
    (tmp_path / "a.csv").write_text("t,close\n1,2\n3,4\n")

    with pytest.raises(DataError, match="16 bytes, expected at most 10"):
        read_table(tmp_path / "a.csv", layout())


def test_json_nested_without_end_is_told(tmp_path, layout):
    (tmp_path / "a.json").write_text("[" * 200_000 + "]" * 200_000)

    with pytest.raises(DataError, match=r"a\.json: nested too deeply"):
        read_table(tmp_path / "a.json", layout())


def test_a_column_that_is_there_twice_is_told(tmp_path, layout):
    table = pa.table([pa.array([1]), pa.array([2.0]), pa.array([3.0])], names=["t", "c", "c"])
    pq.write_table(table, tmp_path / "a.parquet")
    pf.write_feather(table, tmp_path / "a.feather")

    for name in ("a.parquet", "a.feather"):
        with pytest.raises(DataError, match=rf"{name}: columns \['c'\] are there twice"):
            read_table(tmp_path / name, layout())


def test_a_zip_of_two_tables_is_ambiguous(tmp_path, layout):
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", "t\n1\n")
        archive.writestr("b.csv", "t\n1\n")

    with pytest.raises(DataError, match=r"expected exactly one \.csv"):
        read_table(tmp_path / "a.csv.zip", layout())


def test_an_unknown_suffix_needs_a_stated_format(tmp_path):
    assert format_of(tmp_path / "a.txt", "json") == "json"
    with pytest.raises(DataError, match="suffix tells no format"):
        format_of(tmp_path / "a.txt")


@pytest.mark.parametrize("stamp", ["20260319T", "2026-03-19", "2026-03-19 00:00:00"])
def test_rows_that_begin_with_a_stamp_need_no_header(tmp_path, layout, stamp):
    (tmp_path / "seed.csv").write_text(f"{stamp},1.5,0\n{stamp},2.5,0\n")

    table = read_table(tmp_path / "seed.csv", layout(columns=("time", "close", "volume")))

    assert table["close"].tolist() == ["1.5", "2.5"]
