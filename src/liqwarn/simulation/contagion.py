"""Contagion by impulse: who answers whose fall, measured on the same random numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.futures import PathOrder, simulate_futures
from liqwarn.simulation.opening import Opening
from liqwarn.simulation.plan import Plan

__all__ = ["SHOCK", "Contagion", "measure_contagion", "spectral_radius"]

SHOCK: Final = -0.05
"""The impulse: a simple return, in one symbol alone."""

_OVER: Final = timedelta(minutes=15)
_HORIZON: Final = timedelta(hours=6)
_BAR, _STEP = timedelta(minutes=5), timedelta(minutes=1)
_RESAMPLES: Final = 400
_BOOTSTRAP: Final = 1_000  # its stream, apart from those of simulated markets


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contagion:
    r"""How a fall of one symbol moves the others, and itself.

    For every symbol *i* the market runs six hours from the opening twice, with the same random
    numbers: undisturbed, and with news of −5 % for *i* alone, spread over a quarter of an hour.
    Between the two, log prices differ by the news and by what the market makes of it: forced
    flow, contagion, thinner books, less what arbitrage takes back. So

        ``matrix[i, j] = max over t of mean over paths of (difference_j(t) − news_j(t)) / log 0.95``

    is the endogenous move of *j* for each unit of news in *i*, at its largest; 0 means that nobody
    answers. It holds every round of the answer, not only the first. Its spectral radius is that
    answer's growth when it comes to the market as news again: **above 1 the answer is larger than
    its cause, in the most contagious mix of symbols**. A radius r of all rounds together is one of
    r / (1 + r) for the first round alone, so 1 is a finite doubling, not a runaway.

    Attributes
    ----------
    matrix : ndarray, shape (n_symbols, n_symbols)
        Row: the symbol with the news; column: the symbol that moves. NaN when no path was left.
    spectral_radius : float
    ci : tuple of float
        95 % interval of the radius: percentile bootstrap over paths, moments as found.
    """

    matrix: FloatArray
    spectral_radius: float
    ci: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """For ``scenario.json``."""
        return {
            "shock_pct": 100.0 * SHOCK,
            "matrix": self.matrix.round(6).tolist(),
            "spectral_radius": round(self.spectral_radius, 6),
            "ci": [round(end, 6) for end in self.ci],
        }


def measure_contagion(
    opening: Opening,
    order: PathOrder,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Contagion:
    """Shock one symbol after the other.

    Parameters
    ----------
    opening : Opening
        Where the market stands; the bars of its own futures do not matter.
    order : PathOrder
        Paths of each run, their seed, and threads; 200 paths are plenty.
    on_progress : callable, optional
        Told how many of the ``1 + n_symbols`` runs are done.
    """
    config = _short(opening.config)
    short = replace(opening, config=config)
    every = replace(order, kept=order.paths)
    n = len(config.specs)
    runs, fallen = [], []
    for number in range(n + 1):
        futures = simulate_futures(short, _impulse(config, number - 1), every)
        runs.append(futures.closes)
        fallen.append(futures.diverged)
        if on_progress is not None:
            on_progress(number + 1, n + 1)
    whole = ~np.any(fallen, axis=0)
    answers = [run[whole] - runs[0][whole] for run in runs[1:]]
    for i, answer in enumerate(answers):
        news = _impulse(config, i).news[i].cumsum()
        answer[:, i] -= news[config.steps_per_bar - 1 :: config.steps_per_bar]  # at bars' ends
    return _summary(np.stack(answers, axis=1) / np.log1p(SHOCK), order.seed)


def spectral_radius(matrix: FloatArray) -> FloatArray:
    """Largest absolute eigenvalue; of each matrix of a stack.

    >>> float(spectral_radius(np.array([[0.0, 2.0], [0.5, 0.0]])))
    1.0
    """
    return np.asarray(np.abs(np.linalg.eigvals(matrix)).max(axis=-1))


def _summary(answers: FloatArray, seed: int) -> Contagion:
    """Of answers for each unit of news, shape (n_paths, n_symbols, n_symbols, n_bars)."""
    paths, n = answers.shape[:2]
    if not paths:
        nothing = np.full((n, n), np.nan)
        return Contagion(matrix=nothing, spectral_radius=np.nan, ci=(np.nan, np.nan))
    mean = answers.mean(axis=0)
    moment = mean.argmax(axis=-1)[..., None]
    matrix = np.take_along_axis(mean, moment, axis=-1)[..., 0]
    at = np.take_along_axis(answers, moment[None], axis=-1).reshape(paths, n * n)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, _BOOTSTRAP))))
    weights = rng.multinomial(paths, np.full(paths, 1.0 / paths), size=_RESAMPLES) / paths
    radii = spectral_radius((weights @ at).reshape(_RESAMPLES, n, n))
    low, high = np.percentile(radii, [2.5, 97.5])
    return Contagion(
        matrix=matrix,
        spectral_radius=float(spectral_radius(matrix)),
        ci=(float(low), float(high)),
    )


def _short(config: MarketConfig) -> MarketConfig:
    """The same market in bars of five minutes, for six hours."""
    start = config.start.timestamp() % _BAR.total_seconds()
    return replace(
        config,
        start=config.start - timedelta(seconds=start),
        bar=_BAR,
        step=_STEP,
        n_bars=_HORIZON // _BAR,
    )


def _impulse(config: MarketConfig, row: int) -> Plan:
    """News for one symbol, or for none at row −1."""
    n, steps = len(config.specs), config.n_bars * config.steps_per_bar
    news = np.zeros((n, steps))
    first = _OVER // config.step
    if row >= 0:
        news[row, :first] = np.log1p(SHOCK) / first
    return Plan(
        news=news,
        depth=np.zeros((n, steps)),
        erosion=np.zeros((n, 2, steps)),
        collateral=np.ones(steps),
        supply=np.zeros((n, steps)),
        up=np.ones((n, steps), dtype=np.bool_),
        drained=np.zeros(steps, dtype=np.bool_),
    )
