"""Flags out of a scoring's folder that the ledger does not hold yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from liqwarn.errors import StoreError
from liqwarn.live.flag_rows import FLAG_COLUMNS, with_model
from liqwarn.models.bundle import Bundle
from liqwarn.pipelines.ledger_state import KEY, Ledger
from liqwarn.tables import read_table

__all__ = ["Intake", "models_of", "take_in"]

_SAME: Final = (*KEY, "sequence", "p_1h", "p_4h", "p_24h", "tier", "state", "rule", "quality",
                "model")  # fmt: skip
"""What makes a flag itself. Issued again without a change, it is the same flag."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intake:
    """New flags.

    Attributes
    ----------
    rows : DataFrame
        With the columns of a flag history, in order of issue.
    sources : list of dict
        Name and SHA-256 of every file that was read for them.
    """

    rows: pd.DataFrame
    sources: list[dict[str, str]]


def take_in(folder: Path, ledger: Ledger) -> Intake:
    """The flags of a scoring (``flags.parquet``) or a live loop (``history/``) that are new.

    A flag of a bar that the ledger has is new when anything but its moment of issue differs: it was
    decided anew.

    Raises
    ------
    StoreError
        When the folder holds no flags, or a file is not a flag history.
    """
    sources, tables = [], []
    for path in _files(folder):
        content = path.read_bytes()
        digest = sha256(content).hexdigest()
        if digest in ledger.sources:
            continue
        sources.append({"file": str(path.relative_to(folder)), "sha256": digest})
        tables.append(_flags(content, path))
    if not tables:
        return Intake(rows=ledger.flags.iloc[:0], sources=[])
    rows = pd.concat(tables, ignore_index=True)
    rows = rows.sort_values(["issued_at", *KEY, "sequence"], kind="stable", ignore_index=True)
    known = np.unique(_prints(ledger.flags))
    prints = pd.Series(_prints(rows))
    new = ~prints.isin(known) & ~prints.duplicated()
    return Intake(rows=rows[new.to_numpy()].reset_index(drop=True), sources=sources)


def models_of(folder: Path | None, bundle: Bundle | None) -> Iterator[dict[str, Any]]:
    """Versions of models, and until when their training knew outcomes, as far as it is told."""
    if bundle is not None:
        stamp, until = bundle.stamp, bundle.training.trained_until
        yield _model(stamp.version, stamp.sha256, until)
    path = None if folder is None else folder / "scoring.json"
    if path is None or not path.exists():
        return
    try:
        told = orjson.loads(path.read_bytes())
        until = datetime.fromisoformat(told["trained_until"])
        yield _model(str(told["model"]["version"]), str(told["model"]["sha256"]), until)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: unreadable account of a scoring: {error!r}") from error


def _model(version: str, digest: str, until: datetime) -> dict[str, Any]:
    return {"version": version, "model_sha256": digest, "trained_until": until.isoformat()}


def _files(folder: Path) -> list[Path]:
    batch = folder / "flags.parquet"
    found = [batch] if batch.exists() else []
    found += sorted((folder / "history").glob("????-??-??.parquet"))
    if not found:
        raise StoreError(
            f"{folder} has neither flags.parquet nor history/, expected a folder that "
            "`liqwarn score` or `liqwarn serve` wrote"
        )
    return found


def _flags(content: bytes, path: Path) -> pd.DataFrame:
    try:
        return with_model(read_table(BytesIO(content)))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise StoreError(f"{path}: {error!r}, expected flags: {', '.join(FLAG_COLUMNS)}") from error


def _prints(flags: pd.DataFrame) -> NDArray[np.uint64]:
    """A number for each flag by what makes it itself; equal ones have the same."""
    prints = pd.util.hash_pandas_object(flags[list(_SAME)], index=False)
    return np.asarray(prints.to_numpy(), dtype=np.uint64)
