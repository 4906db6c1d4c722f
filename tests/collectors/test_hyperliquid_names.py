"""Names of coins and accounts."""

import pytest

from liqwarn.collectors.hyperliquid_names import HLP_LIQUIDATORS, account, coin_of, symbols_by_coin
from liqwarn.errors import ConfigError


@pytest.mark.parametrize(
    ("symbol", "coin"),
    [
        ("BTCUSDT", "BTC"),
        ("1000PEPEUSDT", "kPEPE"),
        ("1000000MOGUSDT", "1000000MOG"),
        ("1INCHUSDT", "1INCH"),
    ],
)
def test_a_thousand_coins_are_called_k(symbol, coin):
    assert coin_of(symbol) == coin
    assert symbols_by_coin([symbol]) == {coin: symbol}


@pytest.mark.parametrize("symbol", ["BTCUSDC", "BTC", "btcusdt", "USDT", "BTC-USDT"])
def test_another_symbol_is_refused(symbol):
    with pytest.raises(ConfigError, match="expected such as BTCUSDT"):
        coin_of(symbol)


def test_the_vaults_are_accounts_in_small_letters():
    assert tuple(account(vault) for vault in HLP_LIQUIDATORS) == HLP_LIQUIDATORS
    assert len(set(HLP_LIQUIDATORS)) == 4
