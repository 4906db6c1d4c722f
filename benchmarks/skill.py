"""Walk-forward evidence on the real panels, written to ``docs/evidence.md`` and nowhere by hand.

Run as ``make skill DATA=/path/to/files`` (the folder that the shipped panels' files are below).
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

from liqwarn.durable import write_bytes
from liqwarn.models.trials import placebo
from liqwarn.pipelines.engine import open_engine
from liqwarn.pipelines.evaluate import (
    EvaluationOrder,
    evaluate,
    labelled_rows,
    write_evaluation,
)
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import Study, build_study
from liqwarn.reports.evaluation_page import evaluation_markdown

ROOT = Path(__file__).parents[1]
RUNS: dict[str, tuple[str, ...]] = {
    "btc_core": (),
    "majors_4h": (),
    "hyperliquid_1h": ("btc_core",),
}
"""Panel, and the panels whose rows are added to its training."""


def say(stage: str, done: int, total: int) -> None:
    print(f"  {stage}: {done} of {total}", file=sys.stderr, flush=True)


def study_of(panel: str, data: Path, store: Path) -> Study:
    job = MarketJob(
        panel=ROOT / "conf" / "panels" / f"{panel}.yaml", data=data, store=store / panel
    )
    return build_study(open_market(job, now=datetime.now(UTC)))


def run(panel: str, others: tuple[str, ...], options: argparse.Namespace) -> dict[str, Any]:
    began = time.monotonic()
    print(f"{panel}", file=sys.stderr, flush=True)
    studies = [study_of(name, options.data, options.out / "store") for name in (panel, *others)]
    order = EvaluationOrder(threads=options.threads, trials=not options.quick)
    with open_engine(options.cluster) as engine:
        document = evaluate(studies[0], tuple(studies[1:]), order, engine=engine, on_progress=say)
    document["minutes"] = (time.monotonic() - began) / 60
    document["train_panels"] = list(others)
    write_evaluation(document, options.out / panel)
    return document


def again(panel: str, options: argparse.Namespace) -> dict[str, Any]:
    """An earlier run's document with its placebos run anew."""
    document: dict[str, Any] = orjson.loads((options.out / panel / "evaluation.json").read_bytes())
    study = study_of(panel, options.data, options.out / "store")
    plan = EvaluationOrder(threads=options.threads).plan(())
    document["placebo"] = placebo(labelled_rows(study), plan, on_progress=say)
    write_evaluation(document, options.out / panel)
    return document


def evidence(documents: dict[str, dict[str, Any]]) -> str:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    parts = [
        "# Evidence",
        "",
        "Written by `make skill` from the walk-forward evaluations of the real panels.",
        "Not edited by hand. The protocol is in [evaluation.md](evaluation.md).",
        "No figure here uses data after 2025-06-30: that period is kept aside as the locked test.",
        "",
        f"Peak memory of the last run: {peak:.1f} GiB. Minutes: "
        + ", ".join(f"{name} {d['minutes']:.1f}" for name, d in documents.items())
        + ".",
        "",
    ]
    for document in documents.values():
        added = ", ".join(document["train_panels"])
        page = (
            evaluation_markdown(document).replace("\n## ", "\n### ").replace("# Eval", "## Eval", 1)
        )
        parts += [page, f"Training rows added from: {added}.\n" if added else ""]
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("LIQWARN_REAL_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=shared / "real")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "skill")
    parser.add_argument("--panels", default=",".join(RUNS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cluster", help="'local', or the address of a Dask scheduler")
    parser.add_argument("--quick", action="store_true", help="no ablation, no placebos")
    parser.add_argument("--placebo", action="store_true", help="placebos of an earlier run anew")
    options = parser.parse_args()
    documents: dict[str, dict[str, Any]] = {}
    for name in options.panels.split(","):
        documents[name] = (
            again(name, options) if options.placebo else run(name, RUNS[name], options)
        )
        write_bytes(ROOT / "docs" / "evidence.md", evidence(documents).encode())
    print(f"written: {ROOT / 'docs' / 'evidence.md'}", file=sys.stderr)


if __name__ == "__main__":
    main()
