"""From a market frame to the feature matrix: one implementation for history and for live.

A value depends on at most ``lookback_bars`` bars, its own included, so it is the same bit for bit
from any start that holds them, in any chunk, and for any subset of symbols.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.features import (
    calendar,
    clusters,
    cross_market,
    depth,
    flows,
    funding,
    levels,
    liquidations,
    market,
    open_interest,
)
from liqwarn.features.feature import Feature, registered
from liqwarn.features.inputs import Inputs
from liqwarn.features.resolution import cells_of
from liqwarn.frames import FeatureMatrix, FloatArray, MarketFrame, bar_times

__all__ = ["FAMILIES", "FeatureBuilder", "all_features", "lookback_of"]

FAMILIES: Final = tuple(
    module.__name__.rsplit(".", maxsplit=1)[-1]
    for module in (
        funding,
        open_interest,
        flows,
        clusters,
        levels,
        market,
        liquidations,
        cross_market,
        depth,
        calendar,
    )
)
"""Families in the order of the feature matrix; each is a module of :mod:`liqwarn.features`."""

_BLOCK_CELLS: Final = 1 << 16  # symbols are computed together up to this many cells, to fit a cache


def all_features() -> tuple[Feature, ...]:
    """Every feature, family by family, in the order it is written in its file."""
    known = [feature for feature in registered() if feature.family in FAMILIES]
    return tuple(sorted(known, key=lambda feature: FAMILIES.index(feature.family)))


class FeatureBuilder:
    """Builds the feature matrix of a market frame.

    Parameters
    ----------
    features : tuple of Feature, optional
        Columns, in this order; all of them by default.

    Raises
    ------
    FrameError
        When two features share a name.

    Examples
    --------
    >>> frame = MarketFrame(symbols=("BTCUSDT",), bar=timedelta(hours=1), ages={},
    ...     times=bar_times(np.datetime64("2024-01-01T01:00"), 3, timedelta(hours=1)),
    ...     fields={"close": np.array([[100.0, 101.0, 102.0]])})
    >>> matrix = FeatureBuilder().build(frame)
    >>> matrix.column("price_return_1h").round(4)
    array([[ nan, 0.01  , 0.0099]])
    """

    def __init__(self, features: tuple[Feature, ...] | None = None) -> None:
        self._features = all_features() if features is None else features
        if len(set(self.names)) != len(self.names):
            raise FrameError(f"features {self.names} are not unique")

    @property
    def features(self) -> tuple[Feature, ...]:
        """What is built, in column order."""
        return self._features

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the matrix."""
        return tuple(feature.name for feature in self._features)

    def build(self, frame: MarketFrame, symbols: tuple[str, ...] | None = None) -> FeatureMatrix:
        """Features of every bar of the frame.

        Parameters
        ----------
        frame : MarketFrame
            Every symbol of the panel: cross-market features look at all of them.
        symbols : tuple of str, optional
            Symbols to build, all by default.

        Returns
        -------
        FeatureMatrix
            NaN where an input is missing or a window reaches before the frame.

        Raises
        ------
        FrameError
            When a symbol is not in the frame, or the bar does not divide a resolution.
        """
        wanted = frame.symbols if symbols is None else tuple(sorted(set(symbols)))
        part = frame if wanted == frame.symbols else frame.select(wanted)
        values = np.empty((*part.shape, len(self._features)))
        for rows, inputs in _blocks(part):
            self._fill(values[rows], inputs, slice(None), cross_section=False)
        rows_of = [frame.symbols.index(symbol) for symbol in wanted]
        self._fill(values, Inputs(frame, whole_panel=True), rows_of, cross_section=True)
        return FeatureMatrix(
            symbols=wanted,
            times=frame.times,
            bar=frame.bar,
            names=self.names,
            families={feature.name: feature.family for feature in self._features},
            values=values,
        )

    def lookback_bars(self, bar: timedelta) -> int:
        """Bars of history, the last one included, that make the last row exact."""
        return max((lookback_of(feature, bar) for feature in self._features), default=1)

    def _fill(
        self,
        values: FloatArray,
        inputs: Inputs,
        rows: list[int] | slice,
        *,
        cross_section: bool,
    ) -> None:
        for column, feature in enumerate(self._features):
            if feature.cross_section == cross_section:
                given = [inputs.past(name, feature.resolution) for name in feature.inputs]
                seen = inputs.seen(feature.function(*given), feature.resolution)
                values[:, :, column] = seen[rows]


def lookback_of(feature: Feature, bar: timedelta) -> int:
    """Base bars of history, the last one included, that make a feature's last value exact.

    A coarse feature needs its cells whole, and is seen until the next cell closes.

    >>> by_name = {feature.name: feature for feature in all_features()}
    >>> lookback_of(by_name["price_return_4h"], timedelta(minutes=30))
    9
    >>> lookback_of(by_name["funding_rank_90d"], timedelta(hours=1))
    4327
    """
    empty = MarketFrame(
        symbols=("_",),
        times=bar_times(np.datetime64(0, "s") + np.timedelta64(bar), 1, bar),
        bar=bar,
        fields={},
        ages={},
    )
    inputs = Inputs(empty, whole_panel=True)
    given = [inputs.past(name, feature.resolution) for name in feature.inputs]
    ratio = cells_of(feature.resolution, bar)
    return feature.function(*given).lookback * ratio + ratio - 1


def _blocks(frame: MarketFrame) -> Iterator[tuple[slice, Inputs]]:
    """Rows of the frame a few symbols at a time, with their inputs."""
    n_symbols, n_bars = frame.shape
    step = max(1, _BLOCK_CELLS // max(n_bars, 1))
    for start in range(0, n_symbols, step):
        rows = slice(start, start + step)
        yield rows, Inputs(frame.select(frame.symbols[rows]), whole_panel=False)
