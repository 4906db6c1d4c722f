import math

import numpy as np
import pandas as pd
import pytest

from liqwarn.data.bars.border import Border
from liqwarn.data.checks import check_rows
from liqwarn.data.quarantine import Rejects
from liqwarn.data.rows import Rows

CANDLE = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5.0}


@pytest.fixture
def border(panel):
    return Border(panel)


def test_what_can_be_true_passes(border, make_message):
    found = border.check(make_message(**CANDLE, open_interest=4.0, ages={"open_interest": 12.0}))

    assert found.fields == CANDLE | {"open_interest": 4.0}
    assert found.ages == dict.fromkeys(CANDLE, 0.0) | {"open_interest": 12.0}
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("changes", "reasons", "left"),
    [
        ({"open_interest": -1.0}, ["negative"], set(CANDLE)),
        ({"open_interest": 0.0}, ["zero"], set(CANDLE)),
        ({"open_interest": 1e308}, ["implausible value"], set(CANDLE)),
        ({"open_interest": math.inf}, ["infinite"], set(CANDLE)),
        ({"open_interest": 5e-324}, [], {*CANDLE, "open_interest"}),
        ({"netflow": -3.0}, [], {*CANDLE, "netflow"}),
        ({"netflow": -math.inf}, ["infinite"], set(CANDLE)),
        ({"volume": -1.0}, ["negative"], set(CANDLE) - {"volume"}),
        ({"close": 0.0, "open_interest": 4.0}, ["zero price"], {"open_interest"}),
        ({"close": -1.0}, ["negative"], set()),
        ({"close": math.nan}, ["missing price"], set()),
        ({"high": 8.0, "funding_rate": -0.01}, ["high below low"], {"funding_rate"}),
        ({"close": 13.0}, ["open or close outside high and low"], set()),
        ({"mark": 11.0}, ["not a field of the panel"], set(CANDLE)),
    ],
)
def test_what_cannot_be_true_is_missing_and_counted(border, make_message, changes, reasons, left):
    found = border.check(make_message(**CANDLE | changes))

    assert list(found.reasons) == reasons
    assert set(found.fields) == left


def test_a_value_from_after_the_close_is_refused(border, make_message):
    told = make_message(**CANDLE, open_interest=4.0, ages={"open_interest": -1.0})
    found = border.check(told)

    assert found.reasons == ("age below zero",)
    assert set(found.fields) == set(CANDLE)


def test_a_band_of_the_panel_holds(make_panel, make_message):
    symbols = {"BTCUSDT": {"plausible": {"close": [5.0, 20.0], "volume": [0.0, 100.0]}}}
    border = Border(make_panel(symbols=symbols))

    assert border.check(make_message(**CANDLE)).reasons == ()
    assert border.check(make_message(**CANDLE | {"volume": 101.0})).reasons == (
        "implausible value",
    )
    low = border.check(make_message(**CANDLE | {"low": 4.0}))
    assert (dict(low.fields), low.reasons) == ({}, ("implausible value",))


def test_a_panel_that_has_no_more_than_closes_takes_them(make_panel, make_message):
    source = {
        "name": "closes",
        "file": "{symbol}.csv",
        "time": {"column": "t", "unit": "s", "label": "end", "step": "1h"},
        "fields": {"close": "c"},
    }
    border = Border(make_panel(sources=[source], calendars=[]))

    assert border.check(make_message(close=11.0)).fields == {"close": 11.0}


def test_the_border_of_the_batch_refuses_the_same(panel, border, make_message):
    """The same faulty rows at both borders: the same cells survive."""
    rng = np.random.default_rng(5)
    odd = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e308, 8.0, 13.0]
    rows = []
    for _ in range(600):
        row = dict(CANDLE)
        for name in rng.choice(sorted(row), size=rng.integers(0, 3), replace=False):
            row[name] = float(rng.choice(odd))
        rows.append(row)
    good = [CANDLE] * 2_000  # so that no column is faulty as a whole
    table = pd.DataFrame(rows + good)
    source = panel.sources[0]
    n = len(table)
    raw = Rows(
        row=np.arange(1, n + 1),
        symbol=np.full(n, "BTCUSDT"),
        event=3_600 * np.arange(n),
        values={name: table[name].to_numpy() for name in source.fields},
    )

    kept = check_rows(raw, source.fields, panel, Rejects())

    batch = {int(row) - 1: i for i, row in enumerate(kept.row)}
    for k, row in enumerate(rows):
        live = border.check(make_message(**row)).fields
        there = {} if k not in batch else {n: c[batch[k]] for n, c in kept.values.items()}
        assert live == {name: value for name, value in there.items() if not math.isnan(value)}, row
