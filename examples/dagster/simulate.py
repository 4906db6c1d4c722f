"""A simulated market to try the project on: a panel file and its data, up to today.

Run it with liqwarn's own Python, twice to see a week go by:

    /opt/liqwarn/bin/python simulate.py FOLDER --hold-back 60
    /opt/liqwarn/bin/python simulate.py FOLDER
"""

import argparse
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import yaml

from liqwarn.pipelines.demo import DEMO_PANEL
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.market import simulate_market
from liqwarn.simulation.tables import provider_tables

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def main() -> None:
    """Write FOLDER/panels/panel.yaml, the tables it stands on, and FOLDER/files."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--days", type=int, default=420, help="days that the market has")
    asked.add_argument("--hold-back", type=int, default=0, help="newest days that are not told yet")
    asked.add_argument("--root", type=Path, default=Path(), help="of liqwarn, where conf is")
    given = asked.parse_args()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    config = MarketConfig(
        specs=tuple(spec for spec in DEFAULT_SPECS if spec.name in SYMBOLS),
        start=today - timedelta(days=given.days),
        n_bars=24 * given.days,
    )
    until = pd.Timestamp(today - timedelta(days=given.hold_back))
    files = given.folder / "files" / "market"
    files.mkdir(parents=True, exist_ok=True)
    for symbol, table in provider_tables(simulate_market(config, 1)).items():
        told = table[pd.to_datetime(table["timestamp"], utc=True) < until]
        told.to_parquet(files / f"{symbol}.parquet", index=False)
    panel = yaml.safe_load((given.root / DEMO_PANEL).read_text())
    panel |= {"name": "weekly_demo", "symbols": list(SYMBOLS)}
    (given.folder / "panels").mkdir(exist_ok=True)
    (given.folder / "panels" / "panel.yaml").write_text(yaml.safe_dump(panel, sort_keys=False))
    tables = given.root / "conf" / "margin_tiers"  # looked for beside the panel's folder
    shutil.copytree(tables, given.folder / "margin_tiers", dirs_exist_ok=True)
    print(f"SIMULATED: {len(SYMBOLS)} symbols, {given.days} days up to {until:%Y-%m-%d}")


if __name__ == "__main__":
    main()
