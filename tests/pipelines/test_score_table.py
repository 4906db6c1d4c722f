"""Scores and flags as tables: agreed columns, one row a symbol, bar and side."""

import numpy as np
import pandas as pd
import pytest

from liqwarn.pipelines.publish import decide
from liqwarn.pipelines.risk import assess
from liqwarn.pipelines.score_table import cell_table, extend, flag_table, score_table
from liqwarn.reports.content import SCORE_COLUMNS

N_BARS = 240


@pytest.fixture(scope="module")
def decided(study, bundle, policy):
    since = pd.Timestamp(study.market.frame.times[-N_BARS], tz="UTC").to_pydatetime()
    return decide(study, bundle, policy, assess(study, bundle, since))


@pytest.fixture(scope="module")
def cells(decided):
    return cell_table(decided.study, decided.bundle, decided.risk, decided.history)


def test_there_is_one_row_a_symbol_bar_and_side_in_order(cells):
    keys = cells[["time", "symbol", "side"]]

    assert len(cells) == 2 * 2 * N_BARS
    assert not keys.duplicated().any()
    pd.testing.assert_frame_equal(keys, keys.sort_values(["time", "symbol", "side"]))


def test_scores_have_the_agreed_columns_and_types(cells):
    table = score_table(cells)

    assert tuple(table.columns) == SCORE_COLUMNS
    assert str(table["time"].dtype) == "datetime64[us, UTC]"
    assert table["in_progress"].dtype == bool
    assert set(table["side"]) == {"long", "short"}
    assert set(table["tier"]) <= {f"T{k}" for k in range(6)}
    assert set(table["state"]) <= {"ACTIVE", "REDUCING", "HALTED"}
    assert table["completeness"].between(0, 1).all()


def test_a_row_says_what_the_arrays_say(cells, decided):
    rng = np.random.default_rng(5)
    scores, matrix = decided.risk.scores, decided.study.matrix
    indexed = cells.set_index(["symbol", "time", "side"])
    for _ in range(20):
        row, bar, side = (int(rng.integers(n)) for n in (2, N_BARS, 2))
        time = pd.Timestamp(scores.times[bar], tz="UTC")
        found = indexed.loc[(scores.symbols[row], time, ("long", "short")[side])]

        assert [found["p_1h"], found["p_4h"], found["p_24h"]] == pytest.approx(
            scores.probability[row, bar, side].tolist(), abs=0
        )
        assert found["quantile"] == scores.quantile[row, bar, side]
        assert found["tier"] == f"T{decided.history.tiers[row, bar, side]}"
        features = matrix.values[row, decided.risk.first + bar][None]
        drivers = decided.bundle.model.drivers(features, matrix.names)[0][side]
        told = [(found[f"driver_{k}"], found[f"contribution_{k}"]) for k in (1, 2, 3)]
        assert told == drivers


def test_flags_have_a_validity_and_no_threshold(cells, policy, decided, now):
    table = flag_table(cells, policy.valid_for(decided.risk.scores.bar), now=now, model="7")

    assert list(table.columns) == [
        "symbol", "as_of", "side", "p_1h", "p_4h", "p_24h", "tier", "state", "rule", "quality",
        "sequence", "issued_at", "valid_until", "model",
    ]  # fmt: skip
    assert set(table["valid_until"] - table["as_of"]) == {policy.valid_for(decided.risk.scores.bar)}
    assert set(table["issued_at"]) == {pd.Timestamp(now)}
    for _, one in table.groupby(["symbol", "side"]):
        assert one["sequence"].is_monotonic_increasing


@pytest.fixture
def rows():
    def at(*hours, value=0.0):
        times = pd.to_datetime([f"2024-01-01T{h:02d}:00Z" for h in hours]).as_unit("us")
        return pd.DataFrame({"time": times, "value": value})

    return at


def test_newer_rows_follow_older_ones(rows, tmp_path):
    path = tmp_path / "t.parquet"
    extend(path, rows(0, 1), "time")
    extend(path, rows(2, 3, value=1.0), "time")

    assert pd.read_parquet(path)["value"].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_of_the_same_bar_the_fresh_row_wins(rows, tmp_path):
    path = tmp_path / "t.parquet"
    extend(path, rows(0, 1, 2), "time")
    extend(path, rows(1, 2, 3, value=1.0), "time")

    table = pd.read_parquet(path)
    assert table["value"].tolist() == [0.0, 1.0, 1.0, 1.0]
    assert not table["time"].duplicated().any()


def test_nothing_fresh_forgets_nothing(rows, tmp_path):
    path = tmp_path / "t.parquet"
    extend(path, rows(0, 1), "time")

    extend(path, rows(0).iloc[:0], "time")

    assert len(pd.read_parquet(path)) == 2
