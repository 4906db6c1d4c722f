"""The plain ledger that retraining kept before its journal: read, so that its runs stay known."""

from pathlib import Path
from typing import Any

import orjson

from liqwarn.errors import StoreError

__all__ = ["ledger_records"]

_KEYS = {"run", "action", "champion", "reasons", "at"}


def ledger_records(path: Path) -> list[dict[str, Any]]:
    """Its runs as lines of a journal, each of a run that finished.

    Raises
    ------
    StoreError
        Naming the first line that is none of a ledger.
    """
    return [
        _record(path, number, line)
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
    ]


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        old = orjson.loads(line)
    except ValueError as error:
        raise StoreError(f"{path}: unreadable line {number} in the ledger of retraining") from error
    if not isinstance(old, dict) or not old.keys() >= _KEYS:
        raise StoreError(f"{path}: unreadable line {number} in the ledger of retraining")
    return {
        "schema": "liqwarn.retrain/1",
        "step": "finished",
        "run": old["run"],
        "at": old["at"],
        "seconds": None,
        "figures": {"action": old["action"], "champion": old["champion"], "taken over": True},
        "reasons": old["reasons"],
    }
