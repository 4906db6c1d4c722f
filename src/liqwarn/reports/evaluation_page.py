"""``evaluation.md``: the evaluation as a page of markdown that reads on its own."""

from collections.abc import Mapping
from typing import Any, Final

from liqwarn.reports.evaluation_answer import aims_section, answer_sentence, answers
from liqwarn.reports.evaluation_parts import READING, parts, provenance
from liqwarn.reports.evaluation_section import markdown_of

__all__ = ["evaluation_markdown", "reading_markdown"]

_INTRODUCTION: Final = (
    "Models are fitted and calibrated on data before each test block only; what was seen of "
    "the test span while the definitions were made is told in docs/evaluation.md."
)


def evaluation_markdown(evaluation: Mapping[str, Any], *, reading: bool = True) -> str:
    """The readable form of ``evaluation.json``.

    Parameters
    ----------
    evaluation : mapping
        ``panel``, ``test`` {``from``, ``to``}, ``n_symbols``, ``results``, and where they were
        measured ``by_symbol``, ``severe``, ``alarm_budget``, ``robustness``, ``ablation``,
        ``placebo``, ``utility`` and ``novelty``. A missing key is said to be missing; None and
        NaN print as ``–``.
    reading : bool
        Whether to end with how to read the page; a document of several evaluations says it once.

    Returns
    -------
    str
        Markdown, ending with a line break.

    Examples
    --------
    >>> print(evaluation_markdown({"panel": "btc_core", "results": []}).splitlines()[0])
    # Evaluation of btc_core
    """
    sections = [aims_section(evaluation), *parts(evaluation)]
    measured = [section for section in sections if not section.missing]
    written = [
        _head(evaluation),
        _answer(evaluation),
        *(markdown_of(section) for section in measured),
        _missing([" ".join(section.lead) for section in sections if section.missing]),
        reading_markdown() if reading else "",
    ]
    return "\n\n".join(part.strip() for part in written if part) + "\n"


def _head(evaluation: Mapping[str, Any]) -> str:
    origin = "".join(f"{name}: {value}.\n" for name, value in provenance(evaluation))
    return (
        f"# Evaluation of {evaluation.get('panel', 'an unnamed panel')}\n\n{origin}{_INTRODUCTION}"
    )


def _answer(evaluation: Mapping[str, Any]) -> str:
    lines = [f"- **{answer.side}**: {answer.sentence}" for answer in answers(evaluation)]
    bullets = "\n\n" + "\n".join(lines) if lines else ""
    return f"## In short\n\n{answer_sentence(evaluation)}{bullets}"


def _missing(said: list[str]) -> str:
    if not said:
        return ""
    return "## Not measured in this run\n\n" + "\n".join(f"- {sentence}" for sentence in said)


def reading_markdown() -> str:
    """How to read the page, as a section of markdown."""
    return "## How to read this page\n\n" + "\n".join(f"- {sentence}" for sentence in READING)
