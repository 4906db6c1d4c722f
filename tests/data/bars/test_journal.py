import resource
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.bars.journal import Journal
from liqwarn.errors import StoreError

HOUR = np.timedelta64(3_600, "s")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def filled(folder, panel, make_column):
    """Sixty hours in three segments."""
    with Journal.open(folder, panel) as journal:
        journal.append([make_column(panel, bar) for bar in range(60)])
    return folder


def test_what_was_appended_is_read_back_to_the_last_bit(folder, panel, make_column, bits_of):
    columns = [make_column(panel, bar) for bar in range(50)]

    with Journal.open(folder, panel) as journal:
        journal.append(columns[:1])
        journal.append(columns[1:])
        assert [bits_of(c) for c in journal.read().columns] == [bits_of(c) for c in columns]
    with Journal.open(folder, panel) as journal:
        tail = journal.read()

    assert [bits_of(c) for c in tail.columns] == [bits_of(c) for c in columns]
    assert (tail.missing, tail.damages, journal.damages) == ((), (), ())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=6), st.integers(1, 5_000))
def test_however_appends_are_grouped_the_bars_are_the_same(
    tmp_path_factory, panel, make_column, bits_of, groups, largest
):
    folder, bar = tmp_path_factory.mktemp("j"), 0
    for size in groups:
        with Journal.open(folder, panel, largest=largest) as journal:
            journal.append([make_column(panel, bar + k) for k in range(size)])
        bar += size

    with Journal.open(folder, panel) as journal:
        tail = journal.read()

    expected = [bits_of(make_column(panel, k)) for k in range(bar)]
    assert [bits_of(c) for c in tail.columns] == expected
    assert tail.missing == ()
    assert tail.damages == ()


def test_segments_go_with_the_days(filled):
    assert sorted(p.name for p in filled.glob("*.bars")) == [
        "000000000000.bars",
        "000000000023.bars",
        "000000000047.bars",
    ]


def test_the_tail_since_a_bar(filled, panel, first):
    with Journal.open(filled, panel) as journal:
        assert journal.end == first + 59 * HOUR
        for since in range(0, 60, 7):
            columns = journal.read(first + since * HOUR).columns
            assert [c.time for c in columns] == [first + k * HOUR for k in range(since, 60)]
        assert journal.read(first + 60 * HOUR).columns == ()
        assert journal.read(first - 9 * HOUR).missing == ()


def test_the_frame_holds_the_bits_of_the_columns(filled, panel, make_column, first):
    with Journal.open(filled, panel) as journal:
        frame = journal.frame(first + 10 * HOUR)

    assert frame.shape == (2, 50)
    assert tuple(frame.fields) == panel.fields
    for bar in range(50):
        column = make_column(panel, bar + 10)
        for name, plane in frame.fields.items():
            assert plane[:, bar].tobytes() == column.fields[name].tobytes()
        for name, plane in frame.ages.items():
            assert plane[:, bar].tobytes() == column.ages[name].tobytes()


def test_symbols_may_come_and_go(filled, make_panel, panel, make_column):
    changed = make_panel(("ADAUSDT", "BTCUSDT"))
    with Journal.open(filled, changed) as journal:
        journal.append([make_column(changed, 60)])
        frame = journal.frame()

    old, new = make_column(panel, 59), make_column(changed, 60)
    assert np.isnan(frame.field("close")[0, :60]).all()
    assert frame.field("close")[1, 59].tobytes() == old.fields["close"][0].tobytes()
    assert frame.field("close")[:, 60].tobytes() == new.fields["close"].tobytes()


def test_a_column_must_follow_the_one_before(filled, panel, make_column, make_panel):
    other = make_panel(("BTCUSDT",))
    with Journal.open(filled, panel) as journal:
        for bar in (0, 59, 61):
            with pytest.raises(StoreError, match=r"expected 2024-08-07T12:00:00 and then 1:00:00"):
                journal.append([make_column(panel, bar)])
        with pytest.raises(StoreError, match="symbols are not those of the panel"):
            journal.append([make_column(panel, 60), make_column(other, 61)])
        assert len(journal.read().columns) == 60


def test_one_process_at_a_time(filled, panel):
    with (
        Journal.open(filled, panel),
        pytest.raises(StoreError, match="another process has the journal open"),
    ):
        Journal.open(filled, panel)


def test_a_journal_of_another_panel_is_refused_and_left_alone(filled, make_panel):
    with pytest.raises(StoreError, match="a journal of panel 'bars'"):
        Journal.open(filled, make_panel(name="other"))
    assert not (filled / "quarantine").exists()


def test_a_frame_with_lost_bars_is_refused_unless_holes_are_wanted(filled, panel, first):
    (filled / "000000000023.bars").unlink()
    with Journal.open(filled, panel) as journal:
        tail = journal.read()
        with pytest.raises(StoreError, match="24 bars of the journal are lost: 2024-08-06T00:00"):
            journal.frame()
        frame = journal.frame(holes="nan")

    assert tail.missing == tuple(first + k * HOUR for k in range(23, 47))
    assert [d.reason for d in tail.damages] == ["after it records 23 to 46 are missing"]
    assert frame.shape == (2, 60)
    assert all(np.isnan(plane[:, 23:47]).all() for plane in frame.fields.values())


def test_after_damage_the_journal_goes_on_with_the_gap_told(filled, panel, make_column, first):
    path = filled / "000000000047.bars"
    content = bytearray(path.read_bytes())
    content[-500] ^= 4  # in an acknowledged record
    path.write_bytes(content)

    with Journal.open(filled, panel) as journal:
        assert len(journal.damages) == 1
        assert journal.end == first + 59 * HOUR
        journal.append([make_column(panel, 60)])
        lost = journal.read().missing
    with Journal.open(filled, panel) as journal:
        tail = journal.read()

    assert lost == tail.missing
    assert 0 < len(lost) < 4
    assert tail.columns[-1].time == first + 60 * HOUR
    assert len(tail.columns) + len(lost) == 61
    assert len(list((filled / "quarantine").glob("*.reason.json"))) == 1


_FULL_DISK = """
    import resource, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from conftest import bits, column_of, panel_of
    from liqwarn.data.bars.journal import Journal
    from liqwarn.errors import StoreError

    panel, acknowledged, refused = panel_of(), 0, 0
    with Journal.open(Path(sys.argv[1]), panel) as journal:
        for limit in range(500, 9_500, 450):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
            try:
                while acknowledged < 200:
                    journal.append([column_of(panel, acknowledged + k) for k in range(3)])
                    acknowledged += 3
            except StoreError as error:
                assert "not acknowledged" in str(error), error
                refused += 1
                done = 0 if journal.end is None else len(journal.read().columns)
                assert acknowledged <= done < acknowledged + 3, (done, acknowledged)
                acknowledged = done
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
        journal.append([column_of(panel, acknowledged)])
        tail = journal.read()
    assert refused > 10 and acknowledged > 20, (refused, acknowledged)
    assert not tail.missing and not tail.damages, tail.damages
    assert [bits(c) for c in tail.columns] == [
        bits(column_of(panel, k)) for k in range(acknowledged + 1)]
    assert not list(Path(sys.argv[1]).glob("*.torn"))
"""


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_FSIZE)[1] != -1, reason="a hard limit")
def test_a_full_disk_acknowledges_nothing_and_the_journal_goes_on_afterwards(folder):
    """The limit on a file's size refuses a write in the middle, as a full disk does."""
    code = textwrap.dedent(_FULL_DISK)
    here = __file__.rsplit("/", 1)[0]
    subprocess.run([sys.executable, "-c", code, folder, here], check=True, timeout=60)
