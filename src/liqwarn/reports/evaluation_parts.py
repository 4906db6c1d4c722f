"""The parts of an evaluation in the order a sceptical reader wants them."""

from collections.abc import Mapping
from typing import Any, Final

from liqwarn.reports.evaluation_alarms import recall_section, severe_section
from liqwarn.reports.evaluation_budget import budget_section
from liqwarn.reports.evaluation_robustness import (
    robustness_section,
    symbol_section,
    year_section,
)
from liqwarn.reports.evaluation_section import Section
from liqwarn.reports.evaluation_skill import (
    calibration_section,
    molchan_section,
    skill_section,
)
from liqwarn.reports.evaluation_text import plain
from liqwarn.reports.evaluation_trials import ablation_section, placebo_section
from liqwarn.reports.evaluation_value import novelty_section, utility_section
from liqwarn.reports.formats import finite, number, utc

__all__ = ["READING", "parts", "provenance"]

READING: Final = (
    (
        "Side long: longs are liquidated and the price falls; "
        "side short: shorts are liquidated and the price rises."
    ),
    (
        "PR-AUC has to be read against the base rate, which is what guessing scores; lift is their "
        "ratio."
    ),
    (
        "Brackets hold 95 % intervals from a bootstrap over calendar weeks, all symbols of a week "
        "together."
    ),
    (
        "“Better” and “worse” are said only when the interval of the paired difference lies "
        "wholly on one side of 0; otherwise it is a tie."
    ),
    (
        "“At 5 %” means that alarms may take 5 % of all time; the threshold is frozen on training "
        "data, and what it spent in truth is said beside it."
    ),
    "False alarms are episodes per symbol and week, counted without an onset within the horizon.",
    (
        "Lead time runs from the close of the alarm's bar to the start of the onset bar; an alarm "
        "after the onset is a miss."
    ),
    "ECE is the mean distance of stated from observed rates over ten equally filled bins.",
    "Brier skill is the share of the squared error taken away from a reference forecast.",
    "“–” is a figure that could not be computed.",
)


def parts(evaluation: Mapping[str, Any]) -> tuple[Section, ...]:
    """Every part after the answer, measured or not."""
    return (
        skill_section(evaluation),
        calibration_section(evaluation),
        molchan_section(evaluation),
        recall_section(evaluation),
        budget_section(evaluation),
        severe_section(evaluation),
        symbol_section(evaluation),
        year_section(evaluation),
        robustness_section(evaluation),
        ablation_section(evaluation),
        placebo_section(evaluation),
        utility_section(evaluation),
        novelty_section(evaluation),
    )


def provenance(evaluation: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Where the figures come from; what is not recorded is left out.

    >>> provenance({"n_symbols": 4, "minutes": 3.14159})[1:]
    (('Symbols', '4'), ('Minutes of computing', '3.1'))
    """
    test = evaluation.get("test") or {}
    added = [name for name in evaluation.get("train_panels") or () if isinstance(name, str)]
    seeds = evaluation.get("seeds", evaluation.get("seed"))
    pairs = [
        ("Test span", f"{utc(test.get('from'))} to {utc(test.get('to'))} UTC"),
        ("Symbols", number(evaluation.get("n_symbols"), 0)),
    ]
    if added:
        pairs.append(("Training rows added from", ", ".join(added)))
    if seeds is not None:
        listed = seeds if isinstance(seeds, list | tuple) else [seeds]
        pairs.append(("Seeds", ", ".join(number(seed, 0) for seed in listed)))
    if finite(evaluation.get("minutes")) is not None:
        pairs.append(("Minutes of computing", plain(evaluation["minutes"], 1)))
    pairs += [
        (name, str(evaluation[key]))
        for name, key in (("Version", "version"), ("Configuration", "config_sha256"))
        if evaluation.get(key)
    ]
    return tuple(pairs)
