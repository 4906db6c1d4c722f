"""The pages of the simulator's results: a scenario, the closed loop, the worst case.

They look and behave like the report of :mod:`liqwarn.reports.page`: one self-contained file each,
without network or clock, every text from outside escaped, the same content the same bytes.
"""

from collections.abc import Mapping
from typing import Any, Final

from liqwarn.reports.channel_view import CHANNELS, channel_view
from liqwarn.reports.closed_loop_view import (
    KINDS,
    METRICS,
    against_rows,
    arm_rows,
    closed_loop_tiles,
    metric_panels,
    metric_title,
    tier_shares,
    worse_count,
)
from liqwarn.reports.contagion_view import contagion_view
from liqwarn.reports.environment import environment
from liqwarn.reports.formats import DASH, finite, number, percent, utc
from liqwarn.reports.price_chart import PriceCharts, fan_charts, line_charts
from liqwarn.reports.scenario_view import (
    diverged_sentence,
    few_paths_sentence,
    origin_sentence,
    run_sentence,
    scenario_tiles,
    state_rows,
    symbol_rows,
)
from liqwarn.reports.shock_view import shock_bars
from liqwarn.reports.simulation_charts import duration, hour_ticks
from liqwarn.reports.simulation_figures import need_schema, part_of, setting
from liqwarn.reports.worst_case_view import (
    factor_rows,
    growth_chart,
    liquidated_curve,
    move_rows,
    objective_text,
    radius_rows,
    worst_case_tiles,
)

__all__ = ["render_closed_loop", "render_scenario", "render_worst_case"]

_SCENARIO_SECTIONS: Final = (
    ("summary", "In short"),
    ("shocks", "Shocks"),
    ("state", "State"),
    ("prices", "Prices"),
    ("symbols", "Symbols"),
    ("channels", "Channels"),
    ("contagion", "Contagion"),
    ("reading", "How to read"),
)
_CLOSED_LOOP_SECTIONS: Final = (
    ("summary", "In short"),
    ("differences", "Differences"),
    ("arms", "Arms"),
    ("tiers", "Tiers"),
    ("reading", "Definitions"),
)
_WORST_CASE_SECTIONS: Final = (
    ("summary", "In short"),
    ("growth", "Growth"),
    ("shock", "Shock"),
    ("path", "Path"),
    ("state", "State"),
    ("reading", "How to read"),
)


def render_scenario(document: Mapping[str, Any]) -> str:
    """The page of a scenario's result.

    Parameters
    ----------
    document : mapping
        ``scenario.json``, schema ``liqwarn.scenario_result/1``. A figure that is null or missing
        is shown as a dash.

    Returns
    -------
    str
        An HTML document in UTF-8.

    Raises
    ------
    FrameError
        When the schema is another one, or series and matrices do not fit together.
    """
    need_schema(document, "liqwarn.scenario_result/1")
    scenario, horizon = part_of(document.get("scenario")), finite(document.get("horizon_h"))
    return _render(
        "scenario.html.j2",
        **_shell(document, _SCENARIO_SECTIONS, fan_charts(document)),
        heading=str(scenario.get("title") or scenario.get("name") or DASH),
        title=f"Scenario {scenario.get('name', DASH)}",
        stamps=_scenario_stamps(document),
        description=str(scenario.get("description") or ""),
        name=str(scenario.get("name") or DASH),
        sha256=str(scenario.get("sha256") or DASH),
        seed=str(document.get("seed", DASH)),
        diverged=diverged_sentence(document),
        few_paths=few_paths_sentence(document),
        run=run_sentence(document),
        tiles=scenario_tiles(document),
        shocks=shock_bars(document.get("shocks") or (), horizon or 1.0),
        x_ticks=hour_ticks(horizon or 1.0),
        rows=symbol_rows(document),
        channels=channel_view(document),
        channel_names=[(key, *words) for key, words in CHANNELS.items()],
        contagion=contagion_view(document),
    )


def render_closed_loop(document: Mapping[str, Any]) -> str:
    """The page of the circuit breaker in closed loop.

    Parameters
    ----------
    document : mapping
        ``closed_loop.json``, schema ``liqwarn.closed_loop/1``.

    Returns
    -------
    str
        An HTML document in UTF-8.

    Raises
    ------
    FrameError
        When the schema is another one.
    """
    need_schema(document, "liqwarn.closed_loop/1")
    definitions = part_of(document.get("definitions"))
    return _render(
        "closed_loop.html.j2",
        sections=_CLOSED_LOOP_SECTIONS,
        payload={},
        heading="The circuit breaker in closed loop",
        title="Closed loop",
        banner="Every market here was generated; nothing on this page was measured on a real one.",
        pills=("simulated market",),
        stamps=(
            ("Seeds", number(document.get("seeds"), 0)),
            ("Days each", setting(document.get("days"))),
            ("Obeying share φ", percent(document.get("phi"), 0)),
            ("Delay", f"{setting(document.get('delay_min'))} min"),
            ("liqwarn", str(document.get("version", DASH))),
        ),
        hurts=[str(sentence) for sentence in document.get("hurts") or ()],
        worse=worse_count(document),
        noise=setting(part_of(document.get("score")).get("noise")),
        tiles=closed_loop_tiles(document),
        metrics=[(name, metric_title(metric)) for metric, (name, _) in METRICS.items()],
        kinds=[
            (kind, name, against_rows(document, kind), arm_rows(document, kind))
            for kind, name in KINDS.items()
        ],
        panels=metric_panels(document),
        tiers=tier_shares(document),
        definitions=[
            (METRICS[key][0] if key in METRICS else str(key), str(sentence))
            for key, sentence in definitions.items()
        ],
    )


def render_worst_case(document: Mapping[str, Any]) -> str:
    """The page of the search for the worst plausible shock.

    Parameters
    ----------
    document : mapping
        ``worst_case.json``, schema ``liqwarn.worst_case/1``.

    Returns
    -------
    str
        An HTML document in UTF-8.

    Raises
    ------
    FrameError
        When the schema is another one, or series do not fit together.
    """
    need_schema(document, "liqwarn.worst_case/1")
    path, (objective, unit) = part_of(document.get("path")), objective_text(document)
    return _render(
        "worst_case.html.j2",
        **_shell(document, _WORST_CASE_SECTIONS, line_charts(path)),
        heading="The worst plausible shock",
        title=f"Largest {objective}",
        stamps=(
            ("Seed", str(document.get("seed", DASH))),
            ("Radii", number(len(document.get("radii") or ()), 0)),
            ("State as of", _as_of(document)),
            ("liqwarn", str(document.get("version", DASH))),
        ),
        objective=objective,
        unit=unit,
        tiles=worst_case_tiles(document),
        growth=growth_chart(document),
        radii=radius_rows(document),
        moves=move_rows(document),
        factors=factor_rows(document),
        liquidated=liquidated_curve(path),
    )


def _shell(
    document: Mapping[str, Any],
    sections: tuple[tuple[str, str], ...],
    prices: PriceCharts | None,
) -> dict[str, Any]:
    """What the pages with a state and paths have in common."""
    initial, simulated = part_of(document.get("initial")), document.get("market") == "simulated"
    return {
        "sections": sections,
        "banner": origin_sentence(document),
        "origin": origin_sentence(document),
        "pills": ("simulated paths", "simulated state" if simulated else "state from real data"),
        "notes": [str(note) for note in initial.get("notes") or ()],
        "state": state_rows(document),
        "prices": prices,
        "payload": prices.payload if prices else {},
    }


def _scenario_stamps(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    horizon = finite(document.get("horizon_h"))
    return (
        ("Paths", number(document.get("paths"), 0)),
        ("Seed", str(document.get("seed", DASH))),
        ("Horizon", DASH if horizon is None else duration(horizon)),
        ("State as of", _as_of(document)),
        ("liqwarn", str(document.get("version", DASH))),
    )


def _as_of(document: Mapping[str, Any]) -> str:
    as_of = utc(part_of(document.get("initial")).get("as_of"))
    return "synthetic" if as_of == DASH else f"{as_of} UTC"


def _render(template: str, **content: object) -> str:
    return environment().get_template(template).render(**content)
