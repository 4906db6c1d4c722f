"""What became of each file that was asked for, and of all of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final, Literal, get_args

from liqwarn.sources.binance_files import ArchiveFile, FileSeries, Kind

__all__ = ["FetchReport", "Gap", "Outcome", "Status"]

Status = Literal[
    "fetched", "replaced", "held", "by_days", "missing", "awaited", "withdrawn", "refused"
]
_STATUSES: Final[tuple[Status, ...]] = get_args(Status)
_HERE: Final = frozenset({"fetched", "replaced", "held", "withdrawn"})
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file.

    Attributes
    ----------
    file : ArchiveFile
    status : Status
        ``fetched``: it is here now. ``replaced``: the provider changed it, and the new one is
        here. ``held``: it was here and is what the provider states. ``by_days``: a month that is
        not published; its days follow. ``missing``: the provider has none. ``awaited``: the same,
        of days too young to say so. ``withdrawn``: it is here, and the provider has none any more.
        ``refused``: it came and cannot be used, or did not come; nothing of it is kept.
    size : int
        Bytes that came.
    reason : str
        Why it was refused.
    """

    file: ArchiveFile
    status: Status
    size: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Gap:
    """Days of a series that the provider does not have, first and last included."""

    series: FileSeries
    first: date
    last: date
    awaited: bool

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        """One line for people."""
        span = f"{self.first}" if self.days == 1 else f"{self.first} to {self.last}"
        what = "not published yet" if self.awaited else "missing"
        return f"{self.series}: {span} {what} ({self.days} {'day' if self.days == 1 else 'days'})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchReport:
    """What became of every file.

    Attributes
    ----------
    outcomes : tuple of Outcome
        In order of series and date.
    unlisted : tuple of Gap
        Days before a symbol's first candle: of the other series they were not asked for.
    seconds : float
    """

    outcomes: tuple[Outcome, ...]
    unlisted: tuple[Gap, ...] = ()
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Bytes that came."""
        return sum(outcome.size for outcome in self.outcomes)

    def count(self, status: Status) -> int:
        """How many files ended so."""
        return sum(outcome.status == status for outcome in self.outcomes)

    def of(self, status: Status) -> Iterator[Outcome]:
        """Files that ended so."""
        return (outcome for outcome in self.outcomes if outcome.status == status)

    def symbols(self, kind: Kind) -> tuple[str, ...]:
        """Symbols with at least one file of a kind here, sorted."""
        here = {
            o.file.series.symbol
            for o in self.outcomes
            if o.status in _HERE and o.file.series.kind == kind
        }
        return tuple(sorted(here))

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Days that the provider does not have, neighbours joined."""
        return tuple(_gaps(self.outcomes))

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, for ``--json`` and ``fetch.json``."""
        counts: Mapping[Status, int] = Counter(o.status for o in self.outcomes)
        return {
            "files": {status: counts.get(status, 0) for status in _STATUSES},
            "bytes": self.size,
            "seconds": round(self.seconds, 3),
            "gaps": [_plain(gap) for gap in self.gaps],
            "before_listing": [_plain(gap) for gap in self.unlisted],
            "replaced": [outcome.file.path for outcome in self.of("replaced")],
            "withdrawn": [outcome.file.path for outcome in self.of("withdrawn")],
            "refused": {outcome.file.path: outcome.reason for outcome in self.of("refused")},
        }

    def to_text(self) -> str:
        """The report for a person: counts, then everything that is not as it should be."""
        counts = [f"{self.count(s)} {s.replace('_', ' ')}" for s in _STATUSES if self.count(s)]
        lines = [f"files: {', '.join(counts) or 'none'}; {self.size:,} bytes came"]
        lines += _some([f"{gap}, before its first candle" for gap in self.unlisted])
        lines += _some([str(gap) for gap in self.gaps])
        lines += _some([f"{o.file.path}: replaced by the provider" for o in self.of("replaced")])
        lines += _some(
            [f"{o.file.path}: the provider has it no more, kept" for o in self.of("withdrawn")]
        )
        lines += _some([f"refused, {o.reason}" for o in self.of("refused")])
        return "\n".join(lines)


def _some(lines: list[str]) -> list[str]:
    """The first few, and how many more there are; all are in ``fetch.json``."""
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], *([f"… and {more} more like this"] if more > 0 else [])]


def _plain(gap: Gap) -> dict[str, Any]:
    return {
        "kind": gap.series.kind,
        "symbol": gap.series.symbol,
        "first": gap.first.isoformat(),
        "last": gap.last.isoformat(),
        "days": gap.days,
        "awaited": gap.awaited,
    }


def _gaps(outcomes: Iterable[Outcome]) -> Iterator[Gap]:
    """Missing spans, joined where they touch."""
    found = sorted(
        Gap(series=o.file.series, first=o.file.first, last=o.file.last,
            awaited=o.status == "awaited")
        for o in outcomes
        if o.status in ("missing", "awaited")
    )  # fmt: skip
    if not found:
        return
    begun = found[0]
    for before, gap in pairwise(found):
        touches = gap.first <= before.last + timedelta(days=1)
        if not (touches and gap.series == before.series and gap.awaited == before.awaited):
            yield Gap(series=begun.series, first=begun.first, last=before.last,
                      awaited=begun.awaited)  # fmt: skip
            begun = gap
    last = found[-1].last
    yield Gap(series=begun.series, first=begun.first, last=last, awaited=begun.awaited)
