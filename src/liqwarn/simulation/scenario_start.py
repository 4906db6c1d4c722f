"""Where a scenario starts: a simulated market, or a moment of a real one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import ClassVar

from liqwarn.errors import ConfigError

__all__ = ["StoreStart", "SyntheticStart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """How the market stands at the first moment.

    Attributes
    ----------
    depth, volatility : float
        Factors on average depth and volatility, above 0.
    """

    depth: float = 1.0
    volatility: float = 1.0

    def __post_init__(self) -> None:
        faults = [
            f"{name}: found {value}, expected a factor above 0, at most 100"
            for name, value in (("depth", self.depth), ("volatility", self.volatility))
            if not 0.0 < value <= 100.0
        ]
        faults += self._faults()
        if faults:
            raise ConfigError("\n".join(faults))

    def _faults(self) -> Iterator[str]:
        yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticStart(_Start):
    """The end of a simulated history.

    Attributes
    ----------
    seed, days : int
        Of the history.
    crowding : float or None
        At the end of it, positive: longs are crowded; None: as drawn.
    appetite : float or None
        Log of open interest over its long-run level; None: as drawn.
    """

    kind: ClassVar = "synthetic"
    seed: int = 1
    days: int = 60
    crowding: float | None = None
    appetite: float | None = None

    def _faults(self) -> Iterator[str]:
        if not 0 <= self.seed < 2**63:
            yield f"seed: found {self.seed}, expected 0 to 2^63 - 1"
        if not 1 <= self.days <= 3650:
            yield f"days: found {self.days}, expected 1 to 3650"
        for name, value in (("crowding", self.crowding), ("appetite", self.appetite)):
            if value is not None and not abs(value) <= 3.0:
                yield f"{name}: found {value}, expected from -3 to 3"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStart(_Start):
    """A moment of a real panel in a store.

    Attributes
    ----------
    panel : PurePosixPath
        Of the panel's file.
    at : datetime
        Aware; the close of the last bar that is known.
    """

    kind: ClassVar = "store"
    panel: PurePosixPath
    at: datetime

    def _faults(self) -> Iterator[str]:
        if self.at.tzinfo is None:
            yield f"at: found {self.at}, expected a timezone"
