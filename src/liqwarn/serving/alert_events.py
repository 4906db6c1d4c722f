"""What is worth telling a person: tiers that rise and fall back, and faults that come and go.

Pure: a set of flags or a fault in, alerts out. Who carries them is elsewhere.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from liqwarn.decisions import Tier
from liqwarn.serving.flag_file import FlagSet

__all__ = ["Alert", "AlertRules", "Escalations", "Fault", "Faults"]

Fault = Literal[
    "stale_feed",
    "bundle_refused",
    "audit_failed",
    "integrity_failed",
    "loop_stopped",
    "retrain_failed",
]
Severity = Literal["info", "warning", "failure"]

_TITLES: Final[dict[Fault, str]] = {
    "stale_feed": "The feed is silent",
    "bundle_refused": "A bundle was refused",
    "audit_failed": "The audit log cannot be written or is broken",
    "integrity_failed": "An integrity check failed: every side is halted",
    "loop_stopped": "The live loop stands still",
    "retrain_failed": "The scheduled retraining failed",
}
_MOST_NAMED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One message to a person.

    Attributes
    ----------
    kind : str
        ``tier``, ``recovered``, ``ledger`` or a fault.
    severity : str
        ``info``, ``warning`` or ``failure``.
    title, text : str
        In words; they name symbols and tiers and no secret.
    """

    kind: str
    severity: Severity
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRules:
    """What is worth an alert.

    Attributes
    ----------
    least : Tier
        Lowest tier that is told.
    repeat : timedelta
        How long the same tier of one side, or the same fault, is not told again.
    """

    least: Tier = Tier.T3
    repeat: timedelta = field(default_factory=lambda: timedelta(hours=1))


_Side = tuple[str, str]


class Escalations:
    """Tells tiers at or above the least that rose, and sides that fell back below it.

    All changes of one set of flags are one alert: when the market falls, every symbol rises at
    once.
    """

    def __init__(self, rules: AlertRules, monotonic: Callable[[], float]) -> None:
        self._rules = rules
        self._monotonic = monotonic
        self._tiers: dict[_Side, Tier] = {}
        self._told: dict[_Side, tuple[Tier, float]] = {}

    def see(self, flags: FlagSet) -> list[Alert]:
        """The alerts that a new set of flags is worth."""
        now = self._monotonic()
        tiers = {
            (symbol, side): restriction.tier
            for symbol, flag in flags.flags.items()
            for side, restriction in flag.sides.items()
        }
        before, self._tiers = self._tiers, tiers
        risen = {
            name: tier
            for name, tier in tiers.items()
            if tier >= self._rules.least
            and tier > before.get(name, Tier.T0)
            and self._is_news(name, tier, now)
        }
        fallen = [
            name
            for name, tier in tiers.items()
            if tier < self._rules.least <= before.get(name, Tier.T0)
        ]
        self._told |= {name: (tier, now) for name, tier in risen.items()}
        still = tiers.keys() - set(fallen)  # who was told of the fall must be told of the next rise
        self._told = {name: told for name, told in self._told.items() if name in still}
        return [*_risen(risen, flags.market), *self._recovered(fallen, flags.market)]

    def _is_news(self, name: _Side, tier: Tier, now: float) -> bool:
        told, at = self._told.get(name, (Tier.T0, now))
        return tier > told or now - at >= self._rules.repeat.total_seconds()

    def _recovered(self, fallen: list[_Side], market: str) -> list[Alert]:
        if not fallen:
            return []
        title = f"Back below {self._rules.least.name}: {_named(fallen)}"
        return [Alert(kind="recovered", severity="info", title=title, text=_market(market))]


def _risen(risen: dict[_Side, Tier], market: str) -> list[Alert]:
    if not risen:
        return []
    highest = max(risen.values())
    by_tier = (
        f"{tier.name}: {_named([name for name, found in risen.items() if found == tier])}"
        for tier in sorted(set(risen.values()), reverse=True)
    )
    severity: Severity = "failure" if highest >= Tier.T4 else "warning"
    text = "\n".join([*by_tier, _market(market)])
    first = _named([name for name, tier in risen.items() if tier == highest], most=1)
    return [Alert(kind="tier", severity=severity, title=f"{highest.name}: {first}", text=text)]


def _named(sides: Iterable[_Side], most: int = _MOST_NAMED) -> str:
    names = [f"{symbol} {side}" for symbol, side in sides]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _market(market: str) -> str:
    return "This market is SIMULATED." if market == "simulated" else "Market: real."


class Faults:
    """Tells a fault when it comes, again while it lasts, and when it has gone."""

    def __init__(self, rules: AlertRules, monotonic: Callable[[], float]) -> None:
        self._rules = rules
        self._monotonic = monotonic
        self._told: dict[Fault, float] = {}

    def raised(self, fault: Fault, text: str) -> list[Alert]:
        """The fault is there."""
        now = self._monotonic()
        told = self._told.get(fault)
        if told is not None and now - told < self._rules.repeat.total_seconds():
            return []
        self._told[fault] = now
        return [Alert(kind=fault, severity="failure", title=_TITLES[fault], text=text)]

    def cleared(self, fault: Fault) -> list[Alert]:
        """The fault is not there, or no more."""
        if self._told.pop(fault, None) is None:
            return []
        title = f"Over: {_TITLES[fault]}"
        return [Alert(kind="recovered", severity="info", title=title, text="It works again.")]
