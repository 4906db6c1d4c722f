"""The page of one run of retraining, beside the journal it is made of."""

from pathlib import Path

from liqwarn.durable import write_bytes
from liqwarn.pipelines.retrain_journal import Journal
from liqwarn.reports.retrain_page import retrain_html
from liqwarn.reports.retrain_text import retrain_text

__all__ = ["report_path", "write_retrain_report"]

_SHORT = 16


def report_path(journal: Journal, run: str) -> Path:
    """Where the page of a run lies."""
    return journal.log.parent / "reports" / journal.panel / f"{run[:_SHORT]}.html"


def write_retrain_report(journal: Journal, run: str) -> str:
    """Write the page of a run, and the same as text beside it; returns the page's path."""
    path, lines = report_path(journal, run), journal.of_run(run)
    write_bytes(path.with_suffix(".txt"), retrain_text(journal.panel, lines).encode())
    write_bytes(path, retrain_html(journal.panel, lines).encode())
    return str(path)
