"""Which symbols of a panel are scored: kept beside its ledger, every change in a chained log.

::

    LIQWARN_HOME/ledger/PANEL/standings.jsonl   every change, hash-chained: what is true
    LIQWARN_HOME/ledger/PANEL/standings.json    how they stand now, replaced whole: what is read

A change is in the log before it is in force. Killed between the two, the next one puts the file
right from the log.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from liqwarn.chained_log import append_records, records, verify
from liqwarn.config import Settings
from liqwarn.decisions import iso_utc
from liqwarn.durable import write_bytes
from liqwarn.errors import ConfigError, StoreError
from liqwarn.models.bundle import Bundle
from liqwarn.models.skill_floor import LiveSkill, Standing, enable, judge_symbols
from liqwarn.pipelines.file_lock import file_lock

__all__ = [
    "Enabled",
    "enable_symbol",
    "read_standings",
    "standings_file",
    "update_standings",
    "with_standings",
]

_SCHEMA: Final = "liqwarn.standings/1"
_LOCK_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Enabled:
    """What enabling a symbol by hand did.

    Attributes
    ----------
    standing : Standing
    changed : bool
        False when it was enabled already.
    """

    standing: Standing
    changed: bool


def standings_file(settings: Settings, panel: str) -> Path:
    """Where a panel's standings lie; there is no file before the first outcome."""
    return settings.home / "ledger" / panel / "standings.json"


def read_standings(settings: Settings, panel: str) -> dict[str, Standing]:
    """How the symbols of a panel stand now; empty while nothing has been judged.

    Raises
    ------
    StoreError
        When the file is unreadable, or of another panel: who is not to be scored is not known then.
    """
    path = standings_file(settings, panel)
    try:
        return _parsed(path.read_bytes(), panel)
    except FileNotFoundError:
        return dict(_logged(path))  # the log may have its first change already
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{path}: no standings of panel '{panel}': {error!r}; `liqwarn ledger settle` makes "
            "the file again from its log"
        ) from error


def with_standings(bundle: Bundle, panel: str, settings: Settings) -> Bundle:
    """The bundle, told which symbols of a panel it may not score now."""
    return replace(bundle, standings=read_standings(settings, panel))


def update_standings(
    panel: str,
    record: Mapping[str, LiveSkill],
    champion: str,
    settings: Settings,
    *,
    now: datetime,
) -> dict[str, Standing]:
    """Judge every symbol of a panel by its record, and keep what came of it.

    Parameters
    ----------
    record : mapping of symbol to LiveSkill
        Of the ledger, see :func:`liqwarn.pipelines.ledger.live_skill`.
    champion : str
        Version in force.

    Returns
    -------
    dict of symbol to Standing

    Raises
    ------
    AuditError
        When the log was edited.
    """
    path = standings_file(settings, panel)
    with _alone(path):
        before = _logged(path)
        return _keep(path, before, judge_symbols(before, record, champion, now))


def enable_symbol(
    panel: str, symbol: str, settings: Settings, *, by: str, reason: str, now: datetime
) -> Enabled:
    """Have a symbol scored again on a person's word, which stands until the next champion.

    Raises
    ------
    ConfigError
        When nothing was ever judged of the symbol.
    AuditError
        When the log was edited.
    """
    path = standings_file(settings, panel)
    with _alone(path):
        before = _logged(path)
        if symbol not in before:
            known = ", ".join(sorted(before)) or "none"
            raise ConfigError(
                f"{symbol} has no standing in panel '{panel}', expected one of: {known}; nothing "
                "was changed"
            )
        if before[symbol].enabled:
            return Enabled(standing=before[symbol], changed=False)
        after = {**before, symbol: enable(before[symbol], by, reason, now)}
        return Enabled(standing=_keep(path, before, after)[symbol], changed=True)


def _keep(
    path: Path, before: Mapping[str, Standing], after: Mapping[str, Standing]
) -> dict[str, Standing]:
    """Log what changed, then replace the file."""
    changed = [_plain(s, one) for s, one in sorted(after.items()) if before.get(s) != one]
    if changed:
        made = [{"schema": _SCHEMA, "panel": path.parent.name, **one} for one in changed]
        append_records(_log(path), _head(path), made)
    document = {
        "schema": _SCHEMA,
        "panel": path.parent.name,
        "standings": [_plain(symbol, one) for symbol, one in sorted(after.items())],
    }
    content = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if not path.exists() or path.read_bytes() != content:  # a reader goes by what is new
        write_bytes(path, content)
    return dict(after)


def _logged(path: Path) -> dict[str, Standing]:
    """How the log leaves every symbol.

    Raises
    ------
    AuditError
        When it was edited.
    """
    log = _log(path)
    if not log.exists() and not _head(path).exists():
        return {}
    append_records(log, _head(path), [])  # sets an interrupted append aside
    verify(log, _head(path))
    return {record["symbol"]: _standing(record) for _, record in records(log)}


def _parsed(content: bytes, panel: str) -> dict[str, Standing]:
    raw = orjson.loads(content)
    if raw["schema"] != _SCHEMA or raw["panel"] != panel:
        raise ValueError(f"{raw['schema']} of {raw['panel']}")
    return {one["symbol"]: _standing(one) for one in raw["standings"]}


def _plain(symbol: str, one: Standing) -> dict[str, Any]:
    return {"symbol": symbol, **asdict(one), "since": iso_utc(one.since)}


def _standing(raw: Mapping[str, Any]) -> Standing:
    return Standing(
        enabled=bool(raw["enabled"]),
        champion=str(raw["champion"]),
        since=datetime.fromisoformat(raw["since"]).astimezone(UTC),
        reason=str(raw["reason"]),
        by_hand=bool(raw["by_hand"]),
    )


def _log(path: Path) -> Path:
    return path.with_suffix(".jsonl")


def _head(path: Path) -> Path:
    return path.with_name("standings.head.json")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of a panel's standings."""
    with file_lock(path.with_suffix(".lock"), _LOCK_S):
        yield
