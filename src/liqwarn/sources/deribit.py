"""Deribit's volatility index (DVOL): candles, the newest page first, no key."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from liqwarn.errors import BusyError, DataError
from liqwarn.sources.api_series import ApiSeries, check_stamps
from liqwarn.sources.json_page import Number, parse_page, shown
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_shape import Cell, RowShape, as_list, as_object
from liqwarn.sources.spans import Span
from liqwarn.sources.web import Web

__all__ = ["DERIBIT_API", "DERIBIT_BETWEEN_S", "RESOLUTIONS", "dvol_series", "read_candles"]

DERIBIT_API: Final = "https://www.deribit.com/api/v2"
DERIBIT_BETWEEN_S: Final = 0.25
"""Without a key some twenty questions a second are let pass; this is far below."""

RESOLUTIONS: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "1min": ("60", 60_000),
        "1h": ("3600", 3_600_000),
        "12h": ("43200", 43_200_000),
        "1d": ("1D", 86_400_000),
    }
)
"""As they are asked for: the provider's word, and milliseconds."""

_COLUMNS: Final = ("open", "high", "low", "close")
_CELLS: Final[Mapping[str, Cell]] = {"time": "whole", **dict.fromkeys(_COLUMNS, "number")}
_SHAPE: Final = RowShape(cells=_CELLS)
_ENVELOPE: Final = {"jsonrpc", "id", "result", "usIn", "usOut", "usDiff", "testnet"}
_TOO_MANY: Final = "10028"


def dvol_series(web: Web, currencies: Sequence[str], resolution: str) -> list[ApiSeries]:
    """A series of candles a currency; `resolution` is one of :data:`RESOLUTIONS`."""
    step = RESOLUTIONS[resolution][1]

    def of(currency: str) -> ApiSeries:
        def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
            return _pages(web, currency, resolution, span)

        return ApiSeries(
            kind=f"dvol-{resolution}", name=currency, columns=_COLUMNS, step=step,
            settles=2 * step, ask=ask,
        )  # fmt: skip

    return [of(currency) for currency in currencies]


def read_candles(
    content: bytes, step: int, span: Span, where: str
) -> tuple[list[Reading], int | None]:
    """Candles of a page whole or not at all, and the end of the page before, if there is one.

    Parameters
    ----------
    content : bytes
        The reply.
    step : int
        Of the candles, in milliseconds.
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
    page = as_object(parse_page(content, where), where)
    if "error" in page:
        said = page["error"]
        if isinstance(said, dict) and said.get("code") == _TOO_MANY:
            raise BusyError(f"{where}: {shown(said)}")
        raise DataError(f"{where}: found an error {shown(said)}, expected candles")
    if page.get("testnet") is True:
        raise DataError(f"{where}, field 'testnet': found True, expected the real market")
    if "result" not in page or set(page) - _ENVELOPE:
        raise DataError(f"{where}: found fields {sorted(page)[:8]}, expected {sorted(_ENVELOPE)}")
    result = as_object(page["result"], f"{where}, field 'result'")
    if set(result) != {"data", "continuation"}:
        found = sorted(result)[:8]
        raise DataError(f"{where}, field 'result': found {found}, expected continuation and data")
    readings = [
        _candle(row, f"{where}, row {n}")
        for n, row in enumerate(as_list(result["data"], f"{where}, field 'data'"), 1)
    ]
    check_stamps(readings, step, span, where)
    return readings, _continuation(result["continuation"], where)


def _candle(found: object, where: str) -> Reading:
    """A candle, a list of five numbers, whose prices can be true."""
    cells = as_list(found, where)
    if len(cells) != len(_CELLS):
        raise DataError(f"{where}: found {len(cells)} cells, expected {', '.join(_CELLS)}")
    row = _SHAPE.read(dict(zip(_CELLS, cells, strict=True)), where)
    first, high, low, last = (float(row[name]) for name in _COLUMNS)
    if not 0.0 < low <= min(first, last) <= max(first, last) <= high:
        raise DataError(
            f"{where}: found open {first}, high {high}, low {low}, close {last}, "
            "expected a low above 0 and a high around the others"
        )
    return Reading(time=int(row["time"]), cells=tuple(row[name] for name in _COLUMNS))


def _continuation(found: object, where: str) -> int | None:
    if found is None:
        return None
    if not isinstance(found, Number) or not found.isdecimal():
        raise DataError(f"{where}, field 'continuation': found {shown(found)}, expected ms or null")
    return int(found)


def _pages(
    web: Web, currency: str, resolution: str, span: Span
) -> Iterator[tuple[list[Reading], int]]:
    word, step = RESOLUTIONS[resolution]
    end: int | None = span[1] - 1
    number, before = 0, span[1]
    while end is not None:
        number += 1
        where = f"DVOL of {currency} from {span[0]}, page {number}"
        query = {
            "currency": currency,
            "start_timestamp": span[0],
            "end_timestamp": end,
            "resolution": word,
        }

        def read(
            content: bytes, at: Span = (span[0], end + 1), name: str = where
        ) -> tuple[list[Reading], int | None]:
            return read_candles(content, step, at, name)

        path = f"public/get_volatility_index_data?{urlencode(query)}"
        (readings, more), came = web.page(path, read)
        fresh = [reading for reading in readings if reading.time < before]
        if more is not None and (not fresh or more > end):
            raise DataError(f"{where}: pages go in a circle, expected older candles than before")
        before = fresh[0].time if fresh else before
        end = more if more is not None and more >= span[0] else None
        yield fresh, came
