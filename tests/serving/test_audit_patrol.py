"""The walk over the audit log: finds what was changed anywhere, and nothing else."""

import hashlib
import random
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest

from liqwarn.durable import write_json
from liqwarn.policy.audit import read_head
from liqwarn.serving.audit_patrol import AuditPatrol


@pytest.fixture
def log(tmp_path):
    """A log of 30 lines, chained as the audit log chains them."""
    path, previous, content = tmp_path / "audit.jsonl", "0" * 64, b""
    for k in range(30):
        record = {"sequence": k, "previous": previous, "text": f"line {k}"}
        line = orjson.dumps(record, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        previous, content = hashlib.sha256(line).hexdigest(), content + line
    path.write_bytes(content)
    head = {"lines": 30, "size": len(content), "last_size": len(line), "sha256": previous}
    write_json(tmp_path / "head.json", head)
    return path


class Ticks:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def walk(log):
    """Walk for a while; what was said."""
    ticks = Ticks()
    patrol = AuditPatrol(log, log.with_name("head.json"), monotonic=ticks, lines=7)

    def walk(rounds=12):
        told = []
        for _ in range(rounds):
            ticks.now += 0.5
            told.append(patrol())
        return [one for one in told if one is not None]

    walk.ticks = ticks
    return walk


def test_a_whole_log_is_walked_without_a_word_once_a_day(log, walk):
    assert walk(20) == []
    log.write_bytes(log.read_bytes().replace(b"line 3", b"line 4"))
    assert walk(20) == []

    walk.ticks.now += 86_400
    (fault,) = walk(20)
    assert "line 5 does not follow line 4" in fault


@pytest.mark.parametrize("seed", range(30))
def test_every_change_is_found(log, walk, seed):
    rng = random.Random(seed)
    content = log.read_bytes()
    lines = content.splitlines(keepends=True)
    at = rng.randrange(29)
    changed = [
        content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :],
        b"".join(lines[:at] + lines[at + 1 :]),
        b"".join([*lines[:at], lines[at], *lines[at:]]),
        b"".join(lines[:at]),
        content[: -1 - rng.randrange(60)],
    ][seed % 5]
    log.write_bytes(changed)

    assert walk(20)


def test_what_lies_behind_the_head_is_nobodys_yet(log, walk):
    with log.open("ab") as file:
        file.write(b'{"half": ')

    assert walk(20) == []


def test_a_log_that_was_moved_away_and_begun_anew_is_no_fault(log, walk):
    assert walk(2) == []
    head = log.with_name("head.json")
    kept = log.read_bytes(), head.read_bytes()
    log.unlink()
    head.unlink()
    assert walk(2) == []
    log.write_bytes(kept[0])
    head.write_bytes(kept[1])

    assert walk(20) == []


def test_one_put_in_its_place_between_two_looks_is_none_either(log, walk):
    """Its beginning is another one: the walk begins again before it says so."""
    walk(2)
    lines = log.read_bytes().splitlines(keepends=True)
    size = sum(map(len, lines[:9]))
    head = read_head(log.with_name("head.json"))
    log.write_bytes(b"".join(lines[:9]))
    last = {"lines": 9, "size": size, "last_size": len(lines[8])}
    write_json(
        log.with_name("head.json"),
        {**asdict(head), **last, "sha256": hashlib.sha256(lines[8]).hexdigest()},
    )

    assert walk(20) == []


def test_a_log_that_is_gone_is_a_fault_and_one_that_never_was_is_none(log, walk):
    log.unlink()
    assert "No such file" in walk(20)[0]
    log.with_name("head.json").unlink()
    walk.ticks.now += 100
    assert walk(20) == []


@pytest.mark.parametrize("place", ["audit.jsonl", "head.json"])
def test_what_cannot_be_read_is_no_fault_and_is_tried_again(log, walk, monkeypatch, place):
    """An error of the disk once stopped the whole loop, every five seconds."""
    opened, read = Path.open, Path.read_bytes

    def refuse(real):
        def call(path, *given, **more):
            if path.name == place:
                raise PermissionError(13, "Permission denied")
            return real(path, *given, **more)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse(opened))
        patch.setattr(Path, "read_bytes", refuse(read))
        assert walk(9) == []
    log.write_bytes(log.read_bytes().replace(b"line 3", b"line 4"))
    walk.ticks.now += 60

    assert len(walk(20)) == 1
