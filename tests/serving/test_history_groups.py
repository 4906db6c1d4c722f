from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from liqwarn.serving.history_groups import (
    Group,
    groups_of,
    micros_of,
    moment_of,
    newest_issue,
    wanted,
)
from liqwarn.serving.ports import HistoryAsk

START = datetime(2024, 8, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def groups(tmp_path):
    table = pa.table(
        {
            "symbol": ["A", "B", "C", "D"],
            "as_of": [START + n * HOUR for n in range(4)],
            "issued_at": [START + n * HOUR + HOUR / 2 for n in range(4)],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=2)
    return groups_of(pq.read_metadata(tmp_path / "x.parquet"))


def test_a_footer_says_what_its_groups_span(groups):
    assert [group.symbols for group in groups] == [("A", "B"), ("C", "D")]
    assert groups[1].as_of == (micros_of(START + 2 * HOUR), micros_of(START + 3 * HOUR))
    assert newest_issue(groups) == START + 3.5 * HOUR


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"symbol": "A"}, [0]),
        ({"symbol": "D"}, [1]),
        ({"symbol": "E"}, []),
        ({"symbol": "A", "start": START + HOUR}, [0]),
        ({"symbol": "A", "start": START + 2 * HOUR}, []),
        ({"symbol": "A", "end": START}, []),
        ({"symbol": "C", "end": START + 2 * HOUR}, []),
        ({"symbol": "C", "after": (micros_of(START + 4 * HOUR), "", 0, 0)}, []),
    ],
)
def test_only_groups_that_can_hold_it_are_wanted(groups, asked, expected):
    found = wanted(groups, HistoryAsk(**asked), START + 9 * HOUR)
    assert [group.number for group in found] == expected


def test_what_was_issued_later_is_not_wanted(groups):
    assert wanted(groups, HistoryAsk(symbol="C"), START + 2 * HOUR) == []


def test_a_footer_without_statistics_excludes_nothing(tmp_path):
    table = pa.table({"symbol": ["A"], "as_of": [START], "issued_at": [START]})
    pq.write_table(table, tmp_path / "x.parquet", write_statistics=False)
    groups = groups_of(pq.read_metadata(tmp_path / "x.parquet"))
    assert newest_issue(groups) is None
    assert len(wanted(groups, HistoryAsk(symbol="Z"), START - HOUR)) == 1


def test_moments_and_microseconds_agree():
    for moment in (START, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert moment_of(micros_of(moment)) == moment
    assert Group(number=0, as_of=(0, 0), issued_at=(0, 0), symbols=None).number == 0
