"""Of which panel the flags in a folder are, as far as the folder says."""

from collections.abc import Iterator
from pathlib import Path

import orjson

from liqwarn.data.bars.recovery import segment_paths
from liqwarn.data.bars.segment import decode
from liqwarn.errors import StoreError

__all__ = ["need_panel"]


def need_panel(folder: Path, panel: str) -> None:
    """Refuse the flags of another panel: what a ledger takes in it never gives back.

    Raises
    ------
    StoreError
        When the account of a scoring, or the newest segment of a live loop's bars, names another.
    """
    for path, found in _named(folder):
        if found != panel:
            raise StoreError(f"{path} is of panel '{found}', expected '{panel}'")


def _named(folder: Path) -> Iterator[tuple[Path, str]]:
    account = folder / "scoring.json"
    if account.exists():
        try:
            yield account, str(orjson.loads(account.read_bytes())["panel"])
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{account}: unreadable account of a scoring: {error!r}") from error
    for _, path in segment_paths(folder / "bars")[-1:]:
        header = decode(path.read_bytes()).header
        if header is not None:
            yield path, header.panel
