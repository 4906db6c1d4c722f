"""What a try is, the model every try is paired with, and short ways to say what was changed."""

from dataclasses import dataclass
from typing import Any

from tries_scorers import Growth, Maker, Staged

SIDE_TREES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt.

    Attributes
    ----------
    name : str
        What the command line calls it.
    group, what, why : str
    make : callable
        ``make(seed=...)`` gives an unfitted scorer.
    second : bool
        Whether the second look is open to it; not for what was tuned on its months.
    """

    name: str
    group: str
    what: str
    why: str
    make: Maker
    second: bool = True


def grown(**params: float) -> dict[str, Growth]:
    return {"either": Growth(params=params), "side": Growth(trees=SIDE_TREES, params=params)}


def trees_of(either: int, side: int, **params: float) -> dict[str, Growth]:
    return {
        "either": Growth(trees=either, params=params),
        "side": Growth(trees=side, params=params),
    }


def both(**changes: Any) -> dict[str, Growth]:  # noqa: ANN401  any of Growth's fields
    return {"either": Growth(**changes), "side": Growth(trees=SIDE_TREES, **changes)}


REFERENCE = Try(
    name="kept",
    group="reference",
    what="HAR start, 100 shared trees, 50 side trees, 8 leaves, three tenths of the features",
    why="the model every try is paired with",
    make=Staged,
)
