"""Is the skill where open interest is a proxy, and is it in the outcome that the proxy makes?"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from leak_tools import averaged, deltas, forward, joined, only, rows_of
from liqwarn.frames import SIDES
from liqwarn.models.folds import OutOfSample
from liqwarn.models.legs import measure_legs
from liqwarn.pipelines.study import Study

__all__ = ["eras"]

SPLICE = np.datetime64("2023-01-01", "s")
AHEAD_H = 4


def eras(study: Study, _data: Path) -> list[dict[str, Any]]:
    """The model over HAR, by what open interest is, by outcome, with and without the family."""
    rows = rows_of(study.matrix, study)
    family = [n for n, f in study.matrix.families.items() if f in ("open_interest", "clusters")]
    found = joined(
        forward(rows, "B2"),
        {"model": averaged(rows), "without open interest": averaged(rows.without(family))},
    )
    proxy = found.rows.times < SPLICE
    out = []
    for outcome, judged in (("cascade", found), ("price alone", price_alone(study, found))):
        for era, kept in (("proxy", proxy), ("measured", ~proxy)):
            part = only(judged, kept)
            for name in ("model", "without open interest"):
                about = {"outcome": outcome, "era": era, "model": name}
                out.append({**about, **deltas(part, name, "B2")})
    return out


def price_alone(study: Study, found: OutOfSample) -> OutOfSample:
    """The same rows and probabilities; the outcome is a bar whose price leg holds, within 4 h."""
    legs, frame = measure_legs(study.market.frame, study.definition), study.market.frame
    at = np.searchsorted(frame.times, found.rows.times)
    y, n = found.rows.y.copy(), frame.shape[1]
    for k, side in enumerate(SIDES):
        hits = np.append(0, np.cumsum((legs[side].move >= legs[side].price_threshold)[0]))
        follows = hits[np.minimum(at + 1 + AHEAD_H, n)] > hits[np.minimum(at + 1, n)]
        y[:, k, -1] = np.where(np.isfinite(y[:, k, -1]), follows, np.nan)
    return replace(found, rows=replace(found.rows, y=y))
