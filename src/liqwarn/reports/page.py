"""The HTML report: one self-contained page for the people who answer for the risk."""

from base64 import b64encode
from typing import Final

import pandas as pd

from liqwarn.decisions import HORIZONS_H
from liqwarn.reports.content import ReportContent
from liqwarn.reports.diagram_view import calibration_rows, molchan, reliability
from liqwarn.reports.environment import environment
from liqwarn.reports.event_view import driver_rows, events_view
from liqwarn.reports.flag_view import flag_rows, tiles
from liqwarn.reports.formats import utc
from liqwarn.reports.ledger_view import ledger_view
from liqwarn.reports.quality_text import feed_lines
from liqwarn.reports.quality_view import doubt_lines, field_rows, quality_rows
from liqwarn.reports.results import BUDGETS
from liqwarn.reports.series_view import DAYS, series_view
from liqwarn.reports.signal_view import signals_view
from liqwarn.reports.skill_view import skill_view
from liqwarn.reports.tiers import TIER_MEANINGS, tier_title

__all__ = ["render_report"]

_TIERS: Final = tuple((n, tier_title(n), meaning) for n, meaning in enumerate(TIER_MEANINGS))


def render_report(content: ReportContent) -> str:
    """The whole page as HTML text.

    It needs no network and no other file, and works from ``file://``. Every text from outside is
    escaped. The same content gives the same text.

    Parameters
    ----------
    content : ReportContent
        Flags, scores, events, evaluation and their origin.

    Returns
    -------
    str
        An HTML document in UTF-8.
    """
    since = _since(content.scores)
    series = series_view(content.scores, content.events)
    rows = flag_rows(content.flags, content.scores)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            meta=content.meta,
            generated_at=utc(content.meta.generated_at),
            as_of=utc(max((str(flag["as_of"]) for flag in content.flags), default=None)),
            valid_until=utc(
                min((str(flag["valid_until"]) for flag in content.flags), default=None)
            ),
            flags=rows,
            tiles=tiles(rows, content.flags),
            signals=signals_view(content.signals, content.flags),
            series=series,
            payload=series.payload() if series else {},
            liquidation_map=_inlined(content.map_png),
            drivers=driver_rows(content.scores, since),
            events=events_view(content.events),
            skill=skill_view(content.evaluation),
            calibration=calibration_rows(content.evaluation),
            reliability=reliability(content.evaluation),
            molchan=molchan(content.evaluation),
            ledger=ledger_view(content.ledger),
            quality=quality_rows(content.scores, since),
            fields=field_rows(content.data_quality),
            doubts=doubt_lines(content.data_quality),
            feeds=feed_lines(content.data_quality or {}),
            tiers=_TIERS,
            days=DAYS,
            horizons=HORIZONS_H,
            budgets=[f"{100 * float(budget):.0f}" for budget in BUDGETS],
        )
    )


def _inlined(png: bytes | None) -> str:
    """A picture as an address that needs no other file."""
    return "" if png is None else f"data:image/png;base64,{b64encode(png).decode()}"


def _since(scores: pd.DataFrame) -> pd.Timestamp:
    if scores.empty:
        return pd.Timestamp(0, tz="UTC")
    last = pd.to_datetime(scores["time"], utc=True).max()
    return last - pd.Timedelta(days=DAYS)
