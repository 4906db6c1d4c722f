"""A small market, its model, and live services over them: made once for all faults."""

import runpy
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from liqwarn.config import config_sha256
from liqwarn.decisions import flag_to_dict
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.pipelines.live_start import start_live
from liqwarn.serving.held_models import FixedModels
from liqwarn.serving.live_record import LiveRecord
from liqwarn.serving.live_service import LiveService, ServiceParts
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.shelf import FlagShelf

HERE = Path(__file__).parent
_MARKET = runpy.run_path(str(HERE.parent / "pipelines" / "conftest.py"))
study, market, given_market, policy, bundle, bundle_folder, now = (
    _MARKET[name]
    for name in ("study", "market", "given_market", "policy", "bundle", "bundle_folder", "now")
)
_GIVEN = runpy.run_path(str(HERE / "live_given.py"))


@pytest.fixture(scope="session")
def prepare(study, bundle, policy, given_market, bundle_folder):
    """Fill a folder with all that a service needs whose live bars are the last `bars` ones."""

    def prepared(folder, bars):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(given_market.panel, folder / "panel.yaml")
        shutil.copy(given_market.policy_file, folder / "policy.yaml")
        n_bars = study.market.frame.shape[1]
        engine = start_live(study, bundle, policy, at=n_bars - bars)
        panel = study.market.panel
        stamp = config_sha256(folder / "panel.yaml")
        record = LiveRecord(folder / "live", panel, panel_sha256=stamp, document=flag_to_dict)
        record.snapshot(engine)
        return study.market.frame.between(n_bars - bars, n_bars)

    return prepared


@pytest.fixture
def begun(study, bundle, policy, prepare, tmp_path):
    """Make a service over a prepared folder, with feed and clock by hand; gives its frame too."""
    running = []

    def make(folder=None, *, bars, **changes):
        place = folder or tmp_path / "service"
        known = (place / "live" / "snapshot.live").exists()
        n_bars = study.market.frame.shape[1]
        frame = study.market.frame.between(n_bars - bars, n_bars)
        if not known:
            prepare(place, bars)
        clock = _GIVEN["HandClock"](_GIVEN["at"](frame.times[0]) - timedelta(minutes=30))
        panel = study.market.panel
        stamp, where = config_sha256(place / "panel.yaml"), place / "live"
        venue, config = study.map_job.venue, study.map_job.config
        parts = {
            "folder": where,
            "panel": panel,
            "panel_sha256": stamp,
            "policy": policy,
            "terms": SymbolTerms(symbols=frame.symbols, venue=venue, config=config),
            "engines": _GIVEN["RestoredEngines"](panel, bundle, policy),
            "models": FixedModels(),
            "feed": _GIVEN["HandFeed"](clock),
            "joined": False,
            "patience": timedelta(minutes=2),
            "record": LiveRecord(where, panel, panel_sha256=stamp, document=flag_to_dict),
            "shelf": FlagShelf(),
            "clock": clock,
            "watch": LoopWatch(ServingMetrics(clock), None, bar=panel.bar),
        }
        given = ServiceParts(**(parts | changes))
        running.append(LiveService(given))
        return running[-1], given, frame

    yield make
    for service in running:
        service.stop()
