"""Which cascades are in progress, bar by bar: the live side of :mod:`liqwarn.models.events`.

Whether one is in progress depends on the past only: on the bar that confirms it, and after it for
as long as the running move holds. So it is carried on from bar to bar, with the rolling thresholds
it stands on, and is bit for bit what ``in_progress(frame, detect_events(frame, config))`` says of
the whole history.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import FrameError, ModelError, StoreError
from liqwarn.frames import SIDES, BoolArray, FloatArray, MarketFrame
from liqwarn.models.legs import EventConfig
from liqwarn.models.live_legs_step import INPUTS, RINGS, LegsMemory, LegsRules, run_bars
from liqwarn.models.state_bytes import pack_arrays, unpack_arrays
from liqwarn.windows import lag
from liqwarn.windows.arguments import check_window
from liqwarn.windows.sliding_spread import SlidingSpreads, empty_spreads
from liqwarn.windows.sorted_ring import SortedRings, empty_rings, settle, sorted_rings, unsettle

__all__ = ["SCHEMA", "LegsState"]

SCHEMA: Final = "liqwarn.legs_state/1"
"""What the bytes of a state say they are."""

_FIELDS: Final = (
    "close",
    "open_interest",
    "taker_buy_volume",
    "taker_sell_volume",
    "volume",
    "long_liq_usd",
    "short_liq_usd",
)
_AGE: Final = "open_interest"
_RECENT: Final = timedelta(days=2)


class LegsState:
    """What the legs of the next bar depend on, for every symbol.

    It is changed in place and has one owner: a thread that advances it must be the only one.

    Attributes
    ----------
    config : EventConfig
    symbols : tuple of str
        In the order of every column.
    fields : tuple of str
        Market fields read; the others of the legs were not in the history.
    aged : bool
        Whether the age of the open interest is known.
    bar_number : int
        Absolute number of the last bar taken.
    """

    def __init__(
        self,
        config: EventConfig,
        symbols: tuple[str, ...],
        given: tuple[tuple[str, ...], bool],
        bar_number: int,
        memory: LegsMemory,
    ) -> None:
        self.config = config
        self.symbols = symbols
        self.fields, self.aged = given
        self.bar_number = bar_number
        self._memory = memory
        self._rules = _rules(config)

    @classmethod
    def start(cls, frame: MarketFrame, config: EventConfig) -> "LegsState":
        """The state after a history's last bar.

        It is that of the whole past once the history reaches ``config.lookback_bars`` back from the
        beginning of whatever move is running at its end.

        Raises
        ------
        ModelError
            When the configuration is for bars of another length.
        FrameError
            When the history is empty, or the windows do not fit their bars.
        """
        if frame.bar != config.bar:
            raise ModelError(f"events are defined for {config.bar} bars, the frame has {frame.bar}")
        n_symbols, n_bars = frame.shape
        if not n_bars:
            raise FrameError("the history has no bars, expected at least one")
        given = tuple(name for name in _FIELDS if name in frame.fields), _AGE in frame.ages
        memory = _fresh(config, n_symbols)
        state = cls(config, frame.symbols, given, frame.first_bar + n_bars - 1, memory)
        for row in range(n_symbols):
            planes = {name: frame.fields[name][row : row + 1] for name in state.fields}
            ages = {_AGE: frame.ages[_AGE][row : row + 1]} if state.aged else {}
            bars = _inputs(planes, ages, (1, n_bars))
            bars[1] = _log_return(bars[0], lag(bars[0], 1))
            state._live_through(row, frame.first_bar, bars)
        return state

    def _live_through(self, row: int, first_bar: int, bars: FloatArray) -> None:
        """Take a symbol's history: its last days bar by bar, from before the move at its end began.

        Of the bars before these only what the windows hold is gathered: no order is kept of it.
        """
        n_bars, rings = bars.shape[2], self._memory.rings
        mine = slice(RINGS * row, RINGS * (row + 1))
        slack = 2 * self._rules.run + 2
        recent = min(n_bars, _RECENT // self.config.bar + slack)
        for taken in (recent, n_bars):
            early = n_bars - taken
            _forget(self._memory, row, self.config)
            unsettle(rings, mine)
            self._run(row, first_bar, bars[:, :, :early])
            settle(rings, mine)
            self._run(row, first_bar + early, bars[:, :, early:])
            if self._memory.running[row].max() + slack <= taken:
                break

    def _run(self, row: int, bar: int, bars: FloatArray) -> BoolArray:
        out = np.empty((*bars.shape[1:], len(SIDES)), np.bool_)
        # of one layout, so that a start compiles what the first live bar runs
        run_bars(self._memory, self._rules, (row, bar), np.ascontiguousarray(bars), out)
        return out

    @property
    def in_progress(self) -> BoolArray:
        """Whether a cascade was in progress at the last bar, shape (n_symbols, 2)."""
        return self._memory.progress.copy()

    def advance(
        self, column: Mapping[str, FloatArray], ages: Mapping[str, FloatArray], bar_number: int
    ) -> BoolArray:
        """Take the next bar; the state is changed in place.

        Parameters
        ----------
        column : mapping of field to ndarray of float64, shape (n_symbols,)
            With the fields of the history; those that are no leg's are not looked at.
        ages : mapping of field to ndarray of float64, shape (n_symbols,)
            Seconds; of the open interest if the history had them.
        bar_number : int
            Absolute number of the bar, one more than the last one.

        Returns
        -------
        ndarray of bool, shape (n_symbols, 2)
            Whether a cascade is in progress, in the order of :data:`liqwarn.frames.SIDES`.

        Raises
        ------
        ModelError
            When the bar is not the next one, or its fields are not those of the history. The state
            is then as it was.
        """
        if bar_number != self.bar_number + 1:
            raise ModelError(f"the bar has number {bar_number}, expected {self.bar_number + 1}")
        found = tuple(name for name in _FIELDS if name in column), _AGE in ages
        if found != (self.fields, self.aged):
            raise ModelError(
                f"the bar has fields {found[0]} and open interest {_with(found[1])} its age, "
                f"expected {self.fields} and {_with(self.aged)} it"
            )
        closes = self._memory.closes
        bars = _inputs(column, ages, (len(self.symbols), 1))
        before = closes[:, (bar_number - 1) % closes.shape[1], None].copy()
        before[~np.isfinite(before)] = np.nan
        bars[1] = _log_return(bars[0], before)
        out = self._run(0, bar_number, bars)
        self.bar_number = bar_number
        return out[:, 0]

    def to_bytes(self) -> bytes:
        """The state as bytes with a SHA-256; :meth:`from_bytes` gives back the same bits."""
        header = {
            "config": _told(self.config),
            "symbols": self.symbols,
            "fields": self.fields,
            "aged": self.aged,
            "bar_number": self.bar_number,
        }
        return pack_arrays(SCHEMA, header, _arrays(self._memory))

    @classmethod
    def from_bytes(cls, data: bytes, config: EventConfig) -> "LegsState":
        """The state that :meth:`to_bytes` was called on.

        Raises
        ------
        StoreError
            When the bytes are cut short, damaged, of another schema or another definition.
        """
        header, arrays = unpack_arrays(SCHEMA, data)
        if header["config"] != _told(config):
            raise StoreError(
                f"state is of events defined by {header['config']}, expected {_told(config)}"
            )
        symbols = tuple(header["symbols"])
        expected = {name: one.shape for name, one in _arrays(_fresh(config, len(symbols))).items()}
        found = {name: one.shape for name, one in arrays.items()}
        if found != expected:
            raise StoreError(f"state has arrays {found}, expected {expected}")
        given = tuple(header["fields"]), bool(header["aged"])
        return cls(config, symbols, given, header["bar_number"], _memory(arrays))


def _with(known: bool) -> str:
    return "with" if known else "without"


def _told(config: EventConfig) -> dict[str, Any]:
    """A definition as JSON can say it; durations in seconds."""
    values = {one.name: getattr(config, one.name) for one in fields(config)}
    return {
        name: value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in values.items()
    }


def _rules(config: EventConfig) -> LegsRules:
    window = config.sigma_window // config.bar
    return LegsRules(
        span=config.span_bars,
        run=config.run_bars,
        least_sigma=min(window, config.min_history // config.bar),
        least_quantile=config.min_history // config.bar,
        price_factor=float(config.sigma_k * np.sqrt(config.span_bars)),
        price_floor=config.price_floor,
        oi_quantile=config.oi_quantile,
        oi_floor=config.oi_floor,
        oi_scale=config.oi_scale,
        oi_kept=1.0 - config.oi_fault,
        taker_quantile=config.taker_quantile,
        liq_quantile=config.liq_quantile,
        bar_s=config.bar.total_seconds(),
        price_alone=not config.needs_open_interest,
    )


def _fresh(config: EventConfig, n_symbols: int) -> LegsMemory:
    """The memory before any bar."""
    rules = _rules(config)
    sigma_window = config.sigma_window // config.bar
    window = config.trailing_window // config.bar
    check_window(sigma_window, 0, rules.least_sigma)
    check_window(window, 0, rules.least_quantile)
    return LegsMemory(
        closes=np.full((n_symbols, rules.run + 1), np.nan),
        coins=np.full((n_symbols, rules.span), np.nan),
        ages=np.full(n_symbols, np.nan),
        flows=np.full((n_symbols, 4, rules.span), np.nan),
        sigmas=np.full((n_symbols, rules.span), np.nan),
        thresholds=np.full((n_symbols, 5, rules.span), np.nan),
        returns=empty_spreads(n_symbols, sigma_window),
        rings=empty_rings(RINGS * n_symbols, window),
        held=np.zeros((n_symbols, len(SIDES), 4), np.bool_),
        progress=np.zeros((n_symbols, len(SIDES)), np.bool_),
        running=np.zeros((n_symbols, len(SIDES)), np.int64),
    )


def _forget(memory: LegsMemory, row: int, config: EventConfig) -> None:
    whole = _arrays(memory)
    for name, one in _arrays(_fresh(config, 1)).items():
        whole[name][row * len(one) : (row + 1) * len(one)] = one


def _arrays(memory: LegsMemory) -> dict[str, NDArray[Any]]:
    """Every array by its name; the order of a ring follows from its values."""
    plain = memory._asdict()
    spreads: SlidingSpreads = plain.pop("returns")
    rings: SortedRings = plain.pop("rings")
    parts = {f"returns.{name}": one for name, one in spreads._asdict().items()}
    return {**plain, **parts, "rings": rings.values}


def _memory(arrays: dict[str, NDArray[Any]]) -> LegsMemory:
    parts = {name: arrays.pop(f"returns.{name}") for name in SlidingSpreads._fields}
    rings = sorted_rings(arrays.pop("rings"))
    return LegsMemory(**arrays, returns=SlidingSpreads(**parts), rings=rings)


def _inputs(
    planes: Mapping[str, FloatArray], ages: Mapping[str, FloatArray], shape: tuple[int, int]
) -> FloatArray:
    """What the compiled step reads, but for the returns; NaN for what the panel does not carry."""
    missing = np.full(shape, np.nan)
    known = {**planes, "age": ages[_AGE]} if _AGE in ages else planes
    rows = [known[name].reshape(shape) if name in known else missing for name in INPUTS]
    bars: FloatArray = np.concatenate(rows).reshape(len(INPUTS), *shape)
    if "taker_sell_volume" not in planes and "volume" in planes:
        buy, sell = INPUTS.index("taker_buy_volume"), INPUTS.index("taker_sell_volume")
        with np.errstate(all="ignore"):
            np.subtract(planes["volume"].reshape(shape), bars[buy], out=bars[sell])
    return bars


def _log_return(close: FloatArray, before: FloatArray) -> FloatArray:
    """By numpy's own logarithm: a compiled one may differ in its last bit."""
    with np.errstate(all="ignore"):
        logs: FloatArray = np.log(close / before)
    return logs
