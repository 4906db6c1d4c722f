"""Days of Bybit's public trades: where a file is, what became of it, and which days are missing."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final, Literal, get_args

__all__ = ["DayFile", "DayOutcome", "DayStatus", "DaysReport", "days_of"]

DayStatus = Literal[
    "fetched", "replaced", "held", "missing", "awaited", "withdrawn", "refused"
]  # fmt: skip
_STATUSES: Final[tuple[DayStatus, ...]] = get_args(DayStatus)
_HERE: Final = frozenset({"fetched", "replaced", "held", "withdrawn"})
_SHOWN: Final = 20
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DayFile:
    """Trades of one day, and the candles that are made of them.

    Attributes
    ----------
    symbol : str
    day : date
        UTC.
    interval : str
        Of the candles, such as ``5m``.

    Examples
    --------
    >>> file = DayFile(symbol="BTCUSDT", day=date(2024, 1, 15), interval="5m")
    >>> file.path
    'trading/BTCUSDT/BTCUSDT2024-01-15.csv.gz'
    >>> file.place
    'trades-5m/BTCUSDT/BTCUSDT-trades-5m-2024-01-15.csv'
    """

    symbol: str
    day: date
    interval: str

    @property
    def path(self) -> str:
        """Path of the trades below the provider's address."""
        return f"trading/{self.symbol}/{self.symbol}{self.day}.csv.gz"

    @property
    def place(self) -> str:
        """Path of the candles below the folder they are kept in."""
        kind = f"trades-{self.interval}"
        return f"{kind}/{self.symbol}/{self.symbol}-{kind}-{self.day}.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOutcome:
    """What became of one day.

    Attributes
    ----------
    file : DayFile
    status : DayStatus
        ``fetched``: its candles are here now. ``replaced``: the provider changed the trades, and
        the new candles are here. ``held``: they were here. ``missing``: the provider has no file.
        ``awaited``: the same, of days too young to say so. ``withdrawn``: candles are here, and
        the provider has no file any more. ``refused``: it came and cannot be used, or did not come.
    size : int
        Bytes that came.
    reason : str
        Why it was refused.
    left_out : int
        Trades that were left out: copies, and strays of another day.
    """

    file: DayFile
    status: DayStatus
    size: int = 0
    reason: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysReport:
    """What became of every day."""

    outcomes: tuple[DayOutcome, ...] = ()

    def count(self, status: DayStatus) -> int:
        """How many days ended so."""
        return sum(outcome.status == status for outcome in self.outcomes)

    def of(self, status: DayStatus) -> tuple[DayOutcome, ...]:
        """Days that ended so."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == status)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols with candles of at least one day here, sorted."""
        return tuple(sorted({o.file.symbol for o in self.outcomes if o.status in _HERE}))

    @property
    def gaps(self) -> tuple[tuple[str, date, date, bool], ...]:
        """Symbol, first and last day, whether awaited: days without a file, neighbours joined."""
        return tuple(_gaps(self.outcomes))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json`` and ``fetch.json``."""
        counts = Counter(outcome.status for outcome in self.outcomes)
        return {
            "days": {status: counts.get(status, 0) for status in _STATUSES},
            "bytes": sum(outcome.size for outcome in self.outcomes),
            "gaps": [
                {"symbol": symbol, "first": f"{first}", "last": f"{last}", "awaited": awaited}
                for symbol, first, last, awaited in self.gaps
            ],
            "left_out": {o.file.path: o.left_out for o in self.outcomes if o.left_out},
            "replaced": [outcome.file.path for outcome in self.of("replaced")],
            "withdrawn": [outcome.file.path for outcome in self.of("withdrawn")],
            "refused": {outcome.file.path: outcome.reason for outcome in self.of("refused")},
        }

    def to_text(self) -> str:
        """For a person: counts, then everything that is not as it should be."""
        counts = [f"{self.count(s)} {s}" for s in _STATUSES if self.count(s)]
        size = sum(outcome.size for outcome in self.outcomes)
        lines = [f"days of trades: {', '.join(counts) or 'none'}; {size:,} bytes came"]
        lines += _some([_told(*gap) for gap in self.gaps])
        lines += _some([f"{o.file.path}: replaced by the provider" for o in self.of("replaced")])
        lines += _some([f"{o.file.path}: the provider has it no more, candles kept"
                        for o in self.of("withdrawn")])  # fmt: skip
        lines += _some([f"{o.file.path}: {o.left_out} copies and strays left out"
                        for o in self.outcomes if o.left_out])  # fmt: skip
        lines += _some([f"refused, {o.reason}" for o in self.of("refused")])
        return "\n".join(lines)


def days_of(symbols: Iterable[str], since: date, until: date, interval: str) -> list[DayFile]:
    """Every day of the symbols, first and last included."""
    count = (until - since).days + 1
    return [
        DayFile(symbol=symbol, day=since + n * _DAY, interval=interval)
        for symbol in symbols
        for n in range(count)
    ]


def _gaps(outcomes: Iterable[DayOutcome]) -> Iterator[tuple[str, date, date, bool]]:
    found = sorted(
        (o.file.symbol, o.file.day, o.status == "awaited")
        for o in outcomes
        if o.status in ("missing", "awaited")
    )
    if not found:
        return
    symbol, first, awaited = found[0]
    for before, gap in pairwise(found):
        if gap != (before[0], before[1] + _DAY, before[2]):
            yield symbol, first, before[1], awaited
            symbol, first, awaited = gap
    yield symbol, first, found[-1][1], awaited


def _told(symbol: str, first: date, last: date, awaited: bool) -> str:
    span = f"{first}" if first == last else f"{first} to {last}"
    return f"trades of {symbol}: {span} {'not published yet' if awaited else 'missing'}"


def _some(lines: list[str]) -> list[str]:
    """The first few, and how many more there are; all are in ``fetch.json``."""
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], *([f"… and {more} more like this"] if more > 0 else [])]
