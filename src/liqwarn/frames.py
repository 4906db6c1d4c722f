"""The arrays that flow through liqwarn: market data, features, labels.

All three share their first two axes, ``(symbol, bar)``. A bar is named by its **close**, in UTC.
Bars lie on a grid anchored to the Unix epoch, so bar number ``time // bar`` means the same bar in
every process, whatever history it holds; windows are anchored to it (see :mod:`liqwarn.windows`).
Arrays are C-contiguous, so a subset of symbols holds the same bits as the whole, and read-only,
so that what crossed a layer cannot change behind anybody's back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import FrameError

__all__ = [
    "ALL_FIELDS",
    "FIELDS",
    "MAP_FIELDS",
    "SIDES",
    "BoolArray",
    "FeatureMatrix",
    "FieldSpec",
    "FloatArray",
    "Labels",
    "MarketFrame",
    "Side",
    "TimeArray",
    "bar_times",
    "epoch_seconds",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
TimeArray = NDArray[np.datetime64]  # always datetime64[s], UTC

Side = Literal["long", "short"]
SIDES: Final[tuple[Side, Side]] = ("long", "short")
"""Order of the side axis everywhere. ``long``: longs are liquidated, the price falls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """What one market field means, and how records become bars.

    Attributes
    ----------
    unit : str
        Unit of the stored value.
    how : {"open", "high", "low", "close", "sum", "last"}
        How records inside a bar become the bar's value. ``sum`` and the four price rules need the
        whole bar covered by records, else NaN; ``last`` takes the last record known at the close.
    max_age : timedelta
        Staleness cap of ``last`` fields: an older record is not used (NaN).
    floor : float or None
        Smallest value that can be true; smaller ones are quarantined at the border.
    floor_open : bool
        Whether `floor` itself is impossible (a price of 0, no open interest).
    """

    unit: str
    how: Literal["open", "high", "low", "close", "sum", "last"]
    max_age: timedelta = timedelta(0)
    floor: float | None = None
    floor_open: bool = False


def _price(how: Literal["open", "high", "low", "close", "last"]) -> FieldSpec:
    return FieldSpec(
        unit="quote per coin", how=how, max_age=timedelta(hours=4), floor=0.0, floor_open=True
    )


def _flow(unit: str, *, floor: float | None = 0.0) -> FieldSpec:
    return FieldSpec(unit=unit, how="sum", floor=floor)


def _stock(
    unit: str, hours: float, *, floor: float | None = 0.0, floor_open: bool = False
) -> FieldSpec:
    return FieldSpec(
        unit=unit,
        how="last",
        max_age=timedelta(hours=hours),
        floor=floor,
        floor_open=floor_open,
    )


FIELDS: Final[Mapping[str, FieldSpec]] = MappingProxyType(
    {
        "open": _price("open"),
        "high": _price("high"),
        "low": _price("low"),
        "close": _price("close"),
        "mark": _price("last"),
        "index": _price("last"),
        "volume": _flow("coins"),
        "taker_buy_volume": _flow("coins"),
        "taker_sell_volume": _flow("coins"),
        "long_liq_usd": _flow("USD"),
        "short_liq_usd": _flow("USD"),
        "inflow": _flow("coins"),
        "outflow": _flow("coins"),
        "netflow": _flow("coins", floor=None),
        # a settled rate stays the current one until the next settlement, 8 h later at most
        "funding_rate": _stock("fraction of notional per settlement", 9, floor=None),
        "funding_interval_h": _stock("hours", 9, floor=0.0),
        "funding_rate_2": _stock("fraction of notional per settlement", 9, floor=None),
        "funding_interval_2_h": _stock("hours", 9, floor=0.0),
        "open_interest": _stock("coins", 4, floor_open=True),  # a listed perpetual has some
        "leverage_ratio": _stock("open interest / exchange reserve", 4),
        "reserve": _stock("coins", 26),
        "whale_ratio": _stock("share of inflow in the ten largest transfers", 4),
        "bid_depth_usd": _stock("USD", 8),
        "ask_depth_usd": _stock("USD", 8),
        "long_short_ratio": _stock("accounts long / accounts short", 8),
        # of an index that stands still for hours; of daily candles the last one
        "implied_volatility": _stock("fraction a year", 26, floor_open=True),
        # dated calendars, known in advance: hours from the bar's close to the next event
        "next_macro_h": FieldSpec(unit="hours", how="last", floor=0.0),
        "next_unlock_h": FieldSpec(unit="hours", how="last", floor=0.0),
        "next_unlock_frac": FieldSpec(unit="share of supply or tokens", how="last", floor=0.0),
    }
)
"""Every field a panel may fill, in the words of the glossary."""

_COINS: Final = ("within_1", "within_2", "within_3", "within_5", "within_10", "peak", "swept")
_OTHERS: Final = {"nearest": "log distance", "mean_distance": "log distance", "doubt": "share"}

MAP_FIELDS: Final[Mapping[str, FieldSpec]] = MappingProxyType(
    {
        f"map_{side}_{what}": FieldSpec(unit=unit, how="sum" if what == "swept" else "last")
        for side in SIDES
        for what, unit in {**dict.fromkeys(_COINS, "coins"), **_OTHERS}.items()
    }
    | {"map_quality": FieldSpec(unit="0 to 1", how="last")}
)
"""What the liquidation map derives from the fields; :mod:`liqwarn.liquidation.readings`."""

ALL_FIELDS: Final[Mapping[str, FieldSpec]] = MappingProxyType({**FIELDS, **MAP_FIELDS})
"""Every field a frame may carry and a feature may read."""


def epoch_seconds(times: TimeArray) -> NDArray[np.int64]:
    """Seconds since the epoch of UTC times, whatever unit they carry.

    >>> epoch_seconds(np.array(["1970-01-02"], dtype="datetime64[ns]"))
    array([86400])
    """
    return times.astype("datetime64[s]").astype(np.int64)


def bar_times(first_close: np.datetime64, n_bars: int, bar: timedelta) -> TimeArray:
    """Closes of `n_bars` consecutive bars.

    >>> bar_times(np.datetime64("2024-01-01T01:00:00"), 2, timedelta(hours=1))
    array(['2024-01-01T01:00:00', '2024-01-01T02:00:00'], dtype='datetime64[s]')
    """
    start = int(first_close.astype("datetime64[s]").astype(np.int64))
    seconds = start + int(bar.total_seconds()) * np.arange(n_bars, dtype=np.int64)
    return seconds.astype("datetime64[s]")


def _frozen(array: FloatArray) -> FloatArray:
    view = array.view()
    view.flags.writeable = False
    return view


def _check_grid(times: TimeArray, bar: timedelta) -> None:
    if times.dtype != np.dtype("datetime64[s]"):
        raise FrameError(f"times have dtype {times.dtype}, expected datetime64[s]")
    step = int(bar.total_seconds())
    if step <= 0 or step != bar.total_seconds():
        raise FrameError(f"bar is {bar}, expected a positive whole number of seconds")
    seconds = epoch_seconds(times)
    if seconds.size and seconds[0] % step:
        raise FrameError(f"first close {times[0]} is not on the grid of {bar} bars")
    if seconds.size > 1 and not bool((np.diff(seconds) == step).all()):
        at = int(np.argmax(np.diff(seconds) != step))
        raise FrameError(f"times step from {times[at]} to {times[at + 1]}, expected steps of {bar}")


def _check_planes(
    planes: Mapping[str, FloatArray], shape: tuple[int, int], kind: str
) -> Mapping[str, FloatArray]:
    for name, plane in planes.items():
        if plane.shape != shape:
            raise FrameError(f"{kind} '{name}' has shape {plane.shape}, expected {shape}")
        if plane.dtype != np.float64 or not plane.flags.c_contiguous:
            raise FrameError(f"{kind} '{name}' is {plane.dtype}, expected C-contiguous float64")
    return MappingProxyType({name: _frozen(plane) for name, plane in planes.items()})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarketFrame:
    """What was known of a market at each bar's close.

    Built by :mod:`liqwarn.data` (as-of join) and :mod:`liqwarn.simulation` only.

    Attributes
    ----------
    symbols : tuple of str
        Perpetuals, sorted and unique.
    times : ndarray of datetime64[s], shape (n_bars,)
        Bar closes, UTC, one every `bar`, on the epoch's grid.
    bar : timedelta
        Length of a bar.
    fields : mapping of name to ndarray of shape (n_symbols, n_bars)
        Values in the units of :data:`ALL_FIELDS`; NaN where nothing usable was known at the close.
    ages : mapping of name to ndarray of shape (n_symbols, n_bars)
        Seconds from the record's event time to the bar's close; NaN where the value is NaN.

    Raises
    ------
    FrameError
        When an axis, a dtype, a field name or the grid does not fit.

    Examples
    --------
    >>> times = bar_times(np.datetime64("2024-01-01T01:00:00"), 2, timedelta(hours=1))
    >>> frame = MarketFrame(symbols=("BTCUSDT",), times=times, bar=timedelta(hours=1),
    ...                     fields={"close": np.array([[42_000.0, 42_100.0]])}, ages={})
    >>> frame.first_bar, frame.field("open_interest")
    (473353, array([[nan, nan]]))
    """

    symbols: tuple[str, ...]
    times: TimeArray
    bar: timedelta
    fields: Mapping[str, FloatArray]
    ages: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        _check_grid(self.times, self.bar)
        if list(self.symbols) != sorted(set(self.symbols)):
            raise FrameError(f"symbols are {self.symbols}, expected sorted and unique")
        unknown = sorted(set(self.fields) - set(ALL_FIELDS))
        if unknown:
            raise FrameError(f"unknown fields {unknown}, expected names of liqwarn.frames.FIELDS")
        shape = (len(self.symbols), len(self.times))
        object.__setattr__(self, "fields", _check_planes(self.fields, shape, "field"))
        object.__setattr__(self, "ages", _check_planes(self.ages, shape, "age"))

    @property
    def bar_s(self) -> int:
        """Length of a bar in seconds."""
        return int(self.bar.total_seconds())

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_symbols, n_bars)``."""
        return len(self.symbols), len(self.times)

    @property
    def first_bar(self) -> int:
        """Absolute number of the first bar, the anchor of all windows."""
        return int(epoch_seconds(self.times[:1])[0]) // self.bar_s if len(self.times) else 0

    def field(self, name: str) -> FloatArray:
        """Values of a field, all NaN when the panel does not carry it."""
        if name not in ALL_FIELDS:
            raise FrameError(f"unknown field '{name}', expected a name of liqwarn.frames.FIELDS")
        found = self.fields.get(name)
        return np.full(self.shape, np.nan) if found is None else found

    def joined(self, fields: Mapping[str, FloatArray]) -> "MarketFrame":
        """The same bars with further fields, derived from the frame's own."""
        return replace(self, fields={**self.fields, **fields})

    def select(self, symbols: tuple[str, ...]) -> "MarketFrame":
        """The same bars of some of the symbols."""
        missing = sorted(set(symbols) - set(self.symbols))
        if missing:
            raise FrameError(f"symbols {missing} are not in the frame, which has {self.symbols}")
        rows = [self.symbols.index(symbol) for symbol in sorted(symbols)]
        return self._take(tuple(sorted(symbols)), self.times, rows, slice(None))

    def between(self, start: int, stop: int) -> "MarketFrame":
        """Bars ``start`` to ``stop`` by position, like a slice."""
        bars = slice(start, stop)
        return self._take(self.symbols, self.times[bars], slice(None), bars)

    def _take(
        self, symbols: tuple[str, ...], times: TimeArray, rows: list[int] | slice, bars: slice
    ) -> "MarketFrame":
        def cut(planes: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
            return {name: np.ascontiguousarray(p[rows, bars]) for name, p in planes.items()}

        return MarketFrame(
            symbols=symbols,
            times=times,
            bar=self.bar,
            fields=cut(self.fields),
            ages=cut(self.ages),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureMatrix:
    """Features of each symbol at each bar's close.

    Attributes
    ----------
    symbols, times, bar
        As in :class:`MarketFrame`.
    names : tuple of str
        Features, in the order of the last axis.
    families : mapping of name to family
        Which file of :mod:`liqwarn.features` a feature comes from.
    values : ndarray of float64, shape (n_symbols, n_bars, n_features)
        NaN where an input is missing or a window is not full enough.
    """

    symbols: tuple[str, ...]
    times: TimeArray
    bar: timedelta
    names: tuple[str, ...]
    families: Mapping[str, str]
    values: FloatArray

    def __post_init__(self) -> None:
        _check_grid(self.times, self.bar)
        shape = (len(self.symbols), len(self.times), len(self.names))
        if self.values.shape != shape:
            raise FrameError(f"features have shape {self.values.shape}, expected {shape}")
        if set(self.families) != set(self.names):
            raise FrameError("families must name every feature, and no other")
        object.__setattr__(self, "values", _frozen(self.values))

    def column(self, name: str) -> FloatArray:
        """One feature, shape ``(n_symbols, n_bars)``."""
        if name not in self.names:
            raise FrameError(f"no feature '{name}' in this matrix")
        return self.values[:, :, self.names.index(name)]

    def aligned(self, names: tuple[str, ...]) -> FloatArray:
        """Other columns in another order: shape ``(n_symbols, n_bars, len(names))``.

        NaN for a feature this matrix does not have; a model may be older or newer than it.
        """
        out = np.full((*self.values.shape[:2], len(names)), np.nan)
        where = {name: k for k, name in enumerate(self.names)}
        for k, name in enumerate(names):
            if name in where:
                out[:, :, k] = self.values[:, :, where[name]]
        return out

    def rows(self) -> FloatArray:
        """Long table of shape ``(n_symbols * n_bars, n_features)``, symbol by symbol."""
        return self.values.reshape(-1, len(self.names))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labels:
    """What happened after each bar, for training and scoring only.

    Attributes
    ----------
    symbols, times, bar
        As in :class:`MarketFrame`.
    horizons_h : tuple of int
        Hours ahead, in the order of the last axis.
    y : ndarray of float64, shape (n_symbols, n_bars, 2, n_horizons)
        1.0 if an onset of that side (order of :data:`SIDES`) follows within the horizon, 0.0 if
        none does, NaN where it cannot be known: no open interest, or the future is not there yet.
    end : ndarray of datetime64[s], shape (n_bars, n_horizons)
        When the label became known; the splitter purges by it.
    running : ndarray of bool, shape (n_symbols, n_bars, 2)
        During an event of that side and the quiet time after it: not rows of an early warning.
    """

    symbols: tuple[str, ...]
    times: TimeArray
    bar: timedelta
    horizons_h: tuple[int, ...]
    y: FloatArray
    end: TimeArray
    running: BoolArray

    def __post_init__(self) -> None:
        _check_grid(self.times, self.bar)
        n_symbols, n_bars, n_horizons = len(self.symbols), len(self.times), len(self.horizons_h)
        expected = {
            "y": (n_symbols, n_bars, 2, n_horizons),
            "end": (n_bars, n_horizons),
            "running": (n_symbols, n_bars, 2),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise FrameError(f"labels '{name}' have shape {found}, expected {shape}")
