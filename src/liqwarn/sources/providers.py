"""Providers of keyless APIs: where they are, and how often they may be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from liqwarn.sources.coinmetrics import COINMETRICS_API, COINMETRICS_BETWEEN_S
from liqwarn.sources.deribit import DERIBIT_API, DERIBIT_BETWEEN_S
from liqwarn.sources.hyperliquid import HYPERLIQUID_API, HYPERLIQUID_BETWEEN_S

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
    """

    address: str
    variable: str
    between_s: float


PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {
        "coinmetrics": Provider(
            address=COINMETRICS_API,
            variable="LIQWARN_COINMETRICS_API",
            between_s=COINMETRICS_BETWEEN_S,
        ),
        "deribit-dvol": Provider(
            address=DERIBIT_API,
            variable="LIQWARN_DERIBIT_API",
            between_s=DERIBIT_BETWEEN_S,
        ),
        "hyperliquid": Provider(
            address=HYPERLIQUID_API,
            variable="LIQWARN_HYPERLIQUID_API",
            between_s=HYPERLIQUID_BETWEEN_S,
        ),
    }
)
"""By the name of their command."""
