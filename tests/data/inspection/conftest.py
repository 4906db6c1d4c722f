"""Files with one fault each, and the check of a panel over them."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from liqwarn.data.inspection.panel_check import check_panel
from liqwarn.data.inspection.reading import Limits, Place, read_place

NOW = datetime(2027, 1, 1, tzinfo=UTC)
N = 24 * 20


@pytest.fixture
def limits():
    return Limits(now=NOW)


@pytest.fixture
def bars(candles):
    """Twenty whole days of hourly bars, stamped with their starts from 00:00 on."""
    return candles(N)


@pytest.fixture
def flows(bars):
    """What a quiet market gives beside its bars, all true: coins, sides and signs."""
    rng = np.random.default_rng(7)
    move = np.diff(np.log(bars["close"]), prepend=np.log(40_000.0))
    half, tilt = bars["volume"] / 2.0, np.clip(move / 0.004, -0.9, 0.9)
    inflow, outflow = rng.uniform(10.0, 50.0, N), rng.uniform(10.0, 50.0, N)
    return pd.DataFrame(
        {
            "t": bars["t"],
            "volume": bars["volume"],
            "buy": half * (1.0 + tilt),
            "sell": half * (1.0 - tilt),
            "long_liq": np.maximum(-move, 0.0) * 1e6,
            "short_liq": np.maximum(move, 0.0) * 1e6,
            "oi": 90_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.001, N))),
            "ratio": 1.5 * np.exp(np.cumsum(-move + rng.normal(0.0, 0.0005, N))),
            "inflow": inflow,
            "outflow": outflow,
            "netflow": inflow - outflow,
            "funding": rng.normal(1e-4, 2e-5, N),
            "price": bars["close"],
        }
    )


@pytest.fixture
def flow_source(make_source):
    """A source over `flows`, in `flows.csv`."""

    def told(fields, **changes):
        return make_source(name="flows", file="flows.csv", fields=fields, **changes)

    return told


@pytest.fixture
def check(make_panel, make_source, data_dir, bars, limits):
    """Check a panel of `klines.csv` and further sources, from tables by file."""

    def run(*sources, tables=None, limits=limits, **changes):
        for name, table in ({"klines.csv": bars} | (tables or {})).items():
            table.to_csv(data_dir / name, index=False)
        return check_panel(make_panel(make_source(), *sources, **changes), data_dir, limits)

    return run


@pytest.fixture
def kinds(check):
    """What `check` doubts, as `level kind`."""

    def run(*sources, **options):
        found = check(*sources, **options)
        levels = ("wrong", "doubt", "note")
        return {f"{level} {told.kind}" for level in levels for _, told in found.doubts(level)}

    return run


@pytest.fixture
def read(make_panel, make_source, data_dir, limits):
    """The reading of `klines.csv` made of a table."""

    def run(table, limits=limits, panel=None, **changes):
        table.to_csv(data_dir / "klines.csv", index=False)
        panel = make_panel(make_source(**changes), **(panel or {}))
        place = Place(path=data_dir / "klines.csv", file="klines.csv", symbol=None)
        return read_place(panel, panel.sources[0], place, limits)

    return run
