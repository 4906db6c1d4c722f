"""Rows of a flag history: of each side its own decision, of one type whatever they hold."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from liqwarn.decisions import ModelStamp
from liqwarn.live.bar import flags_of
from liqwarn.live.flag_rows import FLAG_COLUMNS, flag_frame, flag_rows
from liqwarn.policy.flags import FlagSource
from liqwarn.tables import read_table, write_table

SOURCE = FlagSource(
    model=ModelStamp(version="1", sha256="ab" * 32), data_sha256="cd" * 32, completeness=0.0
)


@pytest.fixture
def rows(make_bar, make_scores, policy):
    probability = np.broadcast_to([0.1, 0.2, 0.3], (2, 2, 3)).copy()
    probability[1] = np.nan
    scores = make_scores(quality=np.array(["ok", "stale"]), probability=probability)
    bar = make_bar(scores)
    flags = list(flags_of(bar, policy, SOURCE, issued_at=scores.as_of + timedelta(seconds=2)))
    return bar, flags, flag_rows(bar, flags)


def test_a_flag_is_two_rows_long_first(rows):
    bar, flags, found = rows
    table = flag_frame(found)

    assert tuple(table.columns) == FLAG_COLUMNS
    assert table["symbol"].tolist() == ["BTCUSDT"] * 2 + ["DOGEUSDT"] * 2
    assert table["side"].tolist() == ["long", "short"] * 2
    assert table["quality"].tolist() == ["ok", "ok", "stale", "stale"]
    assert table.loc[0, ["p_1h", "p_4h", "p_24h"]].tolist() == [0.1, 0.2, 0.3]
    assert table.loc[2:, ["p_1h", "p_4h", "p_24h"]].isna().all().all()
    for row in table.itertuples():
        after = bar.decisions[row.symbol, row.side].after
        assert (row.tier, row.rule, row.sequence) == (
            after.tier.name,
            after.rule.value,
            after.sequence,
        )
    assert (table["issued_at"] - table["as_of"] == pd.Timedelta(seconds=2)).all()
    assert set(table["valid_until"]) == {pd.Timestamp(flag.valid_until) for flag in flags}


def test_an_empty_history_has_the_types_of_a_full_one(rows, tmp_path):
    full, empty = flag_frame(rows[2]), flag_frame([])

    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    for name, table in (("full", full), ("empty", empty)):
        write_table(table, tmp_path / f"{name}.parquet")
    read = [read_table(tmp_path / f"{name}.parquet") for name in ("full", "empty")]
    assert read[0].dtypes.to_dict() == read[1].dtypes.to_dict()


def test_rows_come_back_from_their_file(rows, tmp_path):
    table = flag_frame(rows[2])
    write_table(table, tmp_path / "flags.parquet")
    again = flag_frame(read_table(tmp_path / "flags.parquet").itertuples(index=False, name=None))

    pd.testing.assert_frame_equal(again, table)
