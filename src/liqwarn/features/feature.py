"""What a feature is, and how a function becomes one.

The file a function stands in is its family. ``over`` makes one feature of each window from one
function, named ``<function>_<window>``; the function then takes the window in hours last.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from liqwarn.errors import FrameError
from liqwarn.features.past import Past
from liqwarn.features.resolution import Resolution
from liqwarn.frames import ALL_FIELDS

__all__ = ["CLOCK", "Feature", "feature", "hours_of", "registered"]

CLOCK: Final = "clock_h"
"""Input of calendar features: hours from the epoch to the bar's close, the same for all symbols."""

_REGISTRY: Final[dict[str, "Feature"]] = {}

_Function = TypeVar("_Function", bound=Callable[..., Past])


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One column of the feature matrix.

    Attributes
    ----------
    name : str
        Unique, snake_case, with the window as suffix.
    family : str
        The module of :mod:`liqwarn.features` it stands in.
    inputs : tuple of str
        Names of :data:`liqwarn.frames.ALL_FIELDS`, or :data:`CLOCK`.
    resolution : {"base", "1h", "8h"}
        Grid its inputs are on.
    unit : str
        Unit of the value.
    summary : str
        What it is: the first line of the function's docstring.
    cross_section : bool
        Whether it looks across symbols, and so must be given the whole panel.
    function : callable
        Takes a :class:`Past` for each input, returns one.
    """

    name: str
    family: str
    inputs: tuple[str, ...]
    resolution: Resolution
    unit: str
    summary: str
    cross_section: bool
    function: Callable[..., Past]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.inputs) - set(ALL_FIELDS) - {CLOCK})
        if unknown:
            raise FrameError(
                f"feature '{self.name}' reads {unknown}, expected names of "
                "liqwarn.frames.ALL_FIELDS"
            )


def hours_of(window: str) -> float:
    """Hours of a window's label.

    >>> hours_of("4h"), hours_of("7d")
    (4.0, 168.0)
    """
    try:
        return float(window[:-1]) * {"h": 1.0, "d": 24.0}[window[-1:]]
    except (KeyError, ValueError):
        raise FrameError(f"window is '{window}', expected a number and h or d") from None


def feature(
    *,
    inputs: tuple[str, ...],
    unit: str,
    resolution: Resolution = "base",
    over: tuple[str, ...] = (),
    cross_section: bool = False,
) -> Callable[[_Function], _Function]:
    """Register a function as a feature, or as one feature for each window of `over`.

    Raises
    ------
    FrameError
        When the function has no docstring, an input is not a field, or a name is taken.
    """

    def register(function: _Function) -> _Function:
        for window in over or (None,):
            _add(_described(function, window))
        return function

    def _described(function: _Function, window: str | None) -> Feature:
        documentation = inspect.getdoc(function)
        if not documentation:
            raise FrameError(f"feature '{function.__name__}' has no docstring")
        compute: Callable[..., Past] = function
        name = function.__name__
        if window is not None:
            compute = functools.partial(function, hours=hours_of(window))
            name = f"{name}_{window}"
        return Feature(
            name=name,
            family=function.__module__.rsplit(".", maxsplit=1)[-1],
            inputs=inputs,
            resolution=resolution,
            unit=unit,
            summary=documentation.splitlines()[0],
            cross_section=cross_section,
            function=compute,
        )

    return register


def registered() -> tuple[Feature, ...]:
    """Features of the families imported so far, in the order they were written."""
    return tuple(_REGISTRY.values())


def _add(new: Feature) -> None:
    if new.name in _REGISTRY:
        raise FrameError(f"feature '{new.name}' is written twice, expected unique names")
    _REGISTRY[new.name] = new
