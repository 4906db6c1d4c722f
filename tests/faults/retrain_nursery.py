"""Runs of retraining, each a fork of this process that has everything loaded, killed where told.

``python retrain_nursery.py FOLDER TABLES`` makes a small world below FOLDER, with a weak champion
in a copy of the empty store TABLES, and says ``ready``. Then each line of standard input is a JSON
object: ``{"do": "run", "kill": n}`` runs the chain in a child that sends itself a SIGKILL (or
``"stop"``: a SIGSTOP) before its n-th durable step; ``{"do": "look"}`` tells what is there,
``{"do": "again"}`` looks, runs and looks; ``{"do": "reset"}`` puts the world back. Each is answered
by one line.
"""

import ctypes
import functools
import json
import os
import runpy
import shutil
import signal
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow.pyfunc  # noqa: F401  loaded once for all children
import numpy as np
import yaml
from sqlalchemy import event
from sqlalchemy.engine import Engine

from liqwarn.chained_log import verify
from liqwarn.config import Settings
from liqwarn.errors import LockHeldError
from liqwarn.models import gate
from liqwarn.models.bundle import load_bundle
from liqwarn.models.registry import Registry, RunRecord
from liqwarn.models.registry_runs import RUN_KEY
from liqwarn.models.signed_bundle import read_bundle
from liqwarn.pipelines import retrain_judge
from liqwarn.pipelines.alias_moves import Mandate, appoint, history_of
from liqwarn.pipelines.champion import open_champion, registry_of
from liqwarn.pipelines.demo import write_simulated_market
from liqwarn.pipelines.evaluate import EvaluationOrder
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.retrain import ReleaseTo, RetrainOrder, retrain
from liqwarn.pipelines.retrain_journal import Notes, journal_of
from liqwarn.pipelines.study import build_study
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.reports.charts import reliability_figure, save_figure
from liqwarn.serving.releases import pointed, release
from liqwarn.signing import generate_key
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig

ROOT = Path(__file__).parents[2]
GIVEN = runpy.run_path(str(ROOT / "tests" / "pipelines" / "conftest.py"))
NOW = datetime(2022, 7, 1, tzinfo=UTC)
UNTIL = datetime(2022, 4, 1, tzinfo=UTC)
_DEATH_SIGNAL = 1


def small_study(folder):
    """Two symbols in bars of four hours, and made-up outcomes that two features tell of."""
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name in GIVEN["SYMBOLS"])
    write_simulated_market(MarketConfig(specs=specs, n_bars=24 * 180), 6, folder / "files")
    raw = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text())
    raw |= {"symbols": list(GIVEN["SYMBOLS"]), "bar": "4h"}
    (folder / "panel.yaml").write_text(yaml.safe_dump(raw))
    job = MarketJob(panel=folder / "panel.yaml", data=folder / "files", store=folder / "store")
    study = build_study(open_market(job, now=NOW))
    names = {name for name in study.matrix.names if name.startswith("rv_")}
    for family in sorted(set(study.matrix.families.values())):
        names.add(next(n for n in study.matrix.names if study.matrix.families[n] == family))
    return telling(GIVEN["select_features"](study, [n for n in study.matrix.names if n in names]))


def telling(study):
    rng, labels = np.random.default_rng(2), study.labels
    happens = rng.random(labels.y.shape) < np.array([0.02, 0.05, 0.1])
    y = np.where(np.isnan(labels.y), np.nan, np.maximum.accumulate(happens, axis=3))
    values = np.array(study.matrix.values)
    told = 2.0 * np.nan_to_num(y[..., 1])
    values[:, :, -2:] = told + rng.normal(size=told.shape)
    made_up = replace(labels, y=y, running=np.zeros_like(labels.running))
    matrix = replace(study.matrix, values=values)
    return replace(study, matrix=matrix, labels=made_up, milder=made_up)


class World:
    """A home with a champion, and the order of the run."""

    def __init__(self, folder, tables):
        self.folder, self.home, self.tables = folder, folder / "home", tables
        self.releases, self.pristine = folder / "home" / "releases", folder / "pristine"
        self.study = small_study(folder)
        self.key = generate_key()
        self.settings = Settings(home=self.home, mlflow_uri=f"sqlite:///{self.home}/mlflow.db")
        self.weak = folder / "weak"
        trees = replace(GIVEN["SMALL"], milder_trees=1, onset_trees=1, leaves=2)
        fit_bundle(self.study, (), TrainOrder(until=UNTIL, settings=trees), self.weak)
        save_figure(reliability_figure({}), folder / "figure.png")  # its fonts, once for all
        trees = replace(GIVEN["SMALL"], milder_trees=4, onset_trees=8, feature_frac=1.0)
        place = ReleaseTo(place=str(self.releases), release=self.released)
        self.order = RetrainOrder(settings=trees, release=place)

    def released(self, version):
        with TemporaryDirectory() as scratch:
            bundle = registry_of("demo", self.settings).fetch(version, Path(scratch))
            told = {"version": version, "check": lambda _: None}
            return release(bundle, self.releases, self.key, **told).folder.name

    def prepare(self):
        """The champion before, moved on the record; called in a child, as it opens the store."""
        self.home.mkdir()
        shutil.copy(self.tables, self.home / "mlflow.db")
        registry, history = registry_of("demo", self.settings), history_of("demo", self.settings)
        version = registry.register(self.weak, RunRecord(name="weak", key="weak")).version
        mandate = Mandate(action="train", reason="weak", by="test", now=UNTIL, run="weak")
        appoint(registry, history, version, mandate)
        shutil.copytree(self.home, self.pristine)

    def reset(self):
        shutil.rmtree(self.home)
        shutil.copytree(self.pristine, self.home)

    def run(self):
        try:
            done = retrain("demo", lambda: (self.study, ()), self.order, self.settings, now=NOW)
        except LockHeldError as error:
            return {"action": "locked", "why": str(error)}
        return done.to_dict()

    def look(self):
        """What is there, as data; whatever is broken raises."""
        registry, history = registry_of("demo", self.settings), history_of("demo", self.settings)
        journal = journal_of("demo", self.home)
        if journal.head.exists():
            journal.open()  # as the next run would
            verify(journal.log, journal.head)
        with registry.store.opened() as store:
            versions = [(v.version, v.tags[RUN_KEY]) for v in registry.versions(store)]
            client = store.MlflowClient()
            (experiment,) = client.search_experiments(filter_string="name='liqwarn-demo'")
            judged = client.search_runs([experiment.experiment_id], "tags.liqwarn.kind = 'judge'")
        moves = [(o.move.alias, o.move.after, o.move.run, o.state) for o in history.moves()]
        champion = open_champion("demo", self.settings)
        return {
            "champion": champion.stamp.version,
            "challenger": registry.alias("challenger"),
            "versions": versions,
            "judged": len(judged),
            "moves": moves,
            "steps": [(line["run"], line["step"]) for line in journal.lines()],
            "released": self._served(),
            "left": sorted(
                path.name for path in self.home.rglob(".*.tmp*") if "mlflow" not in str(path)
            ),
        }

    def _served(self):
        """Version of the bundle that is pointed at, which must be whole and load; None for none."""
        if not (self.releases / "current").exists():
            return None
        folder = pointed(self.releases)
        found = read_bundle(folder, (self.key.public,))
        return load_bundle(folder, version=found.id.version).stamp.version


class Points:
    """Counts durable steps, and sends this process a signal before one of them."""

    def __init__(self, at, number):
        self.at, self.number, self.seen = at, number, []

    def reached(self, name):
        self.seen.append(name)
        if len(self.seen) == self.at:
            os.kill(os.getpid(), self.number)

    def around(self, owner, name, *, after=False):
        inner = getattr(owner, name)
        told = f"{getattr(owner, '__name__', owner)}.{name}"

        @functools.wraps(inner)
        def counted(*args, **given):
            self.reached(told)
            found = inner(*args, **given)
            if after:
                self.reached(f"after {told}")
            return found

        setattr(owner, name, counted)

    def watch(self):
        for name in ("replace", "rename"):  # an fsync changes nothing that a kill would show
            self.around(os, name)
        self.around(shutil, "rmtree")
        for name in ("register", "record", "point"):
            self.around(Registry, name, after=True)
        self.around(Notes, "note", after=True)
        event.listen(Engine, "commit", lambda _: self.reached("database commit"))
        return self


def end_with_parent():
    """Be killed when whoever started this process ends, however that comes about."""
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def child(world, asked):
    """One life; its answer is a file, as it may be killed."""
    answer = world.folder / f"answer-{os.getpid()}.json"
    if asked["do"] == "again":
        found = {"left": world.look(), "done": world.run(), "found": world.look()}
    elif asked["do"] == "run":
        number = signal.SIGSTOP if "stop" in asked else signal.SIGKILL
        points = Points(asked.get("kill", asked.get("stop")), number).watch()
        found = {**world.run(), "points": points.seen}
    else:
        found = getattr(world, asked["do"])()
    answer.write_text(json.dumps(found))


def live(world, asked):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            end_with_parent()
            child(world, asked)
            code = 0
        finally:
            os._exit(code)
    return pid


def ended(world, pid):
    _, status = os.waitpid(pid, 0)
    answer = world.folder / f"answer-{pid}.json"
    told = json.loads(answer.read_text()) if answer.exists() else None
    answer.unlink(missing_ok=True)
    return {"code": os.waitstatus_to_exitcode(status), "told": told}


def main():
    end_with_parent()
    gate.EDGE = gate.TOO_GOOD = 1.0  # made-up outcomes have no slow weather
    retrain_judge.EvaluationOrder = functools.partial(EvaluationOrder, n_bootstrap=100)
    world = World(Path(sys.argv[1]), Path(sys.argv[2]))
    warm = world.folder / "warm.db"
    shutil.copy(world.tables, warm)
    Registry(f"sqlite:///{warm}", "none").champion()  # so that no child builds MLflow's tables anew
    assert threading.active_count() == 1
    assert ended(world, live(world, {"do": "prepare"}))["code"] == 0
    stopped = None
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "reset":
            world.reset()
            answer = {}
        elif "stop" in asked:
            stopped = live(world, asked)
            os.waitpid(stopped, os.WUNTRACED)
            answer = {}
        elif asked["do"] == "continue":
            os.kill(stopped, signal.SIGCONT)
            answer = ended(world, stopped)
        else:
            answer = ended(world, live(world, asked))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
