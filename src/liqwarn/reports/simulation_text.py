"""The simulator's results for the terminal: the headline figures and one aligned table each."""

from collections.abc import Mapping, Sequence
from typing import Any

from liqwarn.frames import SIDES
from liqwarn.reports.closed_loop_view import (
    ARMS,
    KINDS,
    METRICS,
    Versus,
    against_rows,
    arm_rows,
    metric_title,
)
from liqwarn.reports.contagion_view import radius_figure, radius_sentence
from liqwarn.reports.formats import DASH, compact, finite, number, percent
from liqwarn.reports.scenario_view import (
    Tile,
    diverged_sentence,
    few_paths_sentence,
    origin_sentence,
    run_sentence,
    scenario_tiles,
)
from liqwarn.reports.shock_view import shock_bars
from liqwarn.reports.simulation_figures import (
    beside,
    figure,
    moved,
    need_schema,
    part_of,
    setting,
    significant,
    times_text,
)
from liqwarn.reports.worst_case_view import objective_text, radius_rows, worst_case_tiles

__all__ = ["aligned", "closed_loop_text", "scenario_text", "worst_case_text"]


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Rows of text in columns, the first `left` to the left and the others to the right.

    >>> print(aligned([["symbol", "trough"], ["BTCUSDT", "−8.1"]]))
    symbol   trough
    BTCUSDT    −8.1
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def scenario_text(document: Mapping[str, Any]) -> str:
    """A scenario's result in short, without a line break at the end.

    Raises
    ------
    FrameError
        When the schema is another one.
    """
    need_schema(document, "liqwarn.scenario_result/1")
    scenario, results = part_of(document.get("scenario")), part_of(document.get("symbols_results"))
    shocks = shock_bars(document.get("shocks") or (), finite(document.get("horizon_h")) or 1.0)
    head = [
        ["symbol", "trough", "trough", "longs", "shorts", "trough", "ampl."],
        ["", "mean %", "5 % worst", "95 % USD", "95 % USD", "at, h", "mean"],
    ]
    return _clean(
        f"{scenario.get('title') or DASH} ({scenario.get('name', DASH)})",
        origin_sentence(document),
        f"{run_sentence(document)}.",
        *_warned(diverged_sentence(document), few_paths_sentence(document)),
        "",
        *(f"{bar.when}: {bar.sentence}, {bar.symbols}" for bar in shocks),
        "",
        _tiles(scenario_tiles(document)),
        "",
        "By symbol; longs and shorts are liquidated volumes:",
        aligned([*head, *(_symbol(str(s), part_of(results.get(s))) for s in document["symbols"])]),
        "",
        _contagion(part_of(document.get("contagion"))),
    )


def closed_loop_text(document: Mapping[str, Any]) -> str:
    """The closed loop in short: every arm, the differences, and where the breaker hurts.

    Raises
    ------
    FrameError
        When the schema is another one.
    """
    need_schema(document, "liqwarn.closed_loop/1")
    hurts = [str(sentence) for sentence in document.get("hurts") or ()]
    return _clean(
        "The circuit breaker in closed loop, SIMULATED markets",
        f"{number(document.get('seeds'), 0)} seeds of {setting(document.get('days'))} days, "
        f"φ {percent(document.get('phi'), 0)}, delay {setting(document.get('delay_min'))} min, "
        f"{number(document.get('events'), 0)} cascades",
        *(part for kind in KINDS for part in ("", _kind(document, kind))),
        "",
        "Where the breaker hurts:" if hurts else "No sentence says where the breaker hurts.",
        *(f"- {sentence}" for sentence in hurts),
    )


def worst_case_text(document: Mapping[str, Any]) -> str:
    """The worst case in short: damage and plausibility by radius, and the shock found.

    Raises
    ------
    FrameError
        When the schema is another one.
    """
    need_schema(document, "liqwarn.worst_case/1")
    name, unit = objective_text(document)
    rows = radius_rows(document)
    head = ["radius", f"worst {name}, {unit}", "random", "more", "chi2 tail", "days seen"]
    table = [
        [row.radius, beside(row.worst), row.random, row.advantage, row.tail, row.seen]
        for row in rows
    ]
    last = max(
        (part_of(row) for row in document.get("radii") or ()),
        key=lambda row: row.get("radius") or 0.0,
        default={},
    )
    moves = part_of(part_of(last.get("shock")).get("moves_pct"))
    return _clean(
        f"The worst plausible shock by {name}, seed {document.get('seed', DASH)}",
        origin_sentence(document),
        "",
        _tiles(worst_case_tiles(document)),
        "",
        aligned([head, *table]),
        "",
        "Shock of the largest radius, price moves in %:",
        aligned([[str(symbol), moved(moves.get(symbol))] for symbol in document["symbols"]]),
    )


def _symbol(symbol: str, result: Mapping[str, Any]) -> list[str]:
    return [
        symbol,
        beside(figure(result.get("trough_pct"), moved)),
        figure(result.get("trough_pct"), moved, "p05").text,
        *(figure(result.get(f"liquidated_{side}_usd"), compact, "p95").text for side in SIDES),
        figure(result.get("time_to_trough_h"), significant).text,
        figure(result.get("amplification"), times_text).text,
    ]


def _contagion(part: Mapping[str, Any]) -> str:
    return f"Spectral radius of contagion {beside(radius_figure(part))}. {radius_sentence(part)}"


def _kind(document: Mapping[str, Any], kind: str) -> str:
    """Metrics down and arms across, then the breaker's differences from the others."""
    arms, against = arm_rows(document, kind), against_rows(document, kind)
    means = [
        [metric_title(metric), *(row.figures[place].text for row in arms)]
        for place, metric in enumerate(METRICS)
    ]
    differences = [
        [METRICS[metric][0], *(_versus(row.differences[place]) for row in against)]
        for place, metric in enumerate(METRICS)
    ]
    return "\n".join(
        [
            f"{KINDS[kind].capitalize()}: means",
            aligned([["", *ARMS.values()], *means]),
            "",
            "breaker against, % (a tie: the 95 % interval covers 0)",
            aligned([["", *(row.name for row in against)], *differences]),
        ]
    )


def _versus(found: Versus) -> str:
    return DASH if found.figure.raw is None else f"{found.figure.text} {found.verdict}"


def _tiles(tiles: Sequence[Tile]) -> str:
    return aligned([[tile.name, f"{tile.value}  {tile.note}".rstrip()] for tile in tiles], left=2)


def _warned(*sentences: str) -> list[str]:
    return [f"WARNING: {sentence}" for sentence in sentences if sentence]


def _clean(*parts: str) -> str:
    """Lines without control characters: text from outside must not steer a terminal."""
    lines = "\n".join(parts).split("\n")
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines)
