"""Whether the skill holds elsewhere: by symbol and year, with other events, on other splits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from liqwarn.reports.difference_charts import difference_charts, largest_first
from liqwarn.reports.evaluation_section import Line, Section, Table
from liqwarn.reports.evaluation_text import estimate, gain, lift, plain, rate, word
from liqwarn.reports.formats import DASH, compact, finite, number
from liqwarn.reports.results import HAR, PRIMARY_H, primary_rows, result_of, sides_of
from liqwarn.reports.verdicts import tone_of, verdict

__all__ = ["robustness_section", "symbol_section", "year_section"]

Row = Mapping[str, Any]

_VARIANTS: Final = {
    "headline": "as evaluated above",
    "thresholds_minus_33": "event thresholds −33 %",
    "thresholds_plus_33": "event thresholds +33 %",
    "price_only": "events by price alone",
    "combinatorial": "combinatorial paths",
}


def symbol_section(evaluation: Row) -> Section:
    """Each symbol by itself."""
    rows = primary_rows(evaluation, "by_symbol")
    if not rows or evaluation.get("n_symbols") == 1:
        lead = "The panel has one symbol." if rows else "Symbols were not measured apart."
        return Section(key="symbols", title="By symbol", lead=(lead,), missing=True)
    lead = "Symbols without an onset in the test span are left out."
    return _groups(rows, "symbol", Section(key="symbols", title="By symbol", lead=(lead,)))


def year_section(evaluation: Row) -> Section:
    """Each calendar year by itself."""
    rows = primary_rows(evaluation, "by_year")
    if not rows:
        lead = "Years were not measured apart."
        return Section(key="years", title="By year", lead=(lead,), missing=True)
    said = [_held(rows, side) for side in sides_of(rows)]
    return _groups(rows, "year", Section(key="years", title="By year", lead=tuple(said)))


def _held(rows: Sequence[Row], side: str) -> str:
    """In how many years the skill held."""
    found = [verdict(row.get("delta_pr_auc_vs_har")) for row in rows if row.get("side") == side]
    return (
        f"{side.capitalize()} side: better than HAR in {found.count('better')} of {len(found)} "
        f"years, worse in {found.count('worse')}; a year has few events."
    )


def _groups(rows: Sequence[Row], kind: str, section: Section) -> Section:
    """The section with the chart and table of every group."""

    def name(row: Row) -> str:
        group = row.get(kind)
        return group if isinstance(group, str) else DASH

    difference = "ΔPR-AUC vs HAR [95 %]"
    figures = ("rows", "base rate", "PR-AUC", "lift", "ROC-AUC", difference, "verdict")
    return replace(
        section,
        charts=difference_charts(
            largest_first(rows, "delta_pr_auc_vs_har") if kind == "symbol" else rows,
            "delta_pr_auc_vs_har",
            title=f"ΔPR-AUC vs HAR by {kind}",
            name=name,
        ),
        tables=(
            Table(
                title="",
                header=(kind, "side", *figures),
                rows=tuple(_group(row, name(row)) for row in rows),
                texts=2,
                verdict=True,
                beside=("PR-AUC", "lift", "ROC-AUC", difference, "verdict"),
            ),
        ),
    )


def _variant_name(row: Row) -> str:
    return _VARIANTS.get(str(row.get("variant")), word(row.get("variant")))


def _group(row: Row, name: str) -> Line:
    found = verdict(row.get("delta_pr_auc_vs_har"))
    return Line(
        (
            name,
            word(row.get("side")),
            compact(row.get("n")),
            rate(row.get("base_rate"), digits=2),
            estimate(row.get("pr_auc"), row.get("pr_auc_ci")),
            lift(row),
            plain(row.get("roc_auc")),
            gain(row.get("delta_pr_auc_vs_har")),
            found,
        ),
        tone=tone_of(found),
    )


def robustness_section(evaluation: Row) -> Section:
    """Other definitions of an event, and other splits."""
    tried = primary_rows(evaluation, "robustness")
    if not tried:
        lead = ("Other thresholds, price-only events and other splits were not tried.",)
        return Section(key="robustness", title="Robustness", lead=lead, missing=True)
    rows = [row for side in sides_of(tried) for row in _with_headline(evaluation, tried, side)]
    return Section(
        key="robustness",
        title="Robustness",
        lead=(
            "The same walk-forward with other definitions of an event, and combinatorial purged",
            "splits, which train on later data too and are never the headline.",
            *(said for side in sides_of(tried) if (said := _paths(tried, side))),
        ),
        charts=difference_charts(
            rows, "delta_pr_auc_vs_har", title="ΔPR-AUC vs HAR by variant", name=_variant_name
        ),
        tables=(
            Table(
                title="",
                header=(
                    "variant",
                    "side",
                    "events",
                    "base rate",
                    "PR-AUC [95 %]",
                    "HAR's",
                    "ROC-AUC",
                    "HAR's",
                    "ΔPR-AUC vs HAR [95 %]",
                    "verdict",
                ),
                rows=tuple(_variant(row) for row in rows),
                texts=2,
                verdict=True,
                beside=("PR-AUC [95 %]", "ROC-AUC", "ΔPR-AUC vs HAR [95 %]", "verdict"),
            ),
        ),
    )


def _with_headline(evaluation: Row, tried: Sequence[Row], side: str) -> list[Row]:
    ours = result_of(evaluation, side, PRIMARY_H)
    har = result_of(evaluation, side, PRIMARY_H, HAR) or {}
    names = {"har_pr_auc": har.get("pr_auc"), "har_roc_auc": har.get("roc_auc")}
    first = [{**ours, **names, "variant": "headline"}] if ours else []
    return [*first, *(row for row in tried if row.get("side") == side)]


def _variant(row: Row) -> Line:
    found = verdict(row.get("delta_pr_auc_vs_har"))
    return Line(
        (
            _variant_name(row),
            word(row.get("side")),
            number(row.get("events"), 0),
            rate(row.get("base_rate"), digits=2),
            estimate(row.get("pr_auc"), row.get("pr_auc_ci")),
            plain(row.get("har_pr_auc")),
            plain(row.get("roc_auc")),
            plain(row.get("har_roc_auc")),
            gain(row.get("delta_pr_auc_vs_har")),
            found,
        ),
        tone=tone_of(found),
    )


def _paths(rows: Sequence[Row], side: str) -> str:
    """How the combinatorial paths spread."""
    found = [r for r in rows if r.get("variant") == "combinatorial" and r.get("side") == side]
    row = found[0] if found else {}
    pairs = [
        (ours, har)
        for ours, har in zip(
            map(finite, row.get("path_pr_auc") or ()),
            map(finite, row.get("path_har_pr_auc") or ()),
            strict=False,
        )
        if ours is not None and har is not None
    ]
    if not pairs:
        return ""
    scores = [ours for ours, _ in pairs]
    return (
        f"{side.capitalize()} side: PR-AUC {plain(min(scores))} to {plain(max(scores))} over "
        f"{len(pairs)} paths, above HAR's on {sum(ours > har for ours, har in pairs)}."
    )
