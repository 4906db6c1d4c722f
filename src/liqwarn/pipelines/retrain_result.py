"""What a run of retraining is asked, and what it did."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from liqwarn import __version__
from liqwarn.models.model_files import SCHEMA
from liqwarn.pipelines.retrain_limits import DriftLimits, QualityLimits
from liqwarn.pipelines.study import Study
from liqwarn.pipelines.train import TrainOrder

__all__ = ["ReleaseTo", "RetrainOrder", "Retrained", "run_key"]

_MEND: Final = (
    "nothing was trained: mend the data (`liqwarn quality` shows it), and run the same again"
)
_WOULD: Final = {
    "first": "would make a first champion",
    "promoted": "would promote a challenger",
    "kept": "would keep the champion",
    "stopped": "would stop",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseTo:
    """Where a new champion is released to servers, and how.

    Attributes
    ----------
    place : str
        The folder that servers watch.
    release : callable
        Given a version of the registry, releases it there and returns the name of the release;
        called again it changes nothing.
    """

    place: str
    release: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainOrder(TrainOrder):
    """How to train, what the data must be like, and where a champion goes.

    Attributes
    ----------
    quality : QualityLimits
    drift : DriftLimits
    accept_less : bool
        Go on though the data holds less than at the last run, or than the champion knew.
    accept_drift : bool
        Go on though the inputs look broken by how far they drifted.
    release : ReleaseTo or None
    rederive : Path or None
        A person's policy file whose thresholds are derived anew for a challenger that is promoted,
        see :mod:`liqwarn.pipelines.rederive`; None leaves them as they are.
    clock : callable
        Seconds, for how long the steps take.
    """

    quality: QualityLimits = field(default_factory=QualityLimits)
    drift: DriftLimits = field(default_factory=DriftLimits)
    accept_less: bool = False
    accept_drift: bool = False
    release: ReleaseTo | None = None
    rederive: Path | None = None
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, order: TrainOrder) -> "RetrainOrder":
        """The same order, the rest by default."""
        if isinstance(order, cls):
            return order
        return cls(**{one.name: getattr(order, one.name) for one in fields(TrainOrder)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """What a run did.

    Attributes
    ----------
    run : str
        Key of data, panel, settings and version: the same key is done once.
    action : {"first", "promoted", "kept", "nothing new", "stopped"}
    champion : str
        Version that is champion now; empty when there is none.
    reasons : tuple of str
    at : str
        When it was done.
    notes : tuple of str
        What else there is to know, such as a ledger that could not be settled.
    release : str
        What was released to servers by this run; empty when nothing was.
    report : str
        Path of its page.
    dry_run : bool
        Nothing was changed: this is what would be done.
    """

    run: str
    action: str
    champion: str
    reasons: tuple[str, ...]
    at: str
    notes: tuple[str, ...] = ()
    release: str = ""
    report: str = ""
    dry_run: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for ``--json``."""
        return asdict(self)

    def to_text(self) -> str:
        """The same in lines."""
        action = _WOULD.get(self.action, self.action) if self.dry_run else self.action
        champion = f"champion is version {self.champion}" if self.champion else "no champion"
        head = f"{action}; {champion} (run {self.run[:12]})"
        rest = [*(f"  {reason}" for reason in self.reasons), *(f"note: {n}" for n in self.notes)]
        rest += [_MEND] if self.action == "stopped" else []
        rest += [f"released {self.release}"] if self.release else []
        rest += [f"report: {self.report}"] if self.report else []
        return "\n".join([head, *rest])


def run_key(study: Study, others: tuple[Study, ...], order: TrainOrder) -> str:
    """What makes a run itself: panels, data, settings, version and format; not the time."""
    parts = [__version__, SCHEMA, str(order.seed), str(order.until), str(order.settings)]
    for one in (study, *others):
        parts += [one.market.panel.name, one.market.panel_sha256, one.market.data_sha256]
    return sha256("\n".join(parts).encode()).hexdigest()
