"""A panel: which provider files feed which fields of which symbols, declared once.

A vendor is a mapping, not code. ``liqwarn.config.load_panel`` reads one from YAML and reports
every fault at once; ``docs/panels.md`` explains the keys.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from liqwarn.data.mapping import (
    DateSpan,
    Duration,
    FieldMap,
    FieldName,
    Name,
    Part,
    SeenMap,
    Span,
    SymbolMap,
    TimeMap,
    inside_folder,
    nearest,
)
from liqwarn.data.queries import Query
from liqwarn.frames import FIELDS

__all__ = ["ALL_SYMBOLS", "Calendar", "Format", "Panel", "Source", "Symbol"]

Venue = Literal["binance", "bybit", "hyperliquid", "okx"]
Format = Literal["parquet", "feather", "csv", "csv.zip", "json"]

ALL_SYMBOLS: Final = "_all"
"""Symbol under which the store keeps a calendar that concerns every symbol."""

_QUOTES: Final = re.compile(r"(USDT|USDC|USD)$")
_DAY: Final = 86_400
_OF_FILES: Final = {"columns", "dated", "format", "optional", "records_at"}


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _texts(value: object) -> tuple[str, ...]:
    many = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(str(item) for item in many)


Paths = Annotated[
    tuple[Annotated[str, BeforeValidator(lambda p: inside_folder(str(p)))], ...],
    BeforeValidator(_as_tuple),
    Field(min_length=1),
]


class Symbol(Part):
    """A perpetual, the asset behind it, and the band in which its values are believable.

    Attributes
    ----------
    name : str
        Canonical name, such as ``BTCUSDT``.
    asset : str
        Coin it is written on; the same asset in several panels is the same market.
    plausible : mapping of field to (low, high)
        Rows outside are quarantined, and a file mostly outside is a wrong unit. The band of
        ``close`` holds for every price that has none of its own.
    """

    name: Name
    asset: Name
    plausible: Mapping[FieldName, tuple[float, float]] = Field(default_factory=dict)


class Source(Part):
    """One kind of provider file, or a query: where it is, how to read it, which fields it feeds.

    Attributes
    ----------
    file : tuple of str
        Paths below the data folder; ``*`` matches, ``{symbol}`` and ``{asset}`` run over the panel.
        Empty of a query.
    query : Query or None
        What a database is asked instead.
    known_lag : timedelta
        How long after the end of its interval a value is known.
    seen : SeenMap or None
        Column that says when a row was seen; of a row seen live it takes the place of `known_lag`.
    valid : Span
        Rows whose interval ends outside are left out and counted.
    priority : int
        Where two sources give the same field, the higher one wins at each bar.
    dated : DateSpan
        Only files whose name holds a date inside are this source's.
    optional : bool
        A pattern that matches no file is told and no error.
    """

    name: Name
    file: Paths = ()
    query: Query | None = None
    format: Format | None = None
    records_at: str | None = None
    columns: tuple[str, ...] | None = None
    time: TimeMap
    symbol: SymbolMap | None = None
    where: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_texts)]] = Field(
        default_factory=dict
    )
    fields: Mapping[FieldName, FieldMap] = Field(min_length=1)
    known_lag: Duration = timedelta(0)
    seen: SeenMap | None = None
    valid: Span = Span()
    priority: int = 0
    dated: DateSpan = DateSpan()
    optional: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = [*self._place_faults(), *self._symbol_faults(), *self._field_faults()]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _place_faults(self) -> Iterator[str]:
        if bool(self.file) == (self.query is not None):
            found = "both" if self.file else "neither"
            yield f"file, query: found {found}, expected one of them"
        if self.query is not None:
            for name in sorted(_OF_FILES & self.model_fields_set):
                yield f"{name}: is of files, a query has none"

    def _symbol_faults(self) -> Iterator[str]:
        named = bool(self.file) and all(
            "{symbol}" in path or "{asset}" in path for path in self.file
        )
        if self.symbol is None and not named:
            told = "{symbol} or {asset} in every file name, or " if self.file else ""
            yield f"no symbol: expected {told}the key 'symbol'"
        if self.optional and not all("*" in path for path in self.file):
            yield "optional: expected a '*' in every file name, a plain name is always wanted"

    def _field_faults(self) -> Iterator[str]:
        for name, field in self.fields.items():
            if FIELDS[name].how != "last" and self.time.step is None:
                yield f"field '{name}' is a bar value and needs time.step"
            other = field.spacing_of
            if other is not None and (other not in self.fields or other == name):
                yield f"field '{name}' is the spacing of '{other}', which this source does not give"

    @property
    def stored_fields(self) -> Mapping[str, FieldMap]:
        """Fields read from the file; spacings are derived when a frame is built."""
        return {name: field for name, field in self.fields.items() if field.spacing_of is None}


class Calendar(Part):
    """A dated file of events known in advance: macro announcements, token unlocks.

    Attributes
    ----------
    gives : {"macro", "unlock"}
        ``macro`` fills ``next_macro_h`` of every symbol, ``unlock`` fills ``next_unlock_h`` and,
        from `amount`, ``next_unlock_frac`` of the row's symbol.
    known_before : timedelta
        How long before the event it is known; before that the frame holds NaN.
    """

    name: Name
    gives: Literal["macro", "unlock"]
    file: Paths
    format: Format | None = None
    records_at: str | None = None
    columns: tuple[str, ...] | None = None
    time: TimeMap
    symbol: SymbolMap | None = None
    where: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_texts)]] = Field(
        default_factory=dict
    )
    amount: FieldMap | None = None
    known_before: Duration

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.gives == "unlock" and self.symbol is None:
            raise ValueError("an unlock calendar needs the key 'symbol'")
        if self.gives == "macro" and (self.symbol is not None or self.amount is not None):
            raise ValueError("a macro calendar concerns every symbol: no 'symbol', no 'amount'")
        return self

    @property
    def stored_field(self) -> str:
        """Field under which the store keeps its events."""
        return "next_macro_h" if self.gives == "macro" else "next_unlock_frac"


class Panel(Part):
    """Symbols, bar and sources of one market history.

    Attributes
    ----------
    name, description : str
    market : {"real", "simulated"}
        Carried to every report and flag.
    venue : {"binance", "bybit", "hyperliquid", "okx"}
        Whose maintenance tiers the liquidation map uses.
    bar : timedelta
        Length of a bar; a divisor of a day.
    symbols : tuple of Symbol
        Sorted by name.
    core : tuple of str
        Fields without which a symbol is not scored; completeness counts them.
    max_age : mapping of field to timedelta
        Staleness caps of this panel, over those of :data:`liqwarn.frames.FIELDS`.
    valid : Span
        Bars that close outside are not built.

    Examples
    --------
    >>> panel = Panel.model_validate({
    ...     "name": "one", "market": "real", "bar": "1h", "symbols": ["BTCUSDT"], "core": ["close"],
    ...     "sources": [{"name": "klines", "file": "{symbol}.csv",
    ...                  "time": {"column": "t", "unit": "ms", "label": "start", "step": "1h"},
    ...                  "fields": {"close": "c"}}]})
    >>> panel.symbol_names, panel.asset("BTCUSDT"), panel.fields
    (('BTCUSDT',), 'BTC', ('close',))
    """

    name: Name
    description: str = ""
    market: Literal["real", "simulated"]
    venue: Venue = "binance"
    bar: Duration
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1)]
    core: tuple[FieldName, ...] = ("close",)
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    calendars: tuple[Calendar, ...] = ()
    max_age: Mapping[FieldName, Duration] = Field(default_factory=dict)
    valid: Span = Span()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if isinstance(value, dict) and "symbols" in value:
            return {**value, "symbols": _symbols(value["symbols"])}
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = [*self._bar_faults(), *self._name_faults(), *self._source_faults()]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _bar_faults(self) -> Iterator[str]:
        seconds = int(self.bar.total_seconds())
        if seconds <= 0 or _DAY % seconds:
            yield f"bar: found {self.bar}, expected a divisor of a day such as 30min, 1h or 4h"
        for name in self.max_age:
            if FIELDS[name].how != "last":
                yield f"max_age.{name}: only fields that hold their last value grow old"

    def _name_faults(self) -> Iterator[str]:
        for kind, names in (
            ("symbols", self.symbol_names),
            ("sources", [told.name for told in self.declared]),
        ):
            twice = sorted({n for n in names if list(names).count(n) > 1})
            if twice:
                yield f"{kind}: {twice} stated twice"

    def _source_faults(self) -> Iterator[str]:
        for field in self.core:
            if field not in self.fields:
                yield f"core: no source gives the core field '{field}'"
        if "close" not in self.fields:
            yield "sources: no source gives 'close', without which there are no bars"
        for source in self.sources:
            step = source.time.step
            coarse = [f for f in source.fields if FIELDS[f].how != "last"]
            if coarse and step is not None and self.bar % step:
                yield f"sources.{source.name}: step {step} does not divide the bar {self.bar}"
        for told in self.declared:
            if told.symbol is not None:
                yield from self._target_faults(told.name, told.symbol)

    def _target_faults(self, owner: str, symbol: SymbolMap) -> Iterator[str]:
        for target in (*symbol.map.values(), *([symbol.fixed] if symbol.fixed else [])):
            if target not in self.symbol_names:
                hint = nearest(target, self.symbol_names)
                yield f"sources.{owner}.symbol: '{target}' is not a symbol of the panel{hint}"

    @property
    def declared(self) -> tuple[Source | Calendar, ...]:
        """Sources, then calendars."""
        return (*self.sources, *self.calendars)

    @property
    def symbol_names(self) -> tuple[str, ...]:
        """Names, sorted."""
        return tuple(symbol.name for symbol in self.symbols)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field some source or calendar gives, in the order of the glossary."""
        given = {field for source in self.sources for field in source.fields}
        for calendar in self.calendars:
            given |= {f"next_{calendar.gives}_h"}
            given |= {f"next_{calendar.gives}_frac"} if calendar.amount else set()
        return tuple(field for field in FIELDS if field in given)

    @property
    def bar_s(self) -> int:
        """Length of a bar in seconds."""
        return int(self.bar.total_seconds())

    def asset(self, symbol: str) -> str:
        """Coin behind a symbol."""
        return self._symbol(symbol).asset

    def plausible(self, symbol: str, field: str) -> tuple[float, float] | None:
        """Band in which a value is believable, None when the panel states none."""
        bands = self._symbol(symbol).plausible
        is_price = FIELDS[field].unit == "quote per coin"
        return bands.get(field, bands.get("close") if is_price else None)

    def max_age_s(self, field: str) -> int:
        """Staleness cap of a field in seconds."""
        return int(self.max_age.get(field, FIELDS[field].max_age).total_seconds())

    def _symbol(self, name: str) -> Symbol:
        return next(symbol for symbol in self.symbols if symbol.name == name)


def _symbols(value: object) -> object:
    """Accept a list of names, or a mapping of name to asset or to settings; sort by name."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = dict.fromkeys(value)
    if not isinstance(value, dict):
        return value
    entries = []
    for name, told in sorted(value.items(), key=lambda item: str(item[0])):
        settings = told if isinstance(told, dict) else {"asset": told} if told else {}
        entries.append({"asset": _QUOTES.sub("", str(name)), **settings, "name": name})
    return entries
