"""The liquidation map against realised liquidations on the real panels: docs/map-evidence.md.

Run as ``make map-skill DATA=/path/to/files``; the page is written by this command alone.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from liqwarn.durable import write_bytes
from liqwarn.pipelines.liquidation_map import MapJob, venue_tiers
from liqwarn.pipelines.map_validation import validate_map, write_validation
from liqwarn.pipelines.market import MarketJob, open_market

ROOT = Path(__file__).parents[1]
PANELS = ("btc_core", "majors_4h", "hyperliquid_1h")


def say(stage: str, done: int, total: int) -> None:
    print(f"  {stage}: {done} of {total}", file=sys.stderr, flush=True)


def run(panel: str, options: argparse.Namespace) -> dict[str, Any]:
    began = time.monotonic()
    print(panel, file=sys.stderr, flush=True)
    path = ROOT / "conf" / "panels" / f"{panel}.yaml"
    job = MarketJob(panel=path, data=options.data, store=options.out / "store" / panel)
    market = open_market(job, now=datetime.now(UTC))
    work = MapJob(venue=venue_tiers(market.panel.venue, market.tiers))
    document = validate_map(market, work, on_progress=say)
    write_validation(document, options.out / panel)
    print(f"  {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    return document


def interval(pair: list[float] | None) -> str:
    return "" if pair is None else f" [{pair[0]:.3f}, {pair[1]:.3f}]"


def row(name: str, marks: dict[str, Any]) -> str:
    if "rank_correlation" not in marks:
        return f"| {name} | {marks['n_bars']:,} | too few | | | | |"
    precision = f"{marks['precision_at_10pct']:.3f}{interval(marks['wilson'])}"
    chance, sd = marks["shuffled_precision_of_bars"]
    inside = f"{marks['within_move_rank_correlation']:.3f}{interval(marks['within_move_interval'])}"
    return (
        f"| {name} | {marks['n_bars']:,} | {precision} | {marks['volume_share_at_10pct']:.3f} "
        f"| {marks['precision_of_bars']:.3f} ({chance:.3f} ± {sd:.3f}) "
        f"| {marks['rank_correlation']:.3f} | {inside} |"
    )


def side_table(symbol: str, side: str, marks: dict[str, Any]) -> Iterator[str]:
    yield f"\n#### {symbol}, {side} side, against {marks['against']}\n"
    yield (
        "| map | bars | precision [Wilson] | volume share | of bars (by chance) | rank corr. "
        "| inside equal moves [95 %] |"
    )
    yield "|---|---|---|---|---|---|---|"
    yield row("**the map**", marks)
    for name, one in marks["baselines"].items():
        yield row(name.replace("_", " "), one)
    for name, one in marks["sensitivity"].items():
        yield row(f"unfitted, {name}", one)
    yield from misses(marks.get("months", {}))


def misses(months: dict[str, Any]) -> Iterator[str]:
    """The months in which the map cannot be told from picking bins at random."""
    if not months:
        return
    missed = [m for m, one in months.items() if one["wilson"][0] <= 0.10]
    worst = sorted(months, key=lambda m: months[m]["precision_at_10pct"])[:3]
    told = ", ".join(f"{m} {months[m]['precision_at_10pct']:.2f}" for m in worst)
    yield (
        f"\nOf {len(months)} months, {len(months) - len(missed)} are above random by their own "
        f"Wilson interval. Not told from random: {', '.join(missed) or 'none'}. Worst: {told}."
    )


def pooled(sides: dict[str, Any]) -> Iterator[str]:
    if all(one["n_symbols"] < 2 for one in sides.values()):
        return
    told = " · ".join(
        f"{side} {one['precision_at_10pct']:.3f}{interval(one['wilson'])}"
        for side, one in sides.items()
    )
    yield f"\nPrecision over the panel's symbols, by effective bars: {told}."


def posterior_table(document: dict[str, Any]) -> Iterator[str]:
    quarters = document["posterior"]
    names = list(next(iter(quarters.values())))
    shown = list(quarters)[:: max(1, len(quarters) // 6)]
    yield "\nPosterior mean over all candidates, by quarter:\n"
    yield f"| quarter | {' | '.join(name.replace('_', ' ') for name in names)} |"
    yield f"|---{'|---' * len(names)}|"
    for quarter in shown:
        yield f"| {quarter} | {' | '.join(f'{quarters[quarter][n]:.2f}' for n in names)} |"


def page(documents: dict[str, dict[str, Any]]) -> str:
    parts = [
        "# The liquidation map, measured",
        "",
        "Written by `make map-skill`, not by hand.",
        "The marks are defined in [liquidation-map.md](liquidation-map.md).",
        "Random precision is 0.10; of bars, chance is what shuffling among equal moves gives.",
        "No figure here uses data after 2025-06-30.",
    ]
    for panel, document in documents.items():
        span = f"{document['first_bar'][:10]} to {document['last_bar'][:10]}"
        parts.append(f"\n## {panel}, {span}")
        for symbol, sides in document["symbols"].items():
            for side, marks in sides.items():
                parts += side_table(symbol, side, marks)
        parts += pooled(document["pooled"])
        parts += posterior_table(document)
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("LIQWARN_REAL_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=shared / "real")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "map")
    parser.add_argument("--panels", default=",".join(PANELS))
    options = parser.parse_args()
    documents = {name: run(name, options) for name in options.panels.split(",")}
    write_bytes(ROOT / "docs" / "map-evidence.md", page(documents).encode())
    print(f"written: {ROOT / 'docs' / 'map-evidence.md'}", file=sys.stderr)


if __name__ == "__main__":
    main()
