"""What the HTML report is made of: the files of one scoring run, as plain tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal

import pandas as pd

from liqwarn.errors import FrameError
from liqwarn.models.events import EVENT_COLUMNS
from liqwarn.reports.signal_content import Board

__all__ = ["SCORE_COLUMNS", "ReportContent", "ReportMeta"]

SCORE_COLUMNS: Final = (
    "symbol",
    "time",
    "side",
    "p_1h",
    "p_4h",
    "p_24h",
    "quantile",
    "base_rate",
    "in_progress",
    "quality",
    "completeness",
    "driver_1",
    "driver_2",
    "driver_3",
    "contribution_1",
    "contribution_2",
    "contribution_3",
    "tier",
    "state",
    "rule",
)
"""Columns of ``scores.parquet``; one row a symbol, bar close and side."""


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMeta:
    """Where a report comes from.

    Attributes
    ----------
    panel : str
        Name of the panel, or of the simulated market.
    market : {"simulated", "real"}
        A simulated market is announced at the top of the page, before anything else.
    generated_at : datetime
        When the report was made, aware; the page reads no clock.
    version : str
        Version of liqwarn.
    hashes : mapping of name to SHA-256
        Model, policy, data, configuration; shown in full at the end of the page.
    links : mapping of file name to relative address
        Files that lie beside the page; ``events.csv`` is linked from the event catalogue.
    quarantined : mapping of reason to number of rows
        Rows that ingestion set aside.
    notes : tuple of str
        Further sentences for the reader, shown as they are under "Limits".
    """

    panel: str
    market: Literal["simulated", "real"]
    generated_at: datetime
    version: str
    hashes: Mapping[str, str] = field(default_factory=_empty)
    links: Mapping[str, str] = field(default_factory=_empty)
    quarantined: Mapping[str, int] = field(default_factory=_empty)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.generated_at.tzinfo is None:
            raise FrameError(
                f"generated_at is {self.generated_at.isoformat()} without a timezone, expected UTC"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportContent:
    """Everything the page shows.

    Attributes
    ----------
    flags : tuple of dict
        Current flags in their published shape, :func:`liqwarn.decisions.flag_to_dict`.
    scores : DataFrame
        Columns :data:`SCORE_COLUMNS`; the page shows its last 90 days.
    events : DataFrame
        The catalogue, columns :data:`liqwarn.models.events.EVENT_COLUMNS`.
    evaluation : mapping or None
        Contents of ``evaluation.json``; None when nothing was evaluated, and the page says so.
    meta : ReportMeta
    map_png : bytes or None
        Picture of the leading symbol's liquidation map; without one the page has no such section.
    signals : tuple of Board
        The signal boards of the flags; without them the page says so.
    data_quality : mapping or None
        Contents of ``quality.json``: coverage, holes, age and doubts; None leaves them out.
    ledger : mapping or None
        Contents of the ledger's ``account.json``: what became of flags that were issued; None when
        there is no ledger, and the page says so.

    Raises
    ------
    FrameError
        When a column is missing.
    """

    flags: tuple[Mapping[str, Any], ...]
    scores: pd.DataFrame
    events: pd.DataFrame
    evaluation: Mapping[str, Any] | None
    meta: ReportMeta
    map_png: bytes | None = None
    signals: tuple[Board, ...] = ()
    data_quality: Mapping[str, Any] | None = None
    ledger: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        _need_columns(self.scores, SCORE_COLUMNS, "scores")
        _need_columns(self.events, EVENT_COLUMNS, "events")


def _need_columns(table: pd.DataFrame, expected: tuple[str, ...], what: str) -> None:
    missing = [name for name in expected if name not in table.columns]
    if missing:
        raise FrameError(f"{what} lack columns {missing}, found {list(table.columns)}")
