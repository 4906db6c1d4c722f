"""Score a market with a model and publish flags, continuing an earlier scoring in the folder."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from liqwarn.errors import StoreError
from liqwarn.frames import epoch_seconds
from liqwarn.models.bundle import Bundle
from liqwarn.pipelines.publish import Standing, decide, publish, read_standing
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
        When the folder's positions cannot be read, are of another panel, or are ahead of `now`.
    """
    standing = read_standing(folder)
    _check_continues(study, folder, standing, now)
    frame = study.market.frame
    last = datetime.fromtimestamp(int(epoch_seconds(frame.times[-1:])[0]), tz=UTC)
    if standing is not None and standing.as_of >= last:
        return Scored(new_bars=0, flags=_latest(folder))
    start = since if standing is None else standing.as_of + frame.bar
    risk = assess(study, bundle, start)
    decided = decide(study, bundle, policy, risk, start=standing)
    publish(decided, folder, now=now)
    return Scored(new_bars=len(risk.scores.times), flags=_latest(folder))


def _check_continues(study: Study, folder: Path, standing: Standing | None, now: datetime) -> None:
    """Refuse to continue what is not ours to continue."""
    if standing is None:
        return
    if standing.as_of > now:
        raise StoreError(f"{folder} was scored as of {standing.as_of}, which is after now, {now}")
    account = orjson.loads((folder / "scoring.json").read_bytes())
    if account["panel"] != study.market.panel.name:
        raise StoreError(
            f"{folder} holds a scoring of panel '{account['panel']}', expected "
            f"'{study.market.panel.name}'"
        )


def _latest(folder: Path) -> list[dict[str, object]]:
    flags: list[dict[str, object]] = orjson.loads((folder / "flags.json").read_bytes())["flags"]
    return flags
