"""A panel over databases: the same bits as from files, read again, changed, and checked."""

import tracemalloc
from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from adbc_driver_postgresql import dbapi
from typer.testing import CliRunner

import liqwarn.cli.commands  # noqa: F401  registers every command
from liqwarn.cli.app import app
from liqwarn.data import sql_pieces
from liqwarn.data.asof import market_frame
from liqwarn.data.ingest import ingest
from liqwarn.data.inspection.check_text import check_text
from liqwarn.data.inspection.panel_check import check_panel
from liqwarn.data.inspection.reading import Limits
from liqwarn.data.queries import DataPlace
from liqwarn.data.sql import Question
from liqwarn.data.store import Store
from liqwarn.errors import ConfigError, ConflictError, DataError

NOW = datetime(2027, 1, 1, tzinfo=UTC)
PRICES = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def market(candles):
    """Two coins' hourly bars, in no order, and the open interest of one in odd types."""
    coins = []
    for seed, coin in enumerate(("BTC", "ETH")):
        table = candles(400, seed=seed)
        table.insert(1, "coin", coin)
        coins.append(table)
    told = pa.Table.from_pandas(pd.concat(coins), preserve_index=False)
    micros = pc.multiply(told.column("t"), 1_000_000).cast(pa.timestamp("us", "UTC"))
    bars = told.set_column(0, "opened", micros).replace_schema_metadata(None)
    return bars.take(np.random.default_rng(3).permutation(len(bars)))


@pytest.fixture(scope="module")
def database(postgres, market):
    """The market as a table of PostgreSQL; its address."""
    uri = postgres.uri()
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("bars", market, mode="replace")
        connection.commit()
    return uri


@pytest.fixture
def files(data_dir, market):
    """The market as files below the data folder."""
    pq.write_table(market, data_dir / "bars.parquet")
    market.to_pandas().to_csv(data_dir / "bars.csv", index=False)
    with duckdb.connect(str(data_dir / "market.duckdb")) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("market", market)
        connection.execute("create table bars as select * from market")
    return data_dir


@pytest.fixture
def tell(database):
    """Changes the database."""

    def run(*statements):
        connected = dbapi.connect(database, autocommit=True)
        with connected as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    return run


@pytest.fixture
def panel(make_panel, make_source):
    """A panel of two coins whose one source has these keys."""

    def build(**source):
        told = {
            "file": None,
            "time": {"column": "opened", "label": "start", "step": "1h"},
            "symbol": {"column": "coin"},
        } | source
        whole = {key: value for key, value in make_source(**told).items() if value is not None}
        return make_panel(whole, symbols=["BTCUSDT", "ETHUSDT"])

    return build


def asked(sql, engine="postgres", **query):
    database = {"database": "market"} if engine == "postgres" else {}
    return {"query": {"engine": engine, "sql": sql} | database | query}


def fields(store, panel):
    frame = market_frame(store, panel)
    return frame.times.tobytes(), {name: frame.field(name).tobytes() for name in frame.fields}


# ---------------------------------------------------------------- the same bits


PLAIN = ", ".join(PRICES)
NUMERIC = ", ".join(f"{name}::text::numeric as {name}" for name in PRICES)
TEXT = ", ".join(f"{name}::text as {name}" for name in PRICES)
SOURCES = {
    "duckdb parquet": asked("select * from '{data}/bars.parquet'", "duckdb"),
    "duckdb csv": asked("select * from read_csv('{data}/bars.csv')", "duckdb"),
    "duckdb database": asked("from bars", "duckdb", database="market.duckdb"),
    "duckdb text": asked(f"select opened, coin, {TEXT} from '{{data}}/bars.parquet'", "duckdb"),
    "postgres": asked("select * from bars"),
    "postgres text": asked(f"select opened, coin, {TEXT} from bars"),
    "postgres numeric": asked(f"select opened, coin, {NUMERIC} from bars"),
    "postgres timestamp": asked(f"select opened::timestamp as opened, coin, {PLAIN} from bars")
    | {"time": {"column": "opened", "label": "start", "step": "1h", "tz": "UTC"}},
    "postgres local time": asked(
        f"select opened at time zone 'Asia/Tokyo' as opened, coin, {PLAIN} from bars"
    )
    | {"time": {"column": "opened", "label": "start", "step": "1h", "tz": "Asia/Tokyo"}},
    "postgres seconds": asked(
        f"select extract(epoch from opened) as opened, coin, {PLAIN} from bars"
    )
    | {"time": {"column": "opened", "label": "start", "step": "1h", "unit": "s"}},
    "postgres milliseconds": asked(
        f"select (extract(epoch from opened) * 1000)::bigint as opened, coin, {PLAIN} from bars"
    )
    | {"time": {"column": "opened", "label": "start", "step": "1h", "unit": "ms"}},
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_query_gives_the_bits_of_a_file(name, files, database, panel, tmp_path):
    by_file, by_query = panel(file="bars.parquet"), panel(**SOURCES[name])
    one, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    place = DataPlace(folder=files, databases={"market": database})

    ingest(by_file, files, one, now=NOW)
    summary = ingest(by_query, place, other, now=NOW)

    assert summary.total("rows") == summary.total("new") == 800
    assert fields(other, by_query) == fields(one, by_file)


def test_pieces_give_the_bits_of_one_file(files, database, panel, tmp_path, monkeypatch):
    by_file, by_query = panel(file="bars.parquet"), panel(**SOURCES["postgres"])
    one, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    monkeypatch.setattr(sql_pieces.cut, "__defaults__", (70,))
    place = DataPlace(folder=files, databases={"market": database})

    ingest(by_file, files, one, now=NOW)
    summary = ingest(by_query, place, other, now=NOW)

    assert [file.rows for file in summary.files] == [70] * 10 + [100]
    assert fields(other, by_query) == fields(one, by_file)


# ---------------------------------------------------------------- read again


@pytest.fixture
def copy(tell):
    """A table of its own that a test may change."""
    tell("drop table if exists mine", "create table mine as select * from bars where coin = 'BTC'")
    return asked("select * from mine")


def test_a_second_ingest_of_unchanged_rows_writes_nothing(copy, panel, data_dir, database, store):
    place = DataPlace(folder=data_dir, databases={"market": database})
    ingest(panel(**copy), place, store, now=NOW)
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*") if path.is_file()}

    again = ingest(panel(**copy), place, store, now=NOW)

    assert (again.total("new"), again.total("unchanged")) == (0, 400)
    after = {path: path.stat().st_mtime_ns for path in store.root.rglob("*") if path.is_file()}
    assert after == before


def test_appended_rows_are_read(copy, panel, data_dir, database, store, tell):
    place = DataPlace(folder=data_dir, databases={"market": database})
    ingest(panel(**copy), place, store, now=NOW)
    tell(
        "insert into mine select max(opened) + interval '1 hour', 'BTC', max(close), max(high), "
        "min(low), max(close), 3 from mine",
        "insert into mine values ('2024-06-01 00:00Z', 'DOGE', 1, 1, 1, 1, 1)",
    )

    summary = ingest(panel(**copy), place, store, now=NOW)

    assert (summary.total("new"), summary.total("unchanged"), summary.total("other")) == (1, 400, 1)
    assert len(store.snapshot().manifest.origins) == 2


def test_a_changed_row_is_handled_as_in_a_changed_file(
    copy, panel, data_dir, database, store, tell
):
    place = DataPlace(folder=data_dir, databases={"market": database})
    ingest(panel(**copy), place, store, now=NOW)
    before = store.sha256
    tell("update mine set volume = volume + 1 where opened = '2024-01-03 00:00Z'")

    with pytest.raises(ConflictError, match=r"query of postgres market \(klines\): query:klines/rows-1-400 row 49 field 'volume' of BTCUSDT at 2024-01-03T01:00:00Z"):  # fmt: skip  # noqa: E501
        ingest(panel(**copy), place, store, now=NOW)
    assert store.sha256 == before

    summary = ingest(panel(**copy), place, store, now=NOW, replace=True)
    assert (summary.total("replaced"), summary.total("unchanged")) == (1, 399)


def test_rows_that_cannot_be_true_are_quarantined(copy, panel, data_dir, database, store, tell):
    place = DataPlace(folder=data_dir, databases={"market": database})
    tell(
        "insert into mine values ('infinity', 'BTC', 1, 1, 1, 1, 1), (null, 'BTC', 1, 1, 1, 1, 1)",
        "update mine set close = 'NaN' where opened = '2024-01-02 00:00Z'",
        "update mine set volume = 'Infinity' where opened = '2024-01-02 01:00Z'",
        "insert into mine select * from mine where opened = '2024-01-02 02:00Z'",
        "insert into mine select opened, coin, open, high, low, close, volume + 1 from mine where "
        "opened = '2024-01-02 03:00Z'",
    )
    sql = "select opened, coin, open, high, low, close, case when opened = '2024-01-02 04:00Z' then 1e400 else volume::text::numeric end as volume from mine"  # noqa: E501

    summary = ingest(panel(**asked(sql)), place, store, now=NOW)

    assert summary.total("duplicates") == 1
    assert summary.quarantined == {
        "conflicting duplicate": 2, "infinite": 2, "missing price": 1, "unreadable time": 2,
    }  # fmt: skip


def test_other_coins_before_ours_are_no_fault(panel, data_dir, database, store, monkeypatch):
    monkeypatch.setattr(sql_pieces.cut, "__defaults__", (100,))
    place = DataPlace(folder=data_dir, databases={"market": database})
    sql = "select opened, case when opened < '2024-01-10' then 'DOGE' else coin end as coin, open, high, low, close, volume from bars"  # noqa: E501

    summary = ingest(panel(**asked(sql)), place, store, now=NOW)
    assert summary.total("new") + summary.total("other") == 800

    none = panel(**asked(sql.replace("else coin", "else 'PEPE'")))
    with pytest.raises(DataError, match=r"query of postgres market \(klines\): no row of BTCUSDT"):
        ingest(none, place, store, now=NOW)


def test_symbols_are_only_compared(copy, panel, data_dir, database, store, tell):
    place = DataPlace(folder=data_dir, databases={"market": database})
    tell(
        "insert into mine values ('2024-06-01 00:00Z', 'BTC''; drop table mine; --', 1, 1, 1, 1, 1)"
    )
    mapped = {"column": "coin", "map": {"BTC'; drop table mine; --": "ETHUSDT"}}

    summary = ingest(panel(**copy, symbol=mapped), place, store, now=NOW)

    assert summary.total("new") == 401
    tell("drop table mine")


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select * from nowhere", "query of postgres market .*relation \"nowhere\" does not exist"),
        ("select * from bars where false", "no rows, expected at least one"),
        ("select coin from bars", "no column 'opened'"),
        ("select opened, coin, close as open, high, low, volume from bars", "no column 'close'"),
        ("select extract(epoch from opened) * 1000 as opened, coin, open, high, low, close, volume from bars",  # noqa: E501
         "holds numbers such as 1704067200000.0: state time.unit"),
        ("select opened::timestamp as opened, coin, open, high, low, close, volume from bars",
         "has no time zone; state time.tz"),
        ("delete from bars", "PostgreSQL refuses it: syntax error.*expected one SELECT"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_used_is_told(sql, says, panel, data_dir, database, store):
    place = DataPlace(folder=data_dir, databases={"market": database})

    with pytest.raises(DataError, match=says):
        ingest(panel(**asked(sql)), place, store, now=NOW)
    assert store.keys() == ()


def test_a_database_whose_address_is_not_told_is_named(panel, data_dir, store):
    with pytest.raises(ConfigError, match="set LIQWARN_SQL_MARKET in the environment"):
        ingest(panel(**asked("select 1")), data_dir, store, now=NOW)


def test_a_question_does_not_show_its_address(panel, data_dir, database):
    place = DataPlace(folder=data_dir, databases={"market": database})

    question = Question.of(panel(**asked("select 1")).sources[0], place)

    assert "w0rd" in question.address
    assert "w0rd" not in repr(question)


# ---------------------------------------------------------------- panel check and the command


@pytest.mark.parametrize("most", [50_000, 100])
def test_a_check_shows_of_a_query_what_it_shows_of_a_file(most, files, database, panel, market):
    table = market.sort_by([("opened", "ascending"), ("coin", "ascending")])
    pq.write_table(table, files / "bars.parquet")
    place, limits = (
        DataPlace(folder=files, databases={"market": database}),
        Limits(now=NOW, most=most),
    )

    by_file = check_text(check_panel(panel(file="bars.parquet"), files, limits))

    for name in ("postgres", "duckdb database"):
        found = check_text(check_panel(panel(**SOURCES[name]), place, limits))
        assert found == by_file.replace("bars.parquet", "query:klines")
    assert f"800 rows, {'all' if most > 800 else 'the first and last 100'} read" in by_file


def test_a_check_tells_what_is_wrong_with_a_query(database, data_dir, panel):
    place = DataPlace(folder=data_dir, databases={"market": database})

    found = check_panel(panel(**asked("select * from nowhere")), place, Limits(now=NOW))

    assert found.is_wrong
    assert 'relation "nowhere" does not exist' in check_text(found)


def test_the_commands_read_the_address_from_the_environment_and_show_it_nowhere(
    database, panel, tmp_path, monkeypatch
):
    file, store = tmp_path / "panel.yaml", tmp_path / "store"
    source = {"name": "bars", **SOURCES["postgres"],
              "time": {"column": "opened", "label": "start", "step": "1h"},
              "symbol": {"column": "coin"}, "fields": {name: name for name in PRICES}}  # fmt: skip
    file.write_text(
        yaml.safe_dump({"name": "mine", "market": "real", "bar": "1h", "symbols": ["BTCUSDT"],
                        "core": ["close"], "sources": [source]})
    )  # fmt: skip
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "runs"))

    def run(address, *words):
        monkeypatch.setenv("LIQWARN_SQL_MARKET", address)
        told = CliRunner().invoke(app, [str(word) for word in words])
        return told.exit_code, told.output

    ingest_it = ("ingest", "--panel", file, "--data", tmp_path, "--store", store)
    results = [
        run(database, "panel", "check", file),
        run(database, *ingest_it),
        run(database.replace("w0rd", "wr0ng"), *ingest_it),
    ]

    assert [code for code, _ in results] == [0, 0, 1]
    assert "query:bars: 800 rows, all read, 400 kept, 400 other" in results[0][1]
    assert "400 new" in results[1][1]
    assert "it refuses the user or the password" in results[2][1]
    out = "".join(text for _, text in results)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for word in ("w0rd", "wr0ng", "keeper"):
        assert word not in out
        assert word.encode() not in written


# ---------------------------------------------------------------- many rows


def test_memory_is_bounded_by_a_piece_not_by_the_result(database, panel, data_dir):
    place = DataPlace(folder=data_dir, databases={"market": database})
    sql = "select timestamptz '2000-01-01Z' + i * interval '1 minute' as opened, 'BTC' as coin, i * 1.5 as open from generate_series(1, {n}) i"  # noqa: E501

    def peak(rows):
        question = Question.of(panel(**asked(sql.replace("{n}", str(rows)))).sources[0], place)
        tracemalloc.start()
        most = total = 0
        for piece in question.pieces():
            total += len(piece.rows)
            most = max(most, pa.total_allocated_bytes())
        tracemalloc.stop()
        assert total == rows
        return most

    assert peak(1_000_000) < 2 * peak(450_000)


def test_the_check_of_many_rows_keeps_the_ends_alone(database, panel, data_dir):
    place = DataPlace(folder=data_dir, databases={"market": database})
    sql = "select timestamptz '2010-01-01Z' + i * interval '1 hour' as opened, 'BTC' as coin, 1.0 as open, 1.0 as high, 1.0 as low, 1.0 as close, 1.0 as volume from generate_series(1, 120000) i"  # noqa: E501

    found = check_panel(panel(**asked(sql)), place, Limits(now=NOW, most=1_000)).sources[0].files[0]

    assert (found.read, found.total) == (2_000, 120_000)
    assert np.isfinite(found.ranges[0].low)
