"""Whether a ledger is what was written: every line, every part, the copy and the account."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from liqwarn.chained_log import Head
from liqwarn.errors import AuditError
from liqwarn.pipelines.ledger_log import KINDS, lines_after
from liqwarn.pipelines.ledger_state import Ledger, load, rebuilt

__all__ = ["Verified", "verify_ledger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a ledger was found to hold.

    Attributes
    ----------
    lines : int
        Of the chain.
    flags, outcomes, events : int
        Rows in the sealed parts.
    sha256 : str
        Of the last line: keep it elsewhere, and nobody can cut the ledger unseen.
    unnamed : tuple of str
        Parts that no line names: a settling was killed before it acknowledged them.
    """

    lines: int
    flags: int
    outcomes: int
    events: int
    sha256: str
    unnamed: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """The same as plain data, for ``--json``."""
        return asdict(self)

    def to_text(self) -> str:
        """The same in lines."""
        told = (
            f"whole: {self.lines} lines, {self.flags:,} flags, {self.outcomes:,} outcomes, "
            f"{self.events:,} onsets; head {self.sha256}"
        )
        left = f"left by a settling that was killed: {', '.join(self.unnamed)}"
        return f"{told}\n{left}" if self.unnamed else told


def verify_ledger(folder: Path, account: Mapping[str, Any] | None) -> Verified:
    """Check a whole ledger, without the copy that saves time, and the copy and account against it.

    Parameters
    ----------
    account : mapping or None
        The account as it lies there; it must speak of a place in this chain.

    Raises
    ------
    AuditError
        Naming what was edited, removed or cut.
    """
    if not (folder / "ledger.jsonl").exists() and not (folder / "ledger.head.json").exists():
        raise AuditError(_nothing(folder, account))
    named, place = set(), Head()
    _need_account(account, place)
    for line in lines_after(folder, place):
        named.add(str(line.record.get("file", "")))
        place = line.head
        _need_account(account, place)
    if account is not None and account["ledger"]["lines"] > place.lines:
        raise AuditError(
            f"{folder}: the account speaks of {account['ledger']['lines']} lines, found "
            f"{place.lines}: the ledger was cut"
        )
    whole = rebuilt(folder)
    _need_same(folder, whole, load(folder))
    found = sorted(str(p.relative_to(folder)) for p in folder.glob("parts/*/*.parquet"))
    return Verified(
        lines=place.lines,
        flags=len(whole.flags),
        outcomes=len(whole.outcomes),
        events=len(whole.events),
        sha256=place.sha256,
        unnamed=tuple(name for name in found if name not in named),
    )


def _nothing(folder: Path, account: Mapping[str, Any] | None) -> str:
    told = 0 if account is None else account["ledger"]["lines"]
    if told:
        return f"{folder}: its account was made of {told} lines, found none: restore the ledger"
    return (
        f"{folder} holds no flags yet: `liqwarn score`, or `liqwarn ledger settle --scores "
        "FOLDER`, takes them in"
    )


def _need_account(account: Mapping[str, Any] | None, place: Head) -> None:
    if account is None or account["ledger"]["lines"] != place.lines:
        return
    if account["ledger"]["sha256"] != place.sha256:
        raise AuditError(f"line {place.lines} of the ledger is not the one its account knows")


def _need_same(folder: Path, whole: Ledger, kept: Ledger) -> None:
    for kind in KINDS:
        if not whole.tables[kind].equals(kept.tables[kind]):
            raise AuditError(
                f"{folder / 'cache'}: {kind} are not those of the parts: it was edited; delete "
                "the folder, it is made anew"
            )
    if (whole.models, whole.sources) != (kept.models, kept.sources):
        raise AuditError(f"{folder / 'cache'}: not that of the parts: it was edited; delete it")
