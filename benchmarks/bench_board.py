"""One read of a flag on the same host: the board beside what one would do without it.

    python benchmarks/bench_board.py [--reads N] [--symbols N]

All ways give the flag of one symbol out of `--symbols`, unchanged since the last read. The
contestants take turns in ten rounds, so that a busy machine slows all of them; a figure is over
all rounds. The server is a process of its own. An empty measurement costs what the last line says,
and is within every figure.
"""

import argparse
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import orjson

from liqwarn.board import BoardReader, BoardWriter
from liqwarn.board.clocks import SYSTEM_CLOCKS
from liqwarn.client import open_gate
from liqwarn.decisions import (
    Flag,
    Limits,
    ModelStamp,
    PolicyStamp,
    Restriction,
    Tier,
    TradingState,
    flag_to_dict,
    iso_utc,
)
from liqwarn.signing import generate_key, save_verify_key

ROOT = Path(__file__).parents[1]
ROUNDS = 10
SYMBOL = "S007"
SERVER = """
import hashlib, sys
from pathlib import Path
import yaml
from liqwarn.policy.ladder import parse_policy
from liqwarn.serving.run import make_server
policy = parse_policy(yaml.safe_load(Path(sys.argv[1]).read_bytes()), sha256="0")
make_server(Path(sys.argv[2]), policy, port=int(sys.argv[3])).run()
"""


class Way(NamedTuple):
    """One way to a flag, and by how much fewer reads it is measured because it is slow."""

    name: str
    read: Callable[[], object]
    slower: int


def make_flags(count: int) -> list[Flag]:
    """Calm flags of as many symbols, good for an hour."""
    now = datetime.now(UTC)
    side = Restriction(
        tier=Tier.T1,
        state=TradingState.ACTIVE,
        limits=Limits(leverage_frac=0.75, order_size_frac=0.75),
        probability={1: 0.01, 4: 0.02, 24: 0.03},
        reasons=("The 4-h chance is above nine tenths of its own past.",),
    )
    return [
        Flag(
            symbol=f"S{number:03d}",
            as_of=now,
            issued_at=now,
            valid_until=now + timedelta(hours=1),
            sequence=int(now.timestamp()),
            quality="ok",
            sides={"long": side, "short": side},
            model=ModelStamp(version="1", sha256="ab" * 32),
            policy=PolicyStamp(version="1", sha256="cd" * 32),
            data_sha256="ef" * 32,
            completeness=1.0,
        )
        for number in range(count)
    ]


def write_file(path: Path, flags: list[Flag]) -> Path:
    """The published set as a file."""
    body = {"schema": "liqwarn.flags/1", "generated_at": iso_utc(datetime.now(UTC))}
    rows = [flag_to_dict(flag) for flag in flags]
    path.write_bytes(orjson.dumps({**body, "market": "simulated", "flags": rows}))
    return path


@contextmanager
def server(flags: Path) -> Iterator[int]:
    """The application in a process of its own; its port."""
    port = 18_734
    command = [sys.executable, "-c", SERVER, str(ROOT / "conf" / "policy.yaml"), str(flags)]
    process = subprocess.Popen([*command, str(port)])
    try:
        for _ in range(600):
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def json_of(path: Path, name: str, load: Callable[[bytes], dict]) -> Callable[[], object]:
    """Open the file, parse it, take one flag."""

    def read() -> object:
        rows = load(path.read_bytes())["flags"]
        return next(row for row in rows if row["symbol"] == name)

    return read


def get_of(port: int) -> Callable[[], object]:
    """One GET on a connection that is kept."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)

    def read() -> object:
        connection.request("GET", f"/v1/flags/{SYMBOL}")
        return orjson.loads(connection.getresponse().read())["sides"]["long"]["state"]

    return read


def measured(ways: list[Way], reads: int) -> dict[str, tuple[float, float]]:
    """p50 and p99 in nanoseconds of each way, in turns."""
    took = {way.name: array("q") for way in ways}
    clock = time.perf_counter_ns
    for _ in range(ROUNDS):
        for name, read, slower in ways:
            keep = took[name]
            for _ in range(max(reads // slower // ROUNDS, 20)):
                start = clock()
                read()
                keep.append(clock() - start)
    return {name: quantiles(values) for name, values in took.items()}


def quantiles(values: array) -> tuple[float, float]:
    """The middle and the 99th of a hundred."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]


def in_c(board: Path, folder: Path, reads: int) -> tuple[float, float] | None:
    """The same from C, compiled here; None without a compiler."""
    if shutil.which("cc") is None:
        return None
    program, source = folder / "bench_board", str(ROOT / "benchmarks" / "bench_board.c")
    include = f"-I{ROOT / 'src' / 'liqwarn' / 'board'}"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2"]
    subprocess.run(["cc", *flags, include, source, "-o", str(program), "-lm"], check=True)
    run = subprocess.run(
        [str(program), str(board), SYMBOL, str(reads)], check=True, capture_output=True, text=True
    )
    middle, late = run.stdout.split()
    return float(middle), float(late)


def writes(board: BoardWriter, flags: list[Flag]) -> float:
    """Microseconds to publish one flag, the mean over all symbols."""
    deadline = SYSTEM_CLOCKS.boot_ns() + 3600 * 10**9
    start = time.perf_counter_ns()
    for flag in flags:
        board.write(flag, deadline_ns=deadline)
    return (time.perf_counter_ns() - start) / len(flags) / 1e3


def compare(folder: Path, reads: int, count: int) -> None:
    """Measure and print."""
    flags, key = make_flags(count), generate_key()
    symbols = [flag.symbol for flag in flags]
    save_verify_key(key.public, folder / "key.pem")
    path = write_file(folder / "flags.json", flags)
    with (
        BoardWriter.create(folder / "board", symbols, key=key) as board,
        BoardWriter.create(folder / "plain", symbols) as plain,
        server(path) as port,
        open_gate(f"board:{folder}/board", keys=folder / "key.pem", max_silence_s=1e6) as gate,
        open_gate(f"http://127.0.0.1:{port}", max_wait_s=5.0) as far,
    ):
        cost = {"signed": writes(board, flags), "unsigned": writes(plain, flags)}
        reader = BoardReader(folder / "board", keys=[key.public])
        assert reader.read(SYMBOL) is not None
        assert gate(SYMBOL, "long").new_risk
        assert far(SYMBOL, "long").new_risk
        ways = [
            Way("board, `BoardReader.read`, Python", partial(reader.read, SYMBOL), 1),
            Way("board, `gate(symbol, side)`, Python", partial(gate, SYMBOL, "long"), 1),
            Way("server, `gate(symbol, side)`, polled", partial(far, SYMBOL, "long"), 1),
            Way("open the file, orjson", json_of(path, SYMBOL, orjson.loads), 200),
            Way("open the file, json", json_of(path, SYMBOL, json.loads), 400),
            Way("HTTP GET of the one flag, connection kept", get_of(port), 100),
            Way("nothing", partial(len, SYMBOL), 1),
        ]
        found = measured(ways, reads)
        from_c = in_c(folder / "plain", folder, reads)
    if from_c is not None:
        found["board, `liqwarn_board_read`, C, checksum each time"] = from_c
    print_table(found, cost, count)


def print_table(found: dict[str, tuple[float, float]], cost: dict[str, float], count: int) -> None:
    """As Markdown."""
    print(f"\n| one flag of {count} symbols | p50 µs | p99 µs |\n|---|---|---|")
    for name, (middle, late) in found.items():
        print(f"| {name} | {middle / 1e3:,.2f} | {late / 1e3:,.2f} |")
    said = ", ".join(f"{kind} {microseconds:.0f} µs" for kind, microseconds in cost.items())
    print(f"\nPublishing one flag on the board: {said}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=200_000)
    parser.add_argument("--symbols", type=int, default=300)
    options = parser.parse_args()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        compare(Path(name), options.reads, options.symbols)
