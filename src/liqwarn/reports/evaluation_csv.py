"""The tables beside an evaluation, for files: every part as CSV with full precision."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from liqwarn.reports.results import rows_of

__all__ = ["evaluation_csv"]

_PARTS: Final = (
    "results",
    "by_symbol",
    "by_year",
    "severe",
    "alarm_budget",
    "robustness",
    "ablation",
    "placebo",
    "utility",
)
_CURVES: Final = frozenset({"molchan", "reliability"})


def evaluation_csv(evaluation: Mapping[str, Any]) -> dict[str, str]:
    r"""File name to CSV text; parts that were not measured are left out.

    Nested figures become columns of their own: ``event_recall.0.05``, ``pr_auc_ci.low``. Curves
    stay in ``evaluation.json``.

    >>> evaluation_csv({"placebo": [{"kind": "x", "roc_auc_ci": [0.4, None]}]})["placebo.csv"]
    'kind,roc_auc_ci.low,roc_auc_ci.high\nx,0.4,\n'
    """
    found = {f"{part}.csv": _csv(rows_of(evaluation, part)) for part in _PARTS}
    return {name: text for name, text in found.items() if text}


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    if not names:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _flat(node: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        name = f"{before}{key}"
        if key in _CURVES:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list | tuple) and (key == "ci" or key.endswith("_ci") or before):
            yield from zip((f"{name}.low", f"{name}.high"), value, strict=False)
        elif isinstance(value, list | tuple):
            yield name, " ".join(map(str, value))
        else:
            yield name, value
