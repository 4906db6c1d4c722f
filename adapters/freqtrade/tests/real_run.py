"""The same runs on real hourly candles with a flag history of `liqwarn score`: `make real`.

    python tests/real_run.py CANDLES.parquet FLAGS.parquet

Candles with columns timestamp (start of the bar), open_usdt, high_usdt, low_usdt, close_usdt and
volume_base; flags of the same symbol. What it shows is what the gate does to orders, and not that a
strategy of two moving averages earns anything.
"""

import logging
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import market
import numpy as np
import pandas as pd
import pytest
from runs import backtest, row

WARM_UP = timedelta(hours=24)


def candles_of(path, flags):
    """In freqtrade's columns, from a day before the first flag, for warming up, to the last."""
    table = pd.read_parquet(path)
    names = {"timestamp": "date", "volume_base": "volume"}
    names |= {f"{part}_usdt": part for part in ("open", "high", "low", "close")}
    table = table.rename(columns=names)[list(names.values())]
    table["date"] = table["date"].dt.as_unit("ms")
    first, last = flags["as_of"].min() - WARM_UP, flags["as_of"].max()
    table = table[(table["date"] >= first) & (table["date"] < last)]
    prices = ["open", "high", "low", "close", "volume"]
    table[prices] = table[prices].astype(np.float64)
    return table.reset_index(drop=True)


def main():
    logging.disable(logging.CRITICAL)
    flags = pd.read_parquet(sys.argv[2])
    candles = candles_of(sys.argv[1], flags)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(market, "PAIRS", market.PAIRS[:1])
        patch.setattr(market, "walk", lambda seed, price: candles)
        market.no_network(patch)
        market.write_candles(Path(folder))
        spot = {"stake_amount": 2_000.0}
        print("| flags | entries asked | denied | trades | of them short | leverage | stake |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        plain = backtest(Path(folder), "Crossing", **spot)
        print(row("without the mixin", plain))
        calm = flags.assign(tier="T0", state="ACTIVE", quality="ok")
        print(row("the same bars, all T0", backtest(Path(folder), flags=calm, **spot)))
        guarded = backtest(Path(folder), flags=flags, **spot)
        print(row("as scored", guarded))
        late = backtest(Path(folder), flags=flags, liqwarn={"delay_s": 60.0}, **spot)
        print(row("as scored, read a minute late", late))
        derisked = backtest(Path(folder), flags=flags, liqwarn={"derisk_tier": 4}, **spot)
        print(row("as scored, leaving at T4", derisked))
        left = (derisked.trades["exit_reason"] == "liqwarn_T4").sum()
        print(f"\n{len(candles)} candles, {len(flags) // 2} flags, {left} left at T4")


if __name__ == "__main__":
    main()
