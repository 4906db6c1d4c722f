"""Providers of APIs: where they are, how often they may be asked, and whether with a key."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from liqwarn.sources.api_key import KeyTerms
from liqwarn.sources.bybit import BYBIT_API, BYBIT_BETWEEN_S
from liqwarn.sources.coinmetrics import COINMETRICS_API, COINMETRICS_BETWEEN_S
from liqwarn.sources.deribit import DERIBIT_API, DERIBIT_BETWEEN_S
from liqwarn.sources.hyperliquid import HYPERLIQUID_API, HYPERLIQUID_BETWEEN_S
from liqwarn.sources.pace import Budget

__all__ = ["PROVIDERS", "Provider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider of an API.

    Attributes
    ----------
    address : str
        Its own; ``variable`` of the environment names another.
    variable : str
    between_s : float
        Least time from one question to the next.
    per_minute : int
        Most questions in a minute, each by its weight; 0 when the distance says enough.
    key : KeyTerms or None
        How it takes a key; None when it wants none.
    budget : Budget or None
        Headers in which it tells how often it may be asked.
    name, such_as, example : str
        A regular expression of the names it can be asked for, the same in words, and one of them.
    """

    address: str
    variable: str
    between_s: float
    per_minute: int = 0
    key: KeyTerms | None = None
    budget: Budget | None = None
    name: str = "[A-Za-z0-9]{1,20}"
    such_as: str = "letters and digits"
    example: str = "BTC"


PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {
        "bybit": Provider(
            address=BYBIT_API,
            variable="LIQWARN_BYBIT_API",
            between_s=BYBIT_BETWEEN_S,
            such_as="capital letters and digits",
            example="BTCUSDT",
        ),
        "bybit-archive": Provider(
            address="https://public.bybit.com",
            variable="LIQWARN_BYBIT_ARCHIVE",
            between_s=0.02,
        ),
        "coinalyze": Provider(
            address="https://api.coinalyze.net/v1",
            variable="LIQWARN_COINALYZE_API",
            between_s=0.5,
            per_minute=40,  # each symbol of a question counts
            key=KeyTerms(variable="LIQWARN_COINALYZE_KEY", header="api_key"),
            name="[A-Z0-9][A-Z0-9_-]{0,38}[.][A-Z0-9]{1,3}",
            such_as="the provider's own",
            example="BTCUSDT_PERP.A",
        ),
        "coinglass": Provider(
            address="https://open-api-v4.coinglass.com",
            variable="LIQWARN_COINGLASS_API",
            between_s=2.0,  # until its headers say what the plan allows
            key=KeyTerms(variable="LIQWARN_COINGLASS_KEY", header="CG-API-KEY"),
            budget=Budget(allowed="API-KEY-MAX-LIMIT", used="API-KEY-USE-LIMIT"),
        ),
        "coinmetrics": Provider(
            address=COINMETRICS_API,
            variable="LIQWARN_COINMETRICS_API",
            between_s=COINMETRICS_BETWEEN_S,
        ),
        "cryptoquant": Provider(
            address="https://api.cryptoquant.com/v1",
            variable="LIQWARN_CRYPTOQUANT_API",
            between_s=3.0,
            key=KeyTerms(
                variable="LIQWARN_CRYPTOQUANT_KEY", header="Authorization", before="Bearer "
            ),
        ),
        "deribit-dvol": Provider(
            address=DERIBIT_API,
            variable="LIQWARN_DERIBIT_API",
            between_s=DERIBIT_BETWEEN_S,
        ),
        "glassnode": Provider(
            address="https://api.glassnode.com/v1",
            variable="LIQWARN_GLASSNODE_API",
            between_s=1.0,
            key=KeyTerms(variable="LIQWARN_GLASSNODE_KEY", header="X-Api-Key"),
        ),
        "hyperliquid": Provider(
            address=HYPERLIQUID_API,
            variable="LIQWARN_HYPERLIQUID_API",
            between_s=HYPERLIQUID_BETWEEN_S,
        ),
    }
)
"""By the name of their command."""
