import numpy as np
import pandas as pd
import pytest

from liqwarn.data.mapping import Span
from liqwarn.data.quarantine import Rejects
from liqwarn.data.rows import inside, map_rows
from liqwarn.errors import DataError

T0 = 1_704_067_200


def mapped(table, panel, named=None):
    source, rejects = panel.sources[0], Rejects()
    rows, other = map_rows(table, source, source.stored_fields, panel, named, rejects)
    return rows, other, rejects.by_reason()


def of(make_panel, make_source, **changes):
    changes = {"time": {"column": "t", "unit": "s", "label": "end", "step": "1h"}} | changes
    return make_panel(make_source(**changes))


def test_symbols_are_names_assets_or_mapped_and_others_are_counted(make_panel, make_source):
    panel = make_panel(
        make_source(
            symbol={"column": "coin", "map": {"XBT": "BTCUSDT"}},
            fields={"close": "close"},
            time={"column": "t", "unit": "s", "label": "end", "step": "1h"},
        ),
        symbols=["BTCUSDT", "ETHUSDT"],
    )
    table = pd.DataFrame(
        {"t": T0, "coin": ["BTCUSDT", "BTC", "XBT", "ETH", "DOGE"], "close": [1.0, 2, 3, 4, 5]}
    )
    rows, other, _ = mapped(table, panel)

    assert rows.symbol.tolist() == ["BTCUSDT"] * 3 + ["ETHUSDT"]
    assert other == 1
    assert rows.row.tolist() == [1, 2, 3, 4]


def test_a_file_may_name_its_symbol(make_panel, make_source):
    panel = of(make_panel, make_source, symbol=None, file="{symbol}.csv", fields={"close": "close"})

    rows, _, _ = mapped(pd.DataFrame({"t": [T0], "close": [2.0]}), panel, "BTCUSDT")

    assert rows.symbol.tolist() == ["BTCUSDT"]


def test_filters_compare_as_text_and_must_leave_something(make_panel, make_source):
    table = pd.DataFrame({"t": T0, "ok": [True, False], "market": ["perp", "spot"], "close": 1.0})
    kept, other, _ = mapped(
        table, of(make_panel, make_source, where={"ok": True, "market": ["perp", "swap"]},
                  fields={"close": "close"}))  # fmt: skip

    assert (kept.row.tolist(), other) == ([1], 1)
    with pytest.raises(
        DataError, match=r"no row has 'market' in \['swap'\], found \['perp', 'spot'\]"
    ):
        mapped(table, of(make_panel, make_source, where={"market": "swap"},
                         fields={"close": "close"}))  # fmt: skip


def test_units_scales_and_divisors_are_applied(make_panel, make_source):
    fields = {
        "close": "p",
        "funding_rate": {"column": "f", "unit": "percent"},
        "open_interest": {"column": "usd", "divide_by": "p"},
        "volume": {"column": "lots", "scale": 0.001},
        "funding_interval_h": {"constant": 8},
    }
    table = pd.DataFrame(
        {"t": [T0], "p": ["50000"], "f": ["0.01"], "usd": ["1e9"], "lots": [5_000]}
    )

    values = mapped(table, of(make_panel, make_source, fields=fields))[0].values

    assert {name: column[0] for name, column in values.items()} == {
        "close": 50_000.0,
        "funding_rate": pytest.approx(0.0001),
        "open_interest": 20_000.0,
        "volume": 5.0,
        "funding_interval_h": 8.0,
    }


def test_a_divisor_that_is_not_positive_is_refused(make_panel, make_source):
    fields = {"close": "c", "open_interest": {"column": "usd", "divide_by": "p"}}
    table = pd.DataFrame({"t": [T0, T0 + 3600], "c": 1.0, "p": [0.0, 2.0], "usd": [10.0, 10.0]})

    rows, _, reasons = mapped(table, of(make_panel, make_source, fields=fields))

    assert np.isnan(rows.values["open_interest"][0])
    assert rows.values["open_interest"][1] == 5.0
    assert reasons == {"divisor not positive": 1}


def test_a_missing_column_is_told_with_the_nearest(make_panel, make_source):
    with pytest.raises(DataError, match=r"no column 'close', did you mean 'Close'\? found"):
        mapped(pd.DataFrame({"t": [T0], "Close": [1.0]}),
               of(make_panel, make_source, fields={"close": "close"}))  # fmt: skip


def test_text_in_numbers_is_refused_and_empty_cells_are_missing(make_panel, make_source):
    table = pd.DataFrame(
        {"t": T0 + 3_600 * np.arange(5), "close": ["1.5", "n/a?", "", None, " 2 "]}, dtype=object
    )
    rows, _, reasons = mapped(table, of(make_panel, make_source, fields={"close": "close"}))

    assert np.isnan(rows.values["close"]).tolist() == [False, True, True, True, False]
    assert reasons == {"not a number": 1}


def test_a_column_of_text_or_times_is_the_wrong_column(make_panel, make_source):
    panel = of(make_panel, make_source, fields={"close": "close"})
    with pytest.raises(
        DataError, match="field 'close' row 1: column 'close' holds 'BTC', expected"
    ):
        mapped(pd.DataFrame({"t": [T0], "close": ["BTC"]}), panel)
    with pytest.raises(DataError, match="holds times, expected numbers"):
        mapped(pd.DataFrame({"t": [T0], "close": pd.to_datetime(["2024-01-01"])}), panel)


def test_bytes_are_read_as_text_and_told_when_they_are_none(make_panel, make_source):
    panel = of(make_panel, make_source, symbol={"column": "s"}, fields={"close": "close"})
    table = pd.DataFrame({"t": [T0], "s": [b"BTC"], "close": [b"1.5"]})

    assert mapped(table, panel)[0].values["close"].tolist() == [1.5]
    for column in ("s", "close"):
        with pytest.raises(DataError, match=f"column '{column}' holds bytes that are no text"):
            mapped(table.assign(**{column: [b"\xff\xfe"]}), panel)


def test_a_file_of_other_symbols_is_told(make_panel, make_source):
    panel = of(make_panel, make_source, symbol={"column": "s"}, fields={"close": "close"})
    with pytest.raises(DataError, match="no row of BTCUSDT in the file"):
        mapped(pd.DataFrame({"t": [T0], "s": ["ETH"], "close": [1.0]}), panel)


def test_a_span_is_open_at_its_start_and_closed_at_its_end():
    span = Span.model_validate({"from": "2024-01-01T00:00", "to": "2024-01-01T02:00"})

    assert inside(T0 + 3_600 * np.arange(4), span).tolist() == [False, True, True, False]


def test_one_column_is_taken_from_another(make_panel, make_source):
    minus = {"column": "close", "minus": "bought", "scale": 2.0}
    panel = of(make_panel, make_source, fields={"close": "close", "taker_sell_volume": minus})
    table = pd.DataFrame({"t": [T0, T0 + 3600], "close": [5.0, 6.0], "bought": [1.5, np.nan]})

    rows, _, rejected = mapped(table, panel)

    np.testing.assert_array_equal(rows.values["taker_sell_volume"], [7.0, np.nan])
    assert rejected == {}
