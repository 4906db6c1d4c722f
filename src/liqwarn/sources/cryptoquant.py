"""CryptoQuant's API: exchange flows and derivatives by the hour or the day, with a key.

A row is stamped with the start of its interval. The newest row comes first.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from liqwarn.errors import BusyError, DataError
from liqwarn.sources.api_series import ApiSeries, check_stamps
from liqwarn.sources.json_page import parse_page, shown
from liqwarn.sources.read_ahead import ReadAhead
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_shape import Cell, RowShape, as_list, as_object
from liqwarn.sources.spans import Span
from liqwarn.sources.web import Web

__all__ = ["ENDPOINTS", "WINDOWS", "Endpoint", "cryptoquant_series", "read_rows"]

_HOUR: Final = 3_600_000
_DAY: Final = 86_400_000

WINDOWS: Final[Mapping[str, int]] = MappingProxyType({"hour": _HOUR, "day": _DAY})
"""Milliseconds of each. The provider's ``block`` is not here: blocks are no grid of times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One kind of series.

    Attributes
    ----------
    path : str
        Below the asset.
    columns : tuple of str
        Fields of its rows, all numbers or null.
    extra : tuple of str
        Fields that some of its rows have; they are not recorded.
    on_chain : bool
        Made of labelled addresses: the labels are renewed every week.
    of_exchange : bool
        Asked for by exchange.
    """

    path: str
    columns: tuple[str, ...]
    extra: tuple[str, ...] = ()
    on_chain: bool = False
    of_exchange: bool = True

    @property
    def settles(self) -> int:
        """Milliseconds for which its newest rows may still change."""
        return 10 * _DAY if self.on_chain else 2 * _DAY


def _flow(way: str) -> Endpoint:
    """The total alone is recorded: the top ten are null until blocks are confirmed."""
    others = tuple(f"{way}_{what}" for what in ("top10", "mean", "mean_ma7"))
    return Endpoint(
        path=f"exchange-flows/{way}", columns=(f"{way}_total",), extra=others, on_chain=True
    )


ENDPOINTS: Final[Mapping[str, Endpoint]] = MappingProxyType(
    {
        "inflow": _flow("inflow"),
        "outflow": _flow("outflow"),
        "netflow": Endpoint(
            path="exchange-flows/netflow", columns=("netflow_total",), on_chain=True
        ),
        "reserve": Endpoint(
            path="exchange-flows/reserve",
            columns=("reserve",),
            extra=("reserve_usd",),
            on_chain=True,
        ),
        "whale-ratio": Endpoint(
            path="flow-indicator/exchange-whale-ratio",
            columns=("exchange_whale_ratio",),
            on_chain=True,
        ),
        "open-interest": Endpoint(path="market-data/open-interest", columns=("open_interest",)),
        "funding": Endpoint(path="market-data/funding-rates", columns=("funding_rates",)),
        "liquidations": Endpoint(
            path="market-data/liquidations",
            columns=(
                "long_liquidations",
                "short_liquidations",
                "long_liquidations_usd",
                "short_liquidations_usd",
            ),
        ),
        "taker": Endpoint(
            path="market-data/taker-buy-sell-stats",
            columns=("taker_buy_volume", "taker_sell_volume"),
            extra=(
                "taker_total_volume",
                "taker_buy_ratio",
                "taker_sell_ratio",
                "taker_buy_sell_ratio",
            ),
        ),
        "leverage": Endpoint(
            path="market-indicator/estimated-leverage-ratio",
            columns=("estimated_leverage_ratio",),
            on_chain=True,
        ),
        "price": Endpoint(
            path="market-data/price-ohlcv",
            columns=("open", "high", "low", "close", "volume"),
            of_exchange=False,
        ),
    }
)
"""By the name they are asked for with."""

_LIMIT: Final = 1_000
"""Rows of a reply; up to 100,000 may be asked for, a month of hours is 744."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STAMPS: Final[Mapping[str, tuple[str, re.Pattern[str], str]]] = MappingProxyType(
    {
        "hour": (
            "datetime",
            re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII),
            "2024-01-01 13:00:00",
        ),
        "day": ("date", re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), "2024-01-01"),
    }
)


def cryptoquant_series(
    web: Web,
    assets: Sequence[str],
    names: Sequence[str],
    window: str,
    exchange: str,
    clock: Callable[[], float],
) -> list[ApiSeries]:
    """A series an asset and endpoint, of one exchange; names are of :data:`ENDPOINTS`."""
    return [
        _series(web, asset, name, window, exchange, clock) for asset in assets for name in names
    ]


def read_rows(
    content: bytes, endpoint: Endpoint, window: str, span: Span, where: str
) -> list[Reading]:
    """Rows of a page whole or not at all, the oldest first.

    Parameters
    ----------
    content : bytes
        The reply.
    endpoint : Endpoint
    window : str
        One of :data:`WINDOWS`.
    span : (int, int)
        That was asked for, milliseconds since the epoch.
    where : str
        Names the reply in messages.

    Raises
    ------
    BusyError
        When the reply is the error that asks for patience.
    DataError
        For any other error envelope, and for anything else than was asked for.
    """
    result = _result(content, where)
    if result["window"] != window:
        raise DataError(
            f"{where}, field 'window': found {shown(result['window'])}, expected '{window}'"
        )
    name, layout, such_as = _STAMPS[window]
    shape = _shape(endpoint, name)
    readings = []
    for n, found in enumerate(as_list(result["data"], f"{where}, field 'data'"), 1):
        row = shape.read(found, f"{where}, row {n}")
        time = _milliseconds(row[name], layout, such_as, f"{where}, row {n}, field '{name}'")
        readings.append(Reading(time=time, cells=tuple(row[cell] for cell in endpoint.columns)))
    if len(readings) > 1 and readings[0].time > readings[-1].time:
        readings.reverse()
    check_stamps(readings, WINDOWS[window], span, f"{where}, from the oldest on")
    return readings


def _result(content: bytes, where: str) -> dict[str, object]:
    """What is inside the envelope, when that says success."""
    page = as_object(parse_page(content, where), where)
    status = as_object(page.get("status"), f"{where}, field 'status'")
    code = status.get("code")
    if code == "429":
        raise BusyError(f"{where}: {shown(status)}")
    if code != "200" or status.get("message") not in ("success", "deprecated"):
        raise DataError(f"{where}: found an error {shown(status)}, expected success")
    if set(page) != {"status", "result"}:
        raise DataError(f"{where}: found fields {sorted(page)[:8]}, expected result and status")
    result = as_object(page["result"], f"{where}, field 'result'")
    if set(result) != {"window", "data"}:
        found = sorted(result)[:8]
        raise DataError(f"{where}, field 'result': found fields {found}, expected data and window")
    return result


def _shape(endpoint: Endpoint, stamp: str) -> RowShape:
    cells: dict[str, Cell] = {stamp: "text", **dict.fromkeys(endpoint.columns, "number")}
    return RowShape(
        cells=cells,
        nullable=frozenset(endpoint.columns),
        extra=dict.fromkeys(endpoint.extra, "any"),
    )


def _milliseconds(text: str, layout: re.Pattern[str], such_as: str, where: str) -> int:
    """A stamp in UTC, written as the provider does."""
    try:
        moment = datetime.fromisoformat(text) if layout.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise DataError(f"{where}: found {shown(text)}, expected a time such as {such_as}")
    return (moment.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


def _series(
    web: Web, asset: str, name: str, window: str, exchange: str, clock: Callable[[], float]
) -> ApiSeries:
    endpoint, step = ENDPOINTS[name], WINDOWS[window]

    def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
        asked = {"window": window, **({"exchange": exchange} if endpoint.of_exchange else {})}
        path = f"{asset.lower()}/{endpoint.path}"
        return _pages(web, endpoint, (path, asked), span)

    return ApiSeries(
        kind=f"{name}-{window}",
        name=f"{asset}-{exchange}" if endpoint.of_exchange else asset,
        columns=endpoint.columns,
        step=step,
        settles=endpoint.settles,
        ask=ReadAhead(ask, _LIMIT * _DAY, clock) if step == _DAY else ask,
    )


def _pages(
    web: Web, endpoint: Endpoint, question: tuple[str, Mapping[str, str]], span: Span
) -> Iterator[tuple[list[Reading], int]]:
    """Pages back from the end of a span: a reply holds the newest rows, up to some limit.

    A plan may allow fewer rows than are asked for, so only the start, or a reply without rows, ends
    it.
    """
    path, asked = question
    end = span[1]
    while end > span[0]:
        query = {**asked, "from": _stamp(span[0]), "to": _stamp(end - 1), "limit": _LIMIT}
        where = f"{path} to {_stamp(end - 1)}"

        def read(content: bytes, at: Span = (span[0], end), name: str = where) -> list[Reading]:
            return read_rows(content, endpoint, asked["window"], at, name)

        readings, came = web.page(f"{path}?{urlencode(query)}", read)
        yield readings, came
        end = readings[0].time if readings else span[0]


def _stamp(ms: int) -> str:
    """A moment as the provider is asked with, to the second.

    >>> _stamp(1_704_067_200_000 - 1)
    '20231231T235959'
    """
    return f"{_EPOCH + timedelta(milliseconds=ms):%Y%m%dT%H%M%S}"
