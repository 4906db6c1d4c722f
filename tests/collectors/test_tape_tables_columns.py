"""The columns of the tables are a format: a change is a new one."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from liqwarn.collectors.tape_tables_columns import TABLES, typed_table
from liqwarn.tables import write_table

GOLDEN = json.loads(Path(__file__).with_name("golden_tape_tables.json").read_text())


def test_there_are_no_other_tables():
    assert list(TABLES) == list(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_schema_of_a_table_is_the_golden_one(name, tmp_path):
    row = {column: ["x"] if kind == "string" else [0] for column, kind in TABLES[name].items()}
    write_table(typed_table(name, row), tmp_path / "t.parquet")

    schema = pq.read_schema(tmp_path / "t.parquet")

    found = dict(zip(schema.names, map(str, schema.types), strict=True))
    assert list(found.items()) == list(GOLDEN[name].items())


def test_a_table_without_rows_has_the_same_columns():
    table = typed_table("state", {column: [] for column in TABLES["state"]})

    assert {name: str(kind) for name, kind in table.dtypes.items()} == TABLES["state"]
