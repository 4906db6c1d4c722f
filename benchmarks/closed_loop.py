"""The breaker in closed loop, and what its effect depends on: docs/closed-loop.md.

Run as ``make closed-loop``; the page is written by this command alone.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from liqwarn.durable import write_bytes
from liqwarn.pipelines.closed_loop import ClosedLoopOrder, run_closed_loop
from liqwarn.pipelines.loop_score import run_free
from liqwarn.pipelines.loop_seed import run_under
from liqwarn.simulation.loop_arms import Always, Free
from liqwarn.simulation.loop_events import cascading, onsets
from liqwarn.simulation.loop_market import loop_config, prepare
from liqwarn.simulation.loop_metrics import composition, measure
from liqwarn.simulation.restraint import Obedience

ROOT = Path(__file__).parents[1]
ARMS = {
    "none": "no breaker",
    "breaker": "**breaker**",
    "price_line": "price line",
    "vol_target": "volatility target",
}
UNITS = {
    "cascade_size": ("cascade size, %", 1.0, 2),
    "liquidated_usd": ("liquidated, bn USD", 1e-9, 2),
    "cascades": ("cascades of a run", 1.0, 1),
    "trough": ("trough, %", 1.0, 2),
    "recovery": ("recovery, h", 1.0, 1),
    "time_restricted": ("time restricted, %", 100.0, 1),
    "time_limited": ("time limited at all, %", 100.0, 1),
    "exposure": ("leverage allowed, of the house's", 1.0, 3),
    "cost": ("cost, bp a month", 1.0, 1),
}
SHOWN = {
    "liquidation": "liquidations",
    "margin_call": "margin calls",
    "cross_margin": "cross-margin",
    "stop": "stops",
    "contagion": "contagion",
    "thin_book": "thin book",
    "slow_flow": "slow orders of the obedient",
    "arbitrage": "arbitrage",
}
CEILING_SEEDS = 5
VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("a quarter obeys", {"phi": 0.25}),
    ("all obey", {"phi": 1.0}),
    ("limits bind new positions alone", {"cut_per_h": 0.0}),
    ("no delay", {"delay_min": 0}),
    ("an hour of delay", {"delay_min": 60}),
    ("score hardly better than chance, ROC-AUC 0.60", {"target_auc": 0.60}),
    ("score that knows all fuel", {"target_auc": 1.0}),
)


def say(stage: str, done: int, total: int) -> None:
    print(f"  {stage}: {done} of {total}", file=sys.stderr, flush=True)


def run(options: argparse.Namespace, name: str, changes: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    print(name, file=sys.stderr, flush=True)
    seeds = options.seeds if name == "main" else max(2, options.seeds // 2)
    order = ClosedLoopOrder(
        out=options.out / name.replace(" ", "_"),
        policy=ROOT / "conf" / "policy.yaml",
        seeds=seeds,
        days=options.days,
        threads=options.threads,
        **changes,
    )
    document = run_closed_loop(order, on_progress=say)
    print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return document


def figure(found: dict[str, Any], scale: float, digits: int) -> str:
    low, high = found["ci"]
    mean = f"{scale * found['mean']:.{digits}f}"
    return mean if low is None else f"{mean} [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"


def change(found: dict[str, Any]) -> str:
    low, high = found["ci"]
    if found["mean"] is None:
        return "–"
    if low is None:
        return f"{found['mean']:+.0f} %"
    verdict = "tie" if low <= 0.0 <= high else ("better" if high < 0.0 else "**worse**")
    return f"{found['mean']:+.0f} % [{low:+.0f}, {high:+.0f}] {verdict}"


def arms_table(document: dict[str, Any], kind: str) -> Iterator[str]:
    yield "| | " + " | ".join(ARMS.values()) + " |"
    yield "|---|" + "---|" * len(ARMS)
    for metric, (name, scale, digits) in UNITS.items():
        cells = [figure(document["arms"][arm][kind][metric], scale, digits) for arm in ARMS]
        yield f"| {name} | " + " | ".join(cells) + " |"


def against_table(document: dict[str, Any], kind: str) -> Iterator[str]:
    others = [arm for arm in ARMS if arm != "breaker"]
    yield "| breaker against | " + " | ".join(ARMS[arm] for arm in others) + " |"
    yield "|---|" + "---|" * len(others)
    for metric, (name, _, _) in UNITS.items():
        cells = [change(document["against"][arm][kind][metric]) for arm in others]
        yield f"| {name.split(',')[0]} | " + " | ".join(cells) + " |"


def tiers(document: dict[str, Any]) -> str:
    found = document["arms"]["breaker"]["plain"]["time_in_tier"]
    return ", ".join(f"{tier} {100 * found[tier]['mean']:.1f} %" for tier in found)


def variants_table(documents: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield (
        "| variant | ROC-AUC long / short | cascade size | liquidated | recovery "
        "| time restricted, % | cost, bp |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name, document in documents.items():
        mine = document["arms"]["breaker"]["plain"]
        beside = document["against"]["none"]["plain"]
        score = document["score"]
        yield (
            f"| {name} | {score['auc_long']['mean']:.2f} / {score['auc_short']['mean']:.2f} "
            f"| {change(beside['cascade_size'])} | {change(beside['liquidated_usd'])} "
            f"| {change(beside['recovery'])} | {100 * mine['time_restricted']['mean']:.1f} "
            f"| {mine['cost']['mean']:.1f} |"
        )


def verdict(document: dict[str, Any]) -> Iterator[str]:
    """The issue's aim, said from the figures."""
    cut = document["against"]["none"]["plain"]["cascade_size"]
    time_held = document["arms"]["breaker"]["plain"]["time_restricted"]["mean"]
    magnet = document["magnet"]["breaker"]["cascade_size"]
    if cut["ci"][0] is None or magnet["ci"][0] is None:
        yield "- Too few seeds for a verdict."
        return
    reached = "reached" if cut["mean"] <= -50.0 else "**not reached**"
    within = "reached" if time_held < 0.05 else "**not reached**"
    drawn = "is one" if magnet["ci"][0] > 0.0 else "is none"
    yield f"- Cascade size cut by half or more: {change(cut)}: {reached}."
    yield f"- Restricted less than 5 % of the time: {100 * time_held:.1f} %: {within}."
    yield (
        f"- No magnet effect: anticipation changes the breaker's cascade size by "
        f"{change(magnet)}; there {drawn}."
    )


def ceiling(options: argparse.Namespace) -> Iterator[str]:
    """What limits on leverage could do at most, and what cascades are made of."""
    yield "| obeys | | cascade size, % | liquidated, bn USD | " + " | ".join(SHOWN.values()) + " |"
    yield "|---|---|---|---|" + "---|" * len(SHOWN)
    config = loop_config(options.days)
    for phi in (0.5, 1.0):
        for name in ("house limits alone", "half the house leverage at all times"):
            figures = []
            for seed in range(1, CEILING_SEEDS + 1):
                market = prepare(config, seed, Obedience(phi=phi))
                free = run_free(market)
                rows = slice(market.lead, market.lead + config.n_bars)
                found = onsets(config, cascading(config, free.record, rows))
                arm = Free() if name.startswith("house") else Always(0.5)
                run, imposed = run_under(market, arm)
                done = measure(run, free, found, imposed)
                made = composition(run, free, found)
                figures.append(
                    [done["cascade_size"], 1e-9 * done["liquidated_usd"]]
                    + [made[channel] for channel in SHOWN]
                )
            mean = [sum(one) / len(figures) for one in zip(*figures, strict=True)]
            cells = " | ".join(f"{value:.2f}" for value in mean)
            yield f"| {100 * phi:.0f} % | {name} | {cells} |"


def page(documents: dict[str, dict[str, Any]], most: list[str], command: str) -> str:
    main = documents["main"]
    lines = [
        "# The breaker in closed loop",
        "",
        (
            f"Simulated markets. Written by `{command}`, nowhere by hand. {main['seeds']} seeds of "
            f"{main['days']} days, twelve symbols, {main['events']} cascades under any arm; "
            f"{100 * main['phi']:.0f} % of the market obeys, {main['delay_min']} minutes after the "
            f"next quarter of an hour; policy {main['policy']['version']}. All arms meet the same "
            "news. Intervals: Student's over seeds, bootstrap over seeds for differences; 95 %."
        ),
        "",
        (
            "The score knows the market's true fuel, made worse by noise that lasts for hours, to "
            f"a ROC-AUC of {main['score']['auc_long']['mean']:.2f} long and "
            f"{main['score']['auc_short']['mean']:.2f} short; fitted on pilot markets."
        ),
        "",
        "## The aim",
        "",
        *verdict(main),
        "",
        "## Nobody anticipates",
        "",
        *arms_table(main, "plain"),
        "",
        f"Time of a side in each tier: {tiers(main)}.",
        "",
        *against_table(main, "plain"),
        "",
        "## A fifth of the others anticipate",
        "",
        (
            "They see the public price line and the volatility; of the breaker, whose thresholds "
            "are private, they make an estimate of their own, and leave when it is high."
        ),
        "",
        *arms_table(main, "anticipation"),
        "",
        *against_table(main, "anticipation"),
        "",
        "What anticipation changes, in % of the same arm without it (above 0 the line attracts):",
        "",
        "| | cascade size | liquidated | trough |",
        "|---|---|---|---|",
        *(
            f"| {ARMS[arm]} | " + " | ".join(change(one) for one in found.values()) + " |"
            for arm, found in main["magnet"].items()
        ),
        "",
        "## What the effect depends on",
        "",
        "The breaker against no breaker, on half as many seeds (no interval below ten):",
        "",
        *variants_table(
            {"as above": main} | {name: d for name, d in documents.items() if name != "main"}
        ),
        "",
        "## How much could be done at most",
        "",
        (
            f"{CEILING_SEEDS} seeds. What the move beyond the news is made of where it is largest, "
            "in % of log price: stops and thin books are no liquidations, and no limit on leverage "
            "touches them."
        ),
        "",
        *most,
        "",
        "## What the words mean",
        "",
        *(f"- **{name.replace('_', ' ')}**: {told}" for name, told in main["definitions"].items()),
        (
            "- **volatility target**: leverage in inverse proportion to the last twelve hours' "
            "volatility, its target set so that on the same seed the average leverage allowed "
            "equals the breaker's."
        ),
        (
            "- **price line**: public; 5 % from the extreme of four hours the side may only "
            "reduce, at half of the house leverage, for an hour."
        ),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "closed-loop")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "closed-loop.md")
    options = parser.parse_args()
    documents = {"main": run(options, "main", {})}
    for name, changes in VARIANTS:
        documents[name] = run(options, name, changes)
    write_bytes(options.page, page(documents, list(ceiling(options)), "make closed-loop").encode())


if __name__ == "__main__":
    main()
