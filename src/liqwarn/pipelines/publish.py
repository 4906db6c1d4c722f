"""From risk to flags: fold the circuit breaker, write scores, flags and the audit log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from liqwarn.decisions import FLAGS_SCHEMA, Flag, flag_to_dict, iso_utc
from liqwarn.durable import write_json
from liqwarn.errors import StoreError
from liqwarn.frames import SIDES
from liqwarn.models.bundle import Bundle
from liqwarn.models.events import event_table
from liqwarn.pipelines.explain import Signals, explain, write_boards
from liqwarn.pipelines.quality import QUALITY_DAYS, QUALITY_FILE, account_of
from liqwarn.pipelines.risk import Risk
from liqwarn.pipelines.score_table import cell_table, extend, flag_table, score_table
from liqwarn.pipelines.study import Study
from liqwarn.policy.audit import append
from liqwarn.policy.audit_record import Provenance, position_from_dict, position_to_dict
from liqwarn.policy.book import Decision, Key
from liqwarn.policy.flags import FlagSource, issue_flag, with_disabled, with_strangeness
from liqwarn.policy.history import History, fold
from liqwarn.policy.position import Position
from liqwarn.policy.tiers import Policy
from liqwarn.tables import write_table

__all__ = ["Decided", "Standing", "decide", "issue_flags", "publish", "read_standing"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decided:
    """Risk with what the breaker made of it."""

    study: Study
    bundle: Bundle
    policy: Policy
    risk: Risk
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an earlier scoring left the breaker, and at which bar's close."""

    as_of: datetime
    positions: Mapping[Key, Position]


def decide(
    study: Study, bundle: Bundle, policy: Policy, risk: Risk, *, start: Standing | None = None
) -> Decided:
    """Fold the breaker over the risk, from where an earlier scoring left it."""
    history = fold(risk.scores, policy, start=None if start is None else start.positions)
    return Decided(study=study, bundle=bundle, policy=policy, risk=risk, history=history)


def issue_flags(decided: Decided, *, now: datetime) -> Iterator[Flag]:
    """The flag of every symbol as of the last bar scored, issued at `now`."""
    study, scores = decided.study, decided.risk.scores
    last = len(scores.times) - 1
    for row, symbol in enumerate(scores.symbols):
        given = {side: scores.score(row, last, j) for j, side in enumerate(SIDES)}
        source = FlagSource(
            model=decided.bundle.stamp,
            data_sha256=study.market.data_sha256,
            completeness=float(study.market.quality.completeness[row, -1]),
        )
        positions = {side: decided.history.positions[symbol, side] for side in SIDES}
        flag = issue_flag(
            positions, given, scores.moments()[last], decided.policy, issued_at=now, source=source
        )
        flag = with_strangeness(flag, decided.risk.strange.get(symbol, ""))
        yield with_disabled(flag, decided.risk.disabled.get(symbol, ""))


def publish(decided: Decided, folder: Path, *, now: datetime) -> tuple[Flag, ...]:
    """Write a scoring: scores, flag history, events, audit log, signal boards, ``flags.json``.

    A folder that holds an earlier scoring is continued: its rows stay, newer ones follow. The
    flags are replaced last, in one step, when everything they stand on is on disk. A scoring
    killed in between is made again by the next one; the audit log may then hold a decision twice,
    never none.
    """
    if not (
        folder / "positions.json"
    ).exists():  # says that nothing stands yet, not that it is lost
        write_json(folder / "positions.json", {"as_of": None, "positions": []})
    flags = tuple(issue_flags(decided, now=now))
    entries = [(decision, _provenance(decided, decision)) for decision in decided.history.decisions]
    append(folder / "audit.jsonl", folder / "audit.head.json", entries, policy=decided.policy)
    cells = cell_table(decided.study, decided.bundle, decided.risk, decided.history)
    extend(folder / "scores.parquet", score_table(cells), "time")
    valid_for = decided.policy.valid_for(decided.risk.scores.bar)
    version = decided.bundle.stamp.version
    issued = flag_table(cells, valid_for, now=now, model=version)
    extend(folder / "flags.parquet", issued, "as_of")
    write_table(event_table(decided.study.events), folder / "events.csv")
    _write_standing(decided, folder / "positions.json")
    write_json(folder / "scoring.json", _account(decided))
    since = decided.risk.scores.moments()[-1] - timedelta(days=QUALITY_DAYS)
    write_json(folder / QUALITY_FILE, account_of(decided.study.market, since=since).to_dict())
    market = decided.study.market.panel.market
    boards = explain(decided.study, decided.bundle, decided.risk, decided.history)
    write_boards(Signals(boards=boards, generated_at=iso_utc(now), market=market), folder)
    document = {
        "schema": FLAGS_SCHEMA,
        "generated_at": iso_utc(now),
        "market": market,
        "flags": [flag_to_dict(flag) for flag in flags],
    }
    write_json(folder / "flags.json", document)
    return flags


def _account(decided: Decided) -> dict[str, Any]:
    """What was scored, with what: for the report, and for whoever finds the folder later."""
    market = decided.study.market
    return {
        "panel": market.panel.name,
        "panel_sha256": market.panel_sha256,
        "data_sha256": market.data_sha256,
        "model": {"version": decided.bundle.stamp.version, "sha256": decided.bundle.stamp.sha256},
        "trained_until": iso_utc(decided.bundle.training.trained_until),
        "policy": {"version": decided.policy.version, "sha256": decided.policy.sha256},
        "quarantined": {} if market.ingested is None else market.ingested.quarantined,
    }


def _write_standing(decided: Decided, path: Path) -> None:
    positions = [position_to_dict(p) for p in decided.history.positions.values()]
    as_of = decided.risk.scores.moments()[-1]
    write_json(path, {"as_of": iso_utc(as_of), "positions": positions})


def read_standing(folder: Path) -> Standing | None:
    """Where the scoring in a folder left the breaker; None when there is none.

    Raises
    ------
    StoreError
        When the file is unreadable, or missing beside the rest of a scoring: starting over would
        forget tiers and overrides.
    """
    path = folder / "positions.json"
    if not path.exists():
        left = [n for n in ("audit.jsonl", "scores.parquet") if (folder / n).exists()]
        if left:
            raise StoreError(
                f"{path} is missing beside {', '.join(left)}: restore it, or score "
                "into an empty folder"
            )
        return None
    try:
        raw: dict[str, Any] = orjson.loads(path.read_bytes())
        if raw["as_of"] is None:
            return None
        positions = [position_from_dict(p) for p in raw["positions"]]
        as_of = datetime.fromisoformat(raw["as_of"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: unreadable positions of the breaker: {error!r}") from error
    return Standing(as_of=as_of, positions={(p.symbol, p.side): p for p in positions})


def _provenance(decided: Decided, decision: Decision) -> Provenance:
    """Where one decision's score came from."""
    scores, frame = decided.risk.scores, decided.study.market.frame
    row = scores.symbols.index(decision.before.symbol)
    side = SIDES.index(decision.before.side)
    bar = int((decision.now - scores.moments()[0]) / scores.bar)
    features = np.ascontiguousarray(decided.study.matrix.values[row, decided.risk.first + bar])
    hours = scores.horizons_h
    return Provenance(
        inputs_sha256=decided.study.market.data_sha256,
        features_sha256=sha256(features.tobytes()).hexdigest(),
        raw_probability=dict(zip(hours, decided.risk.raw[row, bar, side].tolist(), strict=True)),
        probability=dict(zip(hours, scores.probability[row, bar, side].tolist(), strict=True)),
        feed_ages_s={
            name: float(age[row, decided.risk.first + bar])
            for name, age in frame.ages.items()
            if not name.startswith("next_")
        },
        model=decided.bundle.stamp,
    )
