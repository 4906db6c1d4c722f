"""A simulated market whose last bars lie in the future, and what a live server needs beside it.

Two perpetuals on bars of two minutes: 80 days of history in the store, and the next hours as JSON
lines for a producer to send when their time has come.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from liqwarn.config import load_panel
from liqwarn.data.bars.codec import encode_message
from liqwarn.data.bars.replay_feed import columns_of, messages_of
from liqwarn.frames import MarketFrame
from liqwarn.models.boosting import BoostSettings
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import build_study
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.market import simulate_market
from liqwarn.simulation.tables import provider_tables

BAR = timedelta(minutes=2)  # the shortest that every feature can be made of
SYMBOLS = ("BTCUSDT", "ETHUSDT")
HISTORY = timedelta(days=80)  # half is kept to test on; a percentile needs 30 days of scores
COMING = timedelta(hours=3)
TINY = BoostSettings(
    milder_trees=6, onset_trees=4, learning_rate=0.2, min_rows=20, min_hessian=0.1, l2=1.0
)
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class DrillFiles:
    """Where everything is."""

    folder: Path
    last: datetime

    @property
    def panel(self) -> Path:
        return self.folder / "panel.yaml"

    @property
    def policy(self) -> Path:
        return self.folder / "policy.yaml"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def coming(self) -> Path:
        return self.folder / "coming.jsonl"


def make_market(
    folder: Path, now: datetime, write_panel: Callable[[Path, datetime], None] | None = None
) -> DrillFiles:
    """Market, store, panel, policy and a tiny model; the history ends at the last close."""
    grid = BAR.total_seconds()
    last = datetime.fromtimestamp(now.timestamp() // grid * grid, UTC)
    files = DrillFiles(folder, last)
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name in SYMBOLS)
    n_known = HISTORY // BAR
    config = MarketConfig(
        specs=specs, start=last - HISTORY, n_bars=n_known + COMING // BAR, bar=BAR, step=BAR
    )
    simulated = simulate_market(config, seed=6)
    provider = folder / "files" / "market"
    provider.mkdir(parents=True)
    for symbol, table in provider_tables(simulated).items():
        table.iloc[:n_known].to_parquet(provider / f"{symbol}.parquet", index=False)
    (write_panel or _write_panel)(files.panel, last)
    _write_policy(files.policy)
    fields = load_panel(files.panel).fields
    future = simulated.frame.between(n_known, len(simulated.frame.times))
    files.coming.write_bytes(b"".join(_lines(future, fields)))
    job = MarketJob(panel=files.panel, data=folder / "files", store=files.store)
    study = build_study(open_market(job, now=now))
    fit_bundle(study, (), TrainOrder(settings=TINY), files.model)
    return files


def _lines(frame: MarketFrame, fields: tuple[str, ...]) -> Iterator[bytes]:
    """What a source of the panel's fields would say of each symbol and bar."""
    for column in columns_of(frame):
        for told in messages_of(column):
            known = {name: value for name, value in told.fields.items() if name in fields}
            yield encode_message(replace(told, fields=known))


def _write_panel(path: Path, _last: datetime) -> None:
    panel = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text())
    step = f"{BAR // timedelta(minutes=1)}min"
    panel |= {"name": "drill", "symbols": list(SYMBOLS), "bar": step}
    panel["sources"][0]["time"]["step"] = step
    path.write_text(yaml.safe_dump(panel, sort_keys=False))


def _write_policy(path: Path) -> None:
    """The shipped ladder with minutes in place of hours: a drill cannot wait that long."""
    policy = yaml.safe_load((ROOT / "conf/policy.yaml").read_text())
    policy["version"] = "0.0.1"
    policy["validity"] = {"bars": 1, "grace_minutes": 0.5}
    policy["expired"]["after_minutes"] = 2
    policy["max_transitions_per_day"] = 100
    for tier in ("T1", "T2", "T3"):
        policy["tiers"][tier]["dwell_minutes"] = 2
    path.write_text(yaml.safe_dump(policy, sort_keys=False))
