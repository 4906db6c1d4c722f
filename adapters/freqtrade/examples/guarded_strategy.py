"""A strategy of a few lines, and the same strategy guarded: what differs is one class.

Plain moving averages, for the sake of the example; nothing here is advice on trading.
"""

from freqtrade.strategy import IStrategy
from liqwarn_freqtrade import LiqwarnMixin
from pandas import DataFrame


class Crossing(IStrategy):
    """In the direction of a fast mean against a slow one, on both sides."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    can_short = True
    minimal_roi = {"0": 0.04}
    stoploss = -0.06
    startup_candle_count = 24
    process_only_new_candles = True

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["fast"] = dataframe["close"].rolling(6).mean()
        dataframe["slow"] = dataframe["close"].rolling(24).mean()
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["fast"] > dataframe["slow"], "enter_long"] = 1
        dataframe.loc[dataframe["fast"] < dataframe["slow"], "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["fast"] < dataframe["slow"], "exit_long"] = 1
        dataframe.loc[dataframe["fast"] > dataframe["slow"], "exit_short"] = 1
        return dataframe

    def leverage(
        self,
        pair,
        current_time,
        current_rate,
        proposed_leverage,
        max_leverage,
        entry_tag,
        side,
        **kwargs,
    ):
        return 3.0


class GuardedCrossing(LiqwarnMixin, Crossing):
    """The same, asking liqwarn first."""


class Adding(Crossing):
    """Adds once to a position that lost a little, and halves one that won."""

    position_adjustment_enable = True
    max_entry_position_adjustment = 1

    def adjust_trade_position(
        self, trade, current_time, current_rate, current_profit, min_stake, max_stake, **kwargs
    ):
        if current_profit < -0.01 and trade.nr_of_successful_entries == 1:
            return 200.0
        if current_profit > 0.02 and trade.nr_of_successful_exits == 0:
            return -trade.stake_amount / 2
        return None


class GuardedAdding(LiqwarnMixin, Adding):
    """The same, asking liqwarn before it adds."""
