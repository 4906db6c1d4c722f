"""The simulated market beside real ones, by the same arithmetic: docs/realism.md.

    python benchmarks/realism.py [--data DIR] [--seeds N] [--bars N] [--quick | --tolerances]

Runs the default market for seeds 1 to N, measures the real panels, prints both beside the limits of
`liqwarn.simulation.tolerances`, and writes the page; with `--quick` it only prints, and can do
without real data. `--tolerances` prints the limits anew, from the real panels.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from liqwarn.durable import write_bytes
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.market import SimulatedMarket, simulate_market
from liqwarn.simulation.tolerances import TOLERANCES, WIDENING, Limits, miss
from realism_panels import PANELS, FactCells, means, real_cells, real_limits, simulated_cells

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "realism.md"
TITLES = {
    "Returns": {
        "return_std_pct": "standard deviation of hourly return, %",
        "return_kurtosis": "kurtosis of hourly return",
        "tail_index_down": "tail index of falls (Hill, 1 % of hours)",
        "tail_index_up": "tail index of rises",
        "return_acf_1h": "autocorrelation of return, 1 h",
        "abs_return_acf_1h": "autocorrelation of absolute return, 1 h",
        "abs_return_acf_24h": "autocorrelation of absolute return, 24 h",
        "abs_return_acf_168h": "autocorrelation of absolute return, 168 h",
        "leverage_effect": "leverage effect",
        "range_over_abs_return": "mean range over mean absolute return",
    },
    "Shocks and cascades": {
        "long_shocks_a_month": "falls a month",
        "short_shocks_a_month": "rises a month",
        "long_events_a_month": "cascades of longs a month",
        "short_events_a_month": "cascades of shorts a month",
        "event_oi_loss_median_pct": "loss of open interest in cascades, median, %",
        "event_oi_loss_p90_pct": "loss of open interest in cascades, 90th percentile, %",
    },
    "Open interest": {
        "oi_change_std_pct": "hourly change, standard deviation, %",
        "oi_change_p05_pct": "hourly change, 5th percentile, %",
        "oi_change_p95_pct": "hourly change, 95th percentile, %",
        "oi_day_over_hour": "spread of daily over hourly changes",
        "oi_level_acf_24h": "autocorrelation of level, 24 h",
        "oi_level_acf_168h": "autocorrelation of level, 168 h",
        "volume_over_oi_median_pct": "hourly volume over open interest, median, %",
        "daily_oi_change_std_pct": "daily change, standard deviation, %",
        "daily_oi_change_p05_pct": "daily change, 5th percentile, %",
        "daily_oi_change_p95_pct": "daily change, 95th percentile, %",
        "daily_volume_over_oi_median_pct": "daily volume over open interest, median, %",
    },
    "Funding, per 8 h": {
        "funding_mean_pct": "mean, %",
        "funding_std_pct": "standard deviation, %",
        "funding_p05_pct": "5th percentile, %",
        "funding_p95_pct": "95th percentile, %",
        "funding_negative_share": "share of hours with a negative rate",
        "funding_acf_8h": "autocorrelation, 8 h",
        "funding_acf_72h": "autocorrelation, 72 h",
    },
    "Liquidations": {
        "liq_over_oi_median_pct": "hourly over open interest, median, %",
        "liq_over_oi_p99_pct": "hourly over open interest, 99th percentile, %",
        "liq_tail_index": "hourly over open interest, tail index (1 % of hours)",
        "long_liq_share": "share of longs, from hourly bars",
        "daily_liq_over_oi_median_pct": "daily over open interest, median, %",
        "daily_liq_over_oi_p99_pct": "daily over open interest, 99th percentile, %",
        "daily_liq_tail_index": "daily over open interest, tail index (5 % of days)",
        "daily_long_liq_share": "share of longs, from daily bars",
    },
    "Together": {
        "correlation_out_of_shocks": "mean correlation of symbols out of shocks",
        "correlation_in_shocks": "mean correlation in hours with a shock",
        "shocks_shared_pct": "shocks shared by at least 3 symbols within 1 h, %",
        "correlation_out_of_events": "mean correlation out of cascades",
        "correlation_in_events": "mean correlation in hours with a cascade",
        "events_shared_pct": "cascades shared by at least 3 symbols within 1 h, %",
    },
}
NAMES = {
    fact: f"{group}: {name}" for group, facts in TITLES.items() for fact, name in facts.items()
}
LEGEND = """
- **A year of a symbol is one cell**, for real and simulated history alike; a fact is the mean over
  the cells. Thresholds of events are found on the whole history.
- **Tolerance**: the real range, widened by {widening:.0f} % of itself at each end; in logarithms,
  and at least to a factor of 1.2 from the middle, where all values have one sign; to a factor of 2
  where there is a single value. For BTC the range over its years, for others over symbols, BTC
  among them.
- **Shock**: price moves within an hour by at least max(1.5 %, 3 trailing standard deviations).
  **Cascade**: a shock in whose hour open interest falls by at least max(1 %, trailing 95th
  percentile). Less than 6 h apart is one. Longs are hit by falls, shorts by rises.
- **Leverage effect**: correlation of a return with the rise of mean absolute returns from the 24 h
  before to the 24 h after.
- **Level of open interest**: its logarithm around the centred mean of 30 days. **Spread of daily
  over hourly changes**: of their standard deviations, over √24; 1 is a random walk.
- Liquidations are what the public feed prints, in the simulation as well (see simulation.md).
- In and out of shocks or cascades: hours in which at least one of the symbols has one, and the
  other hours.

Measured on another panel or at another resolution than the rest:

- BTC's open interest is measured since 2023-04-16 (twice in 2024: all BTC contracts, and the one
  contract from a second vendor); before, a proxy gives rates of cascades only. Hourly liquidations
  are BTC's alone, since 2023-04-16.
- Hourly open interest of others is that of Hyperliquid, four months of 2025 as means of each hour;
  so are their cascades, on prices of another venue. They are few, and the open interest is jumpier
  than that of a large venue.
- Liquidations, volume and open interest of others are daily, of one venue; the simulated ones, and
  BTC's hourly ones beside its daily ones, are added up to days for it.
- Funding of others is settled at Binance (most since 2024-04), or a mean of each hour at
  Hyperliquid.
- Shocks together: twelve perpetuals, beside all the simulated ones. Cascades together: five at
  Hyperliquid, beside BTC, DOGE, ETH, SOL and XRP of the simulated.
"""


class Run(NamedTuple):
    """One seed."""

    cells: FactCells
    feed: tuple[float, float]


class Verdict(NamedTuple):
    """A fact of a scope beside its limits."""

    scope: str
    fact: str
    values: dict[str, float]  # by symbol, mean over years and seeds
    seeds: list[float]  # mean over symbols, by seed
    limits: Limits

    @property
    def missed(self) -> dict[str, float]:
        """Symbols outside, with how far in widths of the tolerance."""
        found = {symbol: miss(value, self.limits) for symbol, value in self.values.items()}
        return {symbol: far for symbol, far in found.items() if far}

    @property
    def size(self) -> float:
        return max((abs(far) for far in self.missed.values()), default=0.0)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(seed: int, n_bars: int) -> Run:
    began = time.monotonic()
    market = simulate_market(MarketConfig(n_bars=n_bars), seed=seed)
    done = time.monotonic()
    found = Run(simulated_cells(market.frame), feed(market))
    say(f"seed {seed}: simulated {done - began:.1f} s, measured {time.monotonic() - done:.1f} s")
    return found


def feed(market: SimulatedMarket) -> tuple[float, float]:
    """Share of liquidations that is printed, and share of longs in all of them."""
    truth = market.truth.liquidated_usd.sum(axis=(0, 1))
    printed = market.frame.field("long_liq_usd").sum() + market.frame.field("short_liq_usd").sum()
    return float(printed / truth.sum()), float(truth[0] / truth.sum())


def verdicts(
    runs: list[Run], tolerances: Mapping[str, Mapping[str, Limits]]
) -> dict[tuple[str, str], Verdict]:
    """By scope and fact, in the order of the titles."""
    found = {}
    for fact in NAMES:
        for scope, limits in tolerances.items():
            by_seed = [means(one.cells[scope].get(fact, {})) for one in runs]
            if fact not in limits or not all(by_seed):
                continue
            values = {
                s: float(np.mean([one[s] for one in by_seed if s in one])) for s in by_seed[0]
            }
            seeds = [float(np.mean(list(one.values()))) for one in by_seed]
            found[scope, fact] = Verdict(scope, fact, values, seeds, limits[fact])
    return found


def number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def span(values: list[float]) -> str:
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def inside(verdict: Verdict) -> str:
    if not verdict.missed:
        return "yes"
    n = len(verdict.values)
    return "**no**" if n == 1 else f"**{n - len(verdict.missed)} of {n}**"


def real_cell(symbols: Mapping[str, Mapping[str, float]]) -> str:
    """Mean and range over years of one symbol, range over symbols of many."""
    if len(symbols) > 1:
        return f"{span(list(means(symbols).values()))} ({len(symbols)})"
    years = [value for one in symbols.values() for value in one.values()]
    if not years:
        return "–"
    return number(years[0]) if len(years) == 1 else f"{number(np.mean(years))} ({span(years)})"


def simulated_cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return "–"
    if len(verdict.values) > 1:
        return span(list(verdict.values.values()))
    return f"{number(np.mean(verdict.seeds))} ({span(verdict.seeds)})"


def table(
    facts: Mapping[str, str], real: FactCells, found: Mapping[tuple[str, str], Verdict]
) -> Iterator[str]:
    yield (
        "| fact | real BTC, mean (range of years) | real others, range (symbols) | simulated BTC, "
        "mean (range of seeds) | simulated others, range | tolerance BTC; others | inside? |"
    )
    yield "|---|---|---|---|---|---|---|"
    for fact, title in facts.items():
        both = [found.get((scope, fact)) for scope in ("BTC", "others")]
        told = [one for one in both if one is not None]
        limits = "; ".join("–" if one is None else span(list(one.limits)) for one in both)
        verdict = "; ".join("–" if one is None else inside(one) for one in both) if told else "–"
        reals = [real_cell(real[scope].get(fact, {})) for scope in ("BTC", "others")]
        cells = [*reals, *(simulated_cell(one) for one in both), limits, verdict]
        yield f"| {title} | {' | '.join(cells)} |"


def joint_table(real: FactCells, found: Mapping[tuple[str, str], Verdict]) -> Iterator[str]:
    yield (
        "| fact | symbols | real, mean (range of years) | simulated, mean (range of seeds) "
        "| tolerance | inside? |"
    )
    yield "|---|---|---|---|---|---|"
    for fact, title in TITLES["Together"].items():
        for scope in ("twelve", "five"):
            one = found.get((scope, fact))
            if one is not None:
                cells = [
                    scope,
                    real_cell(real[scope][fact]),
                    simulated_cell(one),
                    span(list(one.limits)),
                    inside(one),
                ]
                yield f"| {title} | {' | '.join(cells)} |"


def by_size(found: Mapping[tuple[str, str], Verdict]) -> list[Verdict]:
    return sorted((one for one in found.values() if one.missed), key=lambda one: -one.size)


def sentence(one: Verdict) -> str:
    """What does not match, from the figures."""
    worst = max(one.missed, key=lambda symbol: abs(one.missed[symbol]))
    way = "above" if one.missed[worst] > 0.0 else "below"
    far = f"by {number(one.size)} of its width"
    end = f"the tolerance, {span(list(one.limits))}, {far}"
    name = NAMES[one.fact]
    if len(one.values) == 1:
        whose = {"BTC": "BTC", "twelve": "all symbols", "five": "five symbols"}[one.scope]
        return f"{name}, {whose}: {number(one.values[worst])} is {way} {end}."
    many = f"{len(one.missed)} of {len(one.values)} others are outside"
    return f"{name}: {many}; {worst} with {number(one.values[worst])} is {way} {end}."


def page(real: FactCells, runs: list[Run], spans: list[str], n_bars: int) -> str:
    found = verdicts(runs, TOLERANCES)
    misses = by_size(found)
    printed, longs = (
        100.0 * float(np.mean(one)) for one in zip(*(r.feed for r in runs), strict=True)
    )
    parts = [
        "# The simulated market beside real ones",
        "",
        "Written by `python benchmarks/realism.py`, not by hand. The simulated market is the",
        f"default one ([simulation.md](simulation.md)): {len(MarketConfig().symbols)} symbols,",
        f"{n_bars:,} hourly bars, seeds 1 to {len(runs)}; every figure called simulated is of it,",
        "and of no real market. Both are measured by `liqwarn.simulation.realism`.",
        LEGEND.format(widening=100.0 * WIDENING),
        "Real data, none of it after 2025-06-30:",
        "",
        *spans,
    ]
    for group, facts in TITLES.items():
        parts += [f"\n## {group}\n"]
        parts += joint_table(real, found) if group == "Together" else table(facts, real, found)
    parts += [
        "\n## What does not match\n",
        f"{len(found) - len(misses)} of {len(found)} comparisons are inside. Outside, by size:\n",
        *(f"- {sentence(one)}" for one in misses),
        "",
        f"The simulated feed prints {number(printed)} % of what is liquidated; longs are",
        f"{number(longs)} % of all of it.",
    ]
    return "\n".join(parts) + "\n"


def data_spans(root: Path) -> Iterator[str]:
    for name, panel in PANELS.items():
        frame = panel(root)
        first, last = (str(frame.times[k] - frame.bar_s)[:10] for k in (0, -1))
        yield (
            f"- {name}: {', '.join(frame.symbols)}; bars of {frame.bar_s // 3600} h, "
            f"{first} to {last}."
        )


def compact(found: Mapping[tuple[str, str], Verdict], real: FactCells) -> Iterator[str]:
    yield f"{'':8}{'fact':34}{'real':>18}{'simulated':>20}{'tolerance':>22}  outside"
    for one in found.values():
        shown, limits = span(list(one.values.values())), span(list(one.limits))
        was = span(list(means(real.get(one.scope, {}).get(one.fact, {"": {"": np.nan}})).values()))
        flag = f"{one.size:6.2f} widths  {inside(one).strip('*')}" if one.missed else ""
        yield f"{one.scope:8}{one.fact:34}{was:>18}{shown:>20}{limits:>22}  {flag}"
    yield "\nby size:"
    for one in by_size(found):
        yield f"  {sentence(one)}"


def as_code(limits: Mapping[str, Mapping[str, Limits]]) -> Iterator[str]:
    for scope, facts in limits.items():
        yield f'    "{scope}": {{'
        for fact in NAMES:
            if fact in facts:
                low, high = (float(f"{limit:.3g}") for limit in facts[fact])
                yield f'        "{fact}": ({low!r}, {high!r}),'
        yield "    },"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = Path(os.environ.get("LIQWARN_REAL_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=shared / "real")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bars", type=int, default=MarketConfig().n_bars)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tolerances", action="store_true")
    options = parser.parse_args()
    if options.tolerances:
        print("\n".join(as_code(real_limits(real_cells(options.data)))))
        return
    runs = [run(seed, options.bars) for seed in range(1, options.seeds + 1)]
    real = real_cells(options.data) if options.data.is_dir() else {}
    print("\n".join(compact(verdicts(runs, TOLERANCES), real)))
    if options.quick:
        return
    text = page(real, runs, list(data_spans(options.data)), options.bars)
    write_bytes(PAGE, text.encode())
    say(f"written: {PAGE}")


if __name__ == "__main__":
    main()
