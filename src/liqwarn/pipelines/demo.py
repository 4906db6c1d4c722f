"""The main job from end to end: the embedded simulated market, or a panel of real files."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from liqwarn.config import Settings, load_policy
from liqwarn.durable import replace_file
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.bundle import Bundle, load_bundle
from liqwarn.pipelines.engine import Engine
from liqwarn.pipelines.evaluate import EvaluationOrder, evaluate, write_evaluation
from liqwarn.pipelines.ledger import ledger_folder, settle
from liqwarn.pipelines.map_picture import draw_leader_map
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.report import ReportOrder, write_report
from liqwarn.pipelines.score import score
from liqwarn.pipelines.study import Study, build_study
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.market import simulate_market
from liqwarn.simulation.tables import provider_tables

__all__ = ["DEMO_PANEL", "Demo", "DemoOrder", "run_demo", "write_simulated_market"]

DEMO_PANEL: Final = Path("conf/panels/demo.yaml")
SHOWN: Final = timedelta(days=90)  # scored by a model that saw nothing of it
LEDGER: Final = "demo-ledger"
MARKET: Final = MarketConfig(n_bars=24 * 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOrder:
    """What to run.

    Attributes
    ----------
    panel : Path
    data : Path or None
        Folder of the panel's files; None simulates a market and writes its files into `out`.
    out : Path
        Folder to write.
    policy : Path
    seed, threads : int
    market : MarketConfig
        What to simulate.
    trials : bool
        Whether to run ablation and placebos, too.
    settings : BoostSettings or None
        Of the trees; None for the frozen defaults.
    """

    out: Path
    policy: Path
    panel: Path = DEMO_PANEL
    data: Path | None = None
    seed: int = 1
    threads: int = 1
    market: MarketConfig = MARKET
    trials: bool = False
    settings: BoostSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the demo made."""

    simulated: bool
    out: Path
    flags: list[dict[str, object]]
    skill: dict[str, dict[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for ``--json``."""
        return {
            "market": "simulated" if self.simulated else "real",
            "report": str(self.out / "report.html"),
            "flags": self.flags,
            "skill": self.skill,
        }

    def to_text(self) -> str:
        """Skill in two lines, the warning, and where the report is."""
        lines = [
            f"{side}, 4 h, walk-forward: PR-AUC {s['liqwarn']:.3f}, HAR {s['B2']:.3f}, "
            f"base rate {s['base_rate']:.3f}"
            for side, s in self.skill.items()
        ]
        if self.simulated:
            lines.append("All of this is about a SIMULATED market.")
        return "\n".join([*lines, f"report: {self.out / 'report.html'}"])


def write_simulated_market(
    config: MarketConfig, seed: int, folder: Path, *, on_progress: OnProgress = silent
) -> None:
    """Simulate a market and write it the way a provider publishes: a parquet file a symbol."""
    on_progress("simulate the market", 0, 1)
    tables = provider_tables(simulate_market(config, seed))
    for symbol, table in tables.items():
        write = partial(table.to_parquet, index=False)
        replace_file(folder / "market" / f"{symbol}.parquet", write)
    on_progress("simulate the market", 1, 1)


def run_demo(order: DemoOrder, *, on_progress: OnProgress = silent) -> Demo:
    """Market, features, labels, walk-forward, model, scores, flags, report; all into one folder.

    The scores shown are of the last 90 days, by a model trained on outcomes known before them.
    """
    data = order.data
    if data is None:
        data = order.out / "files"
        _forget_store(order.out / "store")
        write_simulated_market(order.market, order.seed, data, on_progress=on_progress)
    job = MarketJob(panel=order.panel, data=data, store=order.out / "store")
    market = open_market(job, now=datetime.now(UTC), on_progress=on_progress)
    study = build_study(market, on_progress=on_progress)
    document = _evaluate(order, study, on_progress)
    flags, bundle = _score(order, study, on_progress)
    ledgers = _settle(order, study, bundle, on_progress)
    draw_leader_map(study, order.out, on_progress=on_progress)
    report = ReportOrder(scores=order.out, out=order.out / "report.html", ledgers=ledgers)
    write_report(report, now=datetime.now(UTC))
    skill = {
        row["side"]: {"base_rate": row["base_rate"]}
        for row in document["results"]
        if row["horizon_h"] == 4
    }
    for row in document["results"]:
        if row["horizon_h"] == 4:
            skill[row["side"]][row["model"]] = row["pr_auc"]
    return Demo(
        simulated=market.panel.market == "simulated", out=order.out, flags=flags, skill=skill
    )


def _forget_store(store: Path) -> None:
    """Take away the store of another simulated market; a folder of panels' stores is not ours."""
    if (store / "manifest.json").exists() or any(store.glob("panel=*")):
        shutil.rmtree(store)


def _evaluate(order: DemoOrder, study: Study, on_progress: OnProgress) -> dict[str, Any]:
    """Walk forward on real files; on the simulated market, train once and test the rest."""
    first, last = study.market.frame.times[[0, -1]]
    how = EvaluationOrder(
        test_from=None if order.data else _utc(first + (last - first) * 3 // 5),
        retrain="quarter" if order.data else "none",
        trial_retrain="year" if order.data else "none",
        seed=order.seed,
        threads=order.threads,
        trials=order.trials,
        settings=order.settings,
        policy=load_policy(order.policy),
    )
    document = evaluate(study, (), how, engine=Engine(), on_progress=on_progress)
    write_evaluation(document, order.out)
    return document


def _score(
    order: DemoOrder, study: Study, on_progress: OnProgress
) -> tuple[list[dict[str, object]], Bundle]:
    """Train on what was known 90 days before the end, and score those days into a clean folder."""
    since = _utc(study.market.frame.times[-1]) - SHOWN
    for stale in ("positions.json", "scores.parquet", "flags.parquet"):
        (order.out / stale).unlink(missing_ok=True)
    for log in ("audit.jsonl", "audit.head.json"):
        (order.out / log).unlink(missing_ok=True)
    how = TrainOrder(until=since, seed=order.seed, threads=order.threads, settings=order.settings)
    fit_bundle(study, (), how, order.out / "model", on_progress=on_progress)
    bundle = load_bundle(order.out / "model", version="demo")
    on_progress("score", 0, 1)
    policy = load_policy(order.policy)
    done = score(study, bundle, policy, order.out, now=datetime.now(UTC), since=since)
    on_progress("score", 1, 1)
    return done.flags, bundle


def _settle(order: DemoOrder, study: Study, bundle: Bundle, on_progress: OnProgress) -> Path:
    """A ledger of these flags in the folder of the demo, as of its last bar; returns where.

    The ledger of an earlier demo is taken away with its flags: its model was another.
    """
    home = order.out.resolve() / LEDGER  # never LIQWARN_HOME itself, whose ledger is for good
    shutil.rmtree(home, ignore_errors=True)
    settings = Settings(home=home, mlflow_uri="")
    on_progress("settle", 0, 1)
    settle(study, bundle, settings, scores=order.out, now=_utc(study.market.frame.times[-1]))
    on_progress("settle", 1, 1)
    return ledger_folder(settings, study.market.panel.name).parent


def _utc(moment: np.datetime64) -> datetime:
    return datetime.fromtimestamp(int(moment.astype("datetime64[s]").astype(np.int64)), tz=UTC)
