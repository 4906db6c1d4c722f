"""Chained logs: any edit is found, an append is whole or not there, the format is fixed."""

import random

import orjson
import pytest

from liqwarn import chained_log
from liqwarn.chained_log import acknowledged, append_records, read_head, records, verify
from liqwarn.errors import AuditError


@pytest.fixture
def log(tmp_path):
    path, head = tmp_path / "a.jsonl", tmp_path / "a.head.json"
    append_records(path, head, [{"what": "move", "n": n} for n in range(5)])
    append_records(path, head, [{"what": "last", "n": 5}])
    return path, head


def test_a_log_reads_back_in_order_and_verifies(log):
    found = [(number, record["n"]) for number, record in records(log[0])]

    assert found == [(k + 1, k) for k in range(6)]
    assert verify(*log) == read_head(log[1])
    assert verify(*log).lines == 6


def test_the_bytes_of_a_line_are_these(tmp_path):
    path, head = tmp_path / "a.jsonl", tmp_path / "h.json"

    append_records(path, head, [{"b": 1.5, "a": "é"}])

    zeros = "0" * 64
    assert path.read_text() == f'{{"a":"é","b":1.5,"previous":"{zeros}","sequence":0}}\n'
    assert read_head(head).sha256 == (
        "7ad47e379e6fedeb6aa5306e18465f6258df9cf8a5f58288da05b865250fc10c"
    )


def test_every_flipped_byte_is_found(log):
    path, head = log
    whole = path.read_bytes()
    rng = random.Random(3)
    for _ in range(200):
        at = rng.randrange(len(whole))
        path.write_bytes(
            whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :]
        )
        with pytest.raises(AuditError, match=r"a\.jsonl: "):
            verify(path, head)


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [],
    ],
)
def test_lines_taken_out_moved_or_repeated_are_found(log, edit):
    path, head = log
    path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))

    with pytest.raises(AuditError, match=r"a\.jsonl: "):
        verify(path, head)


def test_a_rewritten_chain_contradicts_its_head(log, tmp_path):
    path, head = log
    kept = head.read_bytes()
    forged = [{**record, "n": 7} for _, record in records(path)]
    path.unlink()
    head.unlink()
    append_records(path, head, forged)
    head.write_bytes(kept)

    with pytest.raises(AuditError, match=r"a\.jsonl: line 6 is not the one its head knows"):
        verify(path, head)
    with pytest.raises(AuditError, match="is not the one its head knows"):
        append_records(path, head, [{"n": 8}])


def test_what_an_interrupted_append_left_is_set_aside(log):
    path, head = log
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"half a li')

    append_records(path, head, [{"n": 6}])

    assert path.read_bytes().startswith(whole)
    assert path.with_name("a.jsonl.unacknowledged").read_bytes() == b'{"half a li'
    assert [record["n"] for _, record in records(path)] == list(range(7))
    assert verify(path, head).lines == 7


def test_a_log_without_its_head_and_a_head_that_is_none_are_refused(log):
    path, head = log
    head.write_bytes(b"[]")
    with pytest.raises(AuditError, match=r"unreadable head"):
        verify(path, head)
    head.unlink()
    with pytest.raises(AuditError, match=r"missing, expected the head"):
        verify(path, head)
    with pytest.raises(AuditError, match=r"missing, while the log"):
        append_records(path, head, [])


def test_a_missing_log_and_a_line_of_other_making_are_refused(tmp_path):
    with pytest.raises(AuditError, match=r"missing, expected an audit log"):
        list(records(tmp_path / "none.jsonl"))
    (tmp_path / "other.jsonl").write_bytes(orjson.dumps({"b": 1}) + b" \n")
    with pytest.raises(AuditError, match=r"line 1 is not written the way"):
        list(records(tmp_path / "other.jsonl"))


def test_what_is_acknowledged_is_read_while_others_append(log, monkeypatch):
    """Between the log's bytes and its head is the moment at which verifying would call an edit."""
    seen = []
    whole = chained_log.write_json

    def between(head, content):
        seen.append(len(acknowledged(*log)))
        with pytest.raises(AuditError, match="7 lines in"):
            verify(*log)
        whole(head, content)

    monkeypatch.setattr(chained_log, "write_json", between)
    append_records(*log, [{"n": 6}])

    assert seen == [6]
    assert [record["n"] for record in acknowledged(*log)] == list(range(7))


def test_what_is_acknowledged_is_checked(log, tmp_path):
    path, head = log
    whole = path.read_bytes()
    rng = random.Random(3)
    for _ in range(200):
        at = rng.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(AuditError, match=r"a\.jsonl: "):
            acknowledged(path, head)
    for cut in (0, 1, 200, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(AuditError, match=r"a\.jsonl: "):
            acknowledged(path, head)
    assert acknowledged(tmp_path / "none", tmp_path / "nothing") == []
