"""Policies that retraining derived: versions kept, one of them current, each change in a log.

::

    LIQWARN_HOME/policies/PANEL/1.1.0.yaml      a version, whole, never replaced
    LIQWARN_HOME/policies/PANEL/history.jsonl   every change, hash-chained: what is true
    LIQWARN_HOME/policies/PANEL/current.yaml    the newest of them, replaced whole: what is used

They stand on a file that a person wrote, which is never edited. When the person writes another, the
derived ones are history: it is that file again that is in force. Written in the order above, so
that a kill leaves the policy of before or the new one, and the next look puts ``current.yaml``
right from the log.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from liqwarn.chained_log import append_records, records, verify
from liqwarn.config import Settings, config_sha256, load_policy, policy_of
from liqwarn.decisions import iso_utc
from liqwarn.durable import write_bytes
from liqwarn.errors import StoreError
from liqwarn.pipelines.file_lock import file_lock
from liqwarn.policy.tiers import Policy

__all__ = ["InForce", "PolicyVersions", "next_version"]

_SCHEMA: Final = "liqwarn.policy_change/1"
_LOCK_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The policy that a retrain starts from.

    Attributes
    ----------
    path : Path
        Its file: ``current.yaml``, or the person's.
    policy : Policy
    changed_at : datetime or None
        When thresholds were last derived, from whatever file; None for never.
    """

    path: Path
    policy: Policy
    changed_at: datetime | None


class PolicyVersions:
    """The policies derived for one panel from a person's file.

    Parameters
    ----------
    panel : str
    given : Path
        The person's policy file.
    settings : Settings
    """

    def __init__(self, panel: str, given: Path, settings: Settings) -> None:
        self._panel, self._given = panel, given
        self.folder = settings.home / "policies" / panel
        self._log = self.folder / "history.jsonl"
        self._head = self.folder / "history.head.json"
        self.current = self.folder / "current.yaml"

    def in_force(self) -> InForce:
        """The policy to go on from: the newest that was derived from the file as it is now.

        Raises
        ------
        AuditError
            When the log was edited.
        StoreError
            When the newest version is not what the log says.
        """
        newest = self._newest()
        if newest is None:
            return InForce(path=self._given, policy=load_policy(self._given), changed_at=None)
        changed_at = datetime.fromisoformat(newest["at"]).astimezone(UTC)
        if newest["given_sha256"] != config_sha256(self._given):
            policy = load_policy(self._given)
            return InForce(path=self._given, policy=policy, changed_at=changed_at)
        self._mend(newest)
        policy = load_policy(self.current)
        return InForce(path=self.current, policy=policy, changed_at=changed_at)

    def add(self, content: bytes, change: Mapping[str, Any], now: datetime) -> Policy:
        """Put a new version in force; `change` goes into the log.

        Raises
        ------
        ConfigError
            When the content is no policy.
        """
        policy = policy_of(content, self.current)
        write_bytes(self.folder / f"{policy.version}.yaml", content)
        line = {
            "schema": _SCHEMA,
            "panel": self._panel,
            "at": iso_utc(now),
            "version": policy.version,
            "sha256": policy.sha256,
            "given_sha256": config_sha256(self._given),
            **change,
        }
        append_records(self._log, self._head, [line])
        write_bytes(self.current, content)
        return policy

    def newest_version(self) -> str:
        """The highest version of the person's file and of every version that is kept."""
        kept = [path.stem for path in self.folder.glob("*.yaml") if path != self.current]
        return max([load_policy(self._given).version, *kept], key=_parts)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock under which versions are added."""
        with file_lock(self.folder / "policies.lock", _LOCK_S):
            yield

    def _newest(self) -> dict[str, Any] | None:
        if not self._log.exists() and not self._head.exists():
            return None
        append_records(self._log, self._head, [])  # sets an interrupted append aside
        verify(self._log, self._head)
        last = deque(records(self._log), maxlen=1)
        return last[0][1] if last else None

    def _mend(self, newest: Mapping[str, Any]) -> None:
        """Put the newest version in its place, if a kill kept it from there."""
        if self.current.exists() and config_sha256(self.current) == newest["sha256"]:
            return
        kept = self.folder / f"{newest['version']}.yaml"
        if not kept.exists() or config_sha256(kept) != newest["sha256"]:
            raise StoreError(
                f"{kept} is not the version {newest['version']} that {self._log} knows: restore "
                "it, or release with a policy of your own"
            )
        write_bytes(self.current, kept.read_bytes())


def next_version(version: str) -> str:
    """The version of changed thresholds.

    >>> next_version("1.9.3")
    '1.10.0'
    """
    major, minor, _ = _parts(version)
    return f"{major}.{minor + 1}.0"


def _parts(version: str) -> tuple[int, int, int]:
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch
