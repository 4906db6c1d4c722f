"""What the ingest would keep of a table."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from liqwarn.data.accepted import accept_rows, stored_maps
from liqwarn.data.quarantine import Rejects
from liqwarn.errors import DataError

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def accept(panel, table, now=NOW):
    rejects = Rejects()
    return accept_rows(table, panel.sources[0], panel, None, now, rejects), rejects


def test_rows_are_sorted_and_each_is_there_once(make_panel, candles):
    table = candles(5)
    kept, rejects = accept(make_panel(), pd.concat([table[::-1], table.iloc[[2]]]))

    assert kept.rows.event.tolist() == (table["t"] + 3_600).tolist()
    assert (kept.duplicates, kept.other, rejects.by_reason()) == (1, 0, {})


def test_what_is_outside_the_validity_is_other(make_panel, make_source, candles):
    panel = make_panel(make_source(valid={"from": "2024-01-01T02:00:00"}))

    kept, _ = accept(panel, candles(5))

    assert (len(kept.rows), kept.other) == (3, 2)


def test_rows_after_the_present_are_refused(make_panel, candles):
    kept, rejects = accept(make_panel(), candles(5), now=datetime(2024, 1, 1, 2, tzinfo=UTC))

    assert len(kept.rows) == 3  # clocks may differ by an hour
    assert rejects.by_reason() == {"after the present": 2}


def test_refused_cells_are_missing(make_panel, candles):
    table = candles(5)
    table.loc[1, "volume"] = -1.0
    kept, rejects = accept(make_panel(), table)

    assert np.isnan(kept.rows.values["volume"]).tolist() == [False, True, False, False, False]
    assert rejects.by_reason() == {"negative": 1}


def test_what_is_wrong_as_a_whole_is_raised(make_panel, candles):
    with pytest.raises(DataError, match="no column 'close'"):
        accept(make_panel(), candles(5).drop(columns="close"))


def test_a_spacing_is_not_read_from_the_file(make_panel, make_source):
    fields = {
        "close": "close",
        "funding_rate": "f",
        "funding_interval_h": {"spacing_of": "funding_rate"},
    }

    assert set(stored_maps(make_panel(make_source(fields=fields)).sources[0])) == {
        "close",
        "funding_rate",
    }
