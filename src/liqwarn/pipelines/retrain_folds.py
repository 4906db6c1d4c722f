"""Folds of the walk-forward kept from run to run, and no more of them than the last runs used.

Weekly runs share all blocks but the newest: their rows, makers and code are the same, and so is the
key. A run that was killed finds what it had finished.
"""

from pathlib import Path
from typing import Any, Final

import orjson

from liqwarn.durable import write_json
from liqwarn.pipelines.fold_store import FoldStore

__all__ = ["KEPT_RUNS", "fold_names", "folds_of", "prune"]

KEPT_RUNS: Final = 4
"""Runs whose folds stay."""
_USED: Final = "used.json"


def folds_of(home: Path, panel: str) -> FoldStore:
    """The folds of a panel, below ``LIQWARN_HOME``; what is not there is computed here."""
    return FoldStore(home / "folds" / panel, map, rolling=True)


def fold_names(folds: FoldStore) -> set[str]:
    """Names of what is there."""
    return {path.stem for path in folds.folder.glob("*.npz")}


def prune(folds: FoldStore, run: str) -> int:
    """Remove what none of the last runs used, this one among them; returns how many files.

    Killed in between it leaves some more, which the next run removes.
    """
    if not folds.used:
        return 0
    listed = folds.folder / _USED
    runs = [one for one in _runs(listed) if one["run"] != run]
    runs = [*runs, {"run": run, "folds": folds.used}][-KEPT_RUNS:]
    write_json(listed, {"runs": runs})
    kept = {fold for one in runs for fold in one["folds"]}
    gone = fold_names(folds) - kept
    for name in gone:
        (folds.folder / f"{name}.npz").unlink()
    return len(gone)


def _runs(path: Path) -> list[dict[str, Any]]:
    """Runs whose folds are known; none when the list is gone or unreadable, it is a cache's."""
    try:
        found = orjson.loads(path.read_bytes())["runs"]
        return [{"run": str(one["run"]), "folds": list(one["folds"])} for one in found]
    except (OSError, ValueError, KeyError, TypeError):
        return []
