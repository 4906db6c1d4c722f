"""Thresholds derived anew at a retrain, bounded, as a new version of the policy.

The shares of time are those of the file that a person wrote; see
:mod:`liqwarn.policy.threshold_curve`. From the policy in force they are approached by a fifth at
most, a week apart at least; see :mod:`liqwarn.policy.threshold_change`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from liqwarn.config import Settings, load_policy, read_yaml
from liqwarn.decisions import iso_utc
from liqwarn.errors import PolicyError
from liqwarn.frames import BoolArray
from liqwarn.models.folds import OutOfSample
from liqwarn.models.results import MODEL
from liqwarn.models.rows import Rows, joined
from liqwarn.pipelines.breaker_replay import replayed_scores
from liqwarn.pipelines.evaluate import labelled_rows
from liqwarn.pipelines.policy_versions import PolicyVersions, next_version
from liqwarn.pipelines.study import Study
from liqwarn.policy.history import ScoreHistory
from liqwarn.policy.threshold_change import change_exits, change_thresholds
from liqwarn.policy.threshold_curve import (
    SCORED_TIERS,
    Thresholds,
    thresholds_of,
    wanted_thresholds,
)

__all__ = ["RECENT", "Rederived", "apply_wanted", "measured_thresholds", "rederived"]

RECENT: Final = timedelta(days=730)
"""Scores that thresholds are read off: the newest, but whole seasons of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rederived:
    """What became of the thresholds.

    Attributes
    ----------
    path : Path
        The policy in force now: a derived one, or the file that was given.
    version : str
    changed : bool
    notes : tuple of str
        What was held back, or why nothing changed.
    """

    path: Path
    version: str
    changed: bool
    notes: tuple[str, ...]


def rederived(
    study: Study,
    found: OutOfSample,
    given: Path,
    settings: Settings,
    *,
    now: datetime,
    others: Sequence[Study] = (),
) -> Rederived:
    """Derive thresholds from a walk-forward and put them in force, within their bounds.

    Parameters
    ----------
    found : OutOfSample
        Of the model that is to score.
    given : Path
        A person's policy file; it is read, never edited.
    others : sequence of Study
        Further panels whose rows the folds could train on.

    Raises
    ------
    ConfigError
        When the file is no policy.
    StoreError, AuditError
        When what was derived before is not as it was written.
    """
    panel = study.market.panel.name
    try:
        training = joined(labelled_rows(study), tuple(labelled_rows(one) for one in others))
        wanted = measured_thresholds(study, found, given, training=training)
    except PolicyError as error:
        at = PolicyVersions(panel, given, settings).in_force()
        notes = (f"thresholds are left as they are: {error}",)
        return Rederived(path=at.path, version=at.policy.version, changed=False, notes=notes)
    evidence = {
        "until": str(found.rows.times.max()),
        "bars": len(found.rows),
        "data_sha256": study.market.data_sha256,
    }
    return apply_wanted(wanted, panel, given, settings, now=now, evidence=evidence)


def measured_thresholds(
    study: Study, found: OutOfSample, given: Path, *, training: Rows | None = None
) -> Thresholds:
    """What the newest scores of a walk-forward ask for.

    Raises
    ------
    PolicyError
        When they are too few, or too much alike.
    """
    scores = replayed_scores(study, found, MODEL, training=training)
    quiet = _quiet(scores, found.rows)
    recent = scores.times > scores.times[-1] - np.timedelta64(RECENT)
    return wanted_thresholds(
        scores, quiet & recent[None, :, None], thresholds_of(load_policy(given))
    )


def apply_wanted(
    wanted: Thresholds,
    panel: str,
    given: Path,
    settings: Settings,
    *,
    now: datetime,
    evidence: dict[str, Any] | None = None,
) -> Rederived:
    """Move the policy in force towards what is wanted, and keep it as a new version."""
    versions = PolicyVersions(panel, given, settings)
    with versions.alone():
        at = versions.in_force()
        before = thresholds_of(at.policy)
        change = change_thresholds(before.enter, wanted.enter, at.changed_at, now)
        if not change.changed:
            notes = change.notes or ("thresholds are what was derived",)
            return Rederived(path=at.path, version=at.policy.version, changed=False, notes=notes)
        exits, held = change_exits(before.exits, wanted.exits)
        after = Thresholds(enter=change.enter, exits=exits)
        version = next_version(versions.newest_version())
        told = {
            "before": {"version": at.policy.version, **asdict(before)},
            "wanted": asdict(wanted),
            "after": asdict(after),
            "notes": [*change.notes, *held],
            "evidence": evidence or {},
        }
        content = _written(at.path, after, version, (at.policy.version, at.policy.sha256, now))
        versions.add(content, told, now)
        return Rederived(
            path=versions.current, version=version, changed=True, notes=(*change.notes, *held)
        )


def _quiet(scores: ScoreHistory, rows: Rows) -> BoolArray:
    """Bars that no onset of the side followed."""
    quiet = np.zeros(scores.quantile.shape, dtype=np.bool_)
    at = np.searchsorted(scores.symbols, rows.symbols), np.searchsorted(scores.times, rows.times)
    quiet[at] = rows.y[:, :, rows.horizons_h.index(4)] == 0.0
    return quiet


def _written(
    source: Path, after: Thresholds, version: str, origin: tuple[str, str, datetime]
) -> bytes:
    """The policy with other thresholds, as the bytes of a file; comments are not kept."""
    raw = read_yaml(source)
    raw["version"] = version
    for tier, enter, exit_quantile in zip(SCORED_TIERS, after.enter, after.exits, strict=True):
        rule = raw["tiers"][tier.name]
        rule["enter"] = {"quantile": enter.quantile, "base_multiple": enter.base_multiple}
        rule["exit_quantile"] = exit_quantile
    before, digest, now = origin
    head = (
        f"# Thresholds derived by liqwarn retrain at {iso_utc(now)} from version {before}\n"
        f"# (SHA-256 {digest}), at most a fifth from it.\n"
        "# history.jsonl beside this file has what was asked for. Do not edit it: a policy of\n"
        "# your own goes on from where you leave it.\n"
    )
    return (head + yaml.dump(raw, Dumper=_Plain, sort_keys=False)).encode()


class _Plain(yaml.SafeDumper):
    """Writes every part in full, without references to other parts."""

    def ignore_aliases(self, _: object) -> bool:
        return True
