"""A weekly retrain that reuses what it can, beside the naive loop: docs/performance.md.

    python benchmarks/bench_retrain.py [--days N] [--weeks N] [--json FILE]
    python benchmarks/bench_retrain.py --panel conf/panels/btc_core.yaml --data DIR

Both see the same market, a week longer each time. The naive loop builds the map and every feature
anew, walks every block forward anew, and bins a frame for each booster it grows. The other keeps
features of closed months, results of closed blocks and the trees of the open one, and bins rows
once for all horizons and stages of a fit. A first run fills its folders and is told apart. Every
probability of the walk and of the final model must be the same bits before a ratio is printed.
Times are CPU seconds of one thread, so that what else the machine does counts little.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import lightgbm as lgb
import numpy as np
import pandas as pd
import yaml

from liqwarn.frames import FloatArray
from liqwarn.models.boosting import FIXED, BoostedTrees
from liqwarn.models.calibration import Calibrated
from liqwarn.models.evaluation import EvaluationPlan, default_makers, out_of_sample, walk_for_gate
from liqwarn.models.folds import OutOfSample
from liqwarn.models.results import HAR, MODEL
from liqwarn.pipelines.demo import MARKET, write_simulated_market
from liqwarn.pipelines.evaluate import EvaluationOrder, labelled_rows
from liqwarn.pipelines.fold_store import FoldStore
from liqwarn.pipelines.market import Market, MarketJob, open_market
from liqwarn.pipelines.study import Study, build_study

ROOT = Path(__file__).parents[1]
SYMBOLS = ("BTCUSDT", "DOGEUSDT")
T = TypeVar("T")
STAGES = ("study", "walk", "fit")


@dataclass
class Laps:
    """CPU seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, stage: str, work: Callable[[], T]) -> T:
        began = time.process_time()
        done = work()
        self.seconds[stage] = time.process_time() - began
        return done

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Run:
    """What a retrain said, and what it took."""

    found: OutOfSample
    p: FloatArray
    laps: Laps


class FromFrames(BoostedTrees):
    """The same trees, each grown from a frame that is binned for it alone."""

    def _grow(
        self, data: lgb.Dataset, stage: tuple[str, int], y: FloatArray, start: FloatArray
    ) -> None:
        names = list(self.names_)
        raw: Any = data.get_data()
        frame = pd.DataFrame(raw, columns=names)
        own = lgb.Dataset(frame, feature_name=names, params={**FIXED, "num_threads": 1})
        super()._grow(own, stage, y, start)


def from_frames(seed: int) -> Calibrated:
    return Calibrated(partial(FromFrames, seed=seed))


def ours(seed: int) -> Calibrated:
    return Calibrated(partial(BoostedTrees, seed=seed))


def naive(market: Market, plan: EvaluationPlan) -> Run:
    laps = Laps()
    study = laps.time("study", lambda: build_study(market))
    rows = labelled_rows(study)
    makers = {MODEL: from_frames, HAR: default_makers(plan)[HAR]}
    found, _ = laps.time("walk", lambda: out_of_sample(rows, plan, makers))
    return Run(found, _fitted(from_frames, study, laps), laps)


def reusing(market: Market, plan: EvaluationPlan, home: Path) -> Run:
    laps = Laps()
    study = laps.time("study", lambda: build_study(market, memory=home / "features"))
    folds = FoldStore(home / "folds", map, rolling=True)
    walk = laps.time("walk", lambda: walk_for_gate(labelled_rows(study), plan, map_folds=folds))
    return Run(walk.found, _fitted(ours, study, laps), laps)


def _fitted(make: Callable[[int], Calibrated], study: Study, laps: Laps) -> FloatArray:
    """Probabilities of a model of everything known, at all of it."""
    rows = labelled_rows(study)
    model = laps.time("fit", lambda: make(0).fit(rows))
    return model.predict_proba(rows)


def check_same(one: Run, other: Run) -> None:
    for name in (MODEL, HAR):
        for a, b in (
            (one.found.p[name], other.found.p[name]),
            (one.found.thresholds[name], other.found.thresholds[name]),
        ):
            if not np.array_equal(a.view(np.int64), b.view(np.int64)):
                sys.exit(f"scores of {name} differ: nothing is compared")
    if not np.array_equal(one.p.view(np.int64), other.p.view(np.int64)):
        sys.exit("scores of the final model differ: nothing is compared")


def simulated(folder: Path, days: int) -> MarketJob:
    """Two symbols of the demo's market, as files and a panel."""
    specs = tuple(spec for spec in MARKET.specs if spec.name in SYMBOLS)
    config = replace(MARKET, specs=specs, n_bars=24 * days)
    write_simulated_market(config, 1, folder / "files")
    raw = yaml.safe_load((ROOT / "conf" / "panels" / "demo.yaml").read_text())
    panel = folder / "panel.yaml"
    panel.write_text(yaml.safe_dump(raw | {"symbols": list(SYMBOLS)}))
    return MarketJob(panel=panel, data=folder / "files", store=folder / "store")


def markets(whole: Market, weeks: int, days: int | None) -> Iterator[Market]:
    """The market as it was some weeks ago, then a week later each."""
    n_bars = len(whole.frame.times)
    a_week = timedelta(days=7) // whole.frame.bar
    first = 0 if days is None else max(0, n_bars - timedelta(days=days) // whole.frame.bar)
    for left in range(weeks, -1, -1):
        yield replace(whole, frame=whole.frame.between(first, n_bars - left * a_week))


def compare(whole: Market, options: argparse.Namespace, home: Path) -> Iterator[Mapping[str, Laps]]:
    """First what filling the folders takes; then week after week both."""
    plan = EvaluationOrder(threads=1).plan(())
    each = markets(whole, options.weeks, options.days)
    yield {"reusing": reusing(next(each), plan, home).laps}
    for week, market in enumerate(each, 1):
        mine, theirs = reusing(market, plan, home), naive(market, plan)
        check_same(mine, theirs)
        print(f"week {week}: the same bits", file=sys.stderr, flush=True)
        yield {"naive": theirs.laps, "reusing": mine.laps}


def row(name: str, laps: list[Laps], against: float | None = None) -> str:
    mean = {stage: np.mean([one.seconds[stage] for one in laps]) for stage in STAGES}
    total = sum(mean.values())
    ratio = "" if against is None else f"{against / total:.1f}"
    cells = " | ".join(f"{mean[stage]:.1f}" for stage in STAGES)
    return f"| {name} | {cells} | {total:.1f} | {ratio} |"


def table(runs: list[Mapping[str, Laps]]) -> str:
    first, later = runs[0], runs[1:]
    naives, reusings = ([one[name] for one in later] for name in ("naive", "reusing"))
    against = float(np.mean([one.total for one in naives]))
    return "\n".join(
        [
            "| a weekly retrain, CPU s | study | walk | final fit | all | × naive |",
            "|---|---|---|---|---|---|",
            row("naive loop", naives),
            row("reusing", reusings, against),
            row("reusing, its first run", [first["reusing"]], against),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panel", type=Path, help="panel file; the simulated market without it")
    parser.add_argument("--data", type=Path, help="folder of the panel's provider files")
    parser.add_argument("--store", type=Path, help="store of the panel, if it has one already")
    parser.add_argument("--days", type=int, help="length of the history, its last days")
    parser.add_argument("--weeks", type=int, default=2, help="weeks that are compared")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if options.panel is None:
            job = simulated(folder, options.days or 800)
        else:
            store = options.store or folder / "store"
            job = MarketJob(panel=options.panel, data=options.data, store=store)
        whole = open_market(job, now=datetime.now(UTC))
        runs = list(compare(whole, options, folder))
    print(table(runs))
    if options.json:
        told = [{name: laps.seconds for name, laps in one.items()} for one in runs]
        options.json.write_text(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
