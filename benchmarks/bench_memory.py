"""Memory of the live engine at hundreds of symbols: a service that was begun from its snapshot.

    python benchmarks/bench_memory.py [--symbols 300] [--bars 30]

One process makes the engine and its snapshot; another, with the imports of ``liqwarn serve``, takes
the snapshot up as a restart does, takes bars, and writes a snapshot again. That one is measured.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import liqwarn.cli.serve_command  # noqa: F401  what a service has imported
from bench_live import HISTORY, bundle_of_noise, columns, engine_of, market, panel_of
from liqwarn.config import load_policy
from liqwarn.data.panel import Panel
from liqwarn.liquidation.fit import FitConfig
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.engine import LiveEngine
from liqwarn.live.snapshot import pack_memory, unpack_memory
from liqwarn.models.bundle import Bundle, load_bundle, save_bundle
from liqwarn.models.fast_cascade import FastCascade

ROOT = Path(__file__).parents[1]
SNAPSHOT, BUNDLE = "snapshot.live", "bundle"


def resident_mib() -> tuple[float, float]:
    """Now, and at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    told = {line.split()[0]: float(line.split()[1]) / 1024 for line in lines if "kB" in line}
    return told["VmRSS:"], told["VmHWM:"]


def write_snapshot(path: Path, engine: LiveEngine, panel: Panel) -> float:
    with path.open("wb") as file:
        file.writelines(pack_memory(engine.memory, panel, panel_sha256="bench"))
    return path.stat().st_size / 2**20


def prepare(folder: Path, n_symbols: int, n_bars: int) -> None:
    frame = market(n_symbols, HISTORY + n_bars)
    panel, bundle = panel_of(frame), bundle_of_noise()
    engine = engine_of(frame.between(0, HISTORY), panel, bundle)
    write_snapshot(folder / SNAPSHOT, engine, panel)
    save_bundle(folder / BUNDLE, bundle.model, bundle.training, bundle.history)


def resume(folder: Path, n_symbols: int, n_bars: int) -> None:
    def tell(what: str) -> None:
        now, most = resident_mib()
        print(f"| {what} | {now:7,.0f} | {most:7,.0f} |", flush=True)

    print("| after | resident MiB | most so far |\n|---|---|---|")
    tell("imports")
    bundle: Bundle = load_bundle(folder / BUNDLE, version="bench")
    bundle.model.novelty_.limit_ = np.inf
    small = market(n_symbols, 2)
    panel = panel_of(small)
    terms = SymbolTerms(symbols=panel.symbol_names, venue=None, config=FitConfig())
    began = time.perf_counter()
    with (folder / SNAPSHOT).open("rb") as file:
        memory, _ = unpack_memory(file, panel, terms, panel_sha256="bench")
    policy = load_policy(ROOT / "conf/policy.yaml")
    engine = LiveEngine(panel, bundle, FastCascade(bundle.model), policy, memory)
    tell(f"the snapshot, taken up in {time.perf_counter() - began:.1f} s")
    frame = market(n_symbols, n_bars)
    for column in columns(frame, 0):
        moved = type(column)(
            time=np.datetime64((engine.number + 1) * engine.bar_s, "s"),
            symbols=column.symbols,
            fields=column.fields,
            ages=column.ages,
            bar_s=column.bar_s,
        )
        engine.step(moved)
    tell(f"{n_bars} bars")
    began = time.perf_counter()
    size = write_snapshot(folder / SNAPSHOT, engine, panel)
    tell(f"a snapshot of {size:,.0f} MiB, written in {time.perf_counter() - began:.1f} s")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--symbols", type=int, default=300)
    arguments.add_argument("--bars", type=int, default=30)
    arguments.add_argument("--resume", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.resume is not None:
        resume(given.resume, given.symbols, given.bars)
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), given.symbols, given.bars)
        words = ["--resume", folder, "--symbols", given.symbols, "--bars", given.bars]
        subprocess.run([sys.executable, __file__, *map(str, words)], check=True)


if __name__ == "__main__":
    sys.exit(main())
