"""The signal boards of a scoring: made with its flags, written beside them, read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Final

import orjson

from liqwarn.durable import write_bytes
from liqwarn.errors import ConfigError
from liqwarn.frames import Side
from liqwarn.models.bundle import Bundle
from liqwarn.pipelines.risk import PRIMARY, Risk
from liqwarn.pipelines.signal_board import Chances, make_boards
from liqwarn.pipelines.study import Study
from liqwarn.policy.history import History
from liqwarn.reports.signal_content import Board, boards_from_document, document_of

__all__ = ["SIGNALS_FILE", "Signals", "explain", "read_boards", "write_boards"]

SIGNALS_FILE: Final = "signals.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Boards of a scoring, when it was made, and of what kind of market."""

    boards: tuple[Board, ...]
    generated_at: str
    market: str


def explain(study: Study, bundle: Bundle, risk: Risk, history: History) -> tuple[Board, ...]:
    """The boards of the last bar scored."""
    scores = risk.scores
    chances = Chances(
        p_4h=scores.probability[:, -1, :, PRIMARY],
        quantile=scores.quantile[:, -1],
        base_rate=scores.base_rate[:, -1],
        tiers=history.tiers[:, -1],
    )
    return make_boards(study.matrix, bundle.model, chances)


def write_boards(signals: Signals, folder: Path) -> None:
    """Write ``signals.json`` into the folder of a scoring, whole."""
    document = document_of(signals.boards, generated_at=signals.generated_at, market=signals.market)
    write_bytes(folder / SIGNALS_FILE, orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))


def read_boards(folder: Path, *, symbol: str | None = None, side: Side | None = None) -> Signals:
    """The boards of a scoring, of one symbol or side if asked.

    Raises
    ------
    ConfigError
        When there is no such file, it is unreadable, or it has no such symbol. Names the file and
        every field that is wrong.
    """
    path = folder / SIGNALS_FILE
    if not path.exists():
        raise ConfigError(f"{path} is missing: run `liqwarn score` first")
    try:
        document = orjson.loads(path.read_bytes())
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error
    try:
        boards = boards_from_document(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    if symbol is not None and symbol not in {board.symbol for board in boards}:
        known = ", ".join(dict.fromkeys(board.symbol for board in boards))
        raise ConfigError(f"{path} has no symbol '{symbol}', expected one of {known}")
    wanted = tuple(
        board for board in boards if symbol in (None, board.symbol) and side in (None, board.side)
    )
    return Signals(
        boards=wanted,
        generated_at=_text(document, "generated_at", path),
        market=_text(document, "market", path),
    )


def _text(document: Mapping[str, object], key: str, path: Path) -> str:
    found = document.get(key)
    if not isinstance(found, str) or not found.isprintable():
        raise ConfigError(f"{path}: {key}: found {short(found)}, expected text")
    return found
