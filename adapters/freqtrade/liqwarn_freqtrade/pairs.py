"""freqtrade's names of pairs, and liqwarn's names of symbols."""

from collections.abc import Mapping

__all__ = ["symbol_of"]


def symbol_of(pair: str, named: Mapping[str, str] | None = None) -> str:
    """The symbol whose flag speaks for a pair.

    Parameters
    ----------
    named : mapping of pair to symbol, optional
        For deployments that name symbols otherwise.

    Returns
    -------
    str
        Base and quote together. A dated future keeps its own name, which no flag has: it is
        unknown, and so denied, rather than judged by the perpetual.

    Examples
    --------
    >>> symbol_of("BTC/USDT:USDT"), symbol_of("ETH/USDT"), symbol_of("BTC/USDT:USDT-261225")
    ('BTCUSDT', 'ETHUSDT', 'BTC/USDT:USDT-261225')
    >>> symbol_of("BTC/USDC:USDC", {"BTC/USDC:USDC": "BTC"})
    'BTC'
    """
    if named and pair in named:
        return named[pair]
    market, _, settle = pair.partition(":")
    base, _, quote = market.partition("/")
    return pair if not quote or "-" in settle else base + quote
