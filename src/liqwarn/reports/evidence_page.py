"""``docs/evidence.md``: the evaluations of several panels in one document, the answer first."""

from collections.abc import Mapping
from typing import Any, Final

from liqwarn.reports.aims import aims
from liqwarn.reports.evaluation_answer import answers
from liqwarn.reports.evaluation_page import evaluation_markdown, reading_markdown
from liqwarn.reports.evaluation_section import markdown_table
from liqwarn.reports.evaluation_text import estimate, gain, plain, times
from liqwarn.reports.formats import finite, number
from liqwarn.reports.results import PRIMARY_H, ratio_to_har, result_of

__all__ = ["evidence_markdown"]

Documents = Mapping[str, Mapping[str, Any]]

_HEADER: Final = (
    "panel",
    "side",
    "events",
    "PR-AUC [95 %]",
    "ΔPR-AUC vs HAR [95 %]",
    "ratio to HAR [95 %]",
    "marks reached",
    "against HAR",
)


def evidence_markdown(documents: Documents, *, memory_gib: float | None = None) -> str:
    """All evaluations in one document, below a table of what each says at 4 h.

    Parameters
    ----------
    documents : mapping of panel to ``evaluation.json``
    memory_gib : float, optional
        Peak memory of the run that made them.

    Returns
    -------
    str
        Markdown, ending with a line break.

    Examples
    --------
    >>> print(evidence_markdown({"btc_core": {"panel": "btc_core"}}).splitlines()[0])
    # Evidence
    """
    parts = [
        "# Evidence",
        (
            "Written by `make skill` from the walk-forward evaluations of the real panels.\n"
            "Not edited by hand. The protocol is in [evaluation.md](evaluation.md).\n"
            "No figure here uses data after 2025-06-30: that period is kept aside as the locked "
            "test."
        ),
        _cost(documents, memory_gib),
        f"## At {PRIMARY_H} h, all panels",
        _summary(documents),
        *(_deeper(evaluation_markdown(document, reading=False)) for document in documents.values()),
        reading_markdown(),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _cost(documents: Documents, memory_gib: float | None) -> str:
    minutes = [
        f"{panel} {plain(document['minutes'], 1)}"
        for panel, document in documents.items()
        if finite(document.get("minutes")) is not None
    ]
    said = [f"Minutes: {', '.join(minutes)}."] if minutes else []
    if memory_gib is not None:
        said.append(f"Peak memory: {plain(memory_gib, 1)} GiB.")
    return " ".join(said)


def _summary(documents: Documents) -> str:
    rows = []
    for panel, document in documents.items():
        for answer in answers(document):
            row = result_of(document, answer.side, PRIMARY_H) or {}
            ratio = ratio_to_har(document, answer.side, PRIMARY_H)
            marks = [aim.status for aim in aims(document, answer.side)]
            rows.append(
                (
                    panel,
                    answer.side,
                    number(row.get("events"), 0),
                    estimate(row.get("pr_auc"), row.get("pr_auc_ci")),
                    gain(row.get("delta_pr_auc_vs_har")),
                    times(ratio["mean"], ratio.get("ci")),
                    f"{marks.count('reached')} of {len(marks)}",
                    answer.verdict + (", too few events" if answer.caveat else ""),
                )
            )
    figures = [False, False, *[True] * 5, False]
    return markdown_table(_HEADER, rows, figures) if rows else "Nothing was evaluated."


def _deeper(page: str) -> str:
    """The page with every heading one level down."""
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in page.splitlines())
