"""What the novelty signal does out of sample: how often it speaks, what it finds, what it is worth.

For every fold of a walk-forward the signal is fitted on the rows the fold's models were trained on,
and asked about the fold's test rows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from liqwarn.frames import SIDES, BoolArray, FloatArray
from liqwarn.models.calibration import primary_horizon
from liqwarn.models.folds import OutOfSample
from liqwarn.models.metrics import brier_skill
from liqwarn.models.novelty import Novelty
from liqwarn.models.ranking import roc_auc
from liqwarn.models.results import CLIMATOLOGY, MODEL
from liqwarn.models.rows import Rows
from liqwarn.models.splits import trainable

__all__ = ["FaultyRows", "novel_rows", "novelty_report"]

NOTHING: Final = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaultyRows:
    """Features of some consecutive bars whose data were spoilt on purpose.

    Attributes
    ----------
    fault : str
        What was done to the data.
    since : datetime64[s]
        Close of the first spoilt bar.
    X : ndarray of float64, shape (n_rows, n_features)
        Columns of the rows they are compared with.
    """

    fault: str
    since: np.datetime64
    X: FloatArray


def novelty_report(
    pooled: Rows, found: OutOfSample, faulty: Iterable[FaultyRows] = ()
) -> dict[str, Any]:
    """The entry ``novelty`` of ``evaluation.json``.

    Parameters
    ----------
    pooled : Rows
        All rows that may train, as the walk-forward had them.
    found : OutOfSample
        Test rows, with the probabilities of the model and of climatology where they were run.
    faulty : iterable of FaultyRows
        A fault is detected when one of its rows is novel to the fold of its first bar; those before
        the first test row are left out.
    """
    fitted = list(_fitted(pooled, found))
    novel = _novel(fitted, found)
    return {
        "share_novel": float(novel.mean()),
        "by_quarter": _by_quarter(found.rows, novel),
        "groups": [
            _group(found, rows, name, side)
            for name, rows in (("familiar", ~novel), ("novel", novel))
            for side in range(len(SIDES))
        ],
        "injected": _injected(fitted, faulty),
    }


def novel_rows(pooled: Rows, found: OutOfSample) -> BoolArray:
    """Which test rows are unlike the rows their fold was trained on, shape (n_rows,)."""
    return _novel(_fitted(pooled, found), found)


Fitted = tuple[np.datetime64, BoolArray, Novelty]


def _novel(fitted: Iterable[Fitted], found: OutOfSample) -> BoolArray:
    novel = np.zeros(len(found.rows), dtype=np.bool_)
    for _, test, novelty in fitted:
        novel[test] = novelty.novel(found.rows.X[test])
    return novel


def _fitted(pooled: Rows, found: OutOfSample) -> Iterator[Fitted]:
    """First bar, test rows and signal of each fold."""
    for fold in np.unique(found.fold):
        test = found.fold == fold
        start = found.rows.times[test].min()
        train = pooled.take(trainable(pooled.times, pooled.end, start))
        yield start, test, Novelty().fit(train)


def _by_quarter(rows: Rows, novel: BoolArray) -> list[dict[str, Any]]:
    months = rows.times.astype("datetime64[M]").astype(np.int64)
    quarters = months // 3
    return [
        {
            "quarter": f"{1970 + int(quarter) // 4}-Q{int(quarter) % 4 + 1}",
            "share": float(novel[quarters == quarter].mean()),
        }
        for quarter in np.unique(quarters)
    ]


def _group(found: OutOfSample, among: BoolArray, name: str, side: int) -> dict[str, Any]:
    """How good the 4-h probabilities are in some of the rows; NaN where that cannot be said."""
    h = primary_horizon(found.rows.horizons_h)
    rows = among & np.isfinite(found.rows.y[:, side, h])
    y = found.rows.y[rows, side, h]
    row: dict[str, Any] = {"group": name, "side": SIDES[side], "n": int(y.size)}
    row |= dict.fromkeys(("base_rate", "mean_p", "brier_skill_vs_climatology", "roc_auc"), NOTHING)
    if y.size:
        row["base_rate"] = float(y.mean())
    if y.size and MODEL in found.p:
        p = found.p[MODEL][rows, side, h]
        row["mean_p"] = float(p.mean())
        if np.ptp(y) > 0:
            row["roc_auc"] = roc_auc(y, p)
        if CLIMATOLOGY in found.p:
            usual = found.p[CLIMATOLOGY][rows, side, h]
            row["brier_skill_vs_climatology"] = brier_skill(y, p, usual)
    return row


def _injected(fitted: list[Fitted], faulty: Iterable[FaultyRows]) -> list[dict[str, Any]]:
    tally: dict[str, list[bool]] = {}
    for one in faulty:
        earlier = [novelty for start, _, novelty in fitted if start <= one.since]
        if earlier:
            tally.setdefault(one.fault, []).append(bool(earlier[-1].novel(one.X).any()))
    return [
        {"fault": fault, "n": len(hits), "detected": sum(hits)} for fault, hits in tally.items()
    ]
