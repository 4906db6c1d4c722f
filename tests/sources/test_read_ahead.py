"""Spans out of one reply: the same rows as asking for each, in fewer questions."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import DataError, RefusedError
from liqwarn.sources.read_ahead import ReadAhead
from liqwarn.sources.recording import Reading

TIMES = range(0, 1_000, 10)


class Server:
    """Rows by their time; one of them may be damaged."""

    def __init__(self, bad=None, refused=False):
        self.asked, self.bad, self.refused = [], bad, refused

    def __call__(self, span):
        self.asked.append(span)
        if self.refused:
            raise RefusedError("not in the plan")
        if self.bad is not None and span[0] <= self.bad < span[1]:
            raise DataError(f"row of {self.bad}")
        rows = [Reading(time=t, cells=(str(t),)) for t in TIMES if span[0] <= t < span[1]]
        yield rows[len(rows) // 2 :], 3
        yield rows[: len(rows) // 2], 4


def rows_of(ask, span):
    return sorted(r.time for rows, _ in ask(span) for r in rows)


@given(
    cuts=st.sets(st.integers(0, 1_000), min_size=2, max_size=12).map(sorted),
    ahead=st.integers(0, 1_500),
)
def test_the_same_rows_come_as_of_each_span_alone(cuts, ahead):
    server = Server()
    ask = ReadAhead(server, ahead, lambda: 1.0)

    for span in pairwise(cuts):
        assert rows_of(ask, span) == [t for t in TIMES if span[0] <= t < span[1]]

    assert len(server.asked) <= len(cuts) - 1


def test_one_question_for_many_spans():
    server = Server()
    ask = ReadAhead(server, 1_000, lambda: 1.0)

    came = [size for n in range(10) for _, size in ask((n * 100, n * 100 + 100))]

    assert server.asked == [(0, 1_000)]
    assert came == [7, *[0] * 9]


def test_a_damaged_row_costs_its_own_span_only():
    server = Server(bad=550)
    ask = ReadAhead(server, 1_000, lambda: 1.0)
    spans = [(n * 100, n * 100 + 100) for n in range(10)]

    good = [rows_of(ask, span) for span in spans if not span[0] <= 550 < span[1]]
    with pytest.raises(DataError, match="row of 550"):
        rows_of(ask, (500, 600))

    assert sum(map(len, good)) == 90
    assert server.asked == [(0, 1_000), *(s for s in spans if s[0] != 500), (500, 600)]


def test_what_is_refused_is_refused():
    with pytest.raises(RefusedError, match="not in the plan"):
        rows_of(ReadAhead(Server(refused=True), 1_000, lambda: 1.0), (0, 100))


def test_nothing_is_asked_of_days_to_come():
    server = Server()
    ask = ReadAhead(server, 1_000, lambda: 0.4)

    assert rows_of(ask, (0, 100)) == list(range(0, 100, 10))
    assert rows_of(ask, (100, 400)) == list(range(100, 400, 10))
    assert server.asked == [(0, 400)]
