"""Exchange flows from Coin Metrics' community API: daily, no key, numbers as strings."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from liqwarn.errors import DataError
from liqwarn.sources.api_series import ApiSeries, check_stamps
from liqwarn.sources.json_page import Number, parse_page, shown
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_shape import Cell, RowShape, as_list, as_object
from liqwarn.sources.spans import Span
from liqwarn.sources.web import Web

__all__ = ["COINMETRICS_API", "COINMETRICS_BETWEEN_S", "METRICS", "coinmetrics_series", "read_page"]

COINMETRICS_API: Final = "https://community-api.coinmetrics.io/v4"
COINMETRICS_BETWEEN_S: Final = 0.7
"""The provider allows ten requests in six seconds."""

METRICS: Final = ("FlowInExUSD", "FlowOutExUSD", "PriceUSD")

_DAY: Final = 86_400_000
_SETTLES: Final = 30 * _DAY
_PAGE: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ENVELOPE: Final = {"data", "next_page_token", "next_page_url"}


def coinmetrics_series(web: Web, assets: Sequence[str], metrics: Sequence[str]) -> list[ApiSeries]:
    """A series of daily rows an asset; the last thirty days are asked for again at each run."""
    columns = tuple(metrics)

    def of(asset: str) -> ApiSeries:
        def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
            return _pages(web, asset, columns, span)

        return ApiSeries(
            kind="flows", name=asset.upper(), columns=columns, step=_DAY, settles=_SETTLES, ask=ask
        )

    return [of(asset) for asset in assets]


def read_page(
    content: bytes, asset: str, metrics: Sequence[str], span: Span, where: str
) -> tuple[list[Reading], str | None]:
    """Rows of a page whole or not at all, and the token of the next page, if there is one.

    Parameters
    ----------
    content : bytes
        The reply.
    asset : str
        In lower case, as the provider writes it.
    metrics : sequence of str
    span : (int, int)
        That was asked for, milliseconds since the epoch.
    where : str
        Names the reply in messages.

    Raises
    ------
    DataError
        For an error envelope, and for anything else than was asked for.
    """
    page = as_object(parse_page(content, where), where)
    if "error" in page:
        raise DataError(f"{where}: found an error {shown(page['error'])}, expected rows")
    unknown = sorted(set(page) - _ENVELOPE)
    if "data" not in page or unknown:
        raise DataError(f"{where}: found fields {sorted(page)[:8]}, expected {sorted(_ENVELOPE)}")
    token = page.get("next_page_token")
    if token is not None and (not isinstance(token, str) or isinstance(token, Number)):
        raise DataError(f"{where}, field 'next_page_token': found {shown(token)}, expected text")
    if token is None and page.get("next_page_url") is not None:
        raise DataError(f"{where}, field 'next_page_token': missing beside a next_page_url")
    shape = _shape(metrics)
    readings = []
    for n, found in enumerate(as_list(page["data"], f"{where}, field 'data'"), 1):
        row = shape.read(found, f"{where}, row {n}")
        if row["asset"] != asset:
            raise DataError(
                f"{where}, row {n}, field 'asset': found {shown(row['asset'])}, expected '{asset}'"
            )
        time = _milliseconds(row["time"], f"{where}, row {n}, field 'time'")
        readings.append(Reading(time=time, cells=tuple(row[name] for name in metrics)))
    check_stamps(readings, _DAY, span, where)
    return readings, token


def _shape(metrics: Sequence[str]) -> RowShape:
    cells: dict[str, Cell] = {"asset": "text", "time": "text"}
    extra: dict[str, Cell] = {}
    for name in metrics:
        cells[name] = "number text"
        extra |= {f"{name}-status": "any", f"{name}-status-time": "any"}
    return RowShape(cells=cells, nullable=frozenset(metrics), extra=extra)


def _milliseconds(text: str, where: str) -> int:
    """A stamp such as ``2024-01-01T00:00:00.000000000Z``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise DataError(f"{where}: found {shown(text)}, expected a time such as 2024-01-01T00:00Z")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _pages(
    web: Web, asset: str, metrics: Sequence[str], span: Span
) -> Iterator[tuple[list[Reading], int]]:
    asked: dict[str, str | int] = {
        "assets": asset,
        "metrics": ",".join(metrics),
        "frequency": "1d",
        "start_time": _date(span[0] + _DAY - 1),
        "end_time": _date(span[1] - 1),
        "page_size": _PAGE,
    }
    tokens: set[str] = set()
    left, number, token = span, 0, None
    while number == 0 or token is not None:
        number += 1
        where = f"flows of {asset}, page {number}"
        query = asked if token is None else {**asked, "next_page_token": token}

        def read(
            content: bytes, at: Span = left, name: str = where
        ) -> tuple[list[Reading], str | None]:
            return read_page(content, asset, metrics, at, name)

        (readings, token), came = web.page(f"timeseries/asset-metrics?{urlencode(query)}", read)
        if token in tokens or (token is not None and not readings):
            raise DataError(f"{where}: pages go in a circle, expected rows and a new token")
        tokens |= {token} if token else set()
        left = (readings[-1].time + 1, span[1]) if readings else left
        yield readings, came


def _date(ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=ms)).date().isoformat()
