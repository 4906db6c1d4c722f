"""What scoring needs of a training run, in one folder: the model and the record of its training.

Both parts carry a manifest of hashes that is checked before anything is parsed. The record holds
the model's out-of-fold probabilities of its own training bars: the trailing percentile of a new
probability must not be taken among in-sample ones, which are too sharp.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

import orjson
import pandas as pd

from liqwarn.decisions import ModelStamp
from liqwarn.errors import ModelError
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.model_files import read_folder, write_folder
from liqwarn.tables import read_table

__all__ = ["Bundle", "Training", "load_bundle", "save_bundle"]


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
    """

    model: CascadeModel
    training: Training
    history: pd.DataFrame
    stamp: ModelStamp


def save_bundle(
    folder: Path, model: CascadeModel, training: Training, history: pd.DataFrame
) -> str:
    """Write a bundle; returns the SHA-256 of the model's manifest."""
    digest = model.save(folder / "model")
    table = BytesIO()
    history.to_parquet(table, index=False)
    record = orjson.dumps(asdict(training), option=orjson.OPT_INDENT_2)
    write_folder(
        folder / "training", {"training.json": record, "history.parquet": table.getvalue()}
    )
    return digest


def load_bundle(folder: Path, *, version: str, threads: int = 1) -> Bundle:
    """Read a bundle back.

    Raises
    ------
    ModelError
        When a file is missing, or is not the one that was written.
    """
    model = CascadeModel.load(folder / "model", threads=threads)
    files, _ = read_folder(folder / "training")
    try:
        raw = orjson.loads(files["training.json"])
        raw["trained_until"] = datetime.fromisoformat(raw["trained_until"])
        training = Training(**raw)
        history = read_table(BytesIO(files["history.parquet"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder}: unreadable record of training: {error!r}") from error
    stamp = ModelStamp(version=version, sha256=model.sha256_)
    return Bundle(model=model, training=training, history=history, stamp=stamp)
