"""One HTML page from a scoring's files and an evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import orjson
import pandas as pd

from liqwarn import __version__
from liqwarn.durable import write_bytes
from liqwarn.errors import ConfigError
from liqwarn.pipelines.explain import SIGNALS_FILE, read_boards
from liqwarn.pipelines.map_picture import MAP_PICTURE
from liqwarn.pipelines.quality import QUALITY_FILE
from liqwarn.reports.content import ReportContent, ReportMeta
from liqwarn.reports.ledger_rows import SCHEMA
from liqwarn.reports.page import render_report
from liqwarn.reports.signal_content import Board
from liqwarn.tables import read_table

__all__ = ["ReportOrder", "write_report"]

_ACCOUNT: Final = "account.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOrder:
    """What a report is made from.

    Attributes
    ----------
    scores : Path
        Folder of a scoring.
    events : Path or None
        Event catalogue; None looks for ``events.csv`` in the scoring's folder.
    evaluation : Path or None
        Folder or file of an evaluation; None looks in the scoring's folder, and the page says so
        when there is none.
    out : Path
        File to write.
    ledgers : Path or None
        Folder of the panels' ledgers; a panel without an account there has none, and the page says
        so.
    """

    scores: Path
    out: Path
    events: Path | None = None
    evaluation: Path | None = None
    ledgers: Path | None = None


def write_report(order: ReportOrder, *, now: datetime) -> Path:
    """Write the page; returns where.

    Raises
    ------
    ConfigError
        When the scoring's folder lacks a file the page stands on.
    """
    document = _json(order.scores / "flags.json")
    account = _json(order.scores / "scoring.json")
    scores = read_table(_there(order.scores / "scores.parquet"))
    events = _there(order.events or order.scores / "events.csv")
    flags = tuple(document["flags"])
    content = ReportContent(
        flags=flags,
        scores=scores,
        events=pd.read_csv(events, parse_dates=["onset", "peak", "end"]),
        evaluation=_evaluation(order),
        map_png=_map_picture(order),
        signals=_signals(order),
        data_quality=_quality(order),
        ledger=_ledger(order, str(account["panel"])),
        meta=ReportMeta(
            panel=str(account["panel"]),
            market=_market(document),
            generated_at=now,
            version=__version__,
            hashes=_hashes(account),
            notes=_notes(account, scores),
            links={"events.csv": events.name} if events.parent == order.out.parent else {},
            quarantined=account["quarantined"],
        ),
    )
    write_bytes(order.out, render_report(content).encode())
    return order.out


def _market(document: Mapping[str, Any]) -> Literal["simulated", "real"]:
    return "simulated" if document["market"] == "simulated" else "real"


def _notes(account: Mapping[str, Any], scores: pd.DataFrame) -> tuple[str, ...]:
    """What the reader must know of these scores."""
    until = datetime.fromisoformat(account["trained_until"])
    seen = scores["time"] <= until
    if not seen.any():
        return (
            f"The model was trained on outcomes known by {until:%Y-%m-%d}; every score is later.",
        )
    share = float(seen.mean())
    note = (
        f"{share:.0%} of the scores shown are of bars the model was trained on (up to "
        f"{until:%Y-%m-%d}): read skill from the walk-forward evaluation, not from them."
    )
    return (note,)


def _hashes(account: Mapping[str, Any]) -> dict[str, str]:
    return {
        "model": account["model"]["sha256"],
        "policy": account["policy"]["sha256"],
        "data": account["data_sha256"],
        "panel": account["panel_sha256"],
    }


def _evaluation(order: ReportOrder) -> dict[str, Any] | None:
    path = order.evaluation or order.scores / "evaluation.json"
    path = path / "evaluation.json" if path.is_dir() else path
    if order.evaluation is None and not path.exists():
        return None
    return _json(path)


def _map_picture(order: ReportOrder) -> bytes | None:
    path = order.scores / MAP_PICTURE
    return path.read_bytes() if path.exists() else None


def _signals(order: ReportOrder) -> tuple[Board, ...]:
    """Boards of the scoring; a folder of an older version has none."""
    there = (order.scores / SIGNALS_FILE).exists()
    return read_boards(order.scores).boards if there else ()


def _quality(order: ReportOrder) -> dict[str, Any] | None:
    """The account of the data; a folder of an older version has none."""
    path = order.scores / QUALITY_FILE
    return _json(path) if path.exists() else None


def _ledger(order: ReportOrder, panel: str) -> dict[str, Any] | None:
    """What became of the panel's flags; None when no ledger was settled."""
    if order.ledgers is None or not (path := order.ledgers / panel / _ACCOUNT).exists():
        return None
    found = _json(path)
    if found.get("schema") != SCHEMA:
        raise ConfigError(f"{path}: schema is {found.get('schema')!r}, expected {SCHEMA!r}")
    return found


def _there(path: Path) -> Path:
    if not path.exists():
        raise ConfigError(f"{path} is missing: run `liqwarn score` and `liqwarn label` first")
    return path


def _json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = orjson.loads(_there(path).read_bytes())
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error
    return content
