import pytest

from liqwarn.data.bars.head import create_head, read_head
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.recovery import HEAD, recover, segment_path, segment_paths
from liqwarn.data.bars.segment import decode
from liqwarn.errors import StoreError


@pytest.fixture
def folder(tmp_path, panel, make_column):
    """Thirty hours: 23 in the first segment, 7 in the second."""
    with Journal.open(tmp_path / "j", panel) as journal:
        journal.append([make_column(panel, bar) for bar in range(30)])
    return tmp_path / "j"


def newest(folder):
    return segment_paths(folder)[-1][1]


def move_head_back(folder, records):
    """As if the writer was killed before it acknowledged the last records."""
    path = newest(folder)
    last = decode(path.read_bytes()).records[-1 - records]
    head = read_head(folder / HEAD).head
    create_head(
        folder / HEAD,
        type(head)(
            turn=head.turn,
            count=head.count - records,
            first=head.first,
            last=int(last.column.time.astype(int)),
            seal=last.seal,
        ),
    )
    return last


def test_whole_records_that_were_not_acknowledged_are_kept(folder, panel):
    head = read_head(folder / HEAD).head
    move_head_back(folder, 2)

    found = recover(folder, panel)

    assert found.damages == ()
    assert (found.head.count, found.head.seal, found.head.last) == (30, head.seal, head.last)
    assert found.size == newest(folder).stat().st_size


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_torn_record_that_was_not_acknowledged_is_set_aside(folder, panel, cut):
    last = move_head_back(folder, 1)
    path = newest(folder)
    content = path.read_bytes()
    path.write_bytes(content[:-cut])

    found = recover(folder, panel)

    assert found.damages == ()
    assert found.head.count == 29
    assert found.size == path.stat().st_size == last.end
    [torn] = folder.glob("*.torn")
    assert torn.read_bytes() == content[last.end : -cut]
    assert not (folder / "quarantine").exists()


def test_an_acknowledged_record_that_is_cut_is_damage(folder, panel):
    path = newest(folder)
    content = path.read_bytes()
    path.write_bytes(content[:-1])

    found = recover(folder, panel)

    [damage] = found.damages
    assert damage.file == path.name
    assert damage.reason == "record 29 is cut short, or its length was changed"
    assert found.header is None
    assert found.head.count == 30
    assert decode(path.read_bytes()).next_number == 29  # what was whole is kept
    [aside] = [p for p in (folder / "quarantine").iterdir() if p.suffix != ".json"]
    assert aside.read_bytes() == content[:-1]


def test_a_lost_head_is_told_and_made_again(folder, panel):
    head = read_head(folder / HEAD).head
    (folder / HEAD).unlink()

    found = recover(folder, panel)

    assert [d.file for d in found.damages] == [HEAD]
    assert (found.head.count, found.head.first, found.head.last) == (30, head.first, head.last)
    assert recover(folder, panel).damages == ()


def test_a_slot_of_the_head_that_was_being_written_heals(folder, panel):
    head = read_head(folder / HEAD).head
    content = bytearray((folder / HEAD).read_bytes())
    content[512 * (head.turn % 2) + 20] ^= 1
    (folder / HEAD).write_bytes(content)

    found = recover(folder, panel)

    assert found.damages == ()
    assert found.head.count == 30
    assert read_head(folder / HEAD).damaged == 0


def test_files_that_changed_places_are_told(folder, panel):
    path = newest(folder)
    path.rename(segment_path(folder, 99))

    found = recover(folder, panel)

    assert [d.reason for d in found.damages] == ["it holds records from 23 on, not from 99"]
    assert found.header is None


def test_a_journal_without_its_segments_is_told(folder, panel):
    for _, path in segment_paths(folder):
        path.unlink()

    assert [d.reason for d in recover(folder, panel).damages] == ["every segment is missing"]


def test_a_segment_of_another_history_is_quarantined(folder, tmp_path, panel, make_column):
    with Journal.open(tmp_path / "other", panel) as journal:
        journal.append([make_column(panel, bar, seed=bar + 100) for bar in range(30)])
    newest(folder).write_bytes(newest(tmp_path / "other").read_bytes())

    found = recover(folder, panel)

    assert [d.reason for d in found.damages] == ["record 29 is not the one that was acknowledged"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, panel):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StoreError, match="cannot be read or written"):
        recover(tmp_path / "file" / "j", panel)
