"""An event with the stretch of time around it: where it lies in the study and in a forecast."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.decisions import iso_utc
from liqwarn.frames import SIDES, BoolArray, FloatArray, epoch_seconds
from liqwarn.models.events import Event, bar_positions
from liqwarn.pipelines.event_forecast import Forecast
from liqwarn.pipelines.risk import PRIMARY
from liqwarn.pipelines.study import Study

__all__ = ["HORIZON", "Scene", "Span", "scene_event", "scene_series", "span_of"]

HORIZON: Final = timedelta(hours=4)
"""The primary horizon: alarms so long before the onset count."""

_BEFORE: Final = 48
_AFTER: Final = 0.75
_SHORTEST, _LONGEST = timedelta(hours=12), timedelta(days=8)
_PRICES: Final = ("open", "high", "low", "close", "open_interest", "long_liq_usd", "short_liq_usd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bars of a picture, by position in the frame; both ends are shown.

    Attributes
    ----------
    first, last : int
    onset, end : int
        The event's.
    """

    first: int
    last: int
    onset: int
    end: int


def span_of(study: Study, event: Event, before: timedelta | None = None) -> Span:
    """The bars to show around an event.

    Parameters
    ----------
    before : timedelta or None
        Shown before the onset, three quarters of it after the end; None is 48 bars, but at least
        12 hours and at most 8 days.
    """
    frame = study.market.frame
    lead = before or min(max(_BEFORE * frame.bar, _SHORTEST), _LONGEST)
    onset, end = bar_positions(frame, (event.onset, event.end))
    return Span(
        first=max(0, onset - max(1, lead // frame.bar)),
        last=min(len(frame.times) - 1, end + max(1, int(_AFTER * lead / frame.bar))),
        onset=onset,
        end=end,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Everything the facts of an event are read from."""

    study: Study
    event: Event
    span: Span
    forecast: Forecast

    @property
    def row(self) -> int:
        """The symbol's place in the frame."""
        return self.study.market.frame.symbols.index(self.event.symbol)

    @property
    def side(self) -> int:
        """The side's place on the side axis."""
        return SIDES.index(self.event.side)

    @property
    def shown(self) -> slice:
        """The picture's bars in the frame."""
        return slice(self.span.first, self.span.last + 1)

    @property
    def scored(self) -> slice:
        """The picture's bars in the scores."""
        first = self.forecast.decided.risk.first
        return slice(self.span.first - first, self.span.last + 1 - first)

    @property
    def probability(self) -> FloatArray:
        """4-h probability of both sides at the picture's bars, shape (n_bars, 2)."""
        scores = self.forecast.decided.risk.scores
        return np.asarray(scores.probability[self.row, self.scored, :, PRIMARY])

    @property
    def early(self) -> BoolArray:
        """Bars outside each side's events and the quiet time after them, shape (n_bars, 2)."""
        return ~self.study.labels.running[self.row, self.shown]

    @property
    def seconds(self) -> NDArray[np.int64]:
        """Closes of the picture's bars, seconds since the epoch."""
        return epoch_seconds(self.study.market.frame.times[self.shown])

    def at(self, bar: int) -> datetime:
        """Close of one of the picture's bars."""
        return datetime.fromtimestamp(int(self.seconds[bar]), tz=UTC)

    @property
    def before(self) -> NDArray[np.intp]:
        """The picture's bars at which an alarm would have counted: in the horizon before onset."""
        study = self.study
        latest = int((self.event.onset - study.definition.gap).timestamp())
        earliest = latest - int(HORIZON.total_seconds())
        return np.flatnonzero((self.seconds >= earliest) & (self.seconds < latest))

    @property
    def onset_start(self) -> datetime:
        """When the onset bar began."""
        return self.event.onset - self.study.market.frame.bar


def scene_event(event: Event, bar: timedelta) -> dict[str, Any]:
    """An event as plain data; `onset_start` is when its first bar began."""
    return {
        "symbol": event.symbol,
        "side": event.side,
        "onset_start": iso_utc(event.onset - bar),
        **{name: iso_utc(getattr(event, name)) for name in ("onset", "confirmed", "peak", "end")},
        "move": event.move,
        "oi_loss": event.oi_loss,
        "long_liq_usd": event.long_liq_usd,
        "short_liq_usd": event.short_liq_usd,
        "severity": event.severity,
        "flags": list(event.flags),
    }


def scene_series(scene: Scene) -> dict[str, Any]:
    """The picture's bars as plain columns: market, probabilities, tiers; times are bar closes."""
    frame, row, shown = scene.study.market.frame, scene.row, scene.shown
    scores, history = scene.forecast.decided.risk.scores, scene.forecast.decided.history
    columns: dict[str, Any] = {"time": [iso_utc(scene.at(k)) for k in range(len(scene.seconds))]}
    columns |= {name: frame.field(name)[row, shown].tolist() for name in _PRICES}
    columns["funding_8h"] = _funding_8h(scene).tolist()
    columns["quality"] = scores.quality[row, scene.scored].tolist()
    for j, side in enumerate(SIDES):
        for h, hours in enumerate(scores.horizons_h):
            columns[f"p_{hours}h_{side}"] = scores.probability[row, scene.scored, j, h].tolist()
        columns[f"quantile_{side}"] = scores.quantile[row, scene.scored, j].tolist()
        columns[f"tier_{side}"] = [max(t, 0) for t in history.tiers[row, scene.scored, j].tolist()]
        columns[f"rule_{side}"] = history.rules[row, scene.scored, j].tolist()
        columns[f"early_{side}"] = scene.early[:, j].tolist()
    return columns


def _funding_8h(scene: Scene) -> FloatArray:
    """Funding per 8 h: the rate at the settlement interval known, every 8 h where none is."""
    frame, row, shown = scene.study.market.frame, scene.row, scene.shown
    interval = frame.field("funding_interval_h")[row, shown]
    rate = frame.field("funding_rate")[row, shown]
    return np.asarray(rate * 8.0 / np.where(interval > 0, interval, 8.0))
