"""A small simulated market on disk, a bundle that fits it, and the command line."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import typer.testing
import yaml

import liqwarn.cli.commands  # noqa: F401  registers every command
from liqwarn.cli.app import app
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.registry import Registry
from liqwarn.pipelines.demo import write_simulated_market
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import build_study
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig

ROOT = Path(__file__).parents[2]
SYMBOLS = ("BTCUSDT", "DOGEUSDT")
NOW = datetime(2024, 1, 1, tzinfo=UTC)


class Ran:
    """What a command printed and how it ended."""

    def __init__(self, result):
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr
        self.exception = result.exception

    @property
    def json(self):
        """Standard output, which must be exactly one JSON object in one line."""
        assert self.code == 0, self.err
        assert len(self.out.strip().splitlines()) == 1, self.out
        return orjson.loads(self.out)

    @property
    def refusal(self):
        """The reason of a refusal: one line, after any progress; nothing on standard output."""
        assert self.code == 1, (self.code, self.out, self.err, self.exception)
        assert self.out == ""
        told = [line for line in self.err.splitlines() if line.startswith("liqwarn: ")]
        assert len(told) == 1, self.err
        assert self.err.splitlines()[-1] == told[0]
        progress = [line for line in self.err.splitlines()[:-1] if line]
        assert all(re.fullmatch(r"[\w -]+(: [\w -]+)?: \d+ of \d+", line) for line in progress), (
            self.err
        )
        return told[0].removeprefix("liqwarn: ")


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory):
    """An empty MLflow store: making its tables takes seconds, so every home gets a copy."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    Registry(f"sqlite:///{path}", "none").champion()
    return path


@pytest.fixture
def run(monkeypatch, tmp_path, mlflow_store):
    """Run a command in the project's folder, with a home of its own."""
    monkeypatch.chdir(ROOT)
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(mlflow_store, home / "mlflow.db")
    monkeypatch.setenv("LIQWARN_HOME", str(home))
    monkeypatch.delenv("LIQWARN_MLFLOW_URI", raising=False)

    def command(*words):
        return Ran(typer.testing.CliRunner().invoke(app, [str(word) for word in words]))

    return command


@pytest.fixture(scope="session")
def given(tmp_path_factory):
    """Folder with `files`, `panel.yaml`, and a filled `store`."""
    folder = tmp_path_factory.mktemp("given")
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name in SYMBOLS)
    write_simulated_market(MarketConfig(specs=specs, n_bars=24 * 90), 4, folder / "files")
    raw = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text())
    raw["symbols"] = list(SYMBOLS)
    (folder / "panel.yaml").write_text(yaml.safe_dump(raw))
    del raw["sources"][0]["fields"]["open_interest"]
    raw |= {"name": "prices", "core": ["close"]}
    (folder / "prices.yaml").write_text(yaml.safe_dump(raw))
    raw = yaml.safe_load((folder / "panel.yaml").read_text()) | {"name": "slow", "bar": "4h"}
    (folder / "slow.yaml").write_text(yaml.safe_dump(raw))
    return folder


@pytest.fixture(scope="session")
def model(given, tmp_path_factory):
    """A model bundle of the market."""
    job = MarketJob(panel=given / "panel.yaml", data=given / "files", store=given / "store")
    study = build_study(open_market(job, now=NOW))
    folder = tmp_path_factory.mktemp("model") / "small"
    settings = BoostSettings(milder_trees=3, onset_trees=3, min_rows=20, min_hessian=0.1)
    until = datetime(2022, 3, 1, tzinfo=UTC)
    fit_bundle(study, (), TrainOrder(until=until, settings=settings), folder)
    return folder


@pytest.fixture
def market_options(given, tmp_path):
    """The options that name the market, with a store of its own."""
    return ("--panel", given / "panel.yaml", "--data", given / "files", "--store", tmp_path / "s")
