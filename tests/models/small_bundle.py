"""A bundle that fits in a moment; loaded by path, as nothing here is a package."""

import runpy
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from liqwarn.models.bundle import Training, save_bundle
from liqwarn.models.cascade import CascadeModel

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
SETTINGS = replace(synthetic["SMALL"], milder_trees=3, onset_trees=4, leaves=4)


def save_small_bundle(folder, seed=0):
    """Write a bundle of a model of noise and a planted skill; the seed makes another model."""
    rows = synthetic["rows_of"](days=25)
    model = CascadeModel(SETTINGS, seed=seed).fit(rows)
    training = Training(
        panel="synthetic",
        trained_until=datetime.fromtimestamp(int(rows.end.max().astype(int)), UTC),
        rows=len(rows),
        events=3,
        panel_sha256="a" * 64,
        data_sha256="b" * 64,
        settings=asdict(SETTINGS),
    )
    times = pd.Series(rows.times).dt.tz_localize("UTC").dt.as_unit("us")
    p = model.training_p_[:, :, rows.horizons_h.index(4)]
    history = pd.DataFrame(
        {"symbol": rows.symbols, "time": times, "long": p[:, 0], "short": p[:, 1]}
    )
    save_bundle(folder, model, training, history, rows=rows.X)
    return model
