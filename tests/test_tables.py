"""Tables as files: whole, checked, and refused by suffix."""

import pandas as pd
import pytest

from liqwarn.errors import ConfigError
from liqwarn.tables import read_table, write_table


def test_a_table_comes_back_as_it_was(tmp_path):
    moments = pd.to_datetime(["2024-01-01T00:00Z", "2024-01-01T01:00Z"]).as_unit("us")
    table = pd.DataFrame({"symbol": ["A", "B"], "time": moments, "p": [0.1, float("nan")]})

    write_table(table, tmp_path / "t.parquet")

    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), table)


def test_a_flipped_bit_in_a_page_is_found(tmp_path):
    path = tmp_path / "t.parquet"
    write_table(pd.DataFrame({"p": [float(k) for k in range(1000)]}), path)
    content = bytearray(path.read_bytes())
    content[400] ^= 1
    path.write_bytes(content)

    with pytest.raises(OSError, match=r"(?i)checksum|crc"):
        read_table(path)


def test_csv_times_are_utc_and_say_so(tmp_path):
    moments = pd.to_datetime(["2024-01-01T00:00Z"])

    write_table(pd.DataFrame({"onset": moments}), tmp_path / "t.csv")

    assert (tmp_path / "t.csv").read_text() == "onset\n2024-01-01T00:00:00Z\n"


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"ends with '\.xlsx', expected \.parquet or \.csv"):
        write_table(pd.DataFrame(), tmp_path / "t.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_the_same_table_gives_the_same_bytes(tmp_path):
    table = pd.DataFrame({"a": [1.5, float("nan")], "b": ["x", "y"]})
    for name in ("one", "two"):
        write_table(table, tmp_path / f"{name}.parquet")

    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
