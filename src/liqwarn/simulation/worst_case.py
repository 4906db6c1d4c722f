"""The worst plausible shock: a search over joint moves inside a Mahalanobis ball.

A shock is a joint move of all symbols, no further from zero than a radius, and beside the ball two
amounts inside bounds of their own, to which no probability is given: a factor on makers' depth
that holds for the whole horizon, and a haircut on the collateral of cross-margin accounts. The
move and the haircut arrive evenly within a stretch of time; the rest is the market's own doing.

Every shock meets the same random paths while the search runs. What it finds is then valued on
fresh paths, because the largest of many noisy values is too large. The balls are nested: the
worst of a smaller radius stands wherever a larger one finds nothing worse on the fresh paths, so
the worst never falls with the radius.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np

from liqwarn.errors import ConfigError
from liqwarn.frames import FloatArray
from liqwarn.simulation.futures import PathOrder, simulate_futures
from liqwarn.simulation.intervals import Interval, mean_interval
from liqwarn.simulation.monte_carlo import Futures
from liqwarn.simulation.opening import Opening
from liqwarn.simulation.plan import Plan
from liqwarn.simulation.shock_factors import ShockFactors
from liqwarn.simulation.sphere_search import SphereSearch, search_sphere
from liqwarn.simulation.step_grid import StepGrid
from liqwarn.simulation.worst_case_order import WorstCaseSearch

__all__ = [
    "JointShock",
    "RadiusResult",
    "Valued",
    "baseline",
    "damage_of",
    "median_path",
    "plan_of_shock",
    "search_worst_cases",
    "value_of",
]

FRESH: Final = 4
"""Fresh paths for each path of the search."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointShock:
    """A shock.

    Attributes
    ----------
    y : ndarray, shape (n_dims,)
        The move, as a point of its :class:`~liqwarn.simulation.shock_factors.ShockFactors`.
    depth : float
        Factor on makers' depth.
    haircut : float
        On the collateral of cross-margin accounts.
    """

    y: FloatArray
    depth: float
    haircut: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """A mean over fresh paths, its 95 % interval, and how many diverged, which are left out."""

    value: float
    ci: Interval
    diverged: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadiusResult:
    """The worst of a ball.

    Attributes
    ----------
    radius : float
        Of the ball.
    shock : JointShock
        The worst.
    worst : Valued
        On fresh paths.
    searched : float
        Value of the ball's own best on the paths of the search; above `worst` by luck alone.
    random_best : Valued
        The best of as many random shocks, on the same fresh paths.
    evaluations : int
        Shocks valued by the search, and by chance.
    """

    radius: float
    shock: JointShock
    worst: Valued
    searched: float
    random_best: Valued
    evaluations: int


def search_worst_cases(
    opening: Opening,
    factors: ShockFactors,
    search: WorstCaseSearch,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[RadiusResult, ...]:
    """The worst shock of every radius, the smallest first.

    Random shocks lie on the ball's surface with depth and haircut at their worst bounds, which
    makes them better than random ones inside it.

    Returns
    -------
    tuple of RadiusResult
        The same bits for the same search, whatever its threads.

    Raises
    ------
    ConfigError
        When the shock takes longer than the horizon, or the factors are of other symbols.
    """
    trial = _Trial(opening, factors, search, on_progress)
    results: list[RadiusResult] = []
    for place, radius in enumerate(sorted(search.radii)):
        hints = tuple(_unit(result.shock.y) for result in results[-1:])
        results.append(trial.radius(radius, place, hints))
        if place and not _rank(results[-1].worst.value) > _rank(results[-2].worst.value):
            kept = results[-2]
            results[-1] = replace(results[-1], shock=kept.shock, worst=kept.worst)
    return tuple(results)


class _Trial:
    """Values shocks, on the paths of the search or on fresh ones."""

    def __init__(
        self,
        opening: Opening,
        factors: ShockFactors,
        search: WorstCaseSearch,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self._opening, self._factors, self._search = opening, factors, search
        self._on_progress = on_progress
        self._done, self._total = 0, 2 * search.evaluations * len(search.radii)

    def radius(self, radius: float, place: int, hints: tuple[FloatArray, ...]) -> RadiusResult:
        """Search one ball, and let chance search it too."""
        search = self._search
        found = search_sphere(
            lambda directions, severity: self._values(radius * directions, severity),
            SphereSearch(
                axes=self._factors.axes,
                severities=2,
                evaluations=search.evaluations,
                seed=search.seed_of("starts", place),
                hints=hints,
            ),
        )
        rng = np.random.default_rng(search.seed_of("random", place))
        drawn = radius * _unit(rng.standard_normal((found.evaluations, self._factors.n_dims)))
        values = self._values(drawn, np.ones((len(drawn), 2)))
        luckiest = self._shock(drawn[int(np.argmax(_rank(values)))], np.ones(2))
        shock = self._shock(radius * found.direction, found.severity)
        worst = value_of(self._opening, self._factors, search, shock)
        random_best = value_of(self._opening, self._factors, search, luckiest)
        if _rank(random_best.value) > _rank(worst.value):
            shock, worst = luckiest, random_best
        return RadiusResult(
            radius=radius,
            shock=shock,
            worst=worst,
            searched=found.value,
            random_best=random_best,
            evaluations=found.evaluations,
        )

    def _values(self, ys: FloatArray, severities: FloatArray) -> FloatArray:
        """Mean damage of a batch of shocks on the paths of the search."""
        shocks = [self._shock(y, part) for y, part in zip(ys, severities, strict=True)]
        with ThreadPoolExecutor(self._search.threads) as pool:
            values = np.array(list(pool.map(self._value, shocks)))
        self._done += len(shocks)
        if self._on_progress is not None:
            self._on_progress(self._done, self._total)
        return values

    def _value(self, shock: JointShock) -> float:
        search = self._search
        order = PathOrder(paths=search.paths, seed=search.seed_of("paths"), kept=0)
        plan = plan_of_shock(self._opening, self._factors, search, shock)
        damage = damage_of(self._opening, simulate_futures(self._opening, plan, order), search)
        return _mean(damage)

    def _shock(self, y: FloatArray, severity: FloatArray) -> JointShock:
        """Severity 0 is a calm book and no haircut, 1 the worst that the bounds allow."""
        return JointShock(
            y=y,
            depth=float(self._search.depth_min ** severity[0]),
            haircut=float(self._search.haircut_max * severity[1]),
        )


def plan_of_shock(
    opening: Opening, factors: ShockFactors, search: WorstCaseSearch, shock: JointShock
) -> Plan:
    """What a shock does in each step.

    Raises
    ------
    ConfigError
        When it takes longer than the horizon, or the factors are of other symbols.
    """
    config = opening.config
    n_steps = config.n_bars * config.steps_per_bar
    if search.over > n_steps * config.step:
        raise ConfigError(
            f"over is {search.over}, expected at most the horizon, {n_steps * config.step}"
        )
    if len(factors.loadings) != len(config.specs):
        raise ConfigError(
            f"factors are of {len(factors.loadings)} symbols, expected {len(config.specs)}"
        )
    grid = StepGrid.of(n_steps, config.step)
    n = len(config.specs)
    left = 1.0 - config.cross.collateral_share * shock.haircut
    return Plan(
        news=np.outer(factors.moves(shock.y), grid.shares(timedelta(0), search.over)),
        depth=np.full((n, n_steps), np.log(shock.depth)),
        erosion=np.zeros((n, 2, n_steps)),
        collateral=grid.factors(left, timedelta(0), search.over),
        supply=np.zeros((n, n_steps)),
        up=np.ones((n, n_steps), dtype=np.bool_),
        drained=np.zeros(n_steps, dtype=np.bool_),
    )


def damage_of(opening: Opening, futures: Futures, search: WorstCaseSearch) -> FloatArray:
    """Damage of each path, shape (n_paths,); NaN for one that diverged.

    ``loss``: fall from the first price to the lowest, in %, weighted by open interest in USD.
    ``liquidated``: USD liquidated, both sides.
    """
    if search.objective == "liquidated":
        return np.asarray(futures.liquidated_usd.sum(axis=(1, 2)))
    prices = opening.prices
    weight = opening.open_interest * prices
    trough = np.minimum(futures.worst, futures.other) - np.log(prices)
    return np.asarray(-100.0 * np.expm1(trough) @ (weight / weight.sum()))


def value_of(
    opening: Opening, factors: ShockFactors, search: WorstCaseSearch, shock: JointShock
) -> Valued:
    """Mean damage of a shock on fresh paths, the same for every shock."""
    futures = _fresh(opening, factors, search, shock)
    damage = damage_of(opening, futures, search)
    return Valued(
        value=_mean(damage),
        ci=mean_interval(damage[np.isfinite(damage)]),
        diverged=int(np.sum(futures.diverged)),
    )


def baseline(opening: Opening, factors: ShockFactors, search: WorstCaseSearch) -> Valued:
    """Mean damage without any shock, on the same fresh paths."""
    nothing = JointShock(y=np.zeros(factors.n_dims), depth=1.0, haircut=0.0)
    return value_of(opening, factors, search, nothing)


def median_path(
    opening: Opening, factors: ShockFactors, search: WorstCaseSearch, shock: JointShock
) -> tuple[FloatArray, FloatArray]:
    """The fresh path of median damage.

    Returns
    -------
    tuple of ndarray
        Log price at the close of each bar, shape (n_symbols, n_bars), and USD liquidated until
        then, all symbols, shape (n_bars,).
    """
    futures = _fresh(opening, factors, search, shock)
    kept = len(futures.closes)  # only these are known bar by bar
    order = np.argsort(damage_of(opening, futures, search)[:kept], kind="stable")  # NaN comes last
    middle = order[max(0, (int(np.sum(~futures.diverged[:kept])) - 1) // 2)]
    return futures.closes[middle], futures.burnt_usd[middle]


def _fresh(
    opening: Opening, factors: ShockFactors, search: WorstCaseSearch, shock: JointShock
) -> Futures:
    order = PathOrder(
        paths=FRESH * search.paths, seed=search.seed_of("fresh"), threads=search.threads
    )
    return simulate_futures(opening, plan_of_shock(opening, factors, search, shock), order)


def _mean(damage: FloatArray) -> float:
    known = damage[np.isfinite(damage)]
    return float(known.mean()) if known.size else float("nan")


def _rank(values: FloatArray | float) -> FloatArray:
    """The values, with those of shocks whose every path diverged below all others."""
    return np.asarray(np.nan_to_num(values, nan=-np.inf))


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
