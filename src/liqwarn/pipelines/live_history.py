"""The history a live engine starts from: the store's, and behind it what the journal recorded."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.data.quality import measure_quality
from liqwarn.frames import FloatArray, MarketFrame, bar_times, epoch_seconds
from liqwarn.pipelines.market import Market

__all__ = ["with_bars"]


def with_bars(market: Market, columns: Sequence[BarColumn]) -> Market:
    """The market with recorded bars behind its own; of one bar that both have, the store's stays.

    Bars between the end of the store and the first recorded one are missing, and stay so.
    """
    frame = market.frame
    end = int(epoch_seconds(frame.times[-1:])[0])
    later = [column for column in columns if close_seconds(column.time) > end]
    if not later:
        return market
    n_more = (close_seconds(later[-1].time) - end) // frame.bar_s
    at = np.array([(close_seconds(column.time) - end) // frame.bar_s - 1 for column in later])

    def longer(name: str, plane: FloatArray, *, age: bool) -> FloatArray:
        more = np.full((len(frame.symbols), n_more), np.nan)
        told = [(column.ages if age else column.fields).get(name) for column in later]
        for place, values in zip(at, told, strict=True):
            if values is not None:
                more[:, place] = values
        return np.ascontiguousarray(np.concatenate([plane, more], axis=1))

    whole = MarketFrame(
        symbols=frame.symbols,
        times=bar_times(frame.times[0], len(frame.times) + n_more, frame.bar),
        bar=frame.bar,
        fields={name: longer(name, plane, age=False) for name, plane in frame.fields.items()},
        ages={name: longer(name, plane, age=True) for name, plane in frame.ages.items()},
    )
    return replace(market, frame=whole, quality=measure_quality(whole, market.panel))
