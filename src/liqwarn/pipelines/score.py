"""Score a market with a model and publish flags, continuing an earlier scoring in the folder."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from liqwarn.frames import epoch_seconds
from liqwarn.pipelines.bundle import Bundle
from liqwarn.pipelines.publish import decide, publish, read_standing
from liqwarn.pipelines.risk import assess
from liqwarn.pipelines.study import Study
from liqwarn.policy.tiers import Policy

__all__ = ["Scored", "score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What a scoring did.

    Attributes
    ----------
    new_bars : int
        Bars scored now; 0 when the folder was up to date already.
    flags : list of dict
        The latest flags in their published shape.
    """

    new_bars: int
    flags: list[dict[str, object]]


def score(
    study: Study,
    bundle: Bundle,
    policy: Policy,
    folder: Path,
    *,
    now: datetime,
    since: datetime | None = None,
) -> Scored:
    """Score every bar that the folder does not hold yet, and replace its flags.

    Parameters
    ----------
    since : datetime or None
        First bar of a scoring into an empty folder; a folder that holds a scoring is continued
        after its last bar, with the breaker where it stood.

    Raises
    ------
    StoreError
        When the folder's positions cannot be read.
    """
    standing = read_standing(folder)
    frame = study.market.frame
    last = datetime.fromtimestamp(int(epoch_seconds(frame.times[-1:])[0]), tz=UTC)
    if standing is not None and standing.as_of >= last:
        return Scored(new_bars=0, flags=_latest(folder))
    start = since if standing is None else standing.as_of + frame.bar
    risk = assess(study, bundle, start)
    decided = decide(study, bundle, policy, risk, start=standing)
    publish(decided, folder, now=now)
    return Scored(new_bars=len(risk.scores.times), flags=_latest(folder))


def _latest(folder: Path) -> list[dict[str, object]]:
    flags: list[dict[str, object]] = orjson.loads((folder / "flags.json").read_bytes())["flags"]
    return flags
