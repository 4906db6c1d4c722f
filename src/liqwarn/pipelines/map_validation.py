"""A market's liquidation map against what was realised, beside the naive maps found in public."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from liqwarn.durable import write_json
from liqwarn.frames import SIDES, FloatArray, MarketFrame
from liqwarn.liquidation.evidence import adverse_moves, realised_coins
from liqwarn.liquidation.fit import Draws, FitConfig, SymbolJob
from liqwarn.liquidation.frame_bars import bars_of, liquidated_usd
from liqwarn.liquidation.market_path import Bars
from liqwarn.liquidation.naive_maps import naive_within
from liqwarn.liquidation.parameters import MapParameters
from liqwarn.liquidation.posterior import PRIOR, candidates
from liqwarn.liquidation.readings import EDGES, trace, trace_of
from liqwarn.liquidation.validation import RANDOM, Outcome, score_map, wilson
from liqwarn.pipelines.engine import Engine
from liqwarn.pipelines.liquidation_map import FittedMap, MapJob, fit_map
from liqwarn.pipelines.market import Market
from liqwarn.pipelines.progress import OnProgress, silent

__all__ = ["SCHEMA", "validate_map", "write_validation"]

SCHEMA: Final = "liqwarn.map_validation/1"

_PRIORS: Final = (5.0, 20.0, 60.0)
"""Median leverages of the unfitted maps that show how much the prior matters."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    """One side of a symbol as it happened.

    Attributes
    ----------
    row : int
        Position in :data:`liqwarn.frames.SIDES`.
    outcome : Outcome
        What was realised.
    """

    row: int
    outcome: Outcome

    def marks(self, swept: FloatArray, within: FloatArray) -> dict[str, Any]:
        """Marks of a map from coins swept (n_bars, 2) and within (n_bars, 2, n_edges)."""
        held = np.full_like(within[:, self.row], np.nan)
        held[1:] = within[:-1, self.row]
        return score_map(swept[:, self.row], held, EDGES, self.outcome, seed=0)


def validate_map(
    market: Market,
    job: MapJob,
    *,
    engine: Engine | None = None,
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """Score the map of every symbol, as the document of ``map_validation.json``.

    Returns
    -------
    dict
        ``symbols``: symbol to side to marks (:func:`liqwarn.liquidation.validation.score_map`),
        with ``against`` (``liquidations`` or ``open interest falls``), ``baselines`` (each naive
        map, the move alone, and this map unwalked: as it stood before the bar) and
        ``sensitivity`` (unfitted maps of other median leverages); ``pooled``: side to the
        precision over all symbols with published liquidations, by effective bars;
        ``posterior``: the mean of each parameter by quarter.
    """
    frame = market.frame
    fitted = fit_map(frame, job, engine=engine, on_progress=on_progress)
    tasks = [(job.of(frame, symbol), fitted.draws) for symbol in frame.symbols]
    symbols = {}
    on_progress("map: validation", 0, len(tasks))
    for task, marks in zip(tasks, (engine or Engine()).map(_marks, tasks), strict=True):
        symbols[task[0].symbol] = marks
        on_progress("map: validation", len(symbols), len(tasks))
    return {
        "schema": SCHEMA,
        "panel": market.panel.name,
        "market": market.panel.market,
        "panel_sha256": market.panel_sha256,
        "data_sha256": market.data_sha256,
        "first_bar": f"{frame.times[0]}Z",
        "last_bar": f"{frame.times[-1]}Z",
        "symbols": symbols,
        "pooled": {side: _pooled([one[side] for one in symbols.values()]) for side in SIDES},
        "posterior": _posterior(fitted, job.config),
    }


def write_validation(document: Mapping[str, Any], folder: Path) -> Path:
    """Put the document into a folder; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "map_validation.json"
    write_json(path, dict(document))
    return path


def _marks(task: tuple[SymbolJob, Draws]) -> dict[str, Any]:
    """Marks of both sides of one symbol."""
    job, draws = task
    bars = bars_of(job.frame, job.symbol)
    moves = adverse_moves(bars, np.nan)
    ours = trace(job, draws)
    unfitted = {
        f"median leverage {lever:g}x": trace_of(
            job, replace(MapParameters(), median_leverage=lever)
        )
        for lever in _PRIORS
    }
    others = _others(bars, moves, ours.within)
    return {
        name: {
            "against": "liquidations" if _has_feed(job.frame, side.row) else "open interest falls",
            **side.marks(ours.swept, ours.within),
            "baselines": {one: _brief(side.marks(*map_)) for one, map_ in others.items()},
            "sensitivity": {
                one: _brief(side.marks(map_.swept, map_.within)) for one, map_ in unfitted.items()
            },
        }
        for name, side in zip(SIDES, _sides(job, bars, moves), strict=True)
    }


def _sides(job: SymbolJob, bars: Bars, moves: FloatArray) -> list[_Side]:
    coins = realised_coins(liquidated_usd(job.frame, job.symbol), bars, np.nan, np.nan)
    closed = job.frame.times - np.timedelta64(1, "s")  # midnight belongs to the day it ends
    weeks = closed.astype("datetime64[D]").astype(np.int64) // 7
    months = closed.astype("datetime64[M]").astype(np.int64)
    return [
        _Side(
            row=row,
            outcome=Outcome(
                realised=coins[:, row], moves=moves[:, row], weeks=weeks, months=months
            ),
        )
        for row in range(len(SIDES))
    ]


def _others(
    bars: Bars, moves: FloatArray, within: FloatArray
) -> Mapping[str, tuple[FloatArray, FloatArray]]:
    """The maps beside ours, as coins swept and within, known where ours is.

    ``unwalked`` is ours as it stood before the bar, without the bar's own path. ``move``,
    ``range`` and ``volume`` know nothing of positions: they rank bars by how far the bar went
    against the side, from its low to its high, and by what it traded; ``move`` takes what is
    further away to be more, the others every distance to be alike.
    """
    known = np.isfinite(within)
    further = np.where(known, np.cumsum(np.arange(1.0, len(EDGES) + 1.0)), np.nan)
    alike = np.where(known, np.arange(1.0, len(EDGES) + 1.0), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        span = np.log(bars.high / bars.low)
    maps = {
        "unwalked": (_unwalked(within, moves), within),
        "move": (moves, further),
        "range": (np.stack([span, span], axis=1), alike),
        "volume": (np.stack([bars.volume, bars.volume], axis=1), alike),
    }
    for name, naive in naive_within(bars, EDGES).items():
        seen = np.where(known, naive, np.nan)
        maps[name] = (_unwalked(seen, moves), seen)
    return maps


def _unwalked(within: FloatArray, moves: FloatArray) -> FloatArray:
    """Coins between the close before a bar and its extreme, as the map stood before the bar."""
    held = np.concatenate([np.full_like(within[:1], np.nan), within[:-1]])
    whole = np.concatenate([np.zeros((*held.shape[:2], 1)), held], axis=2)
    at = np.clip(np.nan_to_num(moves), 0.0, EDGES[-1]) / EDGES[0]
    below = np.minimum(at.astype(np.int64), len(EDGES) - 1)
    low = np.take_along_axis(whole, below[:, :, None], axis=2)[:, :, 0]
    high = np.take_along_axis(whole, below[:, :, None] + 1, axis=2)[:, :, 0]
    return np.asarray(low + (high - low) * (at - below))


def _has_feed(frame: MarketFrame, row: int) -> bool:
    return bool(np.isfinite(frame.field(f"{SIDES[row]}_liq_usd")).any())


def _pooled(marks: list[dict[str, Any]]) -> dict[str, Any]:
    """Precision over symbols whose liquidations are published, weighed by effective bars.

    The interval rests on the bars of one symbol: those of the others are the same moments.
    """
    known = [m for m in marks if m["against"] == "liquidations" and m.get("effective_bars")]
    pooled: dict[str, Any] = {"n_symbols": len(known), "random": RANDOM}
    if known:
        weights = np.array([m["effective_bars"] for m in known])
        share = float(weights @ np.array([m["precision_at_10pct"] for m in known]) / weights.sum())
        n = float(weights.max())
        pooled |= {
            "precision_at_10pct": share,
            "effective_bars": n,
            "wilson": list(wilson(share, n)),
        }
    return pooled


def _brief(marks: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in marks.items() if name != "months"}


def _posterior(fitted: FittedMap, config: FitConfig) -> dict[str, dict[str, float]]:
    """Mean of each parameter under the evidence before each quarter."""
    cloud = candidates(config.n_candidates, config.seed)
    table = np.array([[getattr(one, name) for name in PRIOR] for one in cloud])
    out = {}
    for block, weights in zip(fitted.draws.blocks, fitted.draws.posterior, strict=True):
        quarter = str(np.datetime64(block.evidence_until, "M"))
        means = (weights @ table).round(4).tolist()
        out[quarter] = dict(zip(PRIOR, means, strict=True))
    return out
