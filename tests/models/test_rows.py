"""Rows: what trains, in which order, and that no hour of an asset counts twice."""

import runpy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ModelError
from liqwarn.frames import FeatureMatrix, Labels
from liqwarn.models.folds import FoldResult, stacked
from liqwarn.models.rows import asset_of, joined, make_rows

rows_of = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))["rows_of"]
HOUR = timedelta(hours=1)
NOTHING_SAID = FoldResult(p={}, thresholds={}, n_train=0)


def panel(symbols=("ETHUSDT", "BTCUSDT"), n_bars=3, horizons_h=(1, 24)):
    times = np.datetime64("2024-01-01T01:00:00", "s") + np.arange(n_bars) * np.timedelta64(1, "h")
    shape = (len(symbols), n_bars)
    ends = np.stack([times + np.timedelta64(h, "h") for h in horizons_h], axis=1)
    matrix = FeatureMatrix(
        symbols=symbols,
        times=times,
        bar=HOUR,
        names=("a", "b"),
        families={"a": "one", "b": "two"},
        values=np.arange(shape[0] * shape[1] * 2, dtype=np.float64).reshape(*shape, 2),
    )
    labels = Labels(
        symbols=symbols,
        times=times,
        bar=HOUR,
        horizons_h=horizons_h,
        y=np.zeros((*shape, 2, len(horizons_h))),
        end=ends,
        running=np.zeros((*shape, 2), dtype=bool),
    )
    return matrix, labels


@pytest.mark.parametrize(
    ("symbol", "asset"),
    [
        ("BTCUSDT", "BTC"),
        ("btcusdt", "BTC"),
        ("BTC", "BTC"),
        ("BTC-PERP", "BTC"),
        ("BTC-USD-PERP", "BTC"),
        ("BTC/USDT:USDT", "BTC"),
        ("ETHUSDC", "ETH"),
        ("1000PEPEUSDT", "PEPE"),
        ("1000000MOGUSDT", "MOG"),
        ("1INCHUSDT", "1INCH"),
        ("KSMUSDT", "KSM"),
        ("KAVAUSDT", "KAVA"),
        ("100USDT", "100"),
    ],
)
def test_an_asset_is_what_it_is_on_every_venue(symbol, asset):
    assert asset_of(symbol) == asset


def test_rows_are_in_order_of_time_and_then_of_symbol():
    matrix, labels = panel()

    rows = make_rows(matrix, labels, labels)

    assert rows.symbols.tolist() == ["ETHUSDT", "BTCUSDT"] * 3
    assert (np.diff(rows.times.astype(int)) >= 0).all()
    for k, (symbol, time) in enumerate(zip(rows.symbols, rows.times, strict=True)):
        s, t = matrix.symbols.index(symbol), matrix.times.tolist().index(time.item())
        np.testing.assert_array_equal(rows.X[k], matrix.values[s, t])


def test_end_is_that_of_the_longest_horizon():
    matrix, labels = panel(horizons_h=(4, 24, 1))

    rows = make_rows(matrix, labels, labels)

    np.testing.assert_array_equal(rows.end, rows.times + np.timedelta64(24, "h"))


def test_a_running_cascade_hides_the_outcome_of_its_side_only():
    matrix, labels = panel()
    labels.running[0, 1, 0] = True

    rows = make_rows(matrix, labels, labels)

    assert np.isnan(rows.y[2, 0]).all()
    assert np.isfinite(rows.y[2, 1]).all()
    assert len(rows) == 6


def test_rows_without_any_outcome_are_left_out():
    matrix, labels = panel()
    labels.y[1, 0] = np.nan
    labels.y[0, 2, :, 0] = np.nan  # one horizon is still known

    rows = make_rows(matrix, labels, labels)

    assert len(rows) == 5
    assert not ((rows.symbols == "BTCUSDT") & (rows.times == rows.times[0])).any()


def test_features_and_labels_must_be_of_the_same_panel():
    matrix, _ = panel()
    _, labels = panel(n_bars=4)

    with pytest.raises(
        ModelError, match=r"over 3 bars, labels of .* over 4 with .*: expected the same"
    ):
        make_rows(matrix, labels, labels)


def test_milder_outcomes_are_hidden_by_milder_events_and_do_not_choose_the_rows():
    matrix, labels = panel()
    milder = replace(labels, y=np.ones_like(labels.y), running=labels.running.copy())
    milder.running[0, 1, 0] = True
    milder.y[1, 0] = np.nan

    rows = make_rows(matrix, labels, milder)

    assert len(rows) == 6
    assert not rows.y.any()
    assert np.isnan(rows.milder[2, 0]).all()
    assert (rows.milder[2, 1] == 1.0).all()
    assert np.isnan(rows.milder[1]).all()  # the second symbol's first bar


def test_milder_labels_must_be_of_the_same_bars_and_horizons():
    matrix, labels = panel()

    for other in (panel(n_bars=4)[1], panel(horizons_h=(1, 4))[1]):
        with pytest.raises(ModelError, match="expected the same, and horizons"):
            make_rows(matrix, labels, other)


def test_whatever_is_done_to_rows_is_done_to_their_milder_outcomes():
    """Each milder outcome says which row, side and horizon it is of."""
    plain = rows_of(days=2)
    marks = np.arange(plain.y.size, dtype=np.float64).reshape(plain.y.shape)
    rows = plain.with_outcomes(marks, marks + 0.5)

    for changed in (
        rows.take(slice(3, 40, 2)),
        rows.up_to(4),
        rows.at_horizon(24),
        rows.without(["gappy"]),
        joined(rows.take(slice(20, None)), [rows]),
        stacked([rows.take([1, 2]), rows.take([0])], [NOTHING_SAID]).rows,
    ):
        np.testing.assert_array_equal(changed.milder, changed.y + 0.5)


def test_columns_are_found_by_name_and_missing_ones_are_nan():
    rows = rows_of(days=2)

    np.testing.assert_array_equal(rows.column("basis"), rows.X[:, rows.names.index("basis")])
    assert np.isnan(rows.column("nobody_has_it")).all()


def test_without_removes_exactly_the_names_given():
    rows = rows_of(days=2)

    fewer = rows.without(["basis", "rv_1h"])

    assert fewer.names == tuple(n for n in rows.names if n not in ("basis", "rv_1h"))
    assert set(fewer.families) == set(fewer.names)
    for name in fewer.names:
        np.testing.assert_array_equal(fewer.column(name), rows.column(name))
    np.testing.assert_array_equal(fewer.y, rows.y)


def test_one_horizon_keeps_its_outcomes_and_every_row():
    rows = rows_of(days=2)

    four = rows.at_horizon(4)

    assert four.horizons_h == (4,)
    np.testing.assert_array_equal(four.outcome(1, 0), rows.outcome(1, 1))
    with pytest.raises(ModelError, match=r"rows have horizons \(1, 4, 24\) h, not 2 h"):
        rows.at_horizon(2)


def test_horizons_up_to_one_keep_their_outcomes():
    rows = rows_of(days=2)

    near = rows.up_to(4)

    assert near.horizons_h == (1, 4)
    np.testing.assert_array_equal(near.y, rows.y[:, :, :2])
    with pytest.raises(ModelError, match=r"rows have horizons \(1, 4, 24\) h, not 5 h"):
        rows.up_to(5)


def test_the_main_panel_wins_an_hour_that_two_panels_have():
    main = rows_of(1, days=2, symbols=("BTCUSDT",))
    other = rows_of(2, days=4, symbols=("BTC", "DOGE"))

    pooled = joined(main, [other])

    btc = np.array([s.startswith("BTC") for s in pooled.symbols])
    assert btc.sum() == 4 * 24
    shared = pooled.take(np.flatnonzero(btc & (pooled.times <= main.times.max())))
    np.testing.assert_array_equal(shared.X, main.X)
    assert (pooled.symbols == "DOGE").sum() == 4 * 24


def test_the_first_of_two_extra_panels_wins():
    main = rows_of(1, days=1, symbols=("ETHUSDT",))
    first, second = (rows_of(k, days=2, symbols=("BTC",)) for k in (2, 3))

    pooled = joined(main, [first, second])

    np.testing.assert_array_equal(pooled.take(np.flatnonzero(pooled.symbols == "BTC")).X, first.X)


def test_two_contracts_of_an_asset_in_one_extra_panel_count_once():
    main = rows_of(1, days=1, symbols=("ETHUSDT",))
    other = rows_of(2, days=1, symbols=("BTCUSDC", "BTCUSDT"))

    pooled = joined(main, [other])

    assert len(pooled) == len(main) + 24


def test_what_another_panel_lacks_is_nan_and_what_it_has_more_is_dropped():
    main = rows_of(1, days=1, symbols=("ETHUSDT",)).without(["gappy"])
    other = rows_of(2, days=1, symbols=("BTC",)).without(["basis"])

    pooled = joined(main, [other])

    assert pooled.names == main.names
    assert pooled.families == main.families
    btc = pooled.take(np.flatnonzero(pooled.symbols == "BTC"))
    assert np.isnan(btc.column("basis")).all()
    np.testing.assert_array_equal(btc.column("rv_1d"), other.column("rv_1d"))


@pytest.mark.parametrize("change", [{"bar": timedelta(hours=4)}, {"horizons_h": (1, 4, 12)}])
def test_panels_of_other_bars_or_horizons_do_not_join(change):
    main = rows_of(1, days=1)
    other = replace(rows_of(2, days=1), **change)

    with pytest.raises(ModelError, match=r"training rows have .* bars and horizons .* expected"):
        joined(main, [other])


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(
        st.tuples(
            st.sets(st.sampled_from(["BTCUSDT", "BTC", "ETH-PERP", "ETHUSDC", "1000PEPEUSDT"])),
            st.sampled_from(["2023-12-31T12", "2024-01-01"]),
        ),
        max_size=3,
    )
)
def test_no_hour_of_an_asset_counts_twice_and_no_row_of_the_main_panel_is_lost(parts):
    main = rows_of(9, days=1, symbols=("BTCUSDT", "PEPE"))
    extra = [
        rows_of(k, days=1, symbols=tuple(sorted(symbols)), start=start)
        for k, (symbols, start) in enumerate(parts)
        if symbols
    ]

    pooled = joined(main, extra)

    cells = [(asset_of(s), t) for s, t in zip(pooled.symbols, pooled.times.tolist(), strict=True)]
    assert len(set(cells)) == len(cells)
    kept = {row.tobytes() for row in pooled.X}
    assert all(row.tobytes() in kept for row in main.X)
    order = list(zip(pooled.times.tolist(), pooled.symbols.tolist(), strict=True))
    assert order == sorted(order)
