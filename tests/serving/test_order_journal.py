"""The journal of orders: whole after a kill at any byte, and damage is named."""

import os
from dataclasses import replace

import pytest

from liqwarn.decisions import Tier
from liqwarn.policy.orders import Action, Order
from liqwarn.serving.order_journal import (
    ORDERS,
    OrderedSide,
    OrderEntry,
    OrderJournal,
    entries_behind,
    read_entries,
)


@pytest.fixture
def entries(noon):
    side = OrderedSide(
        symbol="BTCUSDT", side="long", before=Tier.T0, tier=Tier.T5, sequence=1_722_859_200
    )
    order = Order(id="1", action=Action.HALT, names=("Ada",), reason="Ünwetter.")
    first = OrderEntry(order=order, by="host", at=noon, as_of=noon, sides=(side,))
    return [
        first,
        replace(first, order=replace(order, id="2"), sides=(), refused=("why",)),
        replace(first, order=replace(order, id="3")),
    ]


@pytest.fixture
def journal(tmp_path, entries):
    made = OrderJournal(tmp_path)
    for entry in entries:
        made.append(entry)
    return made


def test_what_was_written_is_read_back(journal, entries, tmp_path):
    again = OrderJournal(tmp_path)

    assert again.entries == entries == list(read_entries(tmp_path))
    assert again.fault is None
    assert [again.find(k) for k in "123"] == entries
    assert again.find("4") is None
    assert [e.accepted for e in entries] == [True, False, True]


def test_cut_at_any_byte_the_whole_lines_stay_and_it_goes_on(journal, entries, tmp_path):
    path = tmp_path / ORDERS
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        again = OrderJournal(tmp_path)
        whole = content[:size].count(b"\n")
        assert again.fault is None
        assert again.entries == entries[:whole]

    again.append(entries[2])

    assert path.read_bytes() == content


def test_who_looks_again_reads_only_what_is_new(journal, entries, tmp_path):
    path = tmp_path / ORDERS
    content = path.read_bytes()
    half = content.index(b"\n") + 20  # an append may be under way
    path.write_bytes(content[:half])

    first, at = entries_behind(tmp_path, 0)
    path.write_bytes(content)
    rest, end = entries_behind(tmp_path, at)

    assert [*first, *rest] == list(read_entries(tmp_path))
    assert (len(first), end) == (1, len(content))
    assert entries_behind(tmp_path, end) == ([], end)
    path.write_bytes(content[: content.index(b"\n") + 1])
    assert entries_behind(tmp_path, end)[0] == first
    assert entries_behind(tmp_path / "nowhere", end) == ([], 0)


@pytest.mark.parametrize("change", ["a letter", "a line less", "no json", "two lines swapped"])
def test_what_was_changed_is_named_and_the_rest_still_counts(journal, entries, tmp_path, change):
    path = tmp_path / ORDERS
    lines = path.read_bytes().splitlines(keepends=True)
    changed = {
        "a letter": [lines[0].replace(b"halt", b"HALT", 1), *lines[1:]],
        "a line less": lines[1:],
        "no json": [lines[0], b"x" + lines[1], lines[2]],
        "two lines swapped": [lines[1], lines[0], lines[2]],
    }[change]
    path.write_bytes(b"".join(changed))

    again = OrderJournal(tmp_path)

    assert "is not the one that was written" in again.fault
    assert entries[2] in again.entries


def test_a_disk_that_refuses_leaves_nothing(journal, entries, tmp_path, monkeypatch):
    before = (tmp_path / ORDERS).read_bytes()

    def torn(handle, _, at):
        os.ftruncate(handle, at + 5)
        return 5

    with monkeypatch.context() as patched:
        patched.setattr("liqwarn.serving.order_journal.os.pwrite", torn)
        with pytest.raises(OSError, match="in part"):
            journal.append(entries[0])
    journal.append(entries[2])

    assert OrderJournal(tmp_path).fault is None
    assert (tmp_path / ORDERS).read_bytes().startswith(before)
    assert list(read_entries(tmp_path / "nowhere")) == []
