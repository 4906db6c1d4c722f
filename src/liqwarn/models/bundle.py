"""What scoring needs of a training run, in one folder: the model and the record of its training.

Both parts carry a manifest of hashes that is checked before anything is parsed. The record holds
the model's out-of-fold probabilities of its own training bars: the trailing percentile of a new
probability must not be taken among in-sample ones, which are too sharp. It also holds probes, rows
whose scores are known, and beside both parts may lie the policy the model is released with.
:mod:`liqwarn.models.signed_bundle` signs the whole.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final

import orjson
import pandas as pd

from liqwarn.decisions import ModelStamp
from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.model_files import read_folder, read_tree, write_folder
from liqwarn.models.probes import Probes
from liqwarn.models.skill_floor import Standing
from liqwarn.tables import read_table

__all__ = [
    "MODEL",
    "POLICY",
    "TRAINING",
    "Bundle",
    "Training",
    "bundle_of",
    "load_bundle",
    "save_bundle",
]

MODEL: Final = Path("model")
TRAINING: Final = Path("training")
POLICY: Final = "policy.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The record of a training run.

    Attributes
    ----------
    panel : str
        Name of the panel; other panels' rows may have been added.
    trained_until : datetime
        No label of a training row was known later than this.
    rows, events : int
        Rows, and onsets in the panel's own history up to then.
    panel_sha256, data_sha256 : str
    settings : dict
        Hyper-parameters and seed.
    """

    panel: str
    trained_until: datetime
    rows: int
    events: int
    panel_sha256: str
    data_sha256: str
    settings: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """A model with the record of its training.

    Attributes
    ----------
    history : DataFrame
        Out-of-fold 4-h probabilities of the training bars: symbol, time, long, short.
    probes : Probes or None
        None of a bundle that was saved before there were any.
    standings : mapping of symbol to Standing
        Which symbols the model may not score now; no part of its files.
    """

    model: CascadeModel
    training: Training
    history: pd.DataFrame
    stamp: ModelStamp
    probes: Probes | None = None
    standings: Mapping[str, Standing] = field(default_factory=dict)


def save_bundle(
    folder: Path,
    model: CascadeModel,
    training: Training,
    history: pd.DataFrame,
    *,
    rows: FloatArray | None = None,
) -> str:
    """Write a bundle; returns the SHA-256 of the model's manifest.

    Parameters
    ----------
    rows : ndarray of float64, shape (n_rows, n_features), or None
        Rows of training, a few of which become probes; without any the bundle cannot be signed.
    """
    digest = model.save(folder / MODEL)
    table = BytesIO()
    history.to_parquet(table, index=False)
    record = orjson.dumps(asdict(training), option=orjson.OPT_INDENT_2)
    files = {"training.json": record, "history.parquet": table.getvalue()}
    if rows is not None:
        files["probes.json"] = Probes.of(model, rows).to_bytes()
    write_folder(folder / TRAINING, files)
    return digest


def load_bundle(folder: Path, *, version: str, threads: int = 1) -> Bundle:
    """Read a bundle back, signed or not: for the jobs of one's own machine.

    Raises
    ------
    ModelError
        When a file is missing, or is not the one that was written.
    """
    model = CascadeModel.load(folder / MODEL, threads=threads)
    files, _ = read_folder(folder / TRAINING)
    return _bundle(model, files, version=version, source=folder)


def bundle_of(tree: Mapping[str, bytes], *, version: str, threads: int = 1) -> Bundle:
    """The bundle in the bytes of its tree; nothing is read from disk.

    Parameters
    ----------
    tree : mapping of path to bytes
        Paths below the bundle with ``/``, as in ``"model/features.json"``.

    Raises
    ------
    ModelError
        As :func:`load_bundle`.
    """
    files, digest = read_tree(tree, MODEL)
    model = CascadeModel.from_files(files, digest, source=MODEL, threads=threads)
    files, _ = read_tree(tree, TRAINING)
    return _bundle(model, files, version=version, source=TRAINING)


def _bundle(
    model: CascadeModel, files: Mapping[str, bytes], *, version: str, source: Path
) -> Bundle:
    try:
        raw = orjson.loads(files["training.json"])
        raw["trained_until"] = datetime.fromisoformat(raw["trained_until"])
        training = Training(**raw)
        history = read_table(BytesIO(files["history.parquet"]))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ModelError(f"{source}: unreadable record of training: {error!r}") from error
    probes = Probes.from_bytes(files["probes.json"]) if "probes.json" in files else None
    stamp = ModelStamp(version=version, sha256=model.sha256_)
    return Bundle(model=model, training=training, history=history, stamp=stamp, probes=probes)
