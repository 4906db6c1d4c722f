"""Taking a loop up where it was: the snapshot, and behind it the bars of the journal."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import orjson

from liqwarn.data.bars.head import read_head
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.data.bars.recovery import HEAD
from liqwarn.data.bars.replay_feed import columns_of
from liqwarn.data.panel import Panel
from liqwarn.decisions import Flag, ModelStamp, PolicyStamp
from liqwarn.errors import LiqwarnError, PolicyError, StoreError
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.bar import LiveScores
from liqwarn.live.engine import Memory
from liqwarn.live.snapshot import unpack_memory
from liqwarn.policy.audit import read_head as read_audit_head
from liqwarn.policy.audit_record import position_from_dict
from liqwarn.policy.book import Key
from liqwarn.policy.position import Position
from liqwarn.serving.flag_file import FlagSet, parse_flags
from liqwarn.serving.live_record import AUDIT, EVENTS, FLAGS, HISTORY, SCORES, SNAPSHOT
from liqwarn.serving.logs import get_logger
from liqwarn.serving.order_journal import read_entries
from liqwarn.serving.score_bytes import unpack_scores
from liqwarn.signing import VerifyKey, verify_document

__all__ = [
    "BARS",
    "audited_by",
    "audited_until",
    "journal_columns",
    "last_flags",
    "last_positions",
    "last_scores",
    "remove_unfinished",
    "restored",
]

BARS: Final = "bars"
"""Folder of the journal, in that of the record."""

_LOG: Final = get_logger("restart")
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def restored(folder: Path, panel: Panel, terms: SymbolTerms, *, panel_sha256: str) -> Memory | None:
    """What the snapshot remembers; None where there is none that can be used, which is logged.

    One that is damaged is set aside as ``snapshot.live.damaged``.
    """
    path = folder / SNAPSHOT
    try:
        with path.open("rb") as file:
            memory, as_of = unpack_memory(file, panel, terms, panel_sha256=panel_sha256)
    except FileNotFoundError:
        return None
    except OSError as error:
        _LOG.error("snapshot unreadable", error=str(error))
        return None
    except StoreError as error:
        path.replace(path.with_name(f"{SNAPSHOT}.damaged"))
        _LOG.error("snapshot refused", error=str(error))
        return None
    _LOG.info("snapshot taken up", as_of=as_of.isoformat())
    return memory


def journal_columns(journal: Journal, panel: Panel, after_s: int) -> tuple[BarColumn, ...]:
    """The journal's bars that close after a moment; those that were lost are there and missing.

    Parameters
    ----------
    after_s : int
        Epoch seconds.
    """
    if journal.end is None or close_seconds(journal.end) <= after_s:
        return ()
    first = np.datetime64(after_s + panel.bar_s, "s")
    tail = journal.read(first)
    if tail.missing:
        _LOG.error("bars of the journal are lost", bars=len(tail.missing))
    if not tail.columns:
        return ()
    return tuple(columns_of(tail.frame(panel, holes="nan")))


def _newest_records(folder: Path) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The newest line of the audit log that was acknowledged, and the newest that was written.

    None where there is none that can be read: a broken log is found, and said, by the next append.
    """
    try:
        head = read_audit_head(folder / AUDIT.replace(".jsonl", ".head.json"))
        with (folder / AUDIT).open("rb") as log:
            log.seek(head.size - head.last_size)
            acknowledged = log.read(head.last_size)
            behind = log.read()
    except (LiqwarnError, OSError, TypeError, ValueError):
        return None, None
    whole = behind[: behind.rfind(b"\n") + 1].splitlines()  # an append may have been cut short
    return _record(acknowledged), _record(whole[-1] if whole else acknowledged)


def _record(line: bytes) -> Mapping[str, Any] | None:
    try:
        record = orjson.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def audited_until(folder: Path) -> datetime:
    """Bar of the newest acknowledged decision in the audit log; long ago where none is.

    Not its moment: what was decided between two bars, on an order, is later than its bar, and may
    be later than the close of the next one.
    """
    acknowledged, _ = _newest_records(folder)
    try:
        bar = (acknowledged or {})["evidence"]["as_of"]
        return datetime.fromisoformat(bar).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return _NEVER


def audited_by(folder: Path, model: ModelStamp, policy: PolicyStamp) -> bool:
    """Whether the newest decision that was written to the audit log is of this model and policy.

    Acknowledged or not: its flags had been published, and :func:`last_positions` knows it too.
    """
    _, written = _newest_records(folder)
    ours = {"model": model.sha256, "policy": policy.sha256}
    try:
        return written is not None and {k: written[k]["sha256"] for k in ours} == ours
    except (KeyError, TypeError):
        return False


def last_positions(
    folder: Path, until: datetime | None, symbols: Sequence[str]
) -> dict[Key, Position]:
    """Where the audit log saw every side up to a bar: for a start without a snapshot.

    Every change of tier is logged, so no side comes back looser than it was.

    Parameters
    ----------
    until : datetime or None
        Close of the bar; None is all that was logged.
    symbols : sequence of str
        The others, of which the log may know from earlier, have no position any more.
    """
    found: dict[Key, Position] = {}
    try:
        with (folder / AUDIT).open("rb") as log:
            for line in log:
                record = orjson.loads(line)
                if until is None or datetime.fromisoformat(record["evidence"]["as_of"]) <= until:
                    position = position_from_dict(record["after"])
                    key = position.symbol, position.side
                    newer = key not in found or position.sequence >= found[key].sequence
                    if newer and position.symbol in symbols:
                        found[key] = position
    except FileNotFoundError:
        return {}
    except (LiqwarnError, OSError, KeyError, TypeError, ValueError) as error:
        _LOG.error("audit log is broken", error=str(error))
    return found


def last_flags(folder: Path, panel: Panel, keys: Sequence[VerifyKey] = ()) -> FlagSet | None:
    """The flags published last, of the panel's symbols.

    None where there are none that can be read, and where a later bar or order is in the journals:
    what was made of that one may have been read already, and may have been stricter.

    Parameters
    ----------
    keys : sequence of VerifyKey
        Of the server that signs: what it did not sign itself it must not sign now. None asks for
        no signature.
    """
    try:
        content = (folder / FLAGS).read_bytes()
        found = parse_flags(content)
        _check_signed(content, keys)
    except FileNotFoundError:
        return None
    except (LiqwarnError, OSError) as error:
        _LOG.error("last flags unreadable", error=str(error))
        return None
    flags = {s: flag for s, flag in found.flags.items() if s in panel.symbol_names}
    newest = max((flag.as_of.timestamp() for flag in flags.values()), default=0.0)
    head = read_head(folder / BARS / HEAD).head
    if head is None or head.last > newest or _ordered_since(folder, flags):
        return None
    return replace(found, flags=MappingProxyType(flags))


def _ordered_since(folder: Path, flags: Mapping[str, Flag]) -> bool:
    """Whether an order led to a decision behind one of the flags."""
    return any(
        side.symbol in flags and side.sequence > flags[side.symbol].sequence
        for entry in read_entries(folder)
        for side in entry.sides
    )


def last_scores(folder: Path, as_of: datetime) -> LiveScores | None:
    """The scores of the snapshot's bar; None where they are of another or cannot be read."""
    try:
        scores = unpack_scores((folder / SCORES).read_bytes())
    except FileNotFoundError:
        return None
    except (StoreError, OSError) as error:
        _LOG.error("scores unreadable", error=str(error))
        return None
    return scores if scores.as_of == as_of else None


def _check_signed(content: bytes, keys: Sequence[VerifyKey]) -> None:
    for document in orjson.loads(content)["flags"] if keys else ():
        why = verify_document(document, keys)
        if why is not None:
            raise PolicyError(f"{FLAGS}: the flag of {document['symbol']}: {why}")


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed loop had begun to write; nobody else is writing now."""
    for name in (
        FLAGS,
        SCORES,
        SNAPSHOT,
        EVENTS,
        AUDIT.replace(".jsonl", ".head.json"),
        "bars/head",
    ):
        path = folder / name
        for left in path.parent.glob(f".{path.stem}.*.tmp{path.suffix}"):
            left.unlink(missing_ok=True)
    for left in (folder / HISTORY).glob(".*.tmp.parquet"):
        left.unlink(missing_ok=True)
