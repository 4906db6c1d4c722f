"""One writer as fast as it can, readers in Python and in C: no torn flag is ever taken.

Beside each reader runs a naive one that skips counter and checksum; it must see torn flags, for
otherwise the test could not see any. In Python each of the two guards is tried alone as well.
``LIQWARN_FAULTS=full`` runs for minutes.
"""

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from liqwarn.board import BoardReader
from liqwarn.board.layout import BODY, BODY_AT, CRC_AT, slot_at
from liqwarn.board.mapping import BoardMap, open_map

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
SECONDS = 120.0 if FULL else 1.0
KILLS = 200 if FULL else 8
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
numbers = runpy.run_path(str(HERE / "board_numbers.py"))

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def times():
    """The numbers every field follows from: the start, and the deadline of flag 0."""
    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return (time.time_ns() // 10**9 - 60) * 10**9, boot + 3600 * 10**9


@pytest.fixture
def path(tmp_path):
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path / "board"
        return
    path = memory / f"liqwarn_test_{os.getpid()}.board"
    yield path
    for left in memory.glob(f"{path.name}*"):
        left.unlink()


@pytest.fixture
def start_writer(path, times):
    """Start a writer and wait for its first flag; all are killed with the test."""
    running = []

    def start(*words):
        command = [sys.executable, str(HERE / "board_numbers.py"), str(path), *map(str, times)]
        process = subprocess.Popen([*command, *words], stderr=subprocess.PIPE)
        running.append(process)
        for _ in range(3000):
            found = open_map(path)
            ours = isinstance(found, BoardMap) and found.header.pid == process.pid
            if ours and found.words[slot_at(1) // 8] > 0:
                return process
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.005)
        raise AssertionError("the writer did not start within 15 s")

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def c_stress(tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here: install cc")
    program = tmp_path_factory.mktemp("stress") / "board_stress"
    include = f"-I{ROOT / 'src' / 'liqwarn' / 'board'}"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2"]
    subprocess.run(
        ["cc", *flags, include, str(HERE / "board_stress.c"), "-o", str(program), "-lm"], check=True
    )
    return program


def fits(content, times):
    """Whether a few numbers of a payload, unchecked, follow from one."""
    items = BODY.unpack(content[: BODY.size])
    n = (items[7] - times[0]) // 1000
    return items[8] == times[0] + 12 * 3600 * 10**9 + n * 1000 and items[39] == (n + 1) % 101 / 100


def look_without(board, times, counts):
    """Read the slot with neither guard, and with each of them alone."""
    at = slot_at(0)
    before = board.words[at // 8]
    content = board.memory[at + BODY_AT : at + CRC_AT + 4]
    after = board.words[at // 8]
    torn = not fits(content, times)
    counts["naive_torn"] += torn
    if before == after and before % 2 == 0:
        counts["counter_alone_torn"] += torn
    if zlib.crc32(content[:-4]).to_bytes(4, "little") == content[-4:]:
        counts["checksum_alone_torn"] += torn


def read_for(seconds, path, times):
    """Read in this process, soundly and naively; counts of both."""
    reader, board = BoardReader(path), open_map(path)
    guards = ("counter_alone_torn", "checksum_alone_torn", "naive_torn")
    counts = dict.fromkeys(("reads", "changes", "torn", "refused", *guards), 0)
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        found = reader.read("BTCUSDT")
        if found is None:
            counts["refused"] += 1
        else:
            counts["reads"] += 1
            if found is not last:
                counts["changes"] += 1
                counts["torn"] += numbers["fault"](found, *times) is not None
                last = found
        look_without(board, times, counts)
    return counts


@pytest.mark.parametrize("kind", ["whole", "halves"])
def test_no_torn_flag_is_ever_taken(start_writer, c_stress, path, times, kind, record_property):
    start_writer(kind)
    command = [str(c_stress), str(path), "BTCUSDT", *map(str, times), str(SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as in_c:
        python = read_for(SECONDS, path, times)
        c = json.loads(in_c.communicate()[0])
    record_property("python", python)
    record_property("c", c)
    print(kind, "python", python, "c", c)

    assert python["counter_alone_torn"] == python["checksum_alone_torn"] == 0, python
    for counts in (python, c):
        assert counts["torn"] == 0, counts
        assert counts["reads"] > 100, counts
        assert counts["changes"] > 3, counts
        assert kind == "whole" or counts["naive_torn"] > 0, counts


def test_a_killed_writer_leaves_a_whole_flag_or_none(start_writer, path, times, record_property):
    """Kill -9 at any moment, start again: old readers and new ones never see a torn flag."""
    old, outcomes, newest = BoardReader(path, max_wait_s=0.002), {}, 0
    for turn in range(KILLS):
        writer = start_writer("halves" if turn % 2 else "whole")
        time.sleep((turn * 37 % 100) / 5000)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        for reader in (old, BoardReader(path, max_wait_s=0.002)):
            for symbol in numbers["SYMBOLS"]:
                found = reader.look(symbol)
                kind = getattr(found, "kind", "flag")
                outcomes[kind] = outcomes.get(kind, 0) + 1
                if kind == "flag":
                    assert numbers["fault"](found, *times) is None
                    assert found.issued_at_ns > newest, "a flag of the writer before"
        newest = max(getattr(old.look(s), "issued_at_ns", 0) for s in numbers["SYMBOLS"]) or newest
    record_property("outcomes", outcomes)
    print(KILLS, "kills", outcomes)

    assert set(outcomes) <= {"flag", "torn", "no flag yet"}, outcomes
    assert outcomes["flag"] >= KILLS, outcomes
