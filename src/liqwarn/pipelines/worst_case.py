"""The worst plausible shock of a scenario's first moment, as a file and as a page."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from liqwarn import __version__
from liqwarn.config import load_scenario
from liqwarn.durable import write_bytes, write_json
from liqwarn.errors import ConfigError
from liqwarn.frames import FloatArray
from liqwarn.pipelines.outputs import faults_of_out
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.scenario_start import Start, open_start
from liqwarn.reports.simulation_page import render_worst_case
from liqwarn.simulation.opening import Opening
from liqwarn.simulation.scenario import Scenario
from liqwarn.simulation.shock_factors import ShockFactors, fitted_factors, specified_factors
from liqwarn.simulation.worst_case import RadiusResult, baseline, median_path, search_worst_cases
from liqwarn.simulation.worst_case_order import WorstCaseSearch

__all__ = ["WorstCaseOrder", "run_worst_case"]

MOVE: Final = timedelta(days=1)
"""Plausibility is that of a day's move, however fast it comes."""

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCaseOrder:
    """What to search, and where to write it.

    Attributes
    ----------
    scenario : Path
        Its initial state, horizon and market; its own shocks are not applied.
    out : Path
        Folder of ``worst_case.json`` and ``worst_case.html``.
    objective, radii, seed, threads, paths, evaluations, over, depth_min, haircut_max
        As in :class:`~liqwarn.simulation.worst_case_order.WorstCaseSearch`.
    data, store : Path or None
        Folders of raw files and of the store, for a scenario that starts from a real panel.

    Raises
    ------
    ConfigError
        Naming every fault of the search.
    """

    scenario: Path
    out: Path
    objective: Literal["loss", "liquidated"] = "loss"
    radii: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0)
    seed: int = 1
    threads: int = 1
    paths: int = 24
    evaluations: int = 300
    over: timedelta = timedelta(hours=1)
    depth_min: float = 0.3
    haircut_max: float = 0.1
    data: Path | None = None
    store: Path | None = None

    def __post_init__(self) -> None:
        self.search()

    def search(self) -> WorstCaseSearch:
        """The search."""
        return WorstCaseSearch(
            objective=self.objective,
            radii=self.radii,
            seed=self.seed,
            threads=self.threads,
            paths=self.paths,
            evaluations=self.evaluations,
            over=self.over,
            depth_min=self.depth_min,
            haircut_max=self.haircut_max,
        )


def run_worst_case(
    order: WorstCaseOrder, *, now: datetime, on_progress: OnProgress = silent
) -> dict[str, Any]:
    """Search, and write ``worst_case.json`` and its page.

    Parameters
    ----------
    order : WorstCaseOrder
        What to search.
    now : datetime
        For what is read into a store; it changes no result.
    on_progress : OnProgress
        Told of every batch of shocks.

    Returns
    -------
    dict
        What was written, schema ``liqwarn.worst_case/1``; the same bytes for the same order,
        whatever its threads.

    Raises
    ------
    ConfigError
        Naming every fault of the scenario, or where the shock takes longer than its horizon.
    """
    search, scenario = order.search(), _scenario(order)
    start = open_start(
        scenario, data=order.data, store=order.store, now=now, on_progress=on_progress
    )
    factors = _factors(start)
    results = search_worst_cases(
        start.opening,
        factors,
        search,
        on_progress=lambda done, total: on_progress("worst case: shocks", done, total),
    )
    document = _document(start, factors, search, results)
    write_json(order.out / "worst_case.json", document)
    write_bytes(order.out / "worst_case.html", render_worst_case(document).encode())
    return document


def _scenario(order: WorstCaseOrder) -> Scenario:
    """The scenario, or every fault of it and of the folder."""
    faults = list(faults_of_out(order.out))
    try:
        scenario = load_scenario(order.scenario)
    except ConfigError as error:
        raise ConfigError("\n".join([str(error), *faults])) from error
    if faults:
        raise ConfigError("\n".join(faults))
    return scenario


def _factors(start: Start) -> ShockFactors:
    """Those of the simulated market, or fitted to every day of a store until the start."""
    frame = start.frame
    if frame is None:
        return specified_factors(start.opening.config.specs, MOVE / _HOUR)
    if frame.bar > MOVE or MOVE % frame.bar:
        raise ConfigError(f"bars of the panel are {frame.bar}, expected a part of {MOVE}")
    return fitted_factors(np.diff(np.log(frame.field("close")), axis=1), MOVE // frame.bar)


def _document(
    start: Start,
    factors: ShockFactors,
    search: WorstCaseSearch,
    results: tuple[RadiusResult, ...],
) -> dict[str, Any]:
    initial = start.to_dict()
    return {
        "schema": "liqwarn.worst_case/1",
        "version": __version__,
        "market": start.market,
        "seed": search.seed,
        "objective": search.objective,
        "symbols": list(start.opening.config.symbols),
        "factors": list(factors.names),
        "initial": initial | {"notes": [*start.opening.notes, *_assumptions(factors, search)]},
        "baseline": asdict(baseline(start.opening, factors, search)),
        "radii": [_radius(result, start.opening, factors) for result in results],
        "path": _path(start.opening, factors, search, results[-1]),
    }


def _assumptions(factors: ShockFactors, search: WorstCaseSearch) -> Iterator[str]:
    source = (
        "volatilities and loadings of the simulated market in average times"
        if factors.seen is None
        else f"the shrunk covariance of {len(factors.seen)} past days"
    )
    yield (
        f"Plausibility is that of a day's move, by {source}; the shock arrives evenly within "
        f"{search.over / _HOUR:g} h."
    )
    yield (
        f"Makers' depth, at least {search.depth_min:g} of calm for the whole horizon, and the "
        f"haircut, at most {100.0 * search.haircut_max:g} %, have bounds and no probability."
    )
    yield f"Worst and random shocks are chosen on {search.paths} paths, and valued on others."


def _radius(result: RadiusResult, opening: Opening, factors: ShockFactors) -> dict[str, Any]:
    shock = result.shock
    moves = factors.moves(shock.y)
    distance = factors.distance(moves)
    return {
        "radius": result.radius,
        "plausibility": {
            "mahalanobis": distance,
            "chi2_tail": factors.tail(distance),
            "seen_days_frac": factors.seen_frac(distance),
        },
        "shock": {
            "factors": dict(zip(factors.names, factors.values(shock.y).tolist(), strict=True)),
            "moves_pct": _by_symbol(opening, 100.0 * np.expm1(moves)),
            "depth": shock.depth,
            "haircut": shock.haircut,
        },
        "worst": asdict(result.worst) | {"searched": result.searched},
        "evaluations": result.evaluations,
        "random_best": result.random_best.value,
    }


def _path(
    opening: Opening, factors: ShockFactors, search: WorstCaseSearch, result: RadiusResult
) -> dict[str, Any]:
    """The median path; its first point is the start."""
    closes, usd = median_path(opening, factors, search, result.shock)
    moves = 100.0 * np.expm1(closes - np.log(opening.prices)[:, None])
    config = opening.config
    return {
        "times_h": [round(config.bar_h * bar, 6) for bar in range(config.n_bars + 1)],
        "symbols": _by_symbol(opening, np.pad(moves.round(4), ((0, 0), (1, 0)))),
        "liquidated_usd": [0.0, *usd.round(2).tolist()],
    }


def _by_symbol(opening: Opening, rows: FloatArray) -> dict[str, Any]:
    return dict(zip(opening.config.symbols, rows.tolist(), strict=True))
