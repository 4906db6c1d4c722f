"""A file as the ingest would take it."""

from liqwarn.data.inspection.reading import neighbours, used_columns


def test_what_is_kept_is_what_the_ingest_keeps(read, load, bars):
    bars.loc[3, "close"] = -1.0
    reading, summary = read(bars), load(table=bars)

    assert len(reading.rows) == summary.total("new") == len(bars) - 1
    assert [refusal.reason for refusal in reading.refusals] == ["negative"]
    assert summary.quarantined == {"negative": 1}


def test_an_error_is_kept_and_not_raised(read, bars):
    reading = read(bars.drop(columns="close"))

    assert "no column 'close'" in reading.error
    assert reading.rows is None
    assert reading.sample.whole


def test_a_file_that_cannot_be_read_has_no_sample(read, bars):
    reading = read(bars.iloc[:0])

    assert "no rows" in reading.error
    assert reading.sample is None
    assert reading.column("t") is None


def test_used_columns_are_those_the_panel_names(read, bars):
    fields = {"close": "close", "volume": {"column": "volume", "minus": "low", "divide_by": "high"}}

    assert used_columns(read(bars, fields=fields)) == {"t", "close", "volume", "low", "high"}


def test_neighbours_do_not_reach_over_what_was_not_read(read, bars, limits):
    whole = read(bars)
    ends = read(bars, limits=type(limits)(now=limits.now, most=50))

    assert len(neighbours(whole.rows, whole.sample)[0]) == len(bars) - 1
    before, after = neighbours(ends.rows, ends.sample)
    assert len(before) == 98
    assert set((after.event - before.event).tolist()) == {3_600}
