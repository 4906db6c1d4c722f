"""What to search for the worst shock, and how long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import numpy as np

from liqwarn.errors import ConfigError

__all__ = ["OBJECTIVES", "WorstCaseSearch"]

OBJECTIVES: Final = ("loss", "liquidated")
"""Open-interest-weighted fall to the lowest price, in %; USD liquidated."""

_PURPOSES: Final = ("paths", "fresh", "starts", "random")


LARGEST_RADIUS: Final = 20.0
"""No day is that far out; prices would leave the range of numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCaseSearch:
    """A search, checked whole.

    Attributes
    ----------
    objective : {'loss', 'liquidated'}
        What is to be as large as possible.
    radii : tuple of float
        Mahalanobis radii of the balls, above 0.
    seed, threads : int
        Threads change nothing but the time it takes.
    paths : int
        Random paths that every shock meets, at least 2.
    evaluations : int
        Shocks valued in each ball, at least 1.
    over : timedelta
        In which the move and the haircut arrive.
    depth_min : float
        Smallest factor on makers' depth, in (0, 1].
    haircut_max : float
        Largest haircut, in [0, 1].

    Raises
    ------
    ConfigError
        Naming every fault.

    Examples
    --------
    >>> WorstCaseSearch(radii=(0.0, 2.0), haircut_max=1.2)
    Traceback (most recent call last):
    ...
    liqwarn.errors.ConfigError: worst case: radius is 0.0, expected above 0, at most 20;
    haircut_max is 1.2, expected in [0, 1]
    """

    objective: Literal["loss", "liquidated"] = "loss"
    radii: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0)
    seed: int = 1
    threads: int = 1
    paths: int = 24
    evaluations: int = 300
    over: timedelta = timedelta(hours=1)
    depth_min: float = 0.3
    haircut_max: float = 0.1

    def __post_init__(self) -> None:
        faults = [*self._search_faults(), *self._bound_faults()]
        if faults:
            raise ConfigError("worst case: " + "; ".join(faults))

    def seed_of(self, purpose: str, place: int = 0) -> int:
        """An independent seed for each use of chance."""
        words = np.random.SeedSequence([self.seed, _PURPOSES.index(purpose), place])
        return int(words.generate_state(1, np.uint64)[0] >> np.uint64(1))

    def _search_faults(self) -> Iterator[str]:
        if self.objective not in OBJECTIVES:
            yield f"objective is '{self.objective}', expected one of {', '.join(OBJECTIVES)}"
        for name, found, low, high in (
            ("seed", self.seed, 0, 2**63 - 1),
            ("threads", self.threads, 1, 256),
            ("paths", self.paths, 2, 100_000),
            ("evaluations", self.evaluations, 1, 1_000_000),
        ):
            if not low <= found <= high:
                yield f"{name} is {found}, expected {low} to {high}"

    def _bound_faults(self) -> Iterator[str]:
        if not self.radii or len(set(self.radii)) < len(self.radii):
            yield f"radii are {self.radii}, expected at least one, each once"
        for radius in self.radii:
            if not 0.0 < radius <= LARGEST_RADIUS:
                yield f"radius is {radius}, expected above 0, at most {LARGEST_RADIUS:g}"
        if not 0.0 < self.depth_min <= 1.0:
            yield f"depth_min is {self.depth_min}, expected in (0, 1]"
        if not 0.0 <= self.haircut_max <= 1.0:
            yield f"haircut_max is {self.haircut_max}, expected in [0, 1]"
        if self.over <= timedelta(0):
            yield f"over is {self.over}, expected above 0"
