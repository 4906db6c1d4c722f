"""The largest value on a sphere and in a box beside it, without derivatives, within a budget.

A point is a direction, of length 1, and severities in [0, 1]. Starts: Sobol directions and their
opposites, the axes given, and hints. From the best of them: poll every axis both ways, fit a slope
to what the polls gave, and step along it; twice as far after a long step, half as far when nothing
was better; when steps are too short, go on from the next best start. The value may be rough: only
comparisons of values and one least-squares slope are used.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm
from scipy.stats.qmc import Sobol

from liqwarn.frames import FloatArray

__all__ = ["Found", "SphereSearch", "search_sphere"]

FIRST_ANGLE, LAST_ANGLE = 0.5, 0.03
STEPS = (0.5, 1.0, 2.0)

Values = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SphereSearch:
    """Where and how long to search.

    Attributes
    ----------
    axes : ndarray, shape (n_axes, n_dims)
        Directions to poll, of length 1.
    severities : int
        Numbers in [0, 1] beside the direction; every start has them at 1.
    evaluations : int
        Points that may be valued, at least 1.
    seed : int
        Of the starts.
    hints : tuple of ndarray
        Directions to start from before all others.
    """

    axes: FloatArray
    severities: int
    evaluations: int
    seed: int
    hints: tuple[FloatArray, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """The best point, its value, and how many were valued."""

    direction: FloatArray
    severity: FloatArray
    value: float
    evaluations: int


@dataclass(slots=True, eq=False)
class _Trials:
    """Everything that was valued, in order; never more than the budget."""

    values: Values
    budget: int
    directions: list[FloatArray] = field(default_factory=list)
    severities: list[FloatArray] = field(default_factory=list)
    found: list[float] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.budget - len(self.found)

    def value(self, directions: FloatArray, severities: FloatArray) -> FloatArray:
        """Values of as many of the points as the budget allows."""
        directions, severities = directions[: self.left], severities[: self.left]
        if not len(directions):
            return np.empty(0)
        values = self.values(directions, severities)
        self.directions.extend(directions)
        self.severities.extend(severities)
        self.found.extend(values.tolist())
        return values


def search_sphere(values: Values, search: SphereSearch) -> Found:
    """Search for the largest value.

    Parameters
    ----------
    values : callable
        Values of a batch of directions, shape (n, n_dims), and severities, shape
        (n, n_severities); shape (n,). NaN counts as the smallest.
    search : SphereSearch
        The same search finds the same point.

    Examples
    --------
    >>> target = np.array([0.6, 0.0, -0.8])
    >>> search = SphereSearch(axes=np.eye(3), severities=1, evaluations=120, seed=1)
    >>> found = search_sphere(lambda y, severity: y @ target + severity[:, 0], search)
    >>> found.evaluations, round(found.value, 2)
    (120, 2.0)
    """
    trials = _Trials(
        lambda *points: np.nan_to_num(values(*points), nan=-np.inf), search.evaluations
    )
    starts = _starts(search)
    trials.value(starts, np.ones((len(starts), search.severities)))
    slope = _slope(np.array(trials.directions), np.array(trials.found))
    trials.value(slope[None], np.ones((1, search.severities)))
    for start in np.argsort(-np.array(trials.found), kind="stable"):
        if trials.left:
            _climb(trials, search, int(start))
    best = int(np.argmax(trials.found))
    return Found(
        direction=trials.directions[best],
        severity=trials.severities[best],
        value=trials.found[best],
        evaluations=len(trials.found),
    )


def _starts(search: SphereSearch) -> FloatArray:
    """Hints, axes, Sobol points and the opposites of both; a quarter of the budget is Sobol's."""
    n_dims = search.axes.shape[1]
    power = max(0, int(np.log2(max(1, search.evaluations // 8))))
    cube = Sobol(n_dims, rng=np.random.default_rng(search.seed)).random_base2(power)
    sobol = _unit(norm.ppf(np.clip(cube, 1e-9, 1.0 - 1e-9)))
    hints = np.array(search.hints).reshape(-1, n_dims)
    return np.concatenate([hints, search.axes, -search.axes, sobol, -sobol])


def _climb(trials: _Trials, search: SphereSearch, start: int) -> None:
    """Poll and step from a point until steps are too short or the budget is spent."""
    here, severity = trials.directions[start], trials.severities[start]
    best, angle = trials.found[start], FIRST_ANGLE
    while trials.left and angle >= LAST_ANGLE:
        first = len(trials.found)
        points = list(_polls(here, severity, search.axes, angle))
        trials.value(np.array([p for p, _ in points]), np.array([s for _, s in points]))
        directions = np.array([here, *trials.directions[first:]])
        slope = _slope(directions, np.array([best, *trials.found[first:]]))
        leader = _leader(trials, first, best)
        kept = severity if leader is None else trials.severities[leader]
        steps = np.array([_tilted(here, slope, angle * step) for step in STEPS])
        trials.value(steps, np.tile(kept, (len(steps), 1)))
        leader = _leader(trials, first, best)
        if leader is None:
            angle /= 2.0
            continue
        angle = min(FIRST_ANGLE, 2.0 * angle) if leader == len(trials.found) - 1 else angle
        here, severity = trials.directions[leader], trials.severities[leader]
        best = trials.found[leader]


def _leader(trials: _Trials, first: int, best: float) -> int | None:
    """The best trial since the `first`, if it beats `best`."""
    recent = np.array(trials.found[first:])
    return first + int(recent.argmax()) if recent.max(initial=-np.inf) > best else None


def _polls(
    here: FloatArray, severity: FloatArray, axes: FloatArray, angle: float
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Points beside one: towards and away from each axis, and with each severity moved."""
    for axis in axes:
        for sign in (1.0, -1.0):
            yield _tilted(here, sign * axis, angle), severity
    for place in range(len(severity)):
        moved = severity.copy()
        moved[place] += angle if severity[place] + angle <= 1.0 else -angle
        yield here, moved


def _slope(directions: FloatArray, values: FloatArray) -> FloatArray:
    """The direction in which values rise, by least squares; the first one where they do not."""
    known = np.isfinite(values)
    if known.sum() < 2:
        return np.asarray(directions[0])
    centred = directions[known] - directions[known].mean(axis=0)
    rise = np.linalg.lstsq(centred, values[known] - values[known].mean(), rcond=1e-6)[0]
    return _unit(rise) if np.linalg.norm(rise) > 0.0 else np.asarray(directions[0])


def _tilted(here: FloatArray, towards: FloatArray, angle: float) -> FloatArray:
    """The direction turned by an angle towards another one; itself if that is its own line."""
    across = towards - (towards @ here) * here
    length = np.linalg.norm(across)
    if length < 1e-9:
        return here
    return _unit(np.cos(angle) * here + np.sin(angle) * across / length)


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
