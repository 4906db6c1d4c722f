"""One small simulated market, built once a process, and what the composers make of it."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import yaml

from liqwarn.config import Settings, load_policy
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.bundle import load_bundle
from liqwarn.models.registry import Registry
from liqwarn.pipelines.demo import DemoOrder, run_demo, write_simulated_market
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import build_study
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig

ROOT = Path(__file__).parents[2]
SYMBOLS = ("BTCUSDT", "DOGEUSDT")
SMALL = BoostSettings(
    milder_trees=6, onset_trees=4, learning_rate=0.2, min_rows=20, min_hessian=0.1, l2=1.0
)
DAYS = 180
END = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=DAYS)
TRAINED = END - timedelta(days=60)
NOW = datetime(2024, 1, 1, tzinfo=UTC)


class Given(NamedTuple):
    """What the tests stand on."""

    config: MarketConfig
    files: Path
    panel: Path
    policy_file: Path


@pytest.fixture(scope="session")
def now():
    return NOW


@pytest.fixture(scope="session")
def small():
    """Settings of trees that fit in a moment."""
    return SMALL


@pytest.fixture(scope="session")
def given_market(tmp_path_factory):
    """The files of two simulated symbols over 180 days, and their panel."""
    folder = tmp_path_factory.mktemp("market")
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name in SYMBOLS)
    config = MarketConfig(specs=specs, n_bars=24 * DAYS)
    write_simulated_market(config, 6, folder / "files")
    raw = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text())
    raw["symbols"] = list(SYMBOLS)
    panel = folder / "panel.yaml"
    panel.write_text(yaml.safe_dump(raw))
    return Given(config, folder / "files", panel, ROOT / "conf/policy.yaml")


@pytest.fixture(scope="session")
def market(given_market, tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    job = MarketJob(panel=given_market.panel, data=given_market.files, store=store)
    return open_market(job, now=NOW)


@pytest.fixture(scope="session")
def study(market):
    return build_study(market)


@pytest.fixture(scope="session")
def thin(study):
    """The study with two features a family, and volatility: a walk-forward of it takes a moment."""
    matrix = study.matrix
    kept = {name for name in matrix.names if name.startswith("rv_")}
    for family in set(matrix.families.values()):
        kept.update([name for name in matrix.names if matrix.families[name] == family][:2])
    return select_features(study, [name for name in matrix.names if name in kept])


def select_features(study, names):
    matrix = study.matrix
    columns = [matrix.names.index(name) for name in names]
    families = {name: matrix.families[name] for name in names}
    values = np.ascontiguousarray(matrix.values[:, :, columns])
    few = replace(matrix, names=tuple(names), families=families, values=values)
    return replace(study, matrix=few)


@pytest.fixture(scope="session")
def build(given_market, tmp_path_factory):
    """Build the study of the same market after a change to every file's table."""

    def changed(change, *, store=None):
        folder = tmp_path_factory.mktemp("changed")
        for file in sorted((given_market.files / "market").iterdir()):
            table = change(pd.read_parquet(file), file.stem)
            (folder / "market").mkdir(exist_ok=True)
            table.to_parquet(folder / "market" / file.name, index=False)
        job = MarketJob(panel=given_market.panel, data=folder, store=store or folder / "store")
        return build_study(open_market(job, now=NOW))

    return changed


@pytest.fixture(scope="session")
def policy(given_market):
    return load_policy(given_market.policy_file)


@pytest.fixture(scope="session")
def bundle_folder(study, tmp_path_factory):
    """A model that saw nothing of the last 60 days."""
    folder = tmp_path_factory.mktemp("bundle") / "model"
    fit_bundle(study, (), TrainOrder(until=TRAINED, settings=SMALL), folder)
    return folder


@pytest.fixture(scope="session")
def bundle(bundle_folder):
    return load_bundle(bundle_folder, version="7")


@pytest.fixture(scope="session")
def demo(given_market, tmp_path_factory):
    """The whole job, run once: its order, and what it made."""
    order = DemoOrder(
        out=tmp_path_factory.mktemp("demo") / "out",
        policy=given_market.policy_file,
        panel=given_market.panel,
        market=replace(given_market.config, n_bars=24 * 140),
        seed=4,
        settings=SMALL,
    )
    told = []
    done = run_demo(order, on_progress=lambda *step: told.append(step))
    return order, done, told


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory):
    """An empty MLflow store: making its tables takes seconds, so every test copies this one."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    Registry(f"sqlite:///{path}", "none").champion()
    return path


@pytest.fixture
def settings(mlflow_store, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(mlflow_store, home / "mlflow.db")
    return Settings(home=home, mlflow_uri=f"sqlite:///{home / 'mlflow.db'}")
