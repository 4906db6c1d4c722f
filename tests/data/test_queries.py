"""What a panel may say of a query, and where addresses of databases do not show."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from liqwarn.config import load_panel
from liqwarn.data.panel import Panel
from liqwarn.data.queries import DataPlace, Query
from liqwarn.errors import ConfigError


def query(**changes):
    return Query.model_validate(
        {"engine": "postgres", "database": "market", "sql": "select 1;"} | changes
    )


def test_a_query_names_the_variable_of_its_server_and_loses_its_semicolon():
    told = query()

    assert told.variable == "LIQWARN_SQL_MARKET"
    assert told.statement == "select 1"
    assert told.timeout == timedelta(minutes=30)
    assert (
        query(engine="duckdb", database=None, sql="from read_csv('{data}/a.csv')").database is None
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"engine": "mysql"}, "'duckdb' or 'postgres'"),
        ({"database": None}, "expected the NAME of a variable"),
        ({"database": "Market"}, "small letters"),
        ({"sql": " "}, "it is empty"),
        ({"sql": "select '{symbol}'"}, "{symbol} is not put in here"),
        ({"sql": "select '{data}'"}, "{data} is not put in here"),
        ({"engine": "duckdb", "database": "../x.duckdb"}, "below the data folder"),
        ({"engine": "duckdb", "database": "/x.duckdb"}, "below the data folder"),
        ({"timeout": "0s"}, "more than 0s"),
        ({"timeout": "2d"}, "at most 1d"),
    ],
)
def test_a_faulty_query_is_told(changes, says):
    with pytest.raises(ValidationError) as raised:
        query(**changes)
    assert says in str(raised.value)


def test_an_address_in_a_panel_is_refused_and_not_repeated(tmp_path):
    address = "postgresql://keeper:hush@host/market"
    panel = write_panel(tmp_path, query={"engine": "postgres", "database": address, "sql": "x"})

    with pytest.raises(ConfigError, match="the address itself belongs into a variable") as raised:
        load_panel(panel)
    assert "hush" not in str(raised.value)


def test_every_fault_of_a_query_source_is_told_at_once(tmp_path):
    panel = write_panel(
        tmp_path,
        file="a.csv",
        format="csv",
        symbol=None,
        known_lags="1h",
        query={"engine": "postgres", "databse": "market", "sql": "select 1", "timeout": "soon"},
    )

    with pytest.raises(ConfigError, match="faults") as raised:
        load_panel(panel)
    told = str(raised.value)
    assert "sources[0].known_lags: unknown key, did you mean 'known_lag'?" in told
    assert "sources[0].query.databse: unknown key, did you mean 'database'?" in told
    assert "sources[0].query.timeout: found 'soon', expected a duration" in told


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"file": "a.csv"}, "file, query: found both, expected one of them"),
        ({"query": None}, "file, query: found neither, expected one of them"),
        ({"format": "csv", "optional": True}, "format: is of files, a query has none"),
        ({"symbol": None}, "no symbol: expected the key 'symbol'"),
    ],
)
def test_what_is_of_files_is_not_of_queries(tmp_path, changes, says):
    with pytest.raises(ConfigError) as raised:
        load_panel(write_panel(tmp_path, **changes))
    assert says in str(raised.value)


def test_a_place_does_not_show_its_addresses():
    place = DataPlace(folder=Path("data"), databases={"market": "postgresql://a:hush@b/c"})

    assert "hush" not in repr(place)
    assert DataPlace.of(place) is place


def test_the_documented_queries_are_valid():
    text = (Path(__file__).parents[2] / "docs" / "panels.md").read_text()
    block = re.search(r"### A query.*?```yaml\n(.*?)```", text, re.S)

    panel = Panel.model_validate(
        {"name": "p", "market": "real", "bar": "1h", "symbols": ["BTCUSDT"],
         "sources": yaml.safe_load(block[1])}
    )  # fmt: skip

    assert [source.query.engine for source in panel.sources] == ["postgres", "duckdb"]


def write_panel(folder, **changes):
    source = {
        "name": "oi",
        "query": {"engine": "postgres", "database": "market", "sql": "select 1"},
        "time": {"column": "t", "label": "end"},
        "symbol": {"column": "coin"},
        "fields": {"close": {"column": "c"}},
    } | changes
    source["time"] = {"column": "t", "label": "end", "step": "1h"}
    path = folder / "panel.yaml"
    panel = {"name": "p", "market": "real", "bar": "1h", "symbols": ["BTCUSDT"],
             "sources": [{k: v for k, v in source.items() if v is not None}]}  # fmt: skip
    path.write_text(yaml.safe_dump(panel))
    return path
