"""A small market whose outcomes are put there, and flags of it; loaded by path."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np

from liqwarn.frames import SIDES, Labels
from liqwarn.live.flag_rows import flag_frame
from liqwarn.models.events import Event

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
SYMBOLS = ("BTCUSDT", "ETHUSDT")
BARS = 40
ONSET = START + 20 * HOUR


def at(hours):
    return START + hours * HOUR


def event(symbol="BTCUSDT", side="long", onset=ONSET, severity=2.0):
    return Event(
        symbol=symbol, side=side, onset=onset, peak=onset, end=onset, confirmed=onset, move=-0.05,
        oi_loss=0.02, long_liq_usd=1.0, short_liq_usd=0.0, severity=severity, flags=("severe",),
        runs=((onset, onset),),
    )  # fmt: skip


def study_of(events=None, *, bars=BARS, unjudged=()):
    """A study of hourly bars; a label is known 4 h after its bar."""
    events = (event(),) if events is None else events
    times = np.datetime64("2024-01-01", "s") + np.arange(1, bars + 1) * np.timedelta64(3600, "s")
    y = np.zeros((len(SYMBOLS), bars, 2, 3))
    running = np.zeros((len(SYMBOLS), bars, 2), dtype=bool)
    for one in events:
        row, side = SYMBOLS.index(one.symbol), SIDES.index(one.side)
        onset = int((one.onset - START) / HOUR) - 1
        y[row, max(0, onset - 4) : onset, side] = 1.0
        running[row, onset : onset + 3, side] = True
    for symbol, bar in unjudged:
        y[SYMBOLS.index(symbol), bar] = np.nan
    end = np.stack([times + np.timedelta64(h, "h") for h in (1, 4, 24)], axis=1)
    y[:, bars - 4 :] = np.nan
    labels = Labels(
        symbols=SYMBOLS, times=times, bar=HOUR, horizons_h=(1, 4, 24), y=y, end=end, running=running
    )
    panel = SimpleNamespace(name="demo", market="simulated")
    market = SimpleNamespace(panel=panel, data_sha256="d" * 64)
    return SimpleNamespace(market=market, labels=labels, events=tuple(events))


def truncated(study, bars):
    """The same study as of an earlier bar."""
    labels = study.labels
    y = labels.y[:, :bars].copy()
    y[:, bars - 4 :] = np.nan
    running = labels.running[:, :bars]
    cut = replace(labels, times=labels.times[:bars], y=y, end=labels.end[:bars], running=running)
    last = at(bars)
    known = tuple(e for e in study.events if e.confirmed <= last)
    return SimpleNamespace(market=study.market, labels=cut, events=known)


def flag(hour, *, symbol="BTCUSDT", side="long", tier="T0", p=0.01, late=timedelta(0), **other):
    given = {"model": "1", "sequence": hour, **other}
    as_of = at(hour)
    return (
        symbol, as_of, side, p / 2, p, p * 2, tier, "ACTIVE", "score", "ok", given["sequence"],
        as_of + timedelta(seconds=2) + late, as_of + HOUR, given["model"],
    )  # fmt: skip


def flags_of(hours=range(1, BARS + 1), **given):
    return [flag(hour, symbol=s, side=j, **given) for hour in hours for s in SYMBOLS for j in SIDES]


def write_flags(folder, rows, name="flags.parquet"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    flag_frame(rows).to_parquet(path, index=False)
    return folder


def facts(account):
    """An account without the place in the chain it was made at."""
    return {name: told for name, told in account.items() if name not in ("ledger", "generated_at")}
