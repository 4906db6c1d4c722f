"""Scores and flags of a history as tables: one row a symbol, bar and side."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqwarn.decisions import HORIZONS_H
from liqwarn.frames import SIDES
from liqwarn.live.flag_rows import UNKNOWN_MODEL
from liqwarn.models.bundle import Bundle
from liqwarn.pipelines.risk import Risk
from liqwarn.pipelines.study import Study
from liqwarn.policy.history import NOT_STARTED, History
from liqwarn.reports.content import SCORE_COLUMNS
from liqwarn.tables import read_table, write_table

__all__ = ["cell_table", "extend", "flag_table", "score_table"]

TOP_DRIVERS = 3


def cell_table(study: Study, bundle: Bundle, risk: Risk, history: History) -> pd.DataFrame:
    """Everything known of each symbol, bar and side, in order of time, symbol and side.

    Bars before a symbol's first score are left out.
    """
    scores = risk.scores
    n_symbols, n_bars = len(scores.symbols), len(scores.times)
    shape = (n_symbols, n_bars, len(SIDES))
    bars = slice(risk.first, None)
    quality = study.market.quality
    columns: dict[str, NDArray[Any]] = {
        "symbol": np.array(scores.symbols, dtype=object)[:, None, None],
        "time": scores.times[None, :, None],
        "side": np.array(SIDES, dtype=object)[None, None, :],
        "quantile": scores.quantile,
        "base_rate": scores.base_rate,
        "in_progress": scores.in_progress,
        "quality": scores.quality[:, :, None],
        "completeness": quality.completeness[:, bars, None],
        "tier": np.char.add("T", np.maximum(history.tiers, 0).astype(str)),
        "state": history.states,
        "rule": history.rules,
        "sequence": history.sequences,
    }
    for h, hours in enumerate(scores.horizons_h):
        columns[f"p_{hours}h"] = scores.probability[..., h]
    columns |= _driver_columns(study, bundle, bars, shape)
    flat = {name: np.broadcast_to(values, shape).ravel() for name, values in columns.items()}
    table = pd.DataFrame(flat)
    table["time"] = table["time"].dt.tz_localize("UTC").dt.as_unit("us")
    started = np.flatnonzero((history.tiers != NOT_STARTED).ravel())
    return table.iloc[started].sort_values(["time", "symbol", "side"], ignore_index=True)


def _driver_columns(
    study: Study, bundle: Bundle, bars: slice, shape: tuple[int, int, int]
) -> dict[str, NDArray[Any]]:
    values = study.matrix.aligned(bundle.model.names_)[:, bars]
    rows = np.ascontiguousarray(values).reshape(-1, values.shape[2])
    found = bundle.model.drivers(rows, top=TOP_DRIVERS)
    columns: dict[str, NDArray[Any]] = {}
    for k in range(TOP_DRIVERS):
        pairs = [side[k] for row in found for side in row]
        columns[f"driver_{k + 1}"] = np.array([n for n, _ in pairs], dtype=object).reshape(shape)
        columns[f"contribution_{k + 1}"] = np.array([c for _, c in pairs]).reshape(shape)
    return columns


def score_table(cells: pd.DataFrame) -> pd.DataFrame:
    """What ``scores.parquet`` holds: :data:`liqwarn.reports.content.SCORE_COLUMNS`."""
    return cells[list(SCORE_COLUMNS)]


def flag_table(
    cells: pd.DataFrame, valid_for: timedelta, *, now: datetime, model: str
) -> pd.DataFrame:
    """What ``flags.parquet`` holds: the flag every bar would have had, a row a side.

    ``issued_at`` is `now`, when this scoring ran; live it is moments after ``as_of``. `model` is
    the version that scored it.
    """
    kept = ["symbol", "time", "side", *(f"p_{h}h" for h in HORIZONS_H)]
    kept += ["tier", "state", "rule", "quality", "sequence"]
    table = cells[kept].rename(columns={"time": "as_of"})
    table["issued_at"] = pd.Timestamp(now).as_unit("us")
    table["valid_until"] = table["as_of"] + pd.Timedelta(valid_for)
    table["model"] = model
    return table


def extend(path: Path, fresh: pd.DataFrame, time: str) -> None:
    """Put rows behind those a file holds already; of the same bar the fresh ones win.

    Flags in a file that does not name their model are of an unknown one.
    """
    if path.exists() and len(fresh):
        before = read_table(path)
        if "model" in fresh and "model" not in before:
            before["model"] = UNKNOWN_MODEL
        fresh = pd.concat([before[before[time] < fresh[time].min()], fresh], ignore_index=True)
    if len(fresh) or not path.exists():
        write_table(fresh, path)
