"""Small markets in the shapes that providers publish, written by the tests themselves."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from liqwarn.data.ingest import ingest
from liqwarn.data.panel import Panel
from liqwarn.data.store import Store

NOW = datetime(2027, 1, 1, tzinfo=UTC)  # after every row of these tests
START = 1_704_067_200  # 2024-01-01 00:00 UTC
CANDLES = {name: name for name in ("open", "high", "low", "close", "volume")}


def candle_table(n=24, *, step=3_600, start=START, seed=1):
    """Bars of a quiet market; column `t` is the bar's start in seconds."""
    rng = np.random.default_rng(seed)
    close = 40_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.002, n)))
    first = np.concatenate([[40_000.0], close[:-1]])
    wick = np.abs(rng.normal(0.0, 20.0, n))
    return pd.DataFrame(
        {
            "t": start + step * np.arange(n),
            "open": first,
            "high": np.maximum(first, close) + wick,
            "low": np.minimum(first, close) - wick,
            "close": close,
            "volume": rng.uniform(10.0, 100.0, n),
        }
    )


def source_of(**changes):
    """Hourly candles of `candle_table` in `klines.csv`."""
    source = {
        "name": "klines",
        "file": "klines.csv",
        "time": {"column": "t", "unit": "s", "label": "start", "step": "1h"},
        "symbol": "BTCUSDT",
        "fields": dict(CANDLES),
    }
    return source | changes


def panel_of(*sources, **changes):
    raw = {
        "name": "test",
        "market": "real",
        "bar": "1h",
        "symbols": ["BTCUSDT"],
        "core": ["close"],
        "sources": list(sources) or [source_of()],
    }
    return Panel.model_validate(raw | changes)


@pytest.fixture(scope="session")
def candles():
    return candle_table


@pytest.fixture(scope="session")
def make_panel():
    return panel_of


@pytest.fixture(scope="session")
def make_source():
    return source_of


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def load(store, data_dir):
    """Ingest a panel from `data_dir` into `store`; a table given becomes `klines.csv`."""

    def run(panel=None, table=None, **options):
        if table is not None:
            table.to_csv(data_dir / "klines.csv", index=False)
        return ingest(panel or panel_of(), data_dir, store, now=NOW, **options)

    return run
