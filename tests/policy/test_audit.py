import hashlib
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from liqwarn.decisions import ModelStamp, Tier
from liqwarn.errors import AuditError
from liqwarn.policy.audit import append, read_head, replay, verify
from liqwarn.policy.audit_record import Provenance
from liqwarn.policy.book import advance_book
from liqwarn.policy.breaker import Evidence
from liqwarn.policy.overrides import tighten

HOUR = timedelta(hours=1)
N_LINES = 60


def _provenance(n):
    return Provenance(
        inputs_sha256=f"{n:064x}",
        features_sha256=f"{n + 1:064x}",
        raw_probability={4: 0.3},
        probability={1: 0.1, 4: 0.2, 24: 0.3},
        feed_ages_s={"close": 1.5, "open_interest": float(n)},
        model=ModelStamp(version="7", sha256="ab" * 32),
    )


@pytest.fixture(scope="module")
def entries(policy, make_position, start):
    """Sixty decisions of one symbol over thirty hours of random weather."""
    rng, now, out = random.Random(1), start, []
    positions = {("BTC", side): make_position(side=side) for side in ("long", "short")}
    for hour in range(N_LINES // 2):
        now += HOUR
        evidence = {
            key: Evidence(
                now, rng.random() * 0.2, rng.random(), 0.01, rng.random() < 0.05, False, True
            )
            for key in positions
        }
        if hour == 20:
            key = ("BTC", "long")
            positions[key] = tighten(positions[key], Tier.T3, "Ada", "news", now)
        decisions = advance_book(positions, evidence, now, policy)
        positions = {key: decision.after for key, decision in decisions.items()}
        out += [(decision, _provenance(hour)) for decision in decisions.values()]
    return out


@pytest.fixture
def log(tmp_path, entries, policy):
    path, head = tmp_path / "audit.jsonl", tmp_path / "apart" / "audit.head"
    head.parent.mkdir()
    append(path, head, entries[:40], policy=policy)
    append(path, head, entries[40:], policy=policy)
    return path, head


def test_a_log_verifies_and_replays(log, policy):
    path, head = log
    found = verify(path, head)
    assert (found.lines, found.size) == (N_LINES, path.stat().st_size)
    assert replay(path, policy).first_difference is None
    assert replay(path, policy).lines == N_LINES


def test_a_line_costs_some_two_kilobytes(log):
    path, _ = log
    assert 1_000 < path.stat().st_size / N_LINES < 2_500


def test_the_thousandth_edit_is_found_like_the_first(log, tmp_path):
    path, head = log
    original, rng = path.read_bytes(), random.Random(7)
    copy, kinds = tmp_path / "copy.jsonl", {}
    for n in range(1_000):
        kind = MUTATIONS[n % len(MUTATIONS)]
        mutated = kind(original, rng)
        while mutated == original:
            mutated = kind(original, rng)
        copy.write_bytes(mutated)
        with pytest.raises(AuditError, match=r"copy\.jsonl"):
            verify(copy, head)
        kinds[kind.__name__] = kinds.get(kind.__name__, 0) + 1
    assert sum(kinds.values()) == 1_000


def flip_a_bit(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def change_a_digit(data, rng):
    at = rng.choice([i for i, byte in enumerate(data) if 48 <= byte <= 57])
    return data[:at] + bytes([rng.choice(b"0123456789")]) + data[at + 1 :]


def delete_a_line(data, rng):
    lines = data.splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def swap_two_lines(data, rng):
    lines = data.splitlines(keepends=True)
    i, j = rng.sample(range(len(lines)), 2)
    lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def repeat_a_line(data, rng):
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    return b"".join(lines[: at + 1] + lines[at:])


def cut_the_end(data, rng):
    return data[: rng.randrange(len(data))]


def cut_whole_lines(data, rng):
    lines = data.splitlines(keepends=True)
    return b"".join(lines[: rng.randrange(len(lines))])


def add_bytes(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice([b"\n", b" ", b"\r\n", b"{}\n", b"0", b"x"]) + data[at:]


def rehash_the_chain(data, rng):
    """What somebody who knows the format, and has no access to the head, would do."""
    lines = [orjson.loads(line) for line in data.splitlines()]
    lines[rng.randrange(len(lines))]["tier_after"] = f"T{rng.randrange(6)}"
    out, previous = [], "0" * 64
    for line in lines:
        text = orjson.dumps({**line, "previous": previous}, option=orjson.OPT_SORT_KEYS) + b"\n"
        previous = hashlib.sha256(text).hexdigest()
        out.append(text)
    return b"".join(out)


MUTATIONS = [
    flip_a_bit, change_a_digit, delete_a_line, swap_two_lines, repeat_a_line, cut_the_end,
    cut_whole_lines, add_bytes, rehash_the_chain,
]  # fmt: skip


def test_the_first_bad_line_is_named(log):
    path, head = log
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[20]
    path.write_bytes(b"".join(lines))
    with pytest.raises(AuditError, match="line 21 does not follow line 20"):
        verify(path, head)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "missing, expected the head"), (b"{", "unreadable head"), (b'{"a": 1}', "unreadable")],
)
def test_a_lost_head_is_an_error(log, policy, entries, *, content, message):
    path, head = log
    head.unlink() if content is None else head.write_bytes(content)
    with pytest.raises(AuditError, match=message):
        verify(path, head)
    with pytest.raises(AuditError, match=r"missing|unreadable"):
        append(path, head, entries[:1], policy=policy)


def test_nothing_is_added_to_a_log_that_was_edited_or_cut(log, policy, entries):
    path, head = log
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(AuditError, match="the log was cut short"):
        append(path, head, entries[:1], policy=policy)
    path.write_bytes(whole[:-10] + b"x" + whole[-9:])
    with pytest.raises(AuditError, match="line 60 is not the one its head knows"):
        append(path, head, entries[:1], policy=policy)


def test_what_an_interrupted_append_left_is_set_aside(log, policy, entries):
    path, head = log
    torn = b'{"after":{"ceil'
    with path.open("ab") as file:
        file.write(torn)
    with pytest.raises(AuditError, match=r"an append was interrupted|is not JSON"):
        verify(path, head)
    append(path, head, entries[:1], policy=policy)
    assert verify(path, head).lines == N_LINES + 1
    assert path.with_name("audit.jsonl.unacknowledged").read_bytes() == torn


def test_an_empty_log_verifies(tmp_path, policy):
    path, head = tmp_path / "audit.jsonl", tmp_path / "audit.head"
    append(path, head, [], policy=policy)
    assert verify(path, head).lines == 0
    with pytest.raises(AuditError, match="missing, expected an audit log"):
        replay(tmp_path / "none.jsonl", policy)


WRITER = """
import sys, pickle
from pathlib import Path
from liqwarn.policy.audit import append
path, head, work = map(Path, sys.argv[1:])
entries, policy = pickle.loads(work.read_bytes())
print("ready", flush=True)
while True:
    print(append(path, head, entries, policy=policy).lines, flush=True)
"""


def test_killed_at_any_moment_no_acknowledged_line_is_lost(tmp_path, entries, policy):
    path, head, work = tmp_path / "a.jsonl", tmp_path / "a.head", tmp_path / "work"
    work.write_bytes(pickle.dumps((entries[:3], policy)))
    rng, acknowledged = random.Random(3), 0
    for _ in range(5):
        command = [sys.executable, "-c", WRITER, str(path), str(head), str(work)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout.readline() == "ready\n"
            for _ in range(rng.randrange(1, 30)):
                acknowledged = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
        assert read_head(head).lines >= acknowledged
    append(path, head, entries[:1], policy=policy)
    assert verify(path, head).lines > acknowledged


def test_replay_names_the_first_decision_that_comes_out_differently(log, policy):
    path, _ = log
    other = replace(policy, max_transitions_per_day=10**6)
    summary = replay(path, other)
    assert summary.differences > 0
    assert "audit.jsonl: line " in summary.first_difference
    assert "BTC " in summary.first_difference
    stamped = replay(path, replace(policy, version="9.0.0"))
    assert stamped.differences == N_LINES
    assert "decided under policy" in stamped.first_difference


@pytest.mark.parametrize(
    ("key", "value"), [("tier_after", "T0"), ("rule", "nonsense"), ("tier_before", "T5")]
)
def test_replay_finds_a_line_that_contradicts_itself(log, policy, *, key, value):
    path, _ = log
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    at = next(i for i, line in enumerate(lines) if line[key] != value)
    lines[at][key] = value
    path.write_bytes(b"".join(orjson.dumps(x, option=orjson.OPT_SORT_KEYS) + b"\n" for x in lines))
    assert f"line {at + 1}: " in replay(path, policy).first_difference


def test_replay_of_what_is_no_log_is_an_error(log, policy, tmp_path):
    path, _ = log
    shutil.copy(path, tmp_path / "copy.jsonl")
    with (tmp_path / "copy.jsonl").open("ab") as file:
        file.write(b'{"schema":"other"}\n')
    with pytest.raises(AuditError, match="line 61: schema is 'other'"):
        replay(tmp_path / "copy.jsonl", policy)


def test_a_chain_that_was_hashed_anew_contradicts_its_head(log):
    path, head = log
    path.write_bytes(rehash_the_chain(path.read_bytes(), random.Random(1)))
    with pytest.raises(AuditError, match="line 60 is not the one its head knows"):
        verify(path, head)
