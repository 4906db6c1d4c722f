from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from liqwarn.reports.formats import DASH, compact, interval, number, percent, signed, utc

MISSING = [None, float("nan"), float("inf"), -float("inf"), np.nan, pd.NA, pd.NaT, "1", True, []]


@pytest.mark.parametrize("value", MISSING, ids=str)
@pytest.mark.parametrize("write", [number, percent, signed, compact])
def test_what_is_no_number_is_a_dash(write, value):
    assert write(value) == DASH


@pytest.mark.parametrize("value", [np.float64(0.5), np.float32(0.5), 0.5])
def test_numpy_numbers_are_numbers(value):
    assert percent(value) == "50.0 %"


@pytest.mark.parametrize("raw", [None, [], [1], [1, None], [float("nan"), 1], "ab", {"lo": 1}])
def test_half_an_interval_is_none(raw):
    assert interval(raw) is None


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2024, 8, 5, 1, tzinfo=UTC),
        datetime(2024, 8, 5, 3, tzinfo=timezone(timedelta(hours=2))),
        pd.Timestamp("2024-08-05 01:00"),
        "2024-08-05T01:00:00Z",
    ],
)
def test_moments_are_shown_in_utc(moment):
    assert utc(moment) == "2024-08-05 01:00"


@pytest.mark.parametrize("moment", [None, pd.NaT, "", "soon", 5])
def test_what_is_no_moment_is_a_dash(moment):
    assert utc(moment) == DASH
