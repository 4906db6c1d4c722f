"""The live ledger: take flags in, settle what became of them, say what they were worth.

Nothing that was taken in is ever changed or taken out; see :mod:`liqwarn.pipelines.ledger_log`.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from liqwarn.chained_log import Head
from liqwarn.config import Settings
from liqwarn.decisions import iso_utc
from liqwarn.durable import write_json
from liqwarn.errors import AuditError, StoreError
from liqwarn.models.bundle import Bundle
from liqwarn.models.ledger_alarms import decay_alarms
from liqwarn.models.skill_floor import LiveSkill, Standing
from liqwarn.pipelines.alias_moves import history_of
from liqwarn.pipelines.drift import NO_DRIFT, measure_drift
from liqwarn.pipelines.file_lock import file_lock
from liqwarn.pipelines.ledger_account import first_flags, measures
from liqwarn.pipelines.ledger_intake import models_of, take_in
from liqwarn.pipelines.ledger_log import Entry, append_entries, lines_after
from liqwarn.pipelines.ledger_origin import need_panel
from liqwarn.pipelines.ledger_outcomes import known_events, new_outcomes
from liqwarn.pipelines.ledger_state import KEY, Ledger, keep, load
from liqwarn.pipelines.retrain_journal import journal_of
from liqwarn.pipelines.standings import read_standings, update_standings
from liqwarn.pipelines.study import Study

__all__ = ["ACCOUNT_SCHEMA", "ledger_folder", "live_skill", "read_account", "settle"]

ACCOUNT_SCHEMA: Final = "liqwarn.ledger/1"
_ACCOUNT: Final = "account.json"
_LOCK_S: Final = 120.0


def ledger_folder(settings: Settings, panel: str) -> Path:
    """Where a panel's ledger lies."""
    return settings.home / "ledger" / panel


def settle(
    study: Study, bundle: Bundle | None, settings: Settings, *, scores: Path | None, now: datetime
) -> dict[str, Any]:
    """Take in new flags, settle what is known by `now`, replace the account and return it.

    Called again it adds nothing. Killed at any moment, it has either acknowledged a step or the
    next call makes that step again.

    Parameters
    ----------
    bundle : Bundle or None
        The champion, of which drift is measured; without it the account says nothing of drift.
    scores : Path or None
        Folder of a scoring or of a live loop; None takes no flags in.

    Raises
    ------
    ConfigError
        When another process settles for longer than two minutes.
    StoreError, AuditError
        When the folder of flags is of another panel, or it, or the ledger, is not what was written.
    """
    panel = study.market.panel.name
    folder = ledger_folder(settings, panel)
    with file_lock(folder / "ledger.lock", _LOCK_S):
        earlier = _account_before(settings, panel)
        before = _whole(folder, earlier)
        if scores is not None:
            need_panel(scores, panel)
        ledger = _with_flags(folder, before, (scores, bundle), now)
        ledger = _with_outcomes(folder, ledger, study, now)
        keep(folder, ledger)
        account = _account(study, bundle, settings, ledger, now)
        raised = decay_alarms(account, before=earlier.get("alarms", []))
        account["alarms"] = [alarm.to_dict() for alarm in raised]
        write_json(folder / _ACCOUNT, account)
    return account


def read_account(settings: Settings, panel: str) -> dict[str, Any] | None:
    """The account of a panel's ledger; None before the first settling.

    Raises
    ------
    StoreError
        When it is unreadable.
    """
    path = ledger_folder(settings, panel) / _ACCOUNT
    try:
        account: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: unreadable account of a ledger: {error}") from error
    if account.get("schema") != ACCOUNT_SCHEMA:
        raise StoreError(f"{path} has schema {account.get('schema')}, expected {ACCOUNT_SCHEMA}")
    return account


def live_skill(account: Mapping[str, Any], champion: str) -> dict[str, LiveSkill]:
    """Live ROC-AUC of every symbol under one champion, both sides pooled.

    >>> roc = {"value": 0.4, "low": 0.3, "high": 0.6}
    >>> told = {"symbol": "BTCUSDT", "model": "7", "onsets": 12, "roc_auc": roc}
    >>> live_skill({"pooled": [told]}, "7")["BTCUSDT"].skill
    0.4
    """
    return {
        row["symbol"]: LiveSkill(
            champion=champion,
            onsets=row["onsets"],
            skill=_number(row["roc_auc"]["value"]),
            low=_number(row["roc_auc"]["low"]),
            high=_number(row["roc_auc"]["high"]),
        )
        for row in account["pooled"]
        if row["model"] == champion
    }


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _with_flags(
    folder: Path, ledger: Ledger, given: tuple[Path | None, Bundle | None], now: datetime
) -> Ledger:
    scores, bundle = given
    told = {(one["version"], one["trained_until"]): one for one in models_of(scores, bundle)}
    entries = [
        Entry(kind="model", told=one)
        for (version, until), one in told.items()
        if all(known < datetime.fromisoformat(until) for _, known in ledger.models.get(version, ()))
    ]
    if scores is not None:
        found = take_in(scores, ledger)
        if len(found.rows):
            came = {"sources": found.sources, "at": iso_utc(now)}
            entries.append(Entry(kind="flags", told=came, rows=found.rows))
    return _added(folder, ledger, entries)


def _with_outcomes(folder: Path, ledger: Ledger, study: Study, now: datetime) -> Ledger:
    table = first_flags(ledger).table
    last, settled = table["last"].to_numpy(dtype=np.float64), table["settled"].to_numpy()
    outcomes = new_outcomes(study, table[list(KEY)], last, settled, now=now)
    events = known_events(study, table, ledger.events, now=now)
    told = {"data_sha256": study.market.data_sha256, "at": iso_utc(now)}
    found = (("outcomes", outcomes), ("events", events))
    entries = [Entry(kind=kind, told=told, rows=rows) for kind, rows in found if len(rows)]
    return _added(folder, ledger, entries)


def _added(folder: Path, ledger: Ledger, entries: list[Entry]) -> Ledger:
    if not entries:
        return ledger
    append_entries(folder, entries)
    return load(folder)


def _account(
    study: Study, bundle: Bundle | None, settings: Settings, ledger: Ledger, now: datetime
) -> dict[str, Any]:
    panel = study.market.panel
    firsts = first_flags(ledger)
    told = measures(study, ledger, firsts, now=now)
    standings = _judged(told, bundle, settings, panel.name, now)
    account = {
        "schema": ACCOUNT_SCHEMA,
        "panel": panel.name,
        "market": panel.market,
        "generated_at": iso_utc(now),
        "ledger": {"lines": ledger.head.lines, "sha256": ledger.head.sha256},
        "champion": _champion(bundle, settings, panel.name),
        **told,
        "drift": NO_DRIFT if bundle is None else measure_drift(study, bundle, now=now),
        "standings": [
            {
                "symbol": symbol,
                "enabled": standing.enabled,
                "since": iso_utc(standing.since),
                "reason": standing.reason,
                "champion": standing.champion,
            }
            for symbol, standing in sorted(standings.items())
        ],
    }
    plain: dict[str, Any] = orjson.loads(orjson.dumps(account, option=orjson.OPT_SERIALIZE_NUMPY))
    return plain


def _judged(
    told: Mapping[str, Any], bundle: Bundle | None, settings: Settings, panel: str, now: datetime
) -> Mapping[str, Standing]:
    """Who is scored from now on; another model than the one in force changes nothing in that."""
    champions = [move.after for move in history_of(panel, settings).champions()]
    if bundle is None or bundle.stamp.version != (champions or [bundle.stamp.version])[-1]:
        return read_standings(settings, panel)
    champion = bundle.stamp.version
    return update_standings(panel, live_skill(told, champion), champion, settings, now=now)


def _account_before(settings: Settings, panel: str) -> dict[str, Any]:
    """The account that is replaced; empty where it cannot be read, it is made anew."""
    try:
        return read_account(settings, panel) or {}
    except StoreError:
        return {}


def _whole(folder: Path, account: Mapping[str, Any]) -> Ledger:
    """The ledger, which must reach as far as the account made of it says."""
    ledger = load(folder)
    place = account.get("ledger", {})
    told = place.get("lines", 0)
    if told > ledger.head.lines:
        raise AuditError(
            f"{folder}: {ledger.head.lines} lines, but its account was made of {told}: the ledger "
            "was cut; restore it"
        )
    there = (line.head for line in lines_after(folder, Head()) if line.head.lines == told)
    if told and next(there).sha256 != place.get("sha256"):
        raise AuditError(
            f"{folder}: line {told} is not the one its account was made of: it is another ledger, "
            "or was edited; restore it"
        )
    return ledger


def _champion(bundle: Bundle | None, settings: Settings, panel: str) -> dict[str, Any] | None:
    """The champion, since when by the history of aliases, and what it showed when it was judged.

    A model that was put there past the history has no date; one that no retraining judged, such as
    the first, has shown nothing.
    """
    if bundle is None:
        return None
    version = bundle.stamp.version
    moves = [one for one in history_of(panel, settings).champions() if one.after == version]
    runs = [move.run for move in moves if move.run]
    return {
        "version": version,
        "since": moves[-1].at if moves else None,
        "shown": journal_of(panel, settings.home).shown_by(runs[-1]) if runs else [],
    }
