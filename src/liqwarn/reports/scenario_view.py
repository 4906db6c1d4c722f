"""A scenario's result as the page and the terminal show it: origin, headline figures, symbols."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.reports.formats import DASH, compact, finite, number, percent, signed, utc
from liqwarn.reports.simulation_charts import duration
from liqwarn.reports.simulation_figures import (
    Figure,
    chance,
    figure,
    moved,
    part_of,
    significant,
    times_text,
)

__all__ = [
    "FEW_TAIL_PATHS",
    "StateRow",
    "SymbolRow",
    "Tile",
    "diverged_sentence",
    "few_paths_sentence",
    "origin_sentence",
    "run_sentence",
    "scenario_tiles",
    "state_rows",
    "symbol_rows",
]

FEW_TAIL_PATHS: Final = 20
"""With fewer paths beyond a 5 % line, the tails come with a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A headline figure; an `alarm` cannot be overlooked."""

    name: str
    value: str
    note: str = ""
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRow:
    """One symbol's figures, in the order of the table's columns."""

    symbol: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """One symbol at the start: price, open interest, depth of bids and asks, crowding."""

    symbol: str
    figures: tuple[Figure, ...]
    crowded: str


def origin_sentence(document: Mapping[str, Any]) -> str:
    """Where the paths start from, and that they are simulated.

    >>> origin_sentence({"market": "simulated", "initial": {"kind": "synthetic"}})
    'Simulated paths from a simulated state: none of this exists.'
    """
    if document.get("market") == "simulated":
        return "Simulated paths from a simulated state: none of this exists."
    as_of = utc(part_of(document.get("initial")).get("as_of"))
    return (
        f"Simulated paths from a state estimated from real data as of {as_of} UTC. What follows "
        "that moment was generated and did not happen."
    )


def run_sentence(document: Mapping[str, Any]) -> str:
    """How much was simulated.

    >>> run_sentence({"paths": 10000, "seed": 1, "horizon_h": 24.0, "step_s": 60})
    '10,000 paths of 24 h in steps of 1 min, seed 1'
    """
    horizon, step = finite(document.get("horizon_h")), finite(document.get("step_s"))
    length = DASH if horizon is None else duration(horizon)
    steps = DASH if step is None else duration(step / 3600)
    return (
        f"{number(document.get('paths'), 0)} paths of {length} in steps of {steps}, "
        f"seed {document.get('seed', DASH)}"
    )


def diverged_sentence(document: Mapping[str, Any]) -> str:
    """A warning when paths diverged, else an empty text.

    >>> diverged_sentence({"paths": 1000, "diverged": 5})[:35]
    '5 of 1,000 paths (0.5 %) diverged: '
    >>> diverged_sentence({"paths": 1000, "diverged": 0})
    ''
    """
    diverged, paths = finite(document.get("diverged")), finite(document.get("paths"))
    if diverged is None:
        return "It is not known whether paths diverged: do not rely on the figures."
    if diverged <= 0:
        return ""
    share = percent(diverged / paths) if paths else DASH
    return (
        f"{number(diverged, 0)} of {number(paths, 0)} paths ({share}) diverged: they left what the "
        "model can describe. They are reported, not clipped; read the tails with caution."
    )


def few_paths_sentence(document: Mapping[str, Any]) -> str:
    """A caveat when too few paths lie in each tail, else an empty text.

    >>> few_paths_sentence({"paths": 100})
    'Only 5 paths lie beyond each 5 % line: the tail figures are rough.'
    """
    paths = finite(document.get("paths"))
    if paths is None or 0.05 * paths >= FEW_TAIL_PATHS:
        return ""
    beyond = int(0.05 * paths)
    return f"Only {beyond} paths lie beyond each 5 % line: the tail figures are rough."


def scenario_tiles(document: Mapping[str, Any]) -> tuple[Tile, ...]:
    """The headline figures, the gravest first."""
    total = part_of(document.get("total"))
    liquidated = part_of(total.get("liquidated_usd"))
    loss, left = part_of(total.get("loss_pct")), part_of(total.get("insurance_left_frac"))
    worst, mean = figure(loss, moved, "p05"), figure(loss, moved)
    drained = figure(total.get("adl_probability"), chance, "value")
    return (
        _tile(
            "Liquidations at risk, 95 %",
            figure(liquidated, compact, "p95"),
            " USD",
            f"median {compact(liquidated.get('p50'))}",
        ),
        _tile("Trough, worst 5 % of paths", worst, " %", f"mean {mean.text} %"),
        _amplification(document),
        _tile("Chance of auto-deleveraging", drained),
        _tile(
            "Insurance fund left, mean",
            figure(left, percent),
            note=f"worst 5 % {percent(left.get('p05'))}",
        ),
        *_run_tiles(document),
    )


def _tile(name: str, found: Figure, unit: str = "", note: str = "") -> Tile:
    value = found.text if found.raw is None else f"{found.text}{unit}"
    return Tile(name=name, value=value, note=" · ".join(part for part in (found.ci, note) if part))


def _run_tiles(document: Mapping[str, Any]) -> tuple[Tile, ...]:
    diverged = finite(document.get("diverged"))
    steps = finite(document.get("step_s"))
    return (
        Tile(
            name="Paths",
            value=number(document.get("paths"), 0),
            note="" if steps is None else f"steps of {duration(steps / 3600)}",
        ),
        Tile(
            name="Seed", value=str(document.get("seed", DASH)), note="the same seed, the same bits"
        ),
        Tile(
            name="Diverged paths",
            value="none" if diverged == 0 else number(diverged, 0),
            note="reported, not clipped" if diverged else "",
            alarm=diverged != 0,
        ),
    )


def _amplification(document: Mapping[str, Any]) -> Tile:
    """The strongest mean amplification and whose it is."""
    results = part_of(document.get("symbols_results"))
    found = [
        (shown.raw, str(symbol), shown)
        for symbol, result in results.items()
        if (shown := figure(part_of(result).get("amplification"), times_text)).raw is not None
    ]
    name = "Amplification, strongest"
    if not found:
        return Tile(name=name, value=DASH, note="the exogenous moves are too small")
    _, symbol, shown = max(found)
    return Tile(name=name, value=shown.text, note=f"{symbol} {shown.ci}".rstrip())


def symbol_rows(document: Mapping[str, Any]) -> tuple[SymbolRow, ...]:
    """Every symbol's figures."""
    results = part_of(document.get("symbols_results"))
    return tuple(
        SymbolRow(symbol=str(symbol), figures=_symbol_figures(part_of(results.get(symbol))))
        for symbol in document["symbols"]
    )


def _symbol_figures(result: Mapping[str, Any]) -> tuple[Figure, ...]:
    hours = result.get("time_to_trough_h")
    return (
        figure(result.get("trough_pct"), moved),
        figure(result.get("trough_pct"), moved, "p05"),
        figure(result.get("peak_pct"), moved, "p95"),
        figure(hours, significant),
        figure(result.get("liquidated_long_usd"), compact, "p95"),
        figure(result.get("liquidated_short_usd"), compact, "p95"),
        figure(result.get("adl_usd"), compact),
        figure(result.get("amplification"), times_text),
    )


def state_rows(document: Mapping[str, Any]) -> tuple[StateRow, ...]:
    """Every symbol at the start."""
    states = part_of(part_of(document.get("initial")).get("symbols"))
    return tuple(_state(str(symbol), part_of(states.get(symbol))) for symbol in document["symbols"])


def _state(symbol: str, state: Mapping[str, Any]) -> StateRow:
    crowding = finite(state.get("crowding"))
    usd = ("open_interest_usd", "bid_depth_usd", "ask_depth_usd")
    return StateRow(
        symbol=symbol,
        figures=(
            figure(state, lambda value: significant(value, 5), "price"),
            *(figure(state, compact, name) for name in usd),
            figure(state, lambda value: signed(value, 2), "crowding"),
        ),
        crowded="" if not crowding else "longs" if crowding > 0 else "shorts",
    )
