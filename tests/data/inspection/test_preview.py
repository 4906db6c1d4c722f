"""The first rows, raw beside read."""

from liqwarn.data.inspection.preview import first_rows


def cells(shown):
    return {cell.name: (cell.raw, cell.becomes) for cell in shown.cells}


def test_stamp_and_values_are_shown_beside_what_they_become(read, bars):
    first = first_rows(read(bars, known_lag="5min"))[0]

    assert first.row == 1
    assert cells(first)["time (start + 1h)"] == (
        "1704067200",
        "2024-01-01 01:00:00Z, known 2024-01-01 01:05:00Z",
    )
    assert cells(first)["close"][1].endswith(" quote per coin")


def test_a_refused_row_is_shown_with_its_reason(read, bars):
    bars.loc[1, "close"] = -3.0
    shown = first_rows(read(bars))

    assert [row.row for row in shown] == [1, 2, 3]
    assert cells(shown[1])["time (start + 1h)"][1] == "refused (close: negative)"
    assert cells(shown[1])["close"] == ("-3.0", "refused (negative)")


def test_a_file_that_cannot_be_used_is_shown_raw(read, bars):
    bars["t"] *= 1_000
    shown = first_rows(read(bars))

    assert [row.row for row in shown] == [1, 2, 3]
    assert cells(shown[0])["time (start + 1h)"] == ("1704067200000", "")
    assert cells(shown[0])["close"][1] == ""


def test_a_missing_column_is_said(read, bars):
    shown = first_rows(read(bars.drop(columns="close")))

    assert cells(shown[0])["close"] == ("no column 'close'", "")


def test_long_text_is_cut(read, bars):
    shown = first_rows(read(bars.assign(close="x\n" * 500)))

    assert len(cells(shown[0])["close"][0]) == 40


def test_a_file_that_cannot_be_read_shows_nothing(read, bars, data_dir):
    assert first_rows(read(bars.iloc[:0])) == ()
