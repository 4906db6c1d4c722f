"""Skill of flags that were issued: the measures of the evaluation over what became of them.

An *alarm* is a flag at T2 or higher. Its rows are those of the evaluation: bars whose outcome at
4 h is known and at which no cascade of the side was running. Where onsets are too few, figures that
would stand on them are NaN, and a note says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import SIDES, BoolArray, FloatArray, TimeArray
from liqwarn.models.alarms import AlarmRows, Approach, approaches, false_alarms, lead_minutes
from liqwarn.models.bootstrap import (
    draw_weights,
    interval,
    mean_samples,
    week_codes,
    week_numbers,
    week_positions,
)
from liqwarn.models.events import Event, EventConfig
from liqwarn.models.live_calibration import (
    FEWEST_ONSETS,
    FEWEST_WEEKS,
    count_onsets,
    enough,
    slope_samples,
)
from liqwarn.models.metrics import (
    brier,
    brier_skill,
    calibration_line,
    expected_calibration_error,
)
from liqwarn.models.ranking import rank_rows, weighted_pr_auc, weighted_roc_auc

__all__ = [
    "ALARM_TIER",
    "HORIZON_H",
    "WINDOWS",
    "LiveRows",
    "measure_live_skill",
    "pooled_skill",
    "skill_table",
]

HORIZON_H: Final = 4
ALARM_TIER: Final = 2
WINDOWS: Final = {"all": None, "90d": timedelta(days=90), "30d": timedelta(days=30)}
RESAMPLES: Final = 500
_SEED: Final = 0
_NOTHING: Final = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiveRows:
    """Flags whose outcome is known, first issued and of bars their model had not seen.

    Attributes
    ----------
    bar : timedelta
    symbols : ndarray of str, shape (n_rows,)
    times : ndarray of datetime64[s], shape (n_rows,)
        Bar closes.
    sides : ndarray of int64, shape (n_rows,)
        Position in :data:`liqwarn.frames.SIDES`.
    models : ndarray of str, shape (n_rows,)
    p : ndarray of float64, shape (n_rows,)
        Probability at 4 h; NaN where the flag had none.
    y : ndarray of float64, shape (n_rows,)
        Outcome at 4 h, 0 or 1.
    tier : ndarray of int64, shape (n_rows,)
    timely : ndarray of bool, shape (n_rows,)
        Issued within the flag's validity; else replayed later.
    """

    bar: timedelta
    symbols: NDArray[np.str_]
    times: TimeArray
    sides: NDArray[np.int64]
    models: NDArray[np.str_]
    p: FloatArray
    y: FloatArray
    tier: NDArray[np.int64]
    timely: BoolArray

    def __len__(self) -> int:
        return len(self.times)

    def take(self, chosen: BoolArray) -> "LiveRows":
        """Some of the rows."""
        return replace(
            self,
            symbols=self.symbols[chosen],
            times=self.times[chosen],
            sides=self.sides[chosen],
            models=self.models[chosen],
            p=self.p[chosen],
            y=self.y[chosen],
            tier=self.tier[chosen],
            timely=self.timely[chosen],
        )

    def alarm_rows(self) -> AlarmRows:
        """The same as alarms are judged on them."""
        return AlarmRows(
            symbols=self.symbols,
            times=self.times,
            y=self.y,
            bar=self.bar,
            gap=EventConfig.for_bar(self.bar).gap,
            horizon=timedelta(hours=HORIZON_H),
        )


def skill_table(
    rows: LiveRows, events: Sequence[Event], as_of: datetime
) -> Iterator[dict[str, Any]]:
    """Skill by scope, side, window and model, as the ledger's account tells it.

    Of each model version, and of ``"any"``; windows end at `as_of`. Empty cells are left out, but
    for those over all symbols and models.
    """
    for window, length in WINDOWS.items():
        inside = rows if length is None else rows.take(rows.times > _before(as_of, length))
        for side, name in enumerate(SIDES):
            for scope, models, part in _parts(inside.take(inside.sides == side)):
                found = measure_live_skill(part, events, name)
                for model in models:
                    head = {"scope": scope, "side": name, "horizon_h": HORIZON_H}
                    yield {**head, "window": window, "model": model, **found}


def _parts(rows: LiveRows) -> Iterator[tuple[str, tuple[str, ...], LiveRows]]:
    """Rows of each scope and model; a single model's are those of any."""
    for scope in ("all", *np.unique(rows.symbols)):
        of_scope = rows if scope == "all" else rows.take(rows.symbols == scope)
        models = [str(model) for model in np.unique(of_scope.models)]
        if len(models) < 2:
            yield str(scope), ("any", *models), of_scope
            continue
        yield str(scope), ("any",), of_scope
        for model in models:
            yield str(scope), (model,), of_scope.take(of_scope.models == model)


def measure_live_skill(rows: LiveRows, events: Sequence[Event], side: str) -> dict[str, Any]:
    """Skill of the flags of one side.

    Intervals are of 95 %, by 500 resamples of calendar weeks jointly across symbols. The reference
    of ``brier_skill`` is the rate of the same rows, known only in hindsight.

    Returns
    -------
    dict
        ``note`` is empty, or says why figures are NaN.
    """
    met = approaches(rows.alarm_rows(), events, side)
    scored = rows.take(np.isfinite(rows.p))
    told: dict[str, Any] = {
        "rows": len(rows),
        "replayed": int((~rows.timely).sum()),
        "onsets": len(met),
        "base_rate": _mean(rows.y),
        "brier": brier(scored.y, scored.p) if len(scored) else _NOTHING,
        "recall": _recall(rows, met),
        "false_alarms_per_week": false_alarms(rows.alarm_rows(), rows.tier >= ALARM_TIER),
        "time_in_alarm": _mean(rows.tier >= ALARM_TIER),
    }
    return told | _ranking(scored, len(met))


def pooled_skill(rows: LiveRows) -> Iterator[dict[str, Any]]:
    """ROC-AUC by symbol and model, both sides pooled: what the floor of live skill is held against.

    NaN where there are too few onsets.
    """
    for symbol in np.unique(rows.symbols):
        of_symbol = rows.take(rows.symbols == symbol)
        for model in np.unique(of_symbol.models):
            part = of_symbol.take((of_symbol.models == model) & np.isfinite(of_symbol.p))
            onsets = count_onsets(part.y, part.sides, part.times, timedelta(hours=HORIZON_H))
            roc = _nothing()
            weeks, n_weeks = week_codes(part.times)
            if len(part) and enough(part.y, weeks, onsets):
                weights = draw_weights(n_weeks, RESAMPLES, _SEED)
                roc = _areas(part, weeks, weights)["roc_auc"]
            yield {"symbol": str(symbol), "model": str(model), "onsets": onsets, "roc_auc": roc}


def _ranking(rows: LiveRows, onsets: int) -> dict[str, Any]:
    """What only enough onsets can say."""
    weeks, n_weeks = week_codes(rows.times)
    if not enough(rows.y, weeks, onsets):
        note = (
            f"too few: {onsets} onsets in {np.unique(weeks[rows.y == 1.0]).size} weeks, expected "
            f"{FEWEST_ONSETS} onsets in {FEWEST_WEEKS} weeks at least"
        )
        blank = {name: _nothing() for name in ("pr_auc", "roc_auc", "slope")}
        return blank | {"brier_skill": _NOTHING, "ece": _NOTHING, "note": note}
    weights = draw_weights(n_weeks, RESAMPLES, _SEED)
    rate = np.full(len(rows), rows.y.mean())
    slope, _ = calibration_line(rows.y, rows.p)
    return {
        **_areas(rows, weeks, weights),
        "slope": _with(slope, slope_samples(rows.y, rows.p, weeks, weights)),
        "brier_skill": brier_skill(rows.y, rows.p, rate),
        "ece": expected_calibration_error(rows.y, rows.p),
        "note": "",
    }


def _areas(rows: LiveRows, weeks: NDArray[np.int64], weights: FloatArray) -> dict[str, Any]:
    ranked = rank_rows(rows.y, rows.p, weeks)
    whole = np.vstack([np.ones((1, weights.shape[1])), weights])
    pr, roc = weighted_pr_auc(ranked, whole), weighted_roc_auc(ranked, whole)
    return {"pr_auc": _with(float(pr[0]), pr[1:]), "roc_auc": _with(float(roc[0]), roc[1:])}


def _recall(rows: LiveRows, met: Sequence[Approach]) -> dict[str, Any]:
    """Share of events warned of by a flag at T2 or higher."""
    minutes = lead_minutes(rows.alarm_rows(), rows.tier >= ALARM_TIER, met)
    caught = np.isfinite(minutes).astype(np.float64)
    told = {"caught": int(caught.sum()), "events": len(met)}
    calendar = np.unique(week_numbers(rows.times))
    onsets = np.array([int(e.onset.timestamp()) for e, _ in met], dtype="datetime64[s]")
    if len(met) < FEWEST_ONSETS or np.unique(week_numbers(onsets)).size < FEWEST_WEEKS:
        return _nothing() | told
    weights = draw_weights(len(calendar), RESAMPLES, _SEED)
    samples = mean_samples(caught, week_positions(calendar, onsets), weights)
    return _with(float(caught.mean()), samples) | told


def _with(value: float, samples: FloatArray) -> dict[str, Any]:
    low, high = interval(samples)
    return {"value": value, "low": low, "high": high}


def _nothing() -> dict[str, Any]:
    return {"value": _NOTHING, "low": _NOTHING, "high": _NOTHING}


def _mean(x: FloatArray | BoolArray) -> float:
    return float(x.mean()) if x.size else _NOTHING


def _before(as_of: datetime, length: timedelta) -> np.datetime64:
    return np.datetime64((as_of - length).replace(tzinfo=None), "s")
