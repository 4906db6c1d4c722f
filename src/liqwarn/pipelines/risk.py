"""From features to risk: probabilities, their percentile in the past, whether a cascade runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from liqwarn.decisions import HORIZONS_H
from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.bundle import Bundle
from liqwarn.models.events import in_progress
from liqwarn.models.score_quantile import score_quantile
from liqwarn.models.scoring import graded, strangeness, unseen
from liqwarn.models.skill_floor import disabled_reasons, is_disabled
from liqwarn.pipelines.study import Study
from liqwarn.policy.history import ScoreHistory

__all__ = ["Risk", "assess"]

PRIMARY = HORIZONS_H.index(4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Risk:
    """Scores of the bars asked for, as the breaker takes them, and what they were made from.

    Attributes
    ----------
    first : int
        Position in the market frame of the first bar scored.
    scores : ScoreHistory
    raw : ndarray of float64, shape (n_symbols, n_bars, 2, n_horizons)
        Scores before calibration, in log-odds.
    strange : mapping of symbol to str
        Symbols whose last bar is unlike anything in training, and what is strange about it.
    disabled : mapping of symbol to str
        Symbols whose last bar is not scored because their live skill is too low, and why.
    """

    first: int
    scores: ScoreHistory
    raw: FloatArray
    strange: Mapping[str, str]
    disabled: Mapping[str, str] = field(default_factory=dict)


def assess(study: Study, bundle: Bundle, since: datetime | None = None) -> Risk:
    """Score every bar from `since` on.

    The trailing percentile of a probability is taken among probabilities of bars the model had not
    seen: its out-of-fold ones up to the end of its training, its own afterwards.

    A feature that the model does not know is left out, so an old champion scores on after an
    upgrade; one that only the model knows is missing.

    The quality of a bar that is unlike anything in training is ``degraded`` where it was ``ok``.

    A symbol that is disabled by the bundle's standings has no probability and quality ``unknown``
    from then on. Percentiles are taken as if it were not: those of a symbol that is enabled again
    do not depend on what it went through.
    """
    frame, model = study.market.frame, bundle.model
    n_symbols, n_bars = frame.shape
    X = study.matrix.aligned(model.names_)
    raw = model.raw(X.reshape(n_symbols * n_bars, -1))
    probability = model.calibrated(raw)
    probability = probability.reshape(n_symbols, n_bars, len(SIDES), len(model.horizons_h_))
    probability[~study.market.quality.usable] = np.nan
    first = 0 if since is None else int(np.searchsorted(frame.times, _utc64(since)))
    own = probability[..., PRIMARY]
    past = unseen(bundle, study.market.panel.name, frame.symbols, frame.times, own)
    quantile = score_quantile(past, probability[..., PRIMARY], frame.first_bar, frame.bar)
    bars = slice(min(first, n_bars - 1), None)
    base_rate = np.broadcast_to(model.base_rate_[:, PRIMARY], (n_symbols, n_bars, len(SIDES)))
    off = is_disabled(bundle.standings, bundle.stamp.version, frame.symbols, frame.times[bars])
    scored = X[:, bars]
    novel = model.novelty_.novel(scored.reshape(-1, scored.shape[2])).reshape(scored.shape[:2])
    scores = ScoreHistory(
        symbols=frame.symbols,
        times=frame.times[bars],
        bar=frame.bar,
        horizons_h=model.horizons_h_,
        probability=np.where(off[..., None, None], np.nan, probability[:, bars]),
        quantile=np.where(off[..., None], np.nan, quantile[:, bars]),
        base_rate=base_rate[:, bars],
        in_progress=in_progress(frame, study.events)[:, bars],
        quality=graded(study.market.quality.quality[:, bars], novel, off),
    )
    raw = raw.reshape(n_symbols, n_bars, *raw.shape[1:])
    strange = strangeness(frame.symbols, X[:, -1], model.novelty_)
    return Risk(
        first=bars.start,
        scores=scores,
        raw=raw[:, bars],
        strange=strange,
        disabled=disabled_reasons(bundle.standings, frame.symbols, off[:, -1]),
    )


def _utc64(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "s")
