"""``evaluation.html``: one self-contained page on what the model is worth, the answer first."""

from collections.abc import Mapping
from typing import Any, Final

from liqwarn.reports.environment import environment
from liqwarn.reports.evaluation_answer import aims_section, answer_sentence, answers
from liqwarn.reports.evaluation_parts import READING, parts, provenance
from liqwarn.reports.formats import utc
from liqwarn.reports.results import primary_rows
from liqwarn.reports.verdicts import placebo_sentences

__all__ = ["evaluation_html"]

_SHORT: Final = {
    "marks": "Marks",
    "skill": "Skill",
    "molchan": "Molchan",
    "alarms": "Alarms",
    "budgets": "Budgets",
    "severe": "Severe",
    "symbols": "Symbols",
    "placebo": "Placebos",
    "utility": "Utility",
}


def evaluation_html(evaluation: Mapping[str, Any]) -> str:
    """The evaluation as HTML text.

    It needs no network, no script and no other file. Every text from outside is escaped; the same
    evaluation gives the same text.

    Parameters
    ----------
    evaluation : mapping
        ``evaluation.json``, as for
        :func:`liqwarn.reports.evaluation_page.evaluation_markdown`. What is missing is said to be
        missing.

    Returns
    -------
    str
        An HTML document in UTF-8.

    Examples
    --------
    >>> "nothing can be said about skill" in evaluation_html({"panel": "btc_core"})
    True
    """
    sections = (aims_section(evaluation), *parts(evaluation))
    test = evaluation.get("test") or {}
    leak, _ = placebo_sentences(primary_rows(evaluation, "placebo"))
    return (
        environment()
        .get_template("evaluation.html.j2")
        .render(
            panel=str(evaluation.get("panel", "an unnamed panel")),
            simulated=evaluation.get("market") == "simulated",
            span=f"{utc(test.get('from'))[:10]} to {utc(test.get('to'))[:10]}",
            sentence=answer_sentence(evaluation),
            answers=answers(evaluation),
            alarm=leak,
            sections=sections,
            links=[(s.key, _SHORT.get(s.key, s.title)) for s in sections],
            reading=READING,
            provenance=provenance(evaluation),
        )
    )
