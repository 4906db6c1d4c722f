"""What the attacks share: a short walk-forward, shifted sources, paired figures, a screen."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from liqwarn.features.builder import FeatureBuilder
from liqwarn.frames import MAP_FIELDS, BoolArray, FeatureMatrix, FloatArray, MarketFrame, TimeArray
from liqwarn.models.baselines import BASELINES
from liqwarn.models.boosting import BoostedTrees
from liqwarn.models.calibration import Calibrated
from liqwarn.models.folds import FoldTask, OutOfSample, run_fold, stacked
from liqwarn.models.results import Cell, cells, paired_delta
from liqwarn.models.rows import Rows, make_rows
from liqwarn.models.splits import InnerFolds, trainable
from liqwarn.pipelines.liquidation_map import read_map
from liqwarn.pipelines.study import Study

STARTS = ("2021-10-01", "2022-10-01", "2023-10-01")
"""First bars of the test blocks: three folds of a year; the evidence has twelve of a quarter."""
N_BOOTSTRAP = 1000
MODEL = "model"
MAPPED = (
    *("open", "high", "low", "close", "mark", "index", "open_interest", "volume"),
    *("taker_buy_volume", "taker_sell_volume", "long_liq_usd", "short_liq_usd"),
    *("funding_rate", "funding_interval_h"),
)
"""Fields the liquidation map may read."""

Chosen = Callable[[TimeArray, TimeArray, np.datetime64], NDArray[np.intp]]


def calibrated(make: Callable[[], Any], _seed: int) -> Calibrated:
    return Calibrated(make, InnerFolds(n_folds=2))


def boosted(seed: int) -> Calibrated:
    return Calibrated(partial(BoostedTrees, None, seed=seed, threads=1), InnerFolds(n_folds=2))


def makers(*names: str) -> dict[str, Callable[[int], Any]]:
    return {n: boosted if n == MODEL else partial(calibrated, BASELINES[n]) for n in names}


def rows_of(matrix: FeatureMatrix, study: Study) -> Rows:
    """Rows with the outcomes up to 4 h: half the fits."""
    return make_rows(matrix, study.labels, study.milder).up_to(4)


def blocks(times: TimeArray) -> Iterator[tuple[np.datetime64, NDArray[np.intp]]]:
    edges = [np.datetime64(start, "s") for start in STARTS]
    edges.append(times.max() + np.timedelta64(1, "s"))
    for k, start in enumerate(edges[:-1]):
        yield start, np.flatnonzero((times >= start) & (times < edges[k + 1]))


def forward(rows: Rows, *names: str, chosen: Chosen = trainable, seed: int = 0) -> OutOfSample:
    """A walk-forward of three folds; `chosen` says which rows train."""
    tests, results = [], []
    for start, test in blocks(rows.times):
        train = chosen(rows.times, rows.end, start)
        tests.append(rows.take(test))
        task = FoldTask(train=rows.take(train), test=tests[-1], makers=makers(*names), seed=seed)
        results.append(run_fold(task))
    return stacked(tests, results)


def averaged(rows: Rows, seeds: int = 3) -> FloatArray:
    """The model's probabilities, the mean over seeds: one seed moves PR-AUC by hundredths."""
    runs = [forward(rows, MODEL, seed=seed).p[MODEL] for seed in range(seeds)]
    return np.asarray(np.mean(runs, axis=0))


def only(found: OutOfSample, rows: BoolArray) -> OutOfSample:
    """Some of the test rows."""
    kept = np.flatnonzero(rows)
    return replace(
        found,
        rows=found.rows.take(kept),
        fold=found.fold[kept],
        p={name: p[kept] for name, p in found.p.items()},
        alarms={name: a[kept] for name, a in found.alarms.items()},
    )


def joined(found: OutOfSample, others: Mapping[str, FloatArray]) -> OutOfSample:
    """The same rows with further probabilities beside."""
    alarms = next(iter(found.alarms.values()))
    return replace(
        found,
        p={**found.p, **others},
        alarms={**found.alarms, **dict.fromkeys(others, alarms)},
    )


def primary(found: OutOfSample) -> list[Cell]:
    """Both sides at 4 h."""
    return [cell for cell in cells(found, N_BOOTSTRAP, 0) if cell.horizon_h == 4]


def deltas(found: OutOfSample, first: str, second: str) -> dict[str, Any]:
    """PR-AUC of both, and the paired difference, by side."""
    out = {}
    for cell in primary(found):
        samples = {name: cell.pr_samples(name) for name in (first, second)}
        out[cell.side] = {
            "pr_auc": cell.pr_auc(first),
            "reference": cell.pr_auc(second),
            "base_rate": float(cell.y.mean()),
            **paired_delta(cell, (first, second), samples),
        }
    return out


def moved(frame: MarketFrame, fields: tuple[str, ...], bars: int, until: str = "") -> MarketFrame:
    """The frame with some fields known `bars` later (negative: earlier, which is a leak).

    `until` moves the bars before a date alone.
    """
    limit = np.datetime64(until or "2100-01-01", "s")
    early = frame.times < limit
    planes = dict(frame.fields)
    for name in fields:
        if name not in planes:
            continue
        whole = planes[name]
        shifted = np.full_like(whole, np.nan)
        if bars > 0:
            shifted[:, bars:] = whole[:, :-bars]
        else:
            shifted[:, :bars] = whole[:, -bars:]
        planes[name] = np.where(early, shifted, whole)
    return replace(frame, fields=planes)


def features_of(study: Study, frame: MarketFrame) -> FeatureMatrix:
    """Map and features of a changed frame, with the map's parameters as they were."""
    whole = study.market.frame
    if all(np.array_equal(frame.field(f), whole.field(f), equal_nan=True) for f in MAPPED):
        return FeatureBuilder().build(frame.joined(_readings(study)))
    return FeatureBuilder().build(read_map(frame, study.map_job, study.map_draws))


_KNOWN: dict[str, FloatArray] = {}


def _readings(study: Study) -> dict[str, FloatArray]:
    """What the map of the frame as built says, read once."""
    if not _KNOWN:
        mapped = read_map(study.market.frame, study.map_job, study.map_draws)
        _KNOWN.update({name: mapped.field(name) for name in MAP_FIELDS})
    return _KNOWN


@dataclass(frozen=True)
class Screened:
    """The feature that knows most of what a field does next, and how much."""

    field: str
    feature: str
    rho: float


def screen(matrix: FeatureMatrix, targets: Mapping[str, FloatArray]) -> list[Screened]:
    """What each field does in the next bar, and the feature that knows most of it."""
    out = []
    for name, target in targets.items():
        rows, left = surprise(target)
        found = [Screened(name, f, _rho(_at(matrix, f, rows), left)) for f in matrix.names]
        out.append(max(found, key=lambda s: abs(s.rho)))
    return out


def knows(matrix: FeatureMatrix, feature: str, target: FloatArray) -> float:
    """Rank correlation of one feature with what a field does in the next bar."""
    rows, left = surprise(target)
    return _rho(_at(matrix, feature, rows), left)


def surprise(target: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Ranks of a field's next value less what its last three say, and the bars it is known after.

    A feature computed from the next bar correlates with it; an honest one has little to say.
    """
    ahead = target[4:]
    past = np.stack([target[3:-1], target[2:-2], target[1:-3]], axis=1)
    rows = np.asarray(np.isfinite(ahead) & np.isfinite(past).all(axis=1))
    ranks = np.column_stack([np.ones(rows.sum())] + [rankdata(x[rows]) for x in past.T])
    now = rankdata(ahead[rows])
    return rows, now - ranks @ np.linalg.lstsq(ranks, now, rcond=None)[0]


def _at(matrix: FeatureMatrix, feature: str, rows: BoolArray) -> FloatArray:
    return matrix.column(feature)[0, 3:-1][rows]


def _rho(x: FloatArray, left: FloatArray) -> float:
    known = np.isfinite(x)
    if known.sum() < 1000 or np.ptp(x[known]) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(x[known]), rankdata(left[known]))[0, 1])
