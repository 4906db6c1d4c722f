"""How bad data may be before a retraining stops: limits, and where they come from.

A stop keeps the champion and waits for a person, so the limits are wide: they are to catch a feed
that died, a unit that changed and a store that was lost, and not a market that moves.
``docs/retrain.md`` has what they were measured against.
"""

from dataclasses import dataclass
from datetime import timedelta

from liqwarn.models.gate import STALE

__all__ = ["DriftLimits", "QualityLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLimits:
    """When the newest bars are too bad to learn from.

    Attributes
    ----------
    recent : timedelta
        What counts as newest.
    coverage : float
        Least share of a core field's bars that must be known.
    silent : timedelta
        Longest time without any value of a core field at the end.
    doubt : float
        Largest share of bars in doubt.
    apart_bps : float
        Largest median distance of two prices of one asset, in basis points.
    newest, usual : timedelta
        The newest bars, and those before them that a core field's level is held against.
    leap : float
        Largest ratio, up or down, of the medians of the two: further, a unit has changed.
    symbols : float
        Share of the symbols that may break the limits above; the panel is stopped beyond it.
    stale : timedelta
        Oldest newest bar while there is a champion to keep; the gate refuses older evidence.
    ahead : timedelta
        How far the newest bar may lie after now: further, the clock is wrong, or the data.
    """

    recent: timedelta = timedelta(days=7)
    coverage: float = 0.8
    silent: timedelta = timedelta(hours=24)
    doubt: float = 0.05
    apart_bps: float = 100.0
    newest: timedelta = timedelta(days=3)
    usual: timedelta = timedelta(days=30)
    leap: float = 5.0
    symbols: float = 0.25
    stale: timedelta = STALE
    ahead: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLimits:
    """When inputs look broken rather than moved.

    Attributes
    ----------
    recent : timedelta
        The newest bars that are looked at.
    large : float
        Largest share of the known features whose drift is graded large.
    novel : float
        Largest share of recent rows that are unlike anything in training, as a feature in another
        unit makes them.
    constant : float
        Largest share of the features that have become constant.
    """

    recent: timedelta = timedelta(days=30)
    large: float = 0.5
    novel: float = 0.5
    constant: float = 0.1
