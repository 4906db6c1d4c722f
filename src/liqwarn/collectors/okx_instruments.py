"""OKX's linear swaps: their names, and what a contract is in coins.

Sizes at OKX are contracts. A contract of a linear swap is ``ctVal`` coins of ``ctValCcy``; the
venue tells it over HTTP, and as long as it has not, no size is known.
"""

from collections.abc import Mapping
from typing import Final

from liqwarn.collectors.plausible import coins
from liqwarn.collectors.wire_json import as_list, as_object, shown, text
from liqwarn.errors import ConfigError, DataError

__all__ = ["contract_sizes", "index_of", "swap_of"]

_QUOTES: Final = ("USDT", "USDC")


def swap_of(symbol: str) -> str:
    """The swap of a symbol.

    Raises
    ------
    ConfigError
        When it does not end with a currency in which linear swaps are settled.

    Examples
    --------
    >>> swap_of("BTCUSDT")
    'BTC-USDT-SWAP'
    """
    return f"{index_of(symbol)}-SWAP"


def index_of(symbol: str) -> str:
    """The index of a symbol, such as ``BTC-USDT``."""
    coin, quote = symbol[:-4], symbol[-4:]
    if quote not in _QUOTES or not (coin.isascii() and coin.isalnum() and coin.isupper()):
        raise ConfigError(f"symbol {symbol!r}: expected a coin and USDT or USDC, such as BTCUSDT")
    return f"{coin}-{quote}"


def contract_sizes(found: object, wanted: Mapping[str, str], where: str) -> dict[str, float]:
    """Coins a contract by symbol, of the rows of a reply of ``/api/v5/public/instruments``.

    Parameters
    ----------
    found : object
        The rows, all of instruments of type SWAP.
    wanted : mapping of str to str
        Symbols by swap; of other swaps nothing is read.

    Raises
    ------
    DataError
        For no row at all, a swap that is there twice, and a wanted one that is inverse, counts in
        another currency than its coin, settles in another than its quote, or has a multiplier.

    Examples
    --------
    >>> row = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "ctType": "linear", "ctVal": "0.01",
    ...        "ctMult": "1", "ctValCcy": "BTC", "settleCcy": "USDT"}
    >>> contract_sizes([row], {"BTC-USDT-SWAP": "BTCUSDT"}, "x")
    {'BTCUSDT': 0.01}
    """
    sizes: dict[str, float] = {}
    rows = as_list(found, f"{where}, field 'data'")
    if not rows:
        raise DataError(f"{where}: found no instrument, expected all swaps")
    for number, found_row in enumerate(rows, 1):
        here = f"{where}, row {number}"
        row = as_object(found_row, here)
        swap = text(row, "instId", here)
        if swap not in wanted:
            continue
        if wanted[swap] in sizes:
            raise DataError(f"{here}: {swap} is there twice, expected once")
        _check_linear(row, swap, here)
        sizes[wanted[swap]] = coins(row, "ctVal", here)
    return sizes


def _check_linear(row: Mapping[str, object], swap: str, where: str) -> None:
    coin, quote, _ = swap.split("-")
    expected = {"instType": "SWAP", "ctType": "linear", "ctValCcy": coin, "settleCcy": quote}
    for name, value in expected.items():
        if text(row, name, where) != value:
            raise DataError(
                f"{where}, {swap}, field '{name}': found {shown(row[name])}, expected {value}"
            )
    if row.get("ctMult", "1") not in ("1", ""):
        raise DataError(
            f"{where}, {swap}, field 'ctMult': found {shown(row['ctMult'])}, expected 1"
        )
