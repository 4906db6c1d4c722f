"""Have the inputs moved, or are they broken? A market that moves is to be learned from."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.models.bundle import Bundle
from liqwarn.pipelines.drift import measure_drift
from liqwarn.pipelines.retrain_limits import DriftLimits
from liqwarn.pipelines.retrain_quality import Checked
from liqwarn.pipelines.study import Study

__all__ = ["check_drift"]

_LEAST: Final = 50
_NAMED: Final = 5
_GRADES: Final = ("large", "moderate", "none", "unknown")


def check_drift(study: Study, champion: Bundle, limits: DriftLimits, *, now: datetime) -> Checked:
    """Drift as the ledger measures it, and whether it looks like a fault.

    Three signs of a fault: too many features drifted at once, rows as strange as a wrong unit makes
    them, and features that moved in training and stand still now.
    """
    found = measure_drift(study, champion, now=now)
    before, recent = _parts(study, champion, limits, now)
    rows = recent[np.isfinite(recent).any(axis=2)]
    novel = float(champion.model.novelty_.novel(rows).mean()) if len(rows) else 0.0
    still = [
        n for k, n in enumerate(champion.model.names_) if _still(before[..., k], recent[..., k])
    ]
    graded = [row for row in found["inputs"] if row["grade"] != "unknown"]
    large = [row for row in graded if row["grade"] == "large"]
    shares = {
        "large": len(large) / max(1, len(graded)),
        "novel": novel,
        "constant": len(still) / max(1, len(champion.model.names_)),
    }
    named = {
        "large": [row["feature"] for row in _farthest(large)],
        "novel": _strange(champion, rows),
        "constant": still,
    }
    return Checked(
        figures={"shares": shares, "constant": still, **_grades(found)},
        reasons=tuple(_faults(shares, named, limits)),
    )


def _faults(
    shares: Mapping[str, float], named: Mapping[str, list[str]], limits: DriftLimits
) -> Iterator[str]:
    for name, text in (
        ("large", "of the features have drifted far"),
        ("novel", "of the recent rows are unlike anything in training"),
        ("constant", "of the features have become constant"),
    ):
        limit = getattr(limits, name)
        if shares[name] > limit:
            told = ", ".join(named[name][:_NAMED])
            yield (
                f"drift: {100 * shares[name]:.0f} % {text}, expected {100 * limit:.0f} % at most; "
                f"the inputs look broken: {told}; look at them, then --accept-drift if they are not"
            )


def _grades(found: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of grades and the farthest features, as JSON can say it."""
    inputs = found["inputs"]
    grades = [row["grade"] for row in inputs]
    return {
        "reference": found["reference"],
        "recent": found["recent"],
        "grades": {grade: grades.count(grade) for grade in _GRADES},
        "farthest": [
            {"feature": row["feature"], "psi": row["psi"], "ks": row["ks"], "grade": row["grade"]}
            for row in _farthest([row for row in inputs if isfinite(row["psi"])])[:_NAMED]
        ],
        "scores": found["scores"],
        "calibration": found["calibration"],
    }


def _farthest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By grade and distance; a distance alone may be what a slow series does by chance."""
    return sorted(rows, key=lambda row: (_GRADES.index(row["grade"]), -float(row["psi"])))


def _parts(
    study: Study, champion: Bundle, limits: DriftLimits, now: datetime
) -> tuple[FloatArray, FloatArray]:
    """The champion's features before the recent bars, and at those known at `now`, by symbol.

    Shape (n_symbols, n_bars, n_features); NaN where the bar cannot be scored.
    """
    times = study.matrix.times
    end = min(times[-1], np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "s"))
    recent = (times > end - np.timedelta64(limits.recent)) & (times <= end)
    values = study.matrix.aligned(champion.model.names_)
    values[~study.market.quality.usable] = np.nan
    return values[:, (times <= end) & ~recent], values[:, recent]


def _still(before: FloatArray, recent: FloatArray) -> bool:
    """Whether a feature has one value a symbol in all recent bars, and had many before."""
    told = [_stands_still(*pair) for pair in zip(before, recent, strict=True)]
    known = [one for one in told if one is not None]
    return bool(known) and all(known)


def _stands_still(before: FloatArray, recent: FloatArray) -> bool | None:
    """The same of one symbol; None where too little is known of it."""
    now, then = recent[np.isfinite(recent)], before[np.isfinite(before)]
    if min(now.size, then.size) < _LEAST:
        return None
    # what has stood there half of the time, such as a capped rate, may do so now
    return bool(np.ptp(now) == 0 and (then == now[0]).mean() < 0.5)


def _strange(champion: Bundle, recent: FloatArray) -> list[str]:
    """What is strange about the strangest of the recent rows."""
    if not len(recent):
        return []
    score = champion.model.novelty_.score(recent)
    return [champion.model.novelty_.describe(recent[[int(np.argmax(score))]])[0]]
