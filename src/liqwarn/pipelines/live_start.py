"""From a study to a live engine: everything it remembers, made by the batch up to one bar."""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np

from liqwarn.data.quality import LiveQuality
from liqwarn.errors import FrameError
from liqwarn.frames import MarketFrame
from liqwarn.liquidation.live_maps import LiveMaps, quarters_of
from liqwarn.live.engine import LiveEngine, Memory
from liqwarn.live.tape import Tape, tail_bars
from liqwarn.models.bundle import Bundle
from liqwarn.models.fast_cascade import FastCascade
from liqwarn.models.live_legs import LegsState
from liqwarn.models.score_memory import ScoreMemory
from liqwarn.models.score_quantile import MEMORY
from liqwarn.models.scoring import unseen
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study
from liqwarn.policy.book import Key
from liqwarn.policy.position import Position
from liqwarn.policy.tiers import Policy

__all__ = ["start_live"]

_STAGES = ("features", "maps", "legs", "ranks")


def start_live(
    study: Study,
    bundle: Bundle,
    policy: Policy,
    *,
    at: int | None = None,
    positions: Mapping[Key, Position] | None = None,
    on_progress: OnProgress = silent,
) -> LiveEngine:
    """An engine whose next bar is the one at position `at`; by default the one after the last.

    Parameters
    ----------
    at : int or None
        Position in the study's frame; the bars before it are the engine's past.
    positions : mapping of (symbol, side) to Position, optional
        Where an earlier run left the breaker.

    Raises
    ------
    FrameError
        When no bar lies before `at`.
    """
    frame = study.market.frame
    stop = frame.shape[1] if at is None else at
    if not 0 < stop <= frame.shape[1]:
        raise FrameError(f"bar {stop} of {frame.shape[1]}, expected one with history before it")
    past = frame.between(0, stop)
    on_progress("live start", 0, len(_STAGES))
    tape = Tape.start(study.mapped.between(max(0, stop - tail_bars(frame)), stop))
    on_progress("live start", 1, len(_STAGES))
    maps = _maps(study, past)
    on_progress("live start", 2, len(_STAGES))
    legs = LegsState.start(past, study.definition)
    on_progress("live start", 3, len(_STAGES))
    memory = Memory(
        tape=tape,
        maps=maps,
        quality=LiveQuality.start(past, study.market.panel),
        legs=legs,
        ranks=_ranks(study, bundle, stop),
        positions=dict(positions or {}),
    )
    on_progress("live start", 4, len(_STAGES))
    return LiveEngine(study.market.panel, bundle, FastCascade(bundle.model), policy, memory)


def _maps(study: Study, past: MarketFrame) -> LiveMaps:
    jobs = [study.map_job.of(past, symbol) for symbol in past.symbols]
    quarters = quarters_of(study.map_draws, past.shape[1] - 1)
    return LiveMaps.start(jobs, quarters)


def _ranks(study: Study, bundle: Bundle, stop: int) -> ScoreMemory:
    """What new probabilities are placed in: those of the last 180 days."""
    frame, model = study.market.frame, bundle.model
    hour = max(timedelta(hours=1), frame.bar)  # shorter bars are sampled once an hour
    first = max(0, stop - (MEMORY + hour) // frame.bar)
    bars = slice(first, stop)
    X = study.matrix.aligned(model.names_)[:, bars]
    probability = model.predict_proba(X.reshape(-1, X.shape[2]))
    probability = probability.reshape(*X.shape[:2], 2, -1)[..., model.horizons_h_.index(4)]
    own = np.where(study.market.quality.usable[:, bars, None], probability, np.nan)
    known = unseen(bundle, study.market.panel.name, frame.symbols, frame.times[bars], own)
    return ScoreMemory.start(np.ascontiguousarray(known), frame.first_bar + first, frame.bar)
