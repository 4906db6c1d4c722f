"""A simulated market whose traders change their habits on one day, and its files up to any day.

Before the turn positions carry little leverage and few stops; after it they are opened with the
leverage of a bull market. The news is the same: what changes is what falls bring with them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from liqwarn.durable import replace_file
from liqwarn.simulation.books import new_books
from liqwarn.simulation.config import DEFAULT_SPECS, Habits, Leverage, MarketConfig
from liqwarn.simulation.history import new_record, run
from liqwarn.simulation.layout import MIX, OPEN_INTEREST
from liqwarn.simulation.market import draw_world
from liqwarn.simulation.observables import Truth, observe
from liqwarn.simulation.rules import columns_of, ladder_of, rules_of

SYMBOLS = ("ADAUSDT", "BTCUSDT", "DOGEUSDT", "ETHUSDT")
LEAD = timedelta(days=30)
CALM = (0.50, 0.30, 0.13, 0.04, 0.015, 0.008, 0.004, 0.002, 0.0006, 0.0004)
"""Shares of leverage before the turn: 2x and 3x for four in five."""
EAGER = (0.15, 0.17, 0.20, 0.14, 0.14, 0.08, 0.05, 0.035, 0.02, 0.015)
"""Shares after it: a tail up to 100x."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Turned:
    """Tables of a market by symbol, and when it turned."""

    start: datetime
    turn: datetime
    tables: dict[str, pd.DataFrame]


def turned_market(start: datetime, days: int, turn_day: int, seed: int) -> Turned:
    """Simulate `days` of hourly bars; the habits change at the start of `turn_day`."""
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name in SYMBOLS)
    calm = MarketConfig(
        specs=specs,
        start=start - LEAD,
        n_bars=24 * days + LEAD // HOUR,
        leverage=Leverage(mix=CALM),
        habits=Habits(stop_share=0.02),
    )
    eager = replace(calm, leverage=Leverage(mix=EAGER), habits=Habits())
    world, shocks = draw_world(calm, seed)
    books, record = new_books(calm, rules_of(calm)), new_record(len(specs), calm.n_bars)
    turn = LEAD // HOUR + 24 * min(turn_day, days)
    run(rules_of(calm), world, books, record, (0, turn))
    books.cells[:-1, MIX:] = ladder_of(eager, eager.leverage.mix)
    run(rules_of(eager), world, books, record, (turn, calm.n_bars))
    coins = columns_of(calm)[:, OPEN_INTEREST, None]
    fields = observe(calm, seed, Truth(record=record, shocks=shocks, open_interest=coins))
    lead = LEAD // HOUR
    starts = pd.date_range(start, periods=24 * days, freq="h")
    tables = {
        symbol: pd.DataFrame(
            {"timestamp": starts} | {name: plane[row, lead:] for name, plane in fields.items()}
        )
        for row, symbol in enumerate(calm.symbols)
    }
    return Turned(start=start, turn=start + timedelta(days=turn_day), tables=tables)


def publish(
    market: Turned,
    folder: Path,
    now: datetime,
    *,
    fault: tuple[tuple[str, ...], datetime] | None = None,
) -> None:
    """Write what a provider would have published by `now`: bars that have closed.

    Parameters
    ----------
    fault : tuple of symbols and datetime, or None
        From then on those symbols' open interest is told in thousands, as a changed unit would be.
    """
    for symbol, table in market.tables.items():
        known = table[table["timestamp"] + HOUR <= now]
        if fault is not None and symbol in fault[0]:
            spoilt = known["timestamp"] >= fault[1]
            told = np.where(spoilt, known["open_interest"] / 1000.0, known["open_interest"])
            known = known.assign(open_interest=told)
        write = partial(known.to_parquet, index=False)
        replace_file(folder / "market" / f"{symbol}.parquet", write)


def write_panel(name: str, template: Path, out: Path) -> Path:
    """The demo's panel for these symbols, under a name of its own."""
    head, rest = template.read_text().split("symbols:", 1)
    tail = rest[rest.index("core:") :]
    first, _, more = head.partition("name: demo")
    out.parent.mkdir(parents=True, exist_ok=True)
    listed = ", ".join(SYMBOLS)
    out.write_text(f"{first}name: {name}{more}symbols: [{listed}]\n{tail}")
    return out
