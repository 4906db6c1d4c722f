"""What a freqtrade bot may trade now: the answer its ``RemotePairList`` asks for.

A pair is listed only while a fresh flag lets its exposure grow. Everything else is left out, so a
bot in ``whitelist`` mode opens nothing there; positions it holds already are managed as before.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from liqwarn.decisions import Flag, TradingState
from liqwarn.errors import LiqwarnError

__all__ = ["REFRESH_S", "PairList", "Sides", "pair_of", "pairlist", "pairlist_router"]

Sides = Literal["both", "any", "long", "short"]
"""Which sides of a symbol must be free to grow for it to be listed."""

REFRESH_S: Final = 5
"""Least seconds between two questions. freqtrade takes it as a floor under its own period and never
goes below it again, so that a long one would keep pairs listed that are denied meanwhile."""

_QUOTES: Final = ("FDUSD", "USDT", "USDC", "BUSD", "USD")
_PLAIN: Final = re.compile(r"[A-Z0-9]+")


class PairList(BaseModel):
    """The answer, as freqtrade reads it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"pairs": ["BTC/USDT:USDT", "ETH/USDT:USDT"], "refresh_period": 5}]
        },
    )

    pairs: list[str]
    refresh_period: Annotated[int, Field(ge=1, le=REFRESH_S)]


def pair_of(symbol: str, stake: str, *, spot: bool = False) -> str | None:
    """The name freqtrade gives a symbol of one settlement currency; None when it has none.

    A symbol without a known quote currency is read as the base itself. One of anything but capital
    letters and digits has no name: freqtrade reads a listed pair as a regular expression.

    >>> pair_of("BTCUSDT", "USDT"), pair_of("BTC", "USDC"), pair_of("BTCUSDT", "USDT", spot=True)
    ('BTC/USDT:USDT', 'BTC/USDC:USDC', 'BTC/USDT')
    >>> pair_of("BTCUSDT", "USDC"), pair_of(".*USDT", "USDT")
    (None, None)
    """
    quote = max((q for q in (stake, *_QUOTES) if symbol.endswith(q)), key=len, default="")
    base = symbol.removesuffix(quote)
    if quote not in (stake, "") or not _PLAIN.fullmatch(base):
        return None
    return f"{base}/{stake}" if spot else f"{base}/{stake}:{stake}"


def pairlist(
    flags: Iterable[Flag],
    now: datetime,
    *,
    sides: Sides = "both",
    stake: str = "USDT",
    spot: bool = False,
) -> dict[str, Any]:
    """The pairs whose exposure may grow now, in order of name.

    Parameters
    ----------
    flags : iterable of Flag
        As they may be served now: expired ones as :func:`liqwarn.policy.flags.expire` says.
    now : datetime
        By the wall clock; a flag past its validity is left out whoever passed it.
    sides : {"both", "any", "long", "short"}
        What must be free. ``both`` is right for a bot that asks nothing else; with the strategy
        mixin, which asks for each side again, ``any`` loses no pair.
    stake : str
        The bot's stake currency.
    spot : bool
        Whether the pairs are those of the spot market.

    Returns
    -------
    dict
        ``pairs``, and ``refresh_period``, :data:`REFRESH_S`. Of two symbols of one pair both must
        be free.

    Examples
    --------
    >>> from datetime import UTC
    >>> pairlist([], datetime(2024, 8, 5, 6, tzinfo=UTC))
    {'pairs': [], 'refresh_period': 5}
    """
    free: dict[str, bool] = {}
    for flag in flags:
        pair = pair_of(flag.symbol, stake, spot=spot)
        if pair is not None:
            free[pair] = free.get(pair, True) and _free(flag, now, sides)
    return {"pairs": sorted(pair for pair in free if free[pair]), "refresh_period": REFRESH_S}


def _free(flag: Flag, now: datetime, sides: Sides) -> bool:
    """Whether a flag is fresh and lets the asked sides grow."""
    if flag.quality not in ("ok", "degraded") or not flag.as_of <= now < flag.valid_until:
        return False
    grows = {
        name: side.state is TradingState.ACTIVE and side.limits.order_size_frac > 0
        for name, side in flag.sides.items()
    }
    if sides in grows:
        return grows[sides]
    return all(grows.values()) if sides == "both" else any(grows.values())


def pairlist_router(flags: Callable[[], Iterable[Flag]], now: Callable[[], datetime]) -> APIRouter:
    """The route ``GET /v1/freqtrade/pairlist``, to be mounted in the application.

    Where the flags cannot be read the answer is an empty list and not an error: a bot set to keep
    its last list on failure would go on with that one.

    Parameters
    ----------
    flags : callable
        The flags as they may be served at the moment of the call.
    now : callable
        The wall clock.
    """
    router = APIRouter()

    @router.get(
        "/v1/freqtrade/pairlist",
        response_model=PairList,
        summary="The pairs a freqtrade bot may open positions in",
    )
    async def freqtrade_pairlist(
        sides: Annotated[Sides, Query(description="Sides that must be free to grow")] = "both",
        stake: Annotated[str, Query(pattern="^[A-Z0-9]{1,12}$")] = "USDT",
        market: Annotated[Literal["futures", "spot"], Query()] = "futures",
    ) -> Response:
        try:
            served = list(flags())
        except LiqwarnError:
            served = []
        body = pairlist(served, now(), sides=sides, stake=stake, spot=market == "spot")
        headers = {"Cache-Control": "no-store"}
        return Response(orjson.dumps(body), media_type="application/json", headers=headers)

    return router
