"""The live engine over history, as fast as it can: every flag it would have issued."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from liqwarn.data.bars.replay_feed import column_at
from liqwarn.errors import FrameError
from liqwarn.frames import epoch_seconds
from liqwarn.live.bar import flags_of
from liqwarn.live.engine import LiveEngine
from liqwarn.live.flag_rows import flag_frame, flag_rows
from liqwarn.models.bundle import Bundle
from liqwarn.pipelines.live_start import start_live
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study
from liqwarn.policy.flags import FlagSource
from liqwarn.policy.tiers import Policy
from liqwarn.tables import write_table

__all__ = ["Replayed", "replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay did.

    Attributes
    ----------
    bars, flags : int
    first, last : datetime
        Closes of the first and the last bar.
    """

    bars: int
    flags: int
    first: datetime
    last: datetime


def replay(
    study: Study,
    bundle: Bundle,
    policy: Policy,
    out: Path,
    *,
    span: tuple[datetime | None, datetime | None] = (None, None),
    on_progress: OnProgress = silent,
) -> Replayed:
    """Run the live engine over a span of a study's history and write every flag.

    The flags are those a scoring of the same span into an empty folder writes to
    ``flags.parquet``, cell by cell; but ``issued_at`` is the bar's close, where live it is moments
    after it and in a scoring when that ran.

    Parameters
    ----------
    out : Path
        ``.parquet`` or ``.csv``.
    span : pair of datetime or None
        First and last close, both included; None is the second bar of the history, and its last.

    Raises
    ------
    FrameError
        When no bar of the history lies in the span.
    """
    first, stop = _positions(study, *span)
    engine = start_live(study, bundle, policy, at=first, on_progress=on_progress)
    rows: list[tuple[Any, ...]] = []
    for done, more in enumerate(_replayed(study, engine, policy, range(first, stop)), start=1):
        rows += more
        if done % 100 == 0 or done == stop - first:
            on_progress("replay", done, stop - first)
    write_table(flag_frame(rows), out)
    closes = [_moment(study, position) for position in (first, stop - 1)]
    return Replayed(bars=stop - first, flags=len(rows) // 2, first=closes[0], last=closes[1])


def _replayed(
    study: Study, engine: LiveEngine, policy: Policy, positions: range
) -> Iterator[list[tuple[Any, ...]]]:
    source = FlagSource(
        model=engine.bundle.stamp, data_sha256=study.market.data_sha256, completeness=0.0
    )
    for position in positions:
        bar = engine.step(column_at(study.market.frame, position))
        flags = flags_of(bar, policy, source, issued_at=bar.scores.as_of)
        yield flag_rows(bar, flags)


def _positions(study: Study, start: datetime | None, end: datetime | None) -> tuple[int, int]:
    times = study.market.frame.times
    first = 1 if start is None else int(np.searchsorted(times, _utc64(start)))
    stop = len(times) if end is None else int(np.searchsorted(times, _utc64(end), side="right"))
    first = max(first, 1)  # the first bar of all has no past to start from
    if first >= stop:
        raise FrameError(
            f"the history has no bar from {start or 'its second'} to {end or 'its last'}, it runs "
            f"from {times[0]} to {times[-1]}"
        )
    return first, stop


def _moment(study: Study, position: int) -> datetime:
    seconds = int(epoch_seconds(study.market.frame.times[position : position + 1])[0])
    return datetime.fromtimestamp(seconds, tz=UTC)


def _utc64(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "s")
