"""The page of one run of retraining: one self-contained file, without network or script."""

from collections.abc import Mapping, Sequence
from typing import Any

from liqwarn.reports.environment import environment
from liqwarn.reports.retrain_view import retrain_view

__all__ = ["retrain_html"]


def retrain_html(panel: str, lines: Sequence[Mapping[str, Any]]) -> str:
    """The run as HTML text; every text from outside is escaped.

    Parameters
    ----------
    lines : sequence of mapping
        As of :func:`liqwarn.reports.retrain_view.retrain_view`.
    """
    page = environment().get_template("retrain.html.j2")
    return page.render(panel=panel, view=retrain_view(lines))
