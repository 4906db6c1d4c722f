"""An archive on loopback, and what asks it without waiting."""

import os
import runpy
import threading
from datetime import date
from pathlib import Path

import pytest

from liqwarn.sources.binance_archive import ArchiveOrder, fetch_archive
from liqwarn.sources.web import Patience, Web

FAKE = runpy.run_path(str(Path(__file__).parent / "fake_archive.py"))
QUICK = Patience(
    attempts=4, first_wait_s=0.001, longest_wait_s=0.01, read_s=0.3, connect_s=2.0, grace_s=0.1
)
TODAY = date(2024, 4, 20)


@pytest.fixture(scope="session")
def fake():
    """The parts of the fake archive, by name."""
    return FAKE


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def archive():
    """Two perpetuals, one listed later; published until the day before yesterday."""
    listed = {"BTCUSDT": date(2020, 1, 1), "ETHUSDT": date(2024, 2, 11)}
    return FAKE["FakeArchive"](listed, date(2024, 4, 18), metrics_step=3_600)


@pytest.fixture
def address(archive):
    """Where it listens."""
    with FAKE["Serving"](archive) as serving:
        yield serving.url


@pytest.fixture
def web(address):
    """What asks it."""
    with Web(address, connections=4, patience=QUICK, stop=threading.Event()) as made:
        yield made


@pytest.fixture
def fetch(address, tmp_path):
    """Bring a folder up to date; by default the first quarter of hourly candles of BTCUSDT."""

    def run(symbols=("BTCUSDT",), *, on_fetch=lambda _: None, today=TODAY, **changes):
        told = {
            "symbols": symbols,
            "since": date(2024, 2, 1),
            "until": date(2024, 3, 2),
            "interval": "1h",
            "folder": tmp_path / "archive",
            "base_url": address,
            "patience": QUICK,
        }
        order = ArchiveOrder(**(told | changes))
        return fetch_archive(order, today=today, on_fetch=on_fetch)

    return run


@pytest.fixture(scope="session")
def raw_samples():
    """Files in the formats that providers publish, or a skip that says why."""
    shared = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("LIQWARN_REAL_DATA", shared)) / "raw_samples"
    if not folder.is_dir():
        pytest.skip(f"no raw samples at {folder}: set LIQWARN_REAL_DATA")
    return folder
