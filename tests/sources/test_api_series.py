"""Bringing one series up to date, whatever its provider."""

import pytest

from liqwarn.errors import BusyError, DataError
from liqwarn.sources.api_series import ApiSeries, check_stamps, fetch_series
from liqwarn.sources.recording import Reading

HOUR = 3_600_000
FIRST = 1_704_067_200_000


def reading(n, *cells):
    return Reading(time=FIRST + n * HOUR, cells=cells or ("1",))


@pytest.fixture
def fetch(tmp_path):
    """Fetch ten hours of a series that says `pages`: what became of it, what was asked, told."""

    def run(pages, *, hour=10.0, settles=2 * HOUR, **changes):
        asked, told = [], []

        def ask(span):
            asked.append(((span[0] - FIRST) // HOUR, (span[1] - FIRST) // HOUR))
            for page in pages:
                if isinstance(page, Exception):
                    raise page
                yield page, 7

        series = ApiSeries(kind="k", name="N", columns=("a",), step=HOUR, settles=settles,
                           ask=ask, **changes)  # fmt: skip
        report = fetch_series(
            [series], (FIRST, FIRST + 10 * HOUR), tmp_path,
            clock=lambda: FIRST / 1_000 + hour * 3_600, on_fetch=told.append,
        )  # fmt: skip
        return report.outcomes[0], asked, told

    return run


def test_progress_is_told_in_parts_and_bytes(fetch):
    outcome, _, told = fetch([[reading(0)], [reading(1)]])

    assert (outcome.pages, outcome.size, outcome.kept.new) == (2, 14, 2)
    assert (told[-1].done, told[-1].total, told[-1].size) == (1, 1, 14)


def test_an_interval_that_is_not_over_waits(fetch):
    assert fetch([[reading(8), reading(9)]], hour=9.5)[0].awaited == 1
    assert fetch([[reading(9)]], hour=10.0)[0].kept.new == 1
    assert fetch([[reading(9)]], hour=9.5, instants=True)[0].awaited == 0


def test_an_interval_that_ended_while_it_was_asked_for_waits(tmp_path):
    """Pages that come from the newest back hold the last row as it was before the others came."""
    moment = [9.9]

    def ask(span):
        yield [row for row in (reading(8), reading(9, "half"))
               if span[0] <= row.time < span[1]], 7  # fmt: skip
        moment[0] += 0.2
        yield [], 7

    series = ApiSeries(kind="k", name="N", columns=("a",), step=HOUR, settles=0, ask=ask)

    def run(until):
        return fetch_series(
            [series], (FIRST, FIRST + int(until * HOUR)), tmp_path,
            clock=lambda: FIRST / 1_000 + moment[0] * 3_600, on_fetch=lambda _: None,
        ).outcomes[0]  # fmt: skip

    first, second = run(9.9), run(10.0)

    assert (first.kept.new, first.awaited) == (1, 1)
    assert (second.kept.new, second.awaited) == (1, 0)


def test_an_empty_cell_waits_until_it_will_not_come(fetch):
    rows = [[reading(4, ""), reading(8, "")]]

    outcome, _, _ = fetch(rows)

    assert (outcome.kept.new, outcome.awaited) == (1, 1)
    assert outcome.gaps[0][2] == 4


def test_what_is_settled_is_not_asked_again(fetch):
    fetch([[reading(n) for n in range(9)]], hour=9.25)

    outcome, asked, _ = fetch([[reading(7), reading(8), reading(9)]], hour=10.5)

    assert asked == [(7, 10)]
    assert (outcome.kept.new, outcome.kept.same) == (1, 2)
    assert fetch([], hour=20)[1] == [(8, 10)]
    outcome, asked, _ = fetch([], hour=21)
    assert (outcome.status, asked) == ("held", [])


@pytest.mark.parametrize("error", [DataError("bad row"), BusyError("busy")])
def test_nothing_of_a_part_that_broke_is_kept(fetch, error):
    outcome, _, _ = fetch([[reading(0)], error])

    assert (outcome.status, outcome.kept.new) == ("refused", 0)
    assert outcome.to_text() == f"k of N: refused, {error}"
    assert outcome.to_dict()["reason"] == str(error)


@pytest.mark.parametrize(
    ("at", "match"),
    [
        ([FIRST - HOUR], "row 1, field 'time': .* as asked"),
        ([FIRST, FIRST + 10 * HOUR], "row 2, field 'time': .* as asked"),
        ([FIRST // 1_000], "as asked: another unit"),
        ([FIRST + 1], "a multiple of 3600000 ms"),
        ([FIRST, FIRST], "row 2, .* later than the row before"),
        ([FIRST + HOUR, FIRST], "row 2, .* later than the row before"),
    ],
)
def test_stamps_are_inside_on_the_grid_and_go_up(at, match):
    readings = [Reading(time=time, cells=()) for time in at]

    with pytest.raises(DataError, match=match):
        check_stamps(readings, HOUR, (FIRST, FIRST + 10 * HOUR), "page 1")
