"""Market data spoilt on purpose, and the features that come of it.

Each fault is put into the last day of a stretch of the market frame that holds all the history the
features need; liquidation map and features are then made from the spoilt frame as always.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import numpy as np

from liqwarn.features.builder import FeatureBuilder
from liqwarn.frames import FeatureMatrix, FloatArray, MarketFrame
from liqwarn.liquidation.fit import Draws
from liqwarn.liquidation.schedule import blocks_of
from liqwarn.models.novelty_report import FaultyRows
from liqwarn.pipelines.liquidation_map import MapJob, read_map
from liqwarn.pipelines.study import Study

__all__ = ["FAULTS", "Fault", "faulty_rows"]

LASTS: Final = timedelta(days=1)
EVERY: Final = timedelta(days=91)
HISTORY: Final = timedelta(days=184)

PRICES: Final = ("open", "high", "low", "close")
FUNDING: Final = ("funding_rate", "funding_rate_2")
Planes = dict[str, FloatArray]
Fault = Callable[[Planes, int], None]
"""Spoils the last so many bars of the planes in place."""


def _times(names: tuple[str, ...], factor: float) -> Fault:
    def spoil(planes: Planes, bars: int) -> None:
        for name in set(names) & set(planes):
            planes[name][:, -bars:] *= factor

    return spoil


def _stuck(planes: Planes, bars: int) -> None:
    for name in planes:
        if not name.startswith("next_"):  # calendars are no feed
            planes[name][:, -bars:] = planes[name][:, -bars - 1, None]


def _stuck_price(planes: Planes, bars: int) -> None:
    last = planes["close"][:, -bars - 1, None].copy()
    for name in set(PRICES) & set(planes):
        planes[name][:, -bars:] = last


def _other_price(planes: Planes, bars: int) -> None:
    """The candles of about half a year before: another market's level and moves."""
    n_bars = planes["close"].shape[1]
    for name in set(PRICES) & set(planes):
        planes[name][:, -bars:] = planes[name][:, n_bars % bars : n_bars % bars + bars]


FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "none": lambda planes, bars: None,  # noqa: ARG005  the same bars as they were
        "price × 1000": _times(PRICES, 1000.0),
        "volume × 1000": _times(("volume",), 1000.0),
        "open interest × 1000": _times(("open_interest",), 1000.0),
        "open interest halved": _times(("open_interest",), 0.5),
        "open interest × 1.1": _times(("open_interest",), 1.1),
        "funding × 100": _times(FUNDING, 100.0),
        "funding with the other sign": _times(FUNDING, -1.0),
        "price stuck": _stuck_price,
        "everything stuck": _stuck,
        "price of another market": _other_price,
    }
)
"""Name of a fault to what does it; the first does nothing and must not be found."""


def faulty_rows(
    study: Study,
    since: np.datetime64,
    *,
    every: timedelta = EVERY,
    faults: Mapping[str, Fault] = FAULTS,
) -> Iterator[FaultyRows]:
    """Every fault on its own, on one day in `every`, from `since` on.

    Parameters
    ----------
    since : datetime64[s]
        First test bar.

    Yields
    ------
    FaultyRows
        All symbols' rows of the spoilt day.
    """
    frame = study.market.frame
    bars, back, step = LASTS // frame.bar, HISTORY // frame.bar, every // frame.bar
    first = max(int(np.searchsorted(frame.times, since)), bars)
    for start in range(first, frame.shape[1] - bars + 1, step):
        stretch = frame.between(max(0, start - back), start + bars)
        draws = _draws_of(stretch, study.map_draws)
        for name, fault in faults.items():
            made = _features(_spoilt(stretch, fault, bars), study.map_job, draws)
            X = made.aligned(study.matrix.names)
            rows = X[:, -bars:].reshape(-1, X.shape[2])
            yield FaultyRows(fault=name, since=frame.times[start], X=rows)


def _spoilt(frame: MarketFrame, fault: Fault, bars: int) -> MarketFrame:
    planes = {name: np.array(plane) for name, plane in frame.fields.items()}
    fault(planes, bars)
    return replace(frame, fields=planes)


def _features(frame: MarketFrame, job: MapJob, draws: Draws) -> FeatureMatrix:
    return FeatureBuilder().build(read_map(frame, job, draws))


def _draws_of(frame: MarketFrame, draws: Draws) -> Draws:
    """The maps in force in the months of a stretch."""
    place = {block.month: k for k, block in enumerate(draws.blocks)}
    blocks = blocks_of(frame.times)
    months = [place[block.month] for block in blocks]
    return Draws(
        blocks=blocks,
        posterior=draws.posterior[months],
        drawn=tuple(draws.drawn[k] for k in months),
    )
