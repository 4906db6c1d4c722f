"""What a crash left: cut where nothing was acknowledged, told where something was."""

import runpy
from pathlib import Path

from liqwarn.collectors.tape import TapeWriter, read_tape
from liqwarn.collectors.tape_recovery import recover_tape

_GIVEN = runpy.run_path(str(Path(__file__).with_name("tape_given.py")))
T0, record, written = (_GIVEN[name] for name in ("T0", "record", "written"))


def crashed(folder, batches):
    """A tape that nobody closed, and its segment."""
    written(folder, batches)
    return next((folder / "okx").rglob("*.tape"))


def read(folder):
    return list(read_tape(folder, "okx", since_ms=0, until_ms=2 * T0))


def test_nothing_there_is_nothing_found(tmp_path):
    found = recover_tape(tmp_path, "okx")

    assert (found.next_number, found.torn, found.damaged) == (1, (), ())


def test_an_unfinished_end_is_kept_aside_and_writing_goes_on(tmp_path):
    path = crashed(tmp_path, [[record(0), record(1)]])
    content = path.read_bytes()
    path.write_bytes(content[:-4])

    writer = TapeWriter(tmp_path, "okx")
    writer.append(record(2))
    writer.close()

    torn = writer.recovered.torn
    assert [fault.path for fault in torn] == [path]
    assert path.with_name(f"{path.name}.torn").read_bytes() == content[torn[0].offset : -4]
    assert read(tmp_path) == [record(0), record(2)]
    assert not list((tmp_path / "okx").rglob("*.tape"))  # everything is compressed


def test_every_cut_is_recovered_from(tmp_path):
    path = crashed(tmp_path, [[record(0)], [record(1)]])
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        written(tmp_path, [[record(9)]])
        found = read(tmp_path)
        assert found[-1] == record(9)
        assert found[:-1] == [record(n) for n in range(len(found) - 1)]
        for other in (tmp_path / "okx").rglob("*.t*"):
            if other.is_file():
                other.unlink()


def test_pages_that_never_came_to_disk_are_cut_with_what_follows(tmp_path):
    path = crashed(tmp_path, [[record(0)], [record(1), record(2)]])
    content = bytearray(path.read_bytes())
    at = content.index(b'{"n":1}')
    content[at : at + 7] = bytes(7)
    path.write_bytes(content)

    found = recover_tape(tmp_path, "okx")

    assert len(found.torn) == 1
    assert not found.damaged
    assert read(tmp_path) == [record(0)]


def test_damage_of_what_was_acknowledged_is_told_and_left_as_it_is(tmp_path):
    path = crashed(tmp_path, [[record(0)], [record(1)]])
    content = bytearray(path.read_bytes())
    content[content.index(b'{"n":0}')] ^= 1
    path.write_bytes(content)

    writer = TapeWriter(tmp_path, "okx")
    writer.append(record(2))
    writer.close()

    assert str(path) in writer.recovered.damaged[0]
    assert path.read_bytes() == bytes(content)
    saved = list(read_tape(tmp_path, "okx", since_ms=0, until_ms=2 * T0, on_fault=lambda _: None))
    assert saved == [record(1), record(2)]


def test_a_damaged_header_is_told(tmp_path):
    path = crashed(tmp_path, [[record(0)]])
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)

    assert "damaged at byte 0" in recover_tape(tmp_path, "okx").damaged[0]
