"""Glassnode's API: exchange flows, balances, prices and derivatives, with a key.

A row is stamped with the start of its interval, in seconds. The ``_pit`` variant of a metric never
changes and says when each value was computed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from liqwarn.errors import DataError
from liqwarn.sources.api_series import ApiSeries, check_stamps
from liqwarn.sources.json_page import parse_page, shown
from liqwarn.sources.read_ahead import ReadAhead
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_shape import Cell, RowShape, as_list, as_object
from liqwarn.sources.spans import Span, iso_of
from liqwarn.sources.web import Web

__all__ = [
    "GLASSNODE_METRICS",
    "INTERVALS",
    "USUAL",
    "Metric",
    "glassnode_series",
    "read_values",
]

_MS: Final = 1_000
_DAY: Final = 86_400_000

INTERVALS: Final[Mapping[str, int]] = MappingProxyType(
    {"10m": 600_000, "1h": 3_600_000, "24h": _DAY}
)
"""Milliseconds of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric.

    Attributes
    ----------
    path : str
    keys : tuple of str
        Of the object that is the value of a row; empty when the value is a number.
    columns : tuple of str
        Names under which the values are recorded.
    asked : mapping of str
        Its own part of the question, such as the currency.
    of_exchange : bool
        Asked for by exchange.
    pit : bool
        Its values never change and each says when it was computed.
    settles : int
        Milliseconds for which its newest rows may still change.
    """

    path: str
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    of_exchange: bool = True
    pit: bool = False
    settles: int = 2 * _DAY

    @property
    def recorded(self) -> tuple[str, ...]:
        """Columns of a file, the times of a ``_pit`` metric after the values."""
        return (*self.columns, *(("computed_at", "public_at") if self.pit else ()))


def _with_pit(name: str, path: str, *, coins: bool = True) -> dict[str, Metric]:
    """A metric of labelled addresses and its variant that never changes."""
    asked = {"c": "native"} if coins else {}
    return {
        name: Metric(path=path, columns=(name,), asked=asked, settles=14 * _DAY),
        f"{name}-pit": Metric(path=f"{path}_pit", columns=(name,), asked=asked, pit=True),
    }


_CANDLE: Final = ("open", "high", "low", "close")

GLASSNODE_METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        **_with_pit("inflow", "transactions/transfers_volume_to_exchanges_sum"),
        **_with_pit("outflow", "transactions/transfers_volume_from_exchanges_sum"),
        **_with_pit("netflow", "transactions/transfers_volume_exchanges_net"),
        **_with_pit("balance", "distribution/balance_exchanges"),
        "open-interest": Metric(
            path="derivatives/futures_open_interest_sum",
            columns=("open_interest",),
            asked={"c": "native"},
        ),
        "funding": Metric(
            path="derivatives/futures_funding_rate_perpetual", columns=("funding_rate",)
        ),
        "long-liquidations": Metric(
            path="derivatives/futures_liquidated_volume_long_sum",
            columns=("long_liquidations_usd",),
            asked={"c": "usd"},
        ),
        "short-liquidations": Metric(
            path="derivatives/futures_liquidated_volume_short_sum",
            columns=("short_liquidations_usd",),
            asked={"c": "usd"},
        ),
        "price": Metric(
            path="market/price_usd_ohlc",
            columns=_CANDLE,
            keys=tuple(name[0] for name in _CANDLE),
            of_exchange=False,
        ),
    }
)
"""By the name they are asked for with."""

USUAL: Final = (
    "price",
    "inflow-pit",
    "outflow-pit",
    "netflow-pit",
    "balance-pit",
    "open-interest",
    "funding",
    "long-liquidations",
    "short-liquidations",
)
"""What is asked for when nothing is said."""

_PUBLIC_AFTER_S: Final = 600
"""From being computed to being there for sure: ten minutes after an update are called safe."""

_LAST_S: Final = 4_102_444_800
_DAYS_AHEAD: Final = 5_000


def glassnode_series(
    web: Web,
    assets: Sequence[str],
    names: Sequence[str],
    interval: str,
    exchange: str,
    clock: Callable[[], float],
) -> list[ApiSeries]:
    """A series an asset and metric, of one exchange; names are of :data:`GLASSNODE_METRICS`."""
    return [
        _series(web, asset, name, interval, exchange, clock) for asset in assets for name in names
    ]


def read_values(
    content: bytes, metric: Metric, interval: str, span: Span, where: str
) -> list[Reading]:
    """Rows of a reply whole or not at all.

    Parameters
    ----------
    content : bytes
        The reply.
    metric : Metric
    interval : str
        One of :data:`INTERVALS`.
    span : (int, int)
        That was asked for, milliseconds since the epoch.
    where : str
        Names the reply in messages.

    Raises
    ------
    DataError
        For anything else than was asked for.
    """
    page = parse_page(content, where)
    if isinstance(page, dict):
        raise DataError(f"{where}: found an object {shown(page)}, expected rows")
    readings = [
        _reading(found, metric, f"{where}, row {n}")
        for n, found in enumerate(as_list(page, where), 1)
    ]
    check_stamps(readings, INTERVALS[interval], span, where)
    return readings


def _reading(found: object, metric: Metric, where: str) -> Reading:
    value: Cell = "any" if metric.keys else "number"
    name = "o" if metric.keys else "v"
    times: dict[str, Cell] = {"t": "whole", **({"computed_at": "whole"} if metric.pit else {})}
    shape = RowShape(cells={**times, name: value}, nullable=frozenset({name}))
    row = shape.read(found, where)
    cells = _object(found, metric.keys, where) if metric.keys else (row["v"],)
    start = int(row["t"])
    if metric.pit:
        cells += _computed(start, row["computed_at"], where)
    return Reading(time=start * _MS, cells=cells)


def _object(found: object, keys: tuple[str, ...], where: str) -> tuple[str, ...]:
    """The values of a row that holds several, all empty when there are none."""
    value = as_object(found, where)["o"]
    if value is None:
        return tuple("" for _ in keys)
    shape = RowShape(cells=dict.fromkeys(keys, "number"), nullable=frozenset(keys))
    row = shape.read(value, f"{where}, field 'o'")
    return tuple(row[key] for key in keys)


def _computed(start: int, text: str, where: str) -> tuple[str, str]:
    """When a value was computed, as it came, and from when on it was there for sure."""
    at = int(text)
    if not start <= at < _LAST_S:
        raise DataError(
            f"{where}, field 'computed_at': found {text}, expected seconds not before {start}"
        )
    return text, iso_of((at + _PUBLIC_AFTER_S) * _MS)


def _series(
    web: Web, asset: str, name: str, interval: str, exchange: str, clock: Callable[[], float]
) -> ApiSeries:
    metric = GLASSNODE_METRICS[name]

    def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
        query = {
            "a": asset,
            "i": interval,
            "s": -(-span[0] // _MS),
            "u": (span[1] - 1) // _MS,  # a row that starts at the end is of the next span
            "f": "json",
            "timestamp_format": "unix",
            **metric.asked,
            **({"e": exchange} if metric.of_exchange else {}),
        }
        where = f"{name} of {asset} from {iso_of(span[0])}"

        def read(content: bytes) -> list[Reading]:
            return read_values(content, metric, interval, span, where)

        yield web.page(f"metrics/{metric.path}?{urlencode(query)}", read)

    return ApiSeries(
        kind=f"{name}-{interval}",
        name=f"{asset}-{exchange}" if metric.of_exchange else asset,
        columns=metric.recorded,
        step=INTERVALS[interval],
        settles=metric.settles,
        ask=ReadAhead(ask, _DAYS_AHEAD * _DAY, clock) if INTERVALS[interval] == _DAY else ask,
    )
