"""Look-ahead, hunted from outside: what features know of the next bar, what scores of their test.

Laws of single pieces (as-of joins, features, labels, splits, with their mutants) are beside those
pieces. These attack the whole, and each finds a leak that is planted.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from liqwarn.config import load_panel
from liqwarn.features.builder import FeatureBuilder
from liqwarn.frames import MarketFrame, bar_times
from liqwarn.models.baselines import BASELINES
from liqwarn.models.boosting import BoostedTrees, BoostSettings
from liqwarn.models.calibration import Calibrated
from liqwarn.models.folds import FoldTask, run_fold
from liqwarn.models.rows import Rows
from liqwarn.models.volatility import HAR_COLUMNS

HOUR = timedelta(hours=1)
N_BARS = 24 * 120
PANELS = sorted((Path(__file__).parents[1] / "conf" / "panels").glob("*.yaml"))
LATE = {"inflow", "outflow", "netflow", "reserve", "whale_ratio", "leverage_ratio"}
SMALL = BoostSettings(milder_trees=4, onset_trees=3, learning_rate=0.2, min_rows=20)


def market(seed=0):
    """A market without memory: nothing that is known says anything of the next bar."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(12, N_BARS))
    close = 30_000 * np.exp(np.cumsum(0.005 * noise[0]))
    spread = np.abs(0.002 * noise[1])
    fields = {
        "open": np.append(close[0], close[:-1]),
        "close": close,
        "high": np.maximum(close, np.append(close[0], close[:-1])) * (1 + spread),
        "low": np.minimum(close, np.append(close[0], close[:-1])) * (1 - spread),
        "mark": close * (1 + 1e-4 * noise[2]),
        "index": close * (1 + 1e-4 * noise[3]),
        "volume": np.exp(5 + 0.3 * noise[4]),
        "taker_buy_volume": np.exp(4 + 0.3 * noise[5]),
        "taker_sell_volume": np.exp(4 + 0.3 * noise[6]),
        "open_interest": 80_000 * np.exp(np.cumsum(0.003 * noise[7])),
        "funding_rate": 1e-4 * noise[8],
        "inflow": np.exp(6 + 0.5 * noise[9]),
        "outflow": np.exp(6 + 0.5 * noise[10]),
        "long_liq_usd": np.exp(12 + noise[11]),
    }
    fields["netflow"] = fields["inflow"] - fields["outflow"]
    planes = {name: np.ascontiguousarray(x[None, :]) for name, x in fields.items()}
    times = bar_times(np.datetime64("2024-01-01T01:00:00"), N_BARS, HOUR)
    return MarketFrame(symbols=("BTCUSDT",), times=times, bar=HOUR, fields=planes, ages={})


def ranks(x):
    return np.argsort(np.argsort(x)).astype(float)


def knows_most(frame, target):
    """The feature with the largest rank correlation with the target in the next bar."""
    matrix = FeatureBuilder().build(frame)
    found = {}
    for name in matrix.names:
        x = matrix.column(name)[0, :-1]
        known = np.isfinite(x) & np.isfinite(target[1:])
        if known.sum() > 1000 and np.ptp(x[known]) > 0:
            found[name] = abs(np.corrcoef(ranks(x[known]), ranks(target[1:][known]))[0, 1])
    return max(found.items(), key=lambda item: item[1])


def innovation(frame, field):
    x = frame.field(field)[0]
    moves = field in ("close", "open_interest")
    return np.append(np.nan, np.diff(np.log(x))) if moves else x


@pytest.fixture(scope="module")
def frame():
    return market()


SOURCES = {
    "close": ("open", "high", "low", "close", "volume"),
    "open_interest": ("open_interest",),
    "netflow": ("inflow", "outflow", "netflow"),
    "taker_buy_volume": ("taker_buy_volume", "taker_sell_volume"),
    "long_liq_usd": ("long_liq_usd",),
}


@pytest.mark.parametrize("field", SOURCES)
def test_no_feature_knows_the_next_bar_and_one_that_does_is_seen(frame, field):
    wanted = innovation(frame, field)
    name, rho = knows_most(frame, wanted)
    assert rho < 0.12, name  # the largest of some 130 correlations of noise

    early = dict(frame.fields)
    for given in SOURCES[field]:
        early[given] = np.roll(early[given], -1, axis=1)
    name, rho = knows_most(replace(frame, fields=early), wanted)
    assert rho > 0.5, name


def rows_of(seed, n_rows=1600):
    rng = np.random.default_rng(seed)
    names = (*HAR_COLUMNS, "signal", "oi_z_7d", "noise")
    X = rng.normal(size=(n_rows, len(names)))
    X[:, :5] = np.exp(X[:, :5]) * 1e-3
    chance = 1 / (1 + np.exp(3 - X[:, [5]]))
    first = rng.random((n_rows, 2)) < chance / 2
    y = np.stack([first, first | (rng.random((n_rows, 2)) < chance)], axis=-1).astype(float)
    times = bar_times(np.datetime64("2024-01-01T01:00:00"), n_rows, HOUR)
    return Rows(
        bar=HOUR,
        symbols=np.full(n_rows, "BTCUSDT"),
        times=times,
        end=times + np.timedelta64(4, "h"),
        names=names,
        families=dict.fromkeys(names, "market"),
        X=X,
        horizons_h=(1, 4),
        y=y,
        milder=y,
    )


def baseline(name):
    return lambda _seed: Calibrated(BASELINES[name])


def trees(seed):
    return Calibrated(lambda: BoostedTrees(SMALL, seed=seed))


class ScaledByItsTest:
    """A mutant: it measures features by the mean of the block it scores."""

    def __init__(self, model):
        self.model = model

    def fit(self, rows):
        self.model.fit(rows)
        self.training_p_ = self.model.training_p_
        return self

    def predict_proba(self, rows):
        return self.model.predict_proba(replace(rows, X=rows.X - rows.X.mean(axis=0)))


MODELS = {**{name: baseline(name) for name in BASELINES}, "model": trees}


def judged(make, test):
    return run_fold(FoldTask(train=rows_of(0), test=test, makers={"m": make}, seed=0))


def sees_nothing_of_its_test(make):
    """Thresholds stay when the test block is turned over; a row's score does when others change."""
    test = rows_of(1, 400)
    turned = replace(test, X=np.flip(test.X, axis=0) * 2.0, y=1.0 - test.y)
    then, now = judged(make, test), judged(make, turned)
    np.testing.assert_array_equal(then.thresholds["m"], now.thresholds["m"])
    later = replace(test, X=np.where(np.arange(400)[:, None] < 200, test.X, 5.0), y=1.0 - test.y)
    np.testing.assert_array_equal(then.p["m"][:200], judged(make, later).p["m"][:200])


@pytest.mark.parametrize("name", MODELS)
def test_calibration_thresholds_and_scaling_come_from_training_alone(name):
    sees_nothing_of_its_test(MODELS[name])


def test_scaling_by_the_test_block_is_found_out():
    with pytest.raises(AssertionError, match="not equal"):
        sees_nothing_of_its_test(lambda seed: ScaledByItsTest(baseline("B6")(seed)))


@pytest.mark.parametrize("file", PANELS, ids=lambda path: path.stem)
def test_what_is_computed_from_the_chain_is_not_known_at_the_bars_close(file):
    """Blocks arrive and addresses are labelled later: at least an hour, in every shipped panel."""
    panel = load_panel(file)
    early = [
        source.name
        for source in panel.sources
        if LATE & set(source.fields) and source.known_lag < HOUR and panel.market == "real"
    ]
    assert early == []
