"""A server under load for half an hour, its model swapped every 30 s: does it fail, does it grow.

    python benchmarks/soak.py [--minutes 30] [--rate 200] [--swap-s 30]

The server is ``liqwarn serve`` itself, in a process of its own: the live loop on the simulated
market, a bar every two seconds, signed flags, signed releases. Asked are single flags, the list,
the history, scores of a caller's row, the map, readiness and metrics, and streams listen beside.
Fails when a request failed (5xx, or no answer), when a score was not of one model, or when memory
grew by 5 % from a tenth of the time to its end.
"""

import argparse
import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from liqwarn.models.boosting import BoostSettings
from liqwarn.models.bundle import load_bundle
from liqwarn.pipelines.demo import write_simulated_market
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import build_study
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.serving.releases import point, release
from liqwarn.signing import generate_key, save_signing_key, save_verify_key
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from soak_load import Seen, asks, load

ROOT = Path(__file__).parents[1]
SYMBOLS = ("BTCUSDT", "DOGEUSDT", "ETHUSDT", "SOLUSDT")
SMALL = BoostSettings(
    milder_trees=60, onset_trees=40, learning_rate=0.1, min_rows=20, min_hessian=0.1, l2=1.0
)
START = datetime(2022, 1, 1, tzinfo=UTC)
LIVE = datetime(2022, 7, 2, tzinfo=UTC)
BAR_S = 2.0
GROWTH = 0.05


@dataclass(frozen=True)
class Prepared:
    """What the server is started with."""

    folder: Path
    panel: Path
    releases: tuple[str, ...]
    names: list[str]


@dataclass
class Footprint:
    """The server's process, second by second: bytes, open files, threads."""

    rss: list[int] = field(default_factory=list)
    fds: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    def look(self, pid: int) -> None:
        said = Path(f"/proc/{pid}/status").read_text()
        told = dict(line.split(":", 1) for line in said.splitlines())
        self.rss.append(int(told["VmRSS"].split()[0]) * 1024)
        self.threads.append(int(told["Threads"]))
        self.fds.append(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))


def prepare(folder: Path, days: int) -> Prepared:
    """A simulated market and two models of it, released."""
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name in SYMBOLS)
    write_simulated_market(MarketConfig(specs=specs, n_bars=24 * days), 6, folder / "files")
    raw = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text())
    panel = folder / "panel.yaml"
    panel.write_text(yaml.safe_dump(raw | {"symbols": list(SYMBOLS)}))
    job = MarketJob(panel=panel, data=folder / "files", store=folder / "store")
    study = build_study(open_market(job, now=datetime.now(UTC)))
    key = generate_key()
    save_signing_key(key, folder / "key.pem")
    save_verify_key(key.public, folder / "public.pem")
    names = []
    for seed in (1, 2):
        made = folder / f"model{seed}"
        order = TrainOrder(until=LIVE - timedelta(days=2 + seed), seed=seed, settings=SMALL)
        fit_bundle(study, (), order, made)
        names.append(release(made, folder / "releases", key, version=str(seed)).folder.name)
    features = list(load_bundle(made, version="2").model.names_)
    return Prepared(folder, panel, tuple(names), features)


def start(given: Prepared, port: int) -> subprocess.Popen[bytes]:
    folder = given.folder
    command = [
        *(str(Path(sys.executable).with_name("liqwarn")), "serve"),
        *("--panel", str(given.panel), "--store", str(folder / "store")),
        *("--out", str(folder / "live"), "--feed", f"replay:{3_600 / BAR_S:g}"),
        *("--from", LIVE.date().isoformat(), "--releases", str(folder / "releases")),
        *("--trust", str(folder / "public.pem"), "--sign", str(folder / "key.pem")),
        *("--policy", str(ROOT / "conf/policy.yaml"), "--port", str(port)),
    ]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    with (folder / "server.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=env)


def until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> float:
    began = time.monotonic()
    while time.monotonic() - began < 300:
        if process.poll() is not None:
            raise SystemExit(f"the server ended:\n{log.read_text()[-3_000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return time.monotonic() - began
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"the server is not ready:\n{log.read_text()[-3_000:]}")


def swap(given: Prepared, every_s: float, stop: threading.Event) -> None:
    at = 0
    while not stop.wait(every_s):
        point(given.folder / "releases", given.releases[at % len(given.releases)])
        at += 1


def watch(pid: int, seen: Footprint, stop: threading.Event) -> None:
    while not stop.wait(1.0):
        seen.look(pid)


def soak(given: Prepared, asked: argparse.Namespace) -> tuple[Seen, Footprint, float]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process, seen, print_ = start(given, port), Seen(), Footprint()
    stop = threading.Event()
    try:
        ready_s = until_ready(process, port, given.folder / "server.log")
        beside = [
            threading.Thread(target=swap, args=(given, asked.swap_s, stop)),
            threading.Thread(target=watch, args=(process.pid, print_, stop)),
        ]
        for thread in beside:
            thread.start()
        mix = asks(SYMBOLS, LIVE.date().isoformat() + "T00:00:00Z", given.names)
        asyncio.run(
            load(port, mix, rate=asked.rate, seconds=60 * asked.minutes, streams=8, seen=seen)
        )
        died = process.poll()
        if died is not None:
            seen.faults[f"the server ended with {died}"] += 1
    finally:
        stop.set()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    return seen, print_, ready_s


def report(seen: Seen, print_: Footprint, ready_s: float, asked: argparse.Namespace) -> list[str]:
    """Print the tables; what was not as it should be."""
    total = sum(len(spans) for spans in seen.spans.values())
    failed = sum(n for (_, status), n in seen.statuses.items() if status >= 500)
    tenth = len(print_.rss) // 10
    early = statistics.median(print_.rss[tenth : tenth + 10])
    late = statistics.median(print_.rss[-10:])
    growth = late / early - 1
    swaps = len(seen.models) - 1
    print(
        f"{asked.minutes:g} min at {asked.rate} requests/s, a swap every {asked.swap_s:g} s; ",
        end="",
    )
    print(f"ready after {ready_s:.1f} s\n")
    print("| request | count | p50 ms | p99 ms | max ms | statuses |\n|---|---|---|---|---|---|")
    for kind, spans in sorted(seen.spans.items(), key=lambda item: -len(item[1])):
        row = [1e3 * x for x in (*_at(spans, 0.5, 0.99), max(spans))]
        told = ", ".join(f"{s}: {n}" for (k, s), n in sorted(seen.statuses.items()) if k == kind)
        print(f"| {kind} | {len(spans):,} | {row[0]:.2f} | {row[1]:.2f} | {row[2]:.0f} | {told} |")
    every = [span for spans in seen.spans.values() for span in spans]
    streams = {status: n for (kind, status), n in seen.statuses.items() if kind == "stream"}
    print(f"\nrequests {total:,}, 5xx {failed}, broken {dict(seen.faults)}")
    print(f"all: p50 {1e3 * _at(every, 0.5)[0]:.2f} ms, p99 {1e3 * _at(every, 0.99)[0]:.2f} ms")
    print(f"streams opened {streams}, events {dict(seen.events)}, ", end="")
    print(f"sequences that went back {seen.backwards}")
    print(f"swaps seen by callers {swaps}, answers a model: {_counts(seen)}")
    print(f"RSS at a tenth {early / 2**20:.1f} MiB, at the end {late / 2**20:.1f}: {growth:+.2%}")
    tenths = [print_.rss[k * (len(print_.rss) - 1) // 10] / 2**20 for k in range(11)]
    print("RSS at each tenth, MiB: " + ", ".join(f"{size:.0f}" for size in tenths))
    print(f"open files {_range(print_.fds)}, threads {_range(print_.threads)}")
    told = {
        "requests failed": failed or sum(seen.faults.values()),
        "scores of one model differ": any(len(kinds) != 1 for kinds in seen.scores.values()),
        "sequences went back": seen.backwards,
        "the model was hardly swapped": swaps < 0.5 * 60 * asked.minutes / asked.swap_s - 1,
        "memory grew": growth >= GROWTH,
    }
    return [what for what, bad in told.items() if bad]


def _at(spans: list[float], *shares: float) -> list[float]:
    ordered = sorted(spans)
    return [ordered[int(share * (len(ordered) - 1))] for share in shares]


def _counts(seen: Seen) -> dict[str, int]:
    return {version: len(kinds) for (version, _), kinds in seen.scores.items()}


def _range(counts: list[int]) -> str:
    return f"{counts[len(counts) // 10]} at a tenth, {counts[-1]} at the end, most {max(counts)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--swap-s", type=float, default=30.0)
    asked = parser.parse_args()
    played = timedelta(hours=(60 * asked.minutes + 120) / BAR_S)
    days = (LIVE - START + played).days + 2
    with tempfile.TemporaryDirectory() as folder:
        given = prepare(Path(folder), days)
        faults = report(*soak(given, asked), asked)
    if faults:
        raise SystemExit("; ".join(faults))


if __name__ == "__main__":
    main()
