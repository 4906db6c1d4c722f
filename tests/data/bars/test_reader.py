import pytest

from liqwarn.data.bars.head import read_head
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.reader import read_records
from liqwarn.data.bars.recovery import HEAD, segment_paths


@pytest.fixture
def folder(tmp_path, panel, make_column):
    """Seventy hours in segments of 23, 24 and 23."""
    with Journal.open(tmp_path / "j", panel) as journal:
        journal.append([make_column(panel, bar) for bar in range(70)])
    return tmp_path / "j"


def read(folder, start=0):
    records, damages = read_records(folder, read_head(folder / HEAD).head, 3_600, start)
    return sorted(r.number for r in records), [d.reason for d in damages]


def test_all_that_is_asked_for_is_read(folder):
    assert read(folder) == (list(range(70)), [])
    assert read(folder, 40) == (list(range(40, 70)), [])
    assert read(folder, 70) == ([], [])


def test_a_flipped_bit_costs_what_follows_it_in_its_segment(folder):
    path = segment_paths(folder)[1][1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    found, [reason] = read(folder)

    lost = sorted(set(range(70)) - set(found))
    assert lost == list(range(lost[0], 47))
    assert 23 < lost[0] < 46
    assert reason.endswith(f"records {lost[0]} to 46 are missing")
    assert read(folder) == (found, [f"after it records {lost[0]} to 46 are missing"])


def test_a_missing_segment_is_told_wherever_it_was(folder):
    segment_paths(folder)[0][1].unlink()
    assert read(folder) == (list(range(23, 70)), ["no segment holds records 0 to 22"])
    assert read(folder, 30) == (list(range(30, 70)), [])


def test_a_segment_of_another_history_is_not_believed(folder, tmp_path, panel, make_column):
    with Journal.open(tmp_path / "other", panel) as journal:
        journal.append([make_column(panel, bar, seed=bar + 100) for bar in range(70)])
    path = segment_paths(folder)[1][1]
    path.write_bytes((tmp_path / "other" / path.name).read_bytes())

    found, reasons = read(folder)

    assert found == [*range(23), *range(47, 70)]
    assert "record 46 is not the one that was acknowledged" in reasons
    assert not path.exists()


def test_a_shorter_history_in_its_place_is_found_by_its_times(folder, tmp_path, panel, make_column):
    with Journal.open(tmp_path / "other", panel) as journal:
        journal.append([make_column(panel, bar) for bar in range(5, 20)])
    path = segment_paths(folder)[0][1]
    path.write_bytes((tmp_path / "other" / path.name).read_bytes())

    found, reasons = read(folder)

    assert found == list(range(23, 70))
    assert "out of its place" in reasons[0]
