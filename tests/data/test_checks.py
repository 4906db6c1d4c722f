import numpy as np
import pytest

from liqwarn.data.checks import check_rows, count_gaps, drop_duplicates, merge_events
from liqwarn.data.mapping import FieldMap
from liqwarn.data.quarantine import Rejects
from liqwarn.data.rows import Rows
from liqwarn.errors import DataError

T0 = 1_704_067_200


def rows_of(symbol="BTCUSDT", **values):
    n = len(next(iter(values.values())))
    return Rows(
        row=np.arange(1, n + 1),
        symbol=np.full(n, symbol),
        event=T0 + 3_600 * np.arange(n),
        values={name: np.asarray(column, dtype=float) for name, column in values.items()},
    )


def checked(panel, rows, **fields):
    rejects = Rejects()
    told = {name: fields.get(name, FieldMap(column=name)) for name in rows.values}
    return check_rows(rows, told, panel, rejects), rejects


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (np.nan, "missing price"),
        (np.inf, "infinite"),
        (-1.0, "negative"),
        (0.0, "zero price"),
        (5e5, "implausible value"),
        (1e308, "implausible value"),
    ],
)
def test_an_impossible_price_refuses_its_row(make_panel, bad, reason):
    panel = make_panel(symbols={"BTCUSDT": {"plausible": {"close": [1e3, 1e5]}}})
    kept, rejects = checked(panel, rows_of(close=[100e2, bad, 101e2], volume=[1.0, 2.0, 3.0]))

    assert kept.row.tolist() == [1, 3]
    (refusal,) = rejects.refusals
    assert (refusal.row, refusal.field, refusal.reason) == (2, "close", reason)
    assert refusal.value == str(bad)


@pytest.mark.parametrize(
    ("field", "bad", "reason"),
    [
        ("volume", -1.0, "negative"),
        ("open_interest", np.inf, "infinite"),
        ("open_interest", 0.0, "zero"),
        ("open_interest", 1e308, "implausible value"),
        ("volume", 2e16, "implausible value"),
        ("netflow", -1e308, "implausible value"),
        ("funding_rate", 1e17, "implausible value"),
        ("netflow", np.inf, "infinite"),
    ],
)
def test_an_impossible_amount_refuses_its_cell_only(make_panel, field, bad, reason):
    kept, rejects = checked(
        make_panel(), rows_of(close=[10.0, 11.0, 12.0], **{field: [1.0, bad, 2.0]})
    )

    assert kept.row.tolist() == [1, 2, 3]
    assert np.isnan(kept.values[field]).tolist() == [False, True, False]
    assert rejects.by_reason() == {reason: 1}


def test_what_may_be_negative_or_missing_passes(make_panel):
    rows = rows_of(close=[10.0, 11.0], netflow=[-5.0, np.nan], funding_rate=[-0.001, 0.0])

    kept, rejects = checked(make_panel(), rows)

    assert len(kept) == 2
    assert rejects.refusals == []


def test_candles_must_hold_their_own_prices(make_panel):
    rows = rows_of(
        open=[10.0, 10.0, 10.0, 30.0],
        high=[12.0, 9.0, 12.0, 12.0],
        low=[9.0, 9.5, 10.5, 9.0],
        close=[11.0, 9.2, 11.0, 11.0],
    )
    kept, rejects = checked(make_panel(), rows)

    assert kept.row.tolist() == [1]
    assert rejects.by_reason() == {"high below low": 1, "open or close outside high and low": 2}


def test_a_price_in_another_unit_stops_the_file(make_panel):
    panel = make_panel(symbols={"BTCUSDT": {"plausible": {"close": [1e3, 1e6]}}})
    with pytest.raises(
        DataError, match=r"field 'close' row 1: found 0.03 for BTCUSDT, expected 1000 to"
    ):
        checked(panel, rows_of(close=[0.03, 0.031, 0.032]))


def test_a_column_that_is_no_price_stops_the_file(make_panel):
    with pytest.raises(DataError, match="3 of 4 prices are unusable: the wrong column"):
        checked(make_panel(), rows_of(close=[0.0, 0.0, 0.0, 10.0]))


def test_a_band_is_not_applied_to_usd_that_become_coins_later(make_panel):
    panel = make_panel(symbols={"BTCUSDT": {"plausible": {"open_interest": [1, 100]}}})
    usd = FieldMap(column="oi", unit="usd_at_close")

    kept, rejects = checked(panel, rows_of(open_interest=[1e9, 2e9]), open_interest=usd)

    assert (len(kept), rejects.refusals) == (2, [])


def test_usd_that_become_coins_later_are_bounded_too(make_panel):
    usd = FieldMap(column="oi", unit="usd_at_close")

    kept, rejects = checked(make_panel(), rows_of(open_interest=[1e9, 1e300]), open_interest=usd)

    assert kept.values["open_interest"].tolist()[:1] == [1e9]
    assert rejects.by_reason() == {"implausible value": 1}


def test_a_single_spike_is_refused(make_panel):
    close = np.full(100, 40_000.0)
    close[50] = 40.0

    kept, rejects = checked(make_panel(), rows_of(close=close))

    assert len(kept) == 99
    assert [(r.row, r.reason) for r in rejects.refusals] == [
        (51, "more than 20x off its neighbours")
    ]


def test_a_change_of_unit_inside_a_file_stops_it(make_panel):
    close = np.where(np.arange(200) < 120, 40_000.0, 0.04)
    with pytest.raises(DataError, match=r"row 121: 40000 becomes 0\.04 and stays there"):
        checked(make_panel(), rows_of(close=close))


def test_a_market_that_grows_a_thousandfold_passes(make_panel):
    kept, rejects = checked(make_panel(), rows_of(close=np.geomspace(0.01, 10.0, 300)))

    assert (len(kept), rejects.refusals) == (300, [])


def test_identical_copies_are_dropped_and_counted_and_conflicting_ones_all_refused():
    rows = rows_of(close=[1.0, 1.0, 2.0, 3.0, 3.5, np.nan, np.nan])
    rows = Rows(row=rows.row, symbol=rows.symbol, values=rows.values,
                event=T0 + np.array([0, 0, 60, 120, 120, 180, 180]))  # fmt: skip
    rejects = Rejects()

    kept, copies = drop_duplicates(rows, rejects)

    assert kept.row.tolist() == [1, 3, 6]
    assert copies == 2
    assert [(r.row, r.reason) for r in rejects.refusals] == [
        (4, "conflicting duplicate"),
        (5, "conflicting duplicate"),
    ]


def test_rows_come_out_sorted_by_symbol_and_time():
    rows = rows_of(close=[1.0, 2.0, 3.0])
    rows = Rows(row=rows.row, symbol=np.array(["B", "A", "A"]), values=rows.values,
                event=np.array([T0, T0 + 60, T0]))  # fmt: skip

    kept, _ = drop_duplicates(rows, Rejects())

    assert kept.row.tolist() == [3, 2, 1]


def test_calendar_events_of_one_moment_add_up():
    rows = rows_of(next_unlock_frac=[1.0, 2.0, 4.0])
    rows = Rows(row=rows.row, symbol=rows.symbol, values=rows.values,
                event=np.array([T0, T0 + 60, T0]))  # fmt: skip

    merged = merge_events(rows)

    assert sorted(zip(merged.event - T0, merged.values["next_unlock_frac"], strict=True)) == [
        (0, 5.0),
        (60, 2.0),
    ]


def test_gaps_are_missing_steps_inside_each_symbol():
    rows = rows_of(close=[1.0, 2.0, 3.0, 4.0])
    rows = Rows(row=rows.row, symbol=np.array(list("AABB")), values=rows.values,
                event=T0 + 3_600 * np.array([0, 4, 50, 51]))  # fmt: skip

    assert count_gaps(rows, 3_600) == 3
    assert count_gaps(rows, None) == 0
