"""The small simulated market of the pipelines' tests, and random markets of every field."""

import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from liqwarn.frames import ALL_FIELDS, SIDES, MarketFrame, bar_times
from liqwarn.live.bar import LiveBar, LiveScores
from liqwarn.models.bundle import load_bundle
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.policy.book import advance_book
from liqwarn.policy.position import first_position

_SHARED = runpy.run_path(str(Path(__file__).parents[1] / "pipelines" / "conftest.py"))
study, market, given_market, policy = (
    _SHARED[name] for name in ("study", "market", "given_market", "policy")
)
bundle, bundle_folder, now = (_SHARED[name] for name in ("bundle", "bundle_folder", "now"))


def _values(name, close, rng):
    shape = close.shape
    if name in ("open", "close", "mark", "index"):
        return close * (1.0 + rng.normal(0.0, 1e-4, shape))
    if name in ("high", "low"):
        return close * (1.01 if name == "high" else 0.99)
    if name == "netflow" or name.startswith("funding_rate"):
        return rng.normal(0.0, 1e-4, shape)
    if "interval" in name:
        return np.full(shape, 8.0)
    return np.abs(rng.normal(1.0, 0.3, shape)) + (1e4 if name == "open_interest" else 0.0)


def _random_frame(bar, n_bars, *, seed, first=5, holes=0.02, symbols=("AAA", "BTC", "CCC")):
    rng = np.random.default_rng(seed)
    shape = (len(symbols), n_bars)
    close = 1e4 * np.exp(np.cumsum(rng.normal(0.0, 0.01, shape), axis=1))
    fields = {
        name: np.where(rng.random(shape) < holes, np.nan, _values(name, close, rng))
        for name in ALL_FIELDS
    }
    start = np.datetime64("2024-01-01T00:00:00") + np.timedelta64(first * bar)
    times = bar_times(start, n_bars, bar)
    return MarketFrame(symbols=symbols, times=times, bar=bar, fields=fields, ages={})


@pytest.fixture(scope="session")
def random_frame():
    """Make a market of every field there is, the map's too, with holes."""
    return _random_frame


@pytest.fixture(scope="session")
def hour():
    return timedelta(hours=1)


@pytest.fixture(scope="session")
def other_bundle(study, tmp_path_factory):
    """Another model of the same market."""
    folder = tmp_path_factory.mktemp("other") / "model"
    settings = replace(_SHARED["SMALL"], milder_trees=3, onset_trees=2)
    fit_bundle(study, (), TrainOrder(until=_SHARED["TRAINED"], settings=settings), folder)
    return load_bundle(folder, version="8")


_AS_OF = datetime(2024, 8, 5, 12, tzinfo=UTC)


def _scores(**changes):
    """Scores of two symbols by hand."""
    given = {
        "symbols": ("BTCUSDT", "DOGEUSDT"),
        "as_of": _AS_OF,
        "horizons_h": (1, 4, 24),
        "raw": np.zeros((2, 2, 3)),
        "probability": np.broadcast_to([0.1, 0.2, 0.3], (2, 2, 3)).copy(),
        "quantile": np.full((2, 2), 0.5),
        "base_rate": np.array([0.01, 0.02]),
        "in_progress": np.zeros((2, 2), dtype=np.bool_),
        "quality": np.array(["ok", "ok"]),
        "completeness": np.array([1.0, 0.75]),
        "features": np.arange(6.0).reshape(2, 3),
        "strange": {},
    }
    return LiveScores(**(given | changes))


@pytest.fixture(scope="session")
def make_scores():
    return _scores


@pytest.fixture(scope="session")
def make_bar(policy):
    """A bar by hand: the decisions of the symbols named, from where they stood."""

    def make(scores=None, *, symbols=("BTCUSDT", "DOGEUSDT"), stood=None):
        scores = scores or _scores()
        bar = timedelta(hours=1)
        positions = dict(stood or {}) or {
            (symbol, side): first_position(symbol, side, _AS_OF - bar, bar=bar, policy=policy)
            for symbol in symbols
            for side in SIDES
        }
        evidence = {
            (symbol, side): scores.evidence(scores.symbols.index(symbol), SIDES.index(side))
            for symbol, side in positions
        }
        decisions = advance_book(positions, evidence, _AS_OF, policy)
        return LiveBar(number=478_332, scores=scores, decisions=decisions)

    return make
