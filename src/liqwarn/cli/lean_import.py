"""Import a command without what its libraries would like to have beside them."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Final

__all__ = ["lean_import"]

_NOT_NEEDED: Final = ("dask", "matplotlib", "sklearn")
"""LightGBM imports them where it finds them, for a second and with joblib's unpicklers."""


def lean_import(name: str) -> None:
    """Import a module whose command trains nothing and draws nothing.

    What is imported stays for good, so the collector neither runs meanwhile nor looks through it
    afterwards.

    Parameters
    ----------
    name : str
        Of the module.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        with _missing(_NOT_NEEDED):
            import_module(name)
        gc.freeze()
    finally:
        if collecting:
            gc.enable()


@contextmanager
def _missing(names: tuple[str, ...]) -> Iterator[None]:
    """Have modules that are not imported yet look as if they were not installed."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it then fails
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
