"""Walk-forward evidence on the real panels, written to ``docs/evidence.md`` and nowhere by hand.

Run as ``make skill DATA=/path/to/files`` (the folder that the shipped panels' files are below).
Interrupted, it goes on where it stopped: every finished fold is kept in the folder of the run.
"""

import argparse
import os
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from liqwarn.config import load_policy
from liqwarn.durable import write_bytes
from liqwarn.pipelines.engine import open_engine
from liqwarn.pipelines.evaluate import EvaluationOrder, evaluate, write_evaluation
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import Study, build_study
from liqwarn.reports.evidence_page import evidence_markdown

ROOT = Path(__file__).parents[1]
RUNS: dict[str, tuple[str, ...]] = {
    "btc_core": (),
    "majors_4h": (),
    "hyperliquid_1h": ("btc_core",),
}
"""Panel, and the panels whose rows are added to its training."""


def say(stage: str, done: int, total: int) -> None:
    print(f"  {datetime.now(UTC):%H:%M:%S} {stage}: {done} of {total}", file=sys.stderr, flush=True)


def study_of(panel: str, data: Path, store: Path) -> Study:
    job = MarketJob(
        panel=ROOT / "conf" / "panels" / f"{panel}.yaml", data=data, store=store / panel
    )
    return build_study(open_market(job, now=datetime.now(UTC)), on_progress=say)


def run(panel: str, others: tuple[str, ...], options: argparse.Namespace) -> dict[str, Any]:
    """Evaluate one panel and write its folder."""
    began = time.monotonic()
    print(f"{panel}", file=sys.stderr, flush=True)
    store, folder = options.out / "store" / panel, options.out / panel
    studies = [study_of(name, options.data, store) for name in (panel, *others)]
    order = EvaluationOrder(
        threads=options.threads,
        trials=not options.quick,
        trial_seeds=options.trial_seeds,
        ablation_seeds=options.ablation_seeds,
        policy=load_policy(ROOT / "conf" / "policy.yaml"),
        folds=folder / "folds",
    )
    kept = len(list((folder / "folds").glob("*.npz")))
    with open_engine(options.cluster) as engine:
        document = evaluate(studies[0], tuple(studies[1:]), order, engine=engine, on_progress=say)
    if not kept:  # else they are the minutes of a part of the run
        document["minutes"] = (time.monotonic() - began) / 60
    document["folds_kept_from_before"] = kept
    document["memory_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    document["train_panels"] = list(others)
    write_evaluation(document, folder)
    return document


def finished(out: Path) -> dict[str, dict[str, Any]]:
    """The evaluations of all panels that lie in the folder, in their order."""
    paths = {name: out / name / "evaluation.json" for name in RUNS}
    return {name: orjson.loads(p.read_bytes()) for name, p in paths.items() if p.exists()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("LIQWARN_REAL_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=shared / "real")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "skill")
    parser.add_argument("--panels", default=",".join(RUNS), help="some of them; none only writes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--trial-seeds", type=int, default=5)
    parser.add_argument("--ablation-seeds", type=int, default=3)
    parser.add_argument("--cluster", help="'local', or the address of a Dask scheduler")
    parser.add_argument("--quick", action="store_true", help="no trials: the walk-forward alone")
    options = parser.parse_args()
    for name in filter(None, options.panels.split(",")):
        run(name, RUNS[name], options)
    documents = finished(options.out)
    memory = max((d["memory_gib"] for d in documents.values()), default=None)
    page = evidence_markdown(documents, memory_gib=memory)
    write_bytes(ROOT / "docs" / "evidence.md", page.encode())
    print(f"written: {ROOT / 'docs' / 'evidence.md'}", file=sys.stderr)


if __name__ == "__main__":
    main()
