"""What the forecast is worth and when it is out of its depth: policy utility and novelty."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from liqwarn.reports.evaluation_section import Line, Section, Table
from liqwarn.reports.evaluation_text import gain, plain, rate, word
from liqwarn.reports.forest_chart import Forest, ForestRow, forest
from liqwarn.reports.formats import compact, finite, number, signed
from liqwarn.reports.results import rows_of, sides_of
from liqwarn.reports.verdicts import tone_of, verdict

__all__ = ["novelty_section", "utility_section"]

Row = Mapping[str, Any]

_STRATEGIES: Final = {
    "unrestricted": "unrestricted",
    "breaker": "breaker",
    "volatility_target": "volatility target, same mean exposure",
}
_DELTAS: Final = (  # key, name, sign of what is better
    ("delta_vs_volatility_target", "P&L, breaker less volatility target", 1),
    ("delta_vs_unrestricted", "P&L, breaker less unrestricted", 1),
    (
        "delta_loss_in_events_vs_volatility_target",
        "loss in events, breaker less volatility target",
        -1,
    ),
)


def utility_section(evaluation: Row) -> Section:
    """The breaker replayed on a stylised levered book, against equal-exposure strategies."""
    rows = rows_of(evaluation, "utility")
    if not rows:
        lead = ("The policy was not replayed on a book.",)
        return Section(key="utility", title="Policy utility", lead=lead, missing=True)
    rows.sort(key=lambda row: (row.get("side") != "long", str(row.get("side"))))
    charts = (_differences(rows, side) for side in sides_of(rows))
    return Section(
        key="utility",
        title="Policy utility",
        lead=(
            "A stylised levered book under the breaker, unrestricted, and under a volatility",
            "target of the same mean exposure, in % of its capital over the test span.",
            "Losses, costs and drawdowns are positive; carry is what was received.",
        ),
        charts=tuple(chart for chart in charts if chart),
        tables=(
            _strategies(rows),
            Table(
                title="Paired differences",
                header=("difference", "side", "% of capital [95 %]", "verdict"),
                rows=tuple(
                    _difference(row, (key, said, better))
                    for row in rows
                    for key, said, better in _DELTAS
                    if row.get(key)
                ),
                texts=2,
                verdict=True,
            ),
        ),
    )


def _strategies(rows: Sequence[Row]) -> Table:
    return Table(
        title="",
        header=(
            "side",
            "strategy",
            "mean exposure",
            "P&L",
            "loss in events",
            "carry",
            "cost",
            "worst week",
            "largest drawdown",
            "liquidations",
            "turnover",
        ),
        rows=tuple(_strategy(row) for row in rows),
        texts=2,
    )


def _strategy(row: Row) -> Line:
    strategy = row.get("strategy")
    shares = ("pnl", "loss_in_events", "carry", "cost", "worst_week", "max_drawdown")
    return Line(
        (
            word(row.get("side")),
            _STRATEGIES.get(str(strategy), word(strategy)),
            plain(row.get("mean_exposure"), 2),
            *(rate(row.get(f"{share}_frac"), digits=1) for share in shares),
            number(row.get("liquidations"), 0),
            plain(row.get("turnover"), 1),
        ),
        ours=strategy == "breaker",
    )


def _difference(row: Row, what: tuple[str, str, int]) -> Line:
    """A paired difference; of a loss, less is better."""
    key, said, better = what
    found = verdict(row.get(key))
    if better < 0 and found in ("better", "worse"):
        found = "worse" if found == "better" else "better"
    shown = gain(row.get(key), 1, unit=100)
    return Line((said, word(row.get("side")), shown, found), tone=tone_of(found))


def _differences(rows: Sequence[Row], side: str) -> Forest | None:
    return forest(
        (
            ForestRow(
                name=said,
                text=gain(row[key], 1, unit=100),
                value=row[key].get("mean"),
                ends=row[key].get("ci"),
            )
            for row in rows
            if row.get("side") == side
            for key, said, _ in _DELTAS
            if row.get(key)
        ),
        title="Paired differences in % of capital; the line is no difference",
        side=side,
        unit="%",
    )


def novelty_section(evaluation: Row) -> Section:
    """Data unlike the training block: how much there was, and what skill was left on it."""
    found = evaluation.get("novelty")
    if not isinstance(found, Mapping) or not found:
        lead = ("Data unlike the training data were not looked for.",)
        return Section(key="novelty", title="Novelty", lead=lead, missing=True)
    quarters = forest(
        (
            ForestRow(
                name=word(row.get("quarter")),
                text=rate(row.get("share"), digits=1),
                value=row.get("share"),
            )
            for row in rows_of(found, "by_quarter")
        ),
        title="Share of rows unlike the training data, by quarter",
        unit="%",
    )
    return Section(
        key="novelty",
        title="Novelty",
        lead=(
            f"{rate(finite(found.get('share_novel')), digits=1)} of the test rows are unlike the",
            "data the model was trained on; their scores are marked as degraded.",
        ),
        charts=(quarters,) if quarters else (),
        tables=_novelty_tables(found),
    )


def _novelty_tables(found: Row) -> tuple[Table, ...]:
    groups = Table(
        title="Skill on familiar and on novel rows",
        header=(
            "rows",
            "side",
            "n",
            "base rate",
            "mean forecast",
            "Brier skill vs climatology",
            "ROC-AUC",
        ),
        rows=tuple(
            Line(
                (
                    word(row.get("group")),
                    word(row.get("side")),
                    compact(row.get("n")),
                    rate(row.get("base_rate"), digits=2),
                    rate(row.get("mean_p"), digits=2),
                    signed(row.get("brier_skill_vs_climatology")),
                    plain(row.get("roc_auc")),
                )
            )
            for row in rows_of(found, "groups")
        ),
        texts=2,
    )
    injected = Table(
        title="Faults put into the data on purpose",
        header=("fault", "n", "detected"),
        rows=tuple(
            Line((word(row.get("fault")), *_detected(row))) for row in rows_of(found, "injected")
        ),
    )
    quarters = Table(
        title="Novel rows by quarter",
        header=("quarter", "share"),
        rows=tuple(
            Line((word(row.get("quarter")), rate(row.get("share"), digits=1)))
            for row in rows_of(found, "by_quarter")
        ),
        brief=False,
    )
    return tuple(table for table in (groups, injected, quarters) if table.rows)


def _detected(row: Row) -> tuple[str, str]:
    """How many there were and how many were found; a share when it is no whole number."""
    detected = row.get("detected")
    if isinstance(detected, bool):
        return compact(row.get("n")), "yes" if detected else "no"
    found = compact(detected) if isinstance(detected, int) else rate(detected)
    return compact(row.get("n")), found
