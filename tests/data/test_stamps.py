import numpy as np
import pandas as pd
import pytest

from liqwarn.data.mapping import TimeMap
from liqwarn.data.quarantine import Rejects
from liqwarn.data.stamps import NO_TIME, SKEW_S, after_the_present, event_seconds
from liqwarn.errors import DataError

T0 = 1_704_067_200  # 2024-01-01 00:00 UTC


def read(values, **told):
    rejects = Rejects()
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    time = TimeMap.model_validate({"column": "t", "label": "end", **told})
    rows = np.arange(1, len(series) + 1)
    return event_seconds(series, rows, time, rejects).tolist(), rejects.by_reason()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([T0], {"unit": "s"}),
        ([T0 * 1_000], {"unit": "ms"}),
        ([str(T0 * 1_000)], {"unit": "ms"}),
        ([T0 * 1_000_000], {"unit": "us"}),
        ([T0 * 10**9], {"unit": "ns"}),
        ([float(T0)], {"unit": "s"}),
        (pd.Series([T0 * 1_000], dtype=object), {"unit": "ms"}),
        (["2024-01-01T00:00:00Z"], {}),
        (["2024-01-01 00:00:00.000 UTC"], {}),
        (["2024-01-01 03:00:00+03:00"], {}),
        (["2024-01-01 03:00:00.000"], {"tz": "+03:00"}),
        (["2024-01-01"], {"tz": "UTC"}),
        (["2024.1.1"], {"tz": "UTC", "format": "%Y.%m.%d"}),
        (["2023-12-31 19:00"], {"tz": "America/New_York"}),
        (pd.Series(pd.to_datetime(["2024-01-01"], utc=True)), {}),
        (pd.Series(pd.to_datetime(["2024-01-01"], utc=True)).astype("datetime64[ns, UTC]"), {}),
        (pd.Series(pd.to_datetime(["2024-01-01 01:00"])), {"tz": "Europe/Paris"}),
    ],
)
def test_every_way_to_write_midnight(values, told):
    assert read(values, **told) == ([T0], {})


def test_a_start_label_is_moved_to_the_end_of_its_step():
    assert read([T0], unit="s", label="start", step="1h")[0] == [T0 + 3_600]
    assert read([T0], unit="s", label="end", step="1h")[0] == [T0]


def test_a_stamp_between_two_seconds_counts_as_the_later_one():
    assert read([T0 * 1_000 + 151], unit="ms")[0] == [T0 + 1]
    assert read(["2024-01-01T00:00:00.151Z"])[0] == [T0 + 1]
    assert read([T0 + 0.151], unit="s")[0] == [T0 + 1]
    assert read([T0 * 1_000 + 151], unit="ms", step="8h", snap="5s")[0] == [T0]
    assert read([T0 * 1_000 - 151], unit="ms", step="8h", snap="5s")[0] == [T0]


@pytest.mark.parametrize(
    "values", [["2024-01-01 00:00:00"], pd.Series(pd.to_datetime(["2024-01-01"]))]
)
def test_a_stamp_without_a_zone_is_an_error_until_the_panel_says_which(values):
    with pytest.raises(DataError, match=r"has no time zone; state time\.tz"):
        read(values)


def test_one_bare_stamp_among_zoned_ones_is_named():
    with pytest.raises(DataError, match="row 2: 2024-01-01T01:00:00 has no time zone"):
        read(["2024-01-01T00:00:00Z", "2024-01-01T01:00:00", "2024-01-01T02:00:00Z"])


def test_stamps_with_and_without_a_zone_are_told_when_the_panel_states_one():
    with pytest.raises(DataError, match="stamps with and without a zone, such as 2024-01-01"):
        read(["2024-01-01T00:00:00", "2024-01-01T00:00:00+03:00", "2024-01-01Z"], tz="UTC")


@pytest.mark.parametrize(
    ("value", "unit", "hint"),
    [
        (T0 * 1_000, "s", "read as ms it is 2024-01-01: set time.unit to ms"),
        (T0, "ms", "read as s it is 2024-01-01: set time.unit to s"),
        (T0 * 1_000_000, "ms", "set time.unit to us"),
        (T0 * 1_000_000_000, "us", "set time.unit to ns"),
        (5, "s", "found 5, expected a date between 2009 and 2100"),
    ],
)
def test_a_wrong_unit_is_told_with_the_right_one(value, unit, hint):
    with pytest.raises(DataError, match=hint):
        read([value], unit=unit)


def test_numbers_without_a_unit_are_told():
    with pytest.raises(DataError, match="holds numbers such as 1704067200"):
        read([T0])
    with pytest.raises(DataError, match=r"expected a time; set time\.unit"):
        read([str(T0)])


def test_single_bad_stamps_are_refused_and_the_rest_kept():
    event, reasons = read([T0, "soon", None, 5, T0 + 7, T0 + 60, T0 + 120, T0 + 180, T0 + 240],
                          unit="s", step="1min")  # fmt: skip

    assert event == [T0, NO_TIME, NO_TIME, NO_TIME, NO_TIME, T0 + 60, T0 + 120, T0 + 180, T0 + 240]
    assert reasons == {"implausible time": 1, "off the 0:01:00 grid": 1, "unreadable time": 2}


def test_a_column_off_its_grid_is_another_step_or_zone():
    with pytest.raises(DataError, match="row 1: found 1704067800, expected stamps on the grid"):
        read([T0 + 600, T0 + 4_200], unit="s", label="start", step="1h")


def test_an_hour_that_does_not_exist_in_a_zone_is_refused():
    bad = ["2024-03-10 02:30:00"]  # skipped by daylight saving
    event, reasons = read(
        [*bad, "2024-03-11 00:00:00", "2024-03-12 00:00:00"], tz="America/New_York"
    )

    assert event[0] == NO_TIME
    assert reasons == {"unreadable time": 1}


def test_the_present_ends_where_clocks_may_differ():
    event = T0 + np.array([-1, 0, SKEW_S, SKEW_S + 1])

    assert after_the_present(event, T0).tolist() == [False, False, False, True]
