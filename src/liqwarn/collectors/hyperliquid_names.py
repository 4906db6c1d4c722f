"""Hyperliquid's names of coins and accounts."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from liqwarn.collectors.wire_json import shown
from liqwarn.errors import ConfigError

__all__ = ["HLP_LIQUIDATORS", "account", "coin_of", "symbols_by_coin"]

HLP_LIQUIDATORS: Final = (
    "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
    "0xb0a55f13d22f66e6d495ac98113841b2326e9540",
    "0x5e177e5e39c0f4e421f5865a6d8beed8d921cb70",
    "0x2ed5c4484ea3ff8b57d5f2fb152a40d9f2b68308",
)
"""Vaults that take over what the book does not absorb: children of HLP called Liquidator, 2 to 4.

Several independent public sources name them; the venue's documentation does not.
"""

_THOUSAND: Final = re.compile(r"1000(?=[A-Z])")
_SYMBOL: Final = re.compile(r"([A-Z0-9]{1,20})USDT", re.ASCII)
_ACCOUNT: Final = re.compile(r"0x[0-9a-f]{40}", re.ASCII)


def coin_of(symbol: str) -> str:
    """The venue's name of a coin; prices are in USD, symbols are named after USDT here.

    Raises
    ------
    ConfigError
        For a symbol that is no perpetual against USDT.

    Examples
    --------
    >>> coin_of("BTCUSDT"), coin_of("1000PEPEUSDT")
    ('BTC', 'kPEPE')
    """
    found = _SYMBOL.fullmatch(symbol)
    if found is None:
        raise ConfigError(f"hyperliquid: found symbol {shown(symbol)}, expected such as BTCUSDT")
    return _THOUSAND.sub("k", found[1], count=1)


def symbols_by_coin(symbols: Sequence[str]) -> Mapping[str, str]:
    """Symbols by the venue's names."""
    return {coin_of(symbol): symbol for symbol in symbols}


def account(found: str) -> str:
    """An address in small letters.

    Raises
    ------
    ConfigError
        For what is no address.
    """
    small = found.lower()
    if not _ACCOUNT.fullmatch(small):
        raise ConfigError(
            f"hyperliquid: found account {shown(found)}, expected 0x and 40 hexadecimal digits"
        )
    return small
