"""A series on disk: what was seen first stays, what was asked for is remembered."""

import pytest

from liqwarn.errors import StoreError
from liqwarn.sources.recording import Kept, Reading, Recording

JANUARY = (1_704_067_200_000, 1_706_745_600_000)
DAY = 86_400_000


@pytest.fixture
def recording(tmp_path):
    return lambda: Recording(tmp_path, "flows", "BTC", ("a", "b"))


def keep(recording, *rows, seen=1_706_800_000.25, closed=JANUARY[1], span=JANUARY):
    readings = [Reading(time=JANUARY[0] + n * DAY, cells=cells) for n, *cells in rows]
    readings = [Reading(time=r.time, cells=tuple(r.cells)) for r in readings]
    return recording.keep(span, readings, seen=seen, closed=closed)


def test_rows_are_kept_as_first_seen_and_revisions_beside_them(recording, tmp_path):
    assert keep(recording(), (0, "1.0", "x"), (2, "2", "y")) == Kept(new=2)
    assert keep(recording(), (0, "1.00", "x"), (1, "5", "z"), seen=1_706_900_000) == Kept(
        new=1, revised=1
    )
    assert keep(recording(), (0, "1.00", "x"), (1, "5", "z")) == Kept(same=2)
    assert keep(recording(), (0, "1.0", "x")) == Kept(revised=1)  # back to what it was

    text = (tmp_path / "flows" / "BTC" / "BTC-flows-2024-01.csv").read_text()
    assert text == (
        "time_ms,a,b,seen_at\n"
        "1704067200000,1.0,x,2024-02-01T15:06:41.000Z\n"
        "1704153600000,5,z,2024-02-02T18:53:20.000Z\n"
        "1704240000000,2,y,2024-02-01T15:06:41.000Z\n"
    )
    later = tmp_path / "revised" / "flows" / "BTC" / "BTC-flows-2024-01.csv"
    assert [line.split(",")[1] for line in later.read_text().splitlines()] == ["a", "1.00", "1.0"]


def test_only_what_is_closed_counts_as_asked(recording):
    assert recording().missing(JANUARY) == [JANUARY]
    keep(recording(), (0, "1", "x"), closed=JANUARY[0] + 3 * DAY)
    assert recording().missing(JANUARY) == [(JANUARY[0] + 3 * DAY, JANUARY[1])]
    keep(recording(), closed=JANUARY[1])
    assert recording().missing(JANUARY) == []
    keep(recording(), closed=JANUARY[0] - DAY)
    assert recording().missing(JANUARY) == []


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"2024-01": 3}', '{"2024-01": {"spans": [1], "sha256": null}}']
)
def test_a_memory_that_cannot_be_read_asks_again(recording, tmp_path, text):
    keep(recording(), (0, "1", "x"))
    (tmp_path / "flows" / "BTC" / "asked.json").write_text(text)

    assert recording().missing(JANUARY) == [JANUARY]
    assert keep(recording(), (0, "1", "x")).same == 1


def test_a_file_of_bytes_that_are_no_text_is_told(recording, tmp_path):
    keep(recording(), (0, "1", "x"))
    (tmp_path / "flows" / "BTC" / "BTC-flows-2024-01.csv").write_bytes(b"\xff\xff")

    with pytest.raises(StoreError, match=r"damaged .*remove it and fetch again"):
        keep(recording(), (0, "1", "x"))


@pytest.mark.parametrize("at", ["write_bytes", "write_json"])
def test_a_run_that_died_anywhere_leaves_what_was_seen_first(recording, at, monkeypatch):
    keep(recording(), (0, "1", "x"), closed=JANUARY[0] + DAY)

    def die(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(f"liqwarn.sources.recording.{at}", die)
        with pytest.raises(RuntimeError, match="killed"):
            keep(recording(), (0, "1", "x"), (1, "2", "y"), seen=1_706_900_000)
    if at == "write_json":
        assert recording().missing(JANUARY) == [JANUARY]  # the file is not the one that was told
    kept = keep(recording(), (0, "1", "x"), (1, "2", "y"), (2, "3", "z"), seen=1_707_000_000)

    assert kept == (Kept(new=1, same=2) if at == "write_json" else Kept(new=2, same=1))
    assert recording().missing(JANUARY) == []


def test_what_a_killed_run_left_is_removed(recording, tmp_path):
    keep(recording(), (0, "1.0", "x"))
    place = tmp_path / "flows" / "BTC"
    for name in (".BTC-flows-2024-01.ab12cd34.tmp.csv", ".asked.ab12cd34.tmp.json"):
        (place / name).write_text("half")
    (place / ".mine.csv").write_text("kept")

    recording()

    assert sorted(path.name for path in place.iterdir()) == [
        ".mine.csv", "BTC-flows-2024-01.csv", "asked.json"]  # fmt: skip
