"""Runs of freqtrade's own backtester, and the table of them: `make table`."""

import logging
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd
from freqtrade.data.converter import trim_dataframes
from freqtrade.data.history import get_timerange
from freqtrade.optimize.backtesting import Backtesting
from histories import history, joined
from market import HOURS, configuration, no_network, write_candles

FOLDER = Path(__file__).parents[1]
EXAMPLES = FOLDER / "examples"
POLICY = FOLDER.parents[1] / "conf" / "policy.yaml"
HALF = HOURS // 2


@dataclass(frozen=True)
class Run:
    trades: pd.DataFrame
    counts: Counter
    strategy: object


class Raising:
    """A gate that is broken."""

    def ask(self, symbol, side, now):
        raise RuntimeError("out of order")


def backtest(datadir, strategy="GuardedCrossing", *, flags=None, gate=None, prepare=None, **more):
    """One run of the real backtester.

    `flags` are written as a history file and named in the configuration, as a user would.
    """
    section = {"policy": str(POLICY), **more.pop("liqwarn", {})}
    if flags is not None:
        section["history"] = str(Path(tempfile.mkdtemp(dir=datadir)) / "flags.parquet")
        flags.to_parquet(section["history"], index=False, write_page_checksum=True)
    config = configuration(datadir, EXAMPLES, strategy, liqwarn=section, **more)
    tester = Backtesting(config)
    bot = tester.strategylist[0]
    if gate is not None:
        bot.liqwarn_gate = gate
    if prepare is not None:
        prepare(bot)
    data, timerange = tester.load_bt_data()
    tester._set_strategy(bot)
    processed = bot.advise_all_indicators(data)
    start, end = get_timerange(trim_dataframes(processed, timerange, tester.required_startup))
    result = tester.backtest(processed=processed, start_date=start, end_date=end)
    tester.cleanup()
    return Run(result["results"], getattr(bot, "liqwarn_counts", Counter()), bot)


def histories():
    """Name, flag history (None: the file is missing), and the gate if it is not the history's."""
    late = history().assign(valid_until=lambda t: t["as_of"] - timedelta(hours=1))
    return [
        ("all T0, ACTIVE", history("T0"), None),
        ("all T1, watch", history("T1"), None),
        ("all T2, caution", history("T2"), None),
        ("all T3, restrict", history("T3"), None),
        ("all T4, reduce-only", history("T4"), None),
        ("all T5, halted by an operator", history("T5"), None),
        ("T0, and T4 from half-time", joined(history(hours=HALF), history("T4", first=HALF)), None),
        ("T0, and no flags from half-time", history(hours=HALF), None),
        ("no flag for the symbols", history(symbols=("XRPUSDT",)), None),
        ("every flag expired", late, None),
        ("quality unknown", history(quality="unknown"), None),
        ("history file missing", None, None),
        ("gate raises", history(), Raising()),
    ]


def row(name, run):
    trades, counts = run.trades, run.counts
    shorts = int(trades["is_short"].sum()) if len(trades) else 0
    lever = trades["leverage"].mean() if len(trades) else float("nan")
    stake = trades["stake_amount"].mean() if len(trades) else float("nan")
    cells = [
        name,
        f"{counts['asked']:,}" if counts else "–",
        f"{counts['denied']:,}" if counts else "–",
        f"{len(trades):,}",
        f"{shorts:,}",
        f"{lever:.2f}" if len(trades) else "–",
        f"{stake:.0f}" if len(trades) else "–",
    ]
    return "| " + " | ".join(cells) + " |"


def table(datadir):
    yield "| flags | entries asked | denied | trades | of them short | leverage | stake |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    yield row("without the mixin", backtest(datadir, "Crossing"))
    for name, flags, gate in histories():
        yield row(name, backtest(datadir, flags=flags, gate=gate))


def main():
    import pytest  # noqa: PLC0415 for its patching, outside of a test

    logging.disable(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        no_network(patch)
        write_candles(Path(folder))
        for line in table(Path(folder)):
            print(line)


if __name__ == "__main__":
    main()
