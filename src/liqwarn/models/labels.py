"""What a forecast is judged by: whether an onset follows within the horizon.

``y[t, side, H] = 1`` if an onset bar closes in ``(t + gap, t + gap + H]``. Whether that is known
must not depend on what happened, or the sample would be bent: a label is NaN whenever any bar that
could have held or confirmed such an onset cannot be judged (no price, no open interest, too little
history for the thresholds, or still in the future), also where an onset is already certain.
"""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np

from liqwarn.decisions import HORIZONS_H
from liqwarn.frames import SIDES, BoolArray, Labels, MarketFrame
from liqwarn.models.events import Event, bar_positions, detect_events
from liqwarn.models.legs import EventConfig, measure_legs

__all__ = ["make_labels", "make_milder_labels"]


def make_labels(
    frame: MarketFrame,
    events: Iterable[Event],
    config: EventConfig,
    horizons_h: tuple[int, ...] = HORIZONS_H,
) -> Labels:
    """Label every bar of a frame.

    Parameters
    ----------
    frame : MarketFrame
        The frame the events were found in.
    events : iterable of Event
    config : EventConfig
        The definition they were found with.
    horizons_h : tuple of int
        Hours ahead. A horizon that is not a whole number of bars has no labels: NaN.

    Returns
    -------
    Labels
        ``end`` is the moment the last bar of the horizon is past every possible confirmation.
    """
    happened, running = _mark(frame, tuple(events), config)
    known = _judged(frame, config)
    gap = config.gap // frame.bar
    y = np.full((*frame.shape, len(SIDES), len(horizons_h)), np.nan)
    end = np.empty((frame.shape[1], len(horizons_h)), dtype="datetime64[s]")
    for k, hours in enumerate(horizons_h):
        horizon = timedelta(hours=hours)
        settled = config.gap + horizon + config.confirm_bars * frame.bar
        end[:, k] = frame.times + np.timedelta64(int(settled.total_seconds()), "s")
        if horizon % frame.bar:
            continue
        bars = horizon // frame.bar
        judged = _every_ahead(known, gap + bars + config.confirm_bars)
        follows = _any_ahead(happened, gap, bars)
        y[..., k] = np.where(judged, follows, np.nan)
    return Labels(
        symbols=frame.symbols,
        times=frame.times,
        bar=frame.bar,
        horizons_h=horizons_h,
        y=y,
        end=end,
        running=running,
    )


def make_milder_labels(
    frame: MarketFrame, config: EventConfig, horizons_h: tuple[int, ...] = HORIZONS_H
) -> Labels:
    """Labels of the milder events of a frame, known when those of its events are.

    Parameters
    ----------
    frame : MarketFrame
    config : EventConfig
        The definition whose milder events are meant; see :meth:`EventConfig.milder`.
    horizons_h : tuple of int
    """
    milder = config.milder()
    return make_labels(frame, detect_events(frame, milder), milder, horizons_h)


def _mark(
    frame: MarketFrame, events: tuple[Event, ...], config: EventConfig
) -> tuple[BoolArray, BoolArray]:
    """Onset bars, and bars within an event or the quiet time after it."""
    onsets = np.zeros((*frame.shape, len(SIDES)), dtype=bool)
    running = np.zeros_like(onsets)
    quiet = config.quiet // frame.bar
    for event in events:
        row, side = frame.symbols.index(event.symbol), SIDES.index(event.side)
        first, last = bar_positions(frame, (event.onset, event.end))
        onsets[row, first, side] = True
        running[row, first : last + quiet + 1, side] = True
    return onsets, running


def _judged(frame: MarketFrame, config: EventConfig) -> BoolArray:
    legs = measure_legs(frame, config)
    return np.stack([legs[side].known for side in SIDES], axis=-1)


def _any_ahead(flags: BoolArray, skip: int, bars: int) -> BoolArray:
    """Whether any of `bars` bars is marked, after skipping `skip`, seen from each bar."""
    n = flags.shape[1]
    total = np.zeros((flags.shape[0], n + skip + bars + 1, flags.shape[2]), dtype=np.int64)
    total[:, 1 : n + 1] = np.cumsum(flags, axis=1)
    total[:, n + 1 :] = total[:, n : n + 1]
    at = np.arange(1, n + 1) + skip
    return total[:, at + bars] > total[:, at]


def _every_ahead(flags: BoolArray, bars: int) -> BoolArray:
    """Whether all of the next `bars` bars are there and marked, seen from each bar."""
    ahead = ~_any_ahead(~flags, 0, bars)
    ahead[:, max(0, flags.shape[1] - bars) :] = False
    return ahead
