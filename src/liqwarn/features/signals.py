"""Signals: the features a person is shown, what they mean, and which group every feature is in.

A signal is one feature a side, under a plain title. Signals that look one way from the long side
and the other from the short side are mirrored: ``{where}`` is below or above the price, and so on.
The mechanism's expectation of each stands beside it, whatever a model makes of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, Side

__all__ = [
    "GROUPS",
    "GROUP_TITLES",
    "Form",
    "Group",
    "Shown",
    "Signal",
    "Words",
    "group_of",
    "mirrored",
]

Group = Literal[
    "funding",
    "open_interest",
    "leverage",
    "clusters",
    "flows",
    "volatility",
    "liquidations",
    "depth",
    "contagion",
    "calendar",
]
GROUPS: Final[tuple[Group, ...]] = get_args(Group)
"""Groups in the order a board shows them."""

GROUP_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "funding": "Funding and basis",
        "open_interest": "Open interest",
        "leverage": "Leverage and crowding",
        "clusters": "Liquidation clusters and price levels",
        "flows": "Flows of exchanges and takers",
        "volatility": "Volatility, price and volume",
        "liquidations": "Liquidations",
        "depth": "Depth and liquidity",
        "contagion": "Contagion across symbols",
        "calendar": "Calendar",
    }
)

_OF_FAMILY: Final[Mapping[str, Group]] = MappingProxyType(
    {
        "funding": "funding",
        "open_interest": "open_interest",
        "flows": "flows",
        "clusters": "clusters",
        "levels": "clusters",
        "market": "volatility",
        "liquidations": "liquidations",
        "cross_market": "contagion",
        "depth": "depth",
        "calendar": "calendar",
    }
)
_OF_PREFIX: Final[Mapping[str, Group]] = MappingProxyType(
    {
        "leverage_": "leverage",
        "long_short_": "leverage",
        "basis": "funding",
        "taker_": "flows",
        "illiquidity_": "depth",
    }
)

_WORDS: Final[Mapping[Side, Mapping[str, str]]] = MappingProxyType(
    {
        "long": MappingProxyType(
            {
                "side": "long",
                "where": "below",
                "extreme": "low",
                "move": "fall",
                "moving": "falling",
                "half": "downside",
                "way": "down",
            }
        ),
        "short": MappingProxyType(
            {
                "side": "short",
                "where": "above",
                "extreme": "high",
                "move": "rise",
                "moving": "rising",
                "half": "upside",
                "way": "up",
            }
        ),
    }
)

Form = Literal["plain", "percent", "growth", "ratio", "yes"]
"""How a value is written: as it is, times 100, a log change in percent, a log ratio as a ratio,
yes or no."""


def mirrored(text: str, side: Side) -> str:
    """A text with the words of one side in it.

    >>> mirrored("a cluster {where}", "long"), mirrored("the week's {extreme}", "short")
    ('a cluster below', "the week's high")
    """
    found = text
    for name, word in _WORDS[side].items():
        found = found.replace(f"{{{name}}}", word)
    return found


def group_of(name: str, family: str) -> Group:
    """The one group a feature belongs to: its family's, but for a few that name another.

    Raises
    ------
    FrameError
        When the family is in no group.

    Examples
    --------
    >>> group_of("rv_1d", "market"), group_of("leverage_level", "open_interest")
    ('volatility', 'leverage')
    """
    for prefix, group in _OF_PREFIX.items():
        if name.startswith(prefix):
            return group
    if family not in _OF_FAMILY:
        raise FrameError(
            f"feature '{name}' is of family '{family}', expected one of {sorted(_OF_FAMILY)}"
        )
    return _OF_FAMILY[family]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a signal's value is written for a person.

    Attributes
    ----------
    form : {"plain", "percent", "growth", "ratio", "yes"}
    digits : int
        Decimals.
    unit : str
        Behind the number; a percent sign is part of the form.
    plus : bool
        Whether the sign is always written.
    """

    form: Form = "plain"
    digits: int = 2
    unit: str = ""
    plus: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A high and a low value in a sentence; mirrored, ``{value}`` is the value as written.

    Attributes
    ----------
    high, low : str
    pivot : float or None
        The value that parts high from low; None parts them by rank.
    """

    high: str
    low: str
    pivot: float | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One line of a signal board.

    Attributes
    ----------
    group : Group
    key : str
        Its name; stays when the feature behind it changes.
    column : str
        The feature it shows; mirrored.
    title : str
        What it is, in plain words; mirrored.
    raises : (int, int)
        What the mechanism expects of a higher value, for the long and the short side: 1 raises the
        risk, -1 lowers it, 0 says nothing.
    words : Words
    shown : Shown

    Examples
    --------
    >>> near = Signal("clusters", "near", "cluster_dist_{side}_pct", "Nearest cluster {where}",
    ...               (-1, -1), Words("a far cluster", "a cluster {value} {where}"), Shown())
    >>> near.title_of("short"), near.column_of("short"), near.expected("short")
    ('Nearest cluster above', 'cluster_dist_short_pct', -1)
    """

    group: Group
    key: str
    column: str
    title: str
    raises: tuple[int, int]
    words: Words
    shown: Shown

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise FrameError(f"signal '{self.key}' is in group '{self.group}', expected {GROUPS}")
        if not set(self.raises) <= {-1, 0, 1}:
            raise FrameError(f"signal '{self.key}' raises {self.raises}, expected -1, 0 or 1")
        for text in self._texts():
            if "{" in text.replace("{value}", ""):
                raise FrameError(f"signal '{self.key}' has an unknown word in '{text}'")

    def _texts(self) -> Iterator[str]:
        for side in SIDES:
            for text in (self.title, self.column, self.words.high, self.words.low):
                yield mirrored(text, side)

    def title_of(self, side: Side) -> str:
        """The title, seen from a side."""
        return mirrored(self.title, side)

    def column_of(self, side: Side) -> str:
        """The feature shown for a side."""
        return mirrored(self.column, side)

    def expected(self, side: Side) -> int:
        """1 when a higher value should raise the risk of a side, -1 lower it, 0 neither."""
        return self.raises[SIDES.index(side)]
