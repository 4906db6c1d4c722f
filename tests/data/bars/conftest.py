"""Small panels and columns for the bars that come in."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from liqwarn.data.bars.message import BarColumn, BarMessage
from liqwarn.data.panel import Panel

FIRST = np.datetime64("2024-08-05T01:00:00")
HOUR = 3_600


def panel_of(symbols=("BTCUSDT", "ETHUSDT"), **changes):
    """Hourly candles, open interest up to 4 h old, funding up to 9 h, netflow, a calendar."""

    def source(name, fields, **clock):
        time = {"column": "t", "unit": "s", "label": "end"} | clock
        return {"name": name, "file": f"{name}-{{symbol}}.csv", "time": time, "fields": fields}

    candle = {name: name for name in ("open", "high", "low", "close", "volume")}
    raw = {
        "name": "bars",
        "market": "real",
        "bar": "1h",
        "symbols": symbols if isinstance(symbols, dict) else list(symbols),
        "core": ["close"],
        "sources": [
            source("klines", candle, label="start", step="1h"),
            source("stock", {"open_interest": "oi"}),
            source("funding", {"funding_rate": "rate"}),
            source("chain", {"netflow": "net"}, label="start", step="1h"),
        ],
        "calendars": [
            {
                "name": "fomc",
                "gives": "macro",
                "file": "fomc.csv",
                "known_before": "1d",
                "time": {"column": "t", "unit": "s", "label": "end"},
            }
        ],
    }
    return Panel.model_validate(raw | changes)


def utc(time, seconds=0.0):
    """A moment some seconds after a bar's close."""
    start = int(time.astype("datetime64[s]").astype(np.int64))
    return datetime.fromtimestamp(start, tz=UTC) + timedelta(seconds=seconds)


def message_of(bar=0, symbol="BTCUSDT", *, ages=None, time=None, bar_s=HOUR, **fields):
    """A candle of the bar-th hour, or the fields given."""
    close = 50_000.0 + bar
    candle = {"open": close, "high": close + 9.0, "low": close - 9.0, "close": close, "volume": 3.0}
    return BarMessage(
        symbol=symbol,
        time=FIRST + bar * np.timedelta64(HOUR, "s") if time is None else time,
        bar_s=bar_s,
        fields=fields or candle,
        ages=ages or {},
    )


def column_of(panel, bar, *, seed=None):
    """A column of arbitrary numbers, some NaN, that depend on the bar alone."""
    rng = np.random.default_rng(bar if seed is None else seed)
    n = len(panel.symbol_names)

    def numbers():
        found = rng.normal(size=n)
        found[rng.random(n) < 0.2] = np.nan
        return found

    return BarColumn(
        time=FIRST + bar * np.timedelta64(panel.bar_s, "s"),
        symbols=panel.symbol_names,
        fields={name: numbers() for name in panel.fields},
        ages={name: numbers() for name in panel.fields if not name.startswith("next_")},
        bar_s=panel.bar_s,
    )


def bits(column):
    """Everything a column says, to the last bit."""
    planes = [*sorted(column.fields.items()), *sorted(column.ages.items())]
    return str(column.time), column.symbols, [(name, plane.tobytes()) for name, plane in planes]


@pytest.fixture(scope="session")
def make_panel():
    return panel_of


@pytest.fixture(scope="session")
def panel():
    return panel_of()


@pytest.fixture(scope="session")
def make_message():
    return message_of


@pytest.fixture(scope="session")
def make_column():
    return column_of


@pytest.fixture(scope="session")
def bits_of():
    return bits


@pytest.fixture(scope="session")
def moment():
    return utc


@pytest.fixture(scope="session")
def first():
    return FIRST
