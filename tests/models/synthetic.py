"""Rows whose skill is known because it was put there; loaded by path, as nothing here is a package.

The column ``basis`` drives the long side one way and the short side the other, and turns over with
the sides. Every other column, volatilities included, knows nothing.
"""

from datetime import UTC, datetime, timedelta

import numpy as np

from liqwarn.frames import SIDES
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.events import Event
from liqwarn.models.rows import Rows

HOUR = timedelta(hours=1)
HAR_COLUMNS = ("rv_1h", "rv_6h", "rv_1d", "rv_7d", "rv_30d")
SMALL = BoostSettings(milder_trees=20, onset_trees=20, learning_rate=0.2, min_rows=20)
FAMILIES = {
    **dict.fromkeys(HAR_COLUMNS, "market"),
    "basis": "planted",
    "oi_z_7d": "open_interest",
    "funding_z_60d": "noise",
    "gappy": "noise",
}
RARITY = {1: -5.0, 4: -3.4, 24: -2.2}  # log-odds of the outcome where the basis is 0
MILDER = 1.2  # by how much the log-odds of the milder outcome are higher


def rows_of(
    seed=0,
    *,
    days=90,
    bar=HOUR,
    symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT"),
    skill=1.5,
    start="2024-01-01",
    horizons_h=(1, 4, 24),
):
    """Rows of a panel; a horizon shorter than the bar has no outcome."""
    rng = np.random.default_rng(seed)
    seconds = int(bar.total_seconds())
    n_bars = int(timedelta(days=days) / bar)
    clock = np.datetime64(start, "s") + np.arange(1, n_bars + 1) * np.timedelta64(seconds, "s")
    times = np.repeat(clock, len(symbols))
    n_rows = len(times)
    X = rng.normal(size=(n_rows, len(FAMILIES)))
    X[:, :5] = np.exp(X[:, :5]) * 1e-3
    names = tuple(FAMILIES)
    X[rng.random(n_rows) < 0.3, names.index("gappy")] = np.nan
    pull = skill * X[:, names.index("basis")]
    u = rng.random((n_rows, 2))
    y, milder = np.full((2, n_rows, 2, len(horizons_h)), np.nan)
    for side, sign in enumerate((1.0, -1.0)):
        for h, hours in enumerate(horizons_h):
            if timedelta(hours=hours) >= bar:
                odds = np.exp(RARITY[hours] + sign * pull)
                y[:, side, h] = u[:, side] < odds / (1.0 + odds)
                odds *= np.exp(MILDER)
                milder[:, side, h] = u[:, side] < odds / (1.0 + odds)
    return Rows(
        bar=bar,
        symbols=np.tile(np.array(symbols), n_bars),
        times=times,
        end=times + np.timedelta64(max(horizons_h), "h"),
        names=names,
        families=FAMILIES,
        X=X,
        horizons_h=horizons_h,
        y=y,
        milder=milder,
    )


def events_of(rows):
    """A cascade in the bar after every row whose shortest outcome says so."""
    found = []
    for side, name in enumerate(SIDES):
        for k in np.flatnonzero(rows.y[:, side, 0] == 1.0):
            onset = datetime.fromtimestamp(int(rows.times[k].astype(int)), UTC) + rows.bar
            found.append(
                Event(
                    symbol=str(rows.symbols[k]),
                    side=name,
                    onset=onset,
                    peak=onset,
                    end=onset,
                    confirmed=onset,
                    move=-0.05,
                    oi_loss=0.05,
                    long_liq_usd=np.nan,
                    short_liq_usd=np.nan,
                    severity=1.0,
                    flags=(),
                    runs=((onset, onset),),
                )
            )
    return tuple(found)
