"""Retraining on schedule within a running server: when, and what was missed while it was down.

The only module that talks to APScheduler. A run is a child process, so the server trains nothing
itself. One runs at a time; what becomes due meanwhile is left out, and what became due while the
machine slept or the server was down is made up for once.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import orjson
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.debug import DebugExecutor
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from liqwarn.decisions import iso_utc
from liqwarn.durable import write_json
from liqwarn.serving.clock import Clock
from liqwarn.serving.retrain_run import RetrainRun
from liqwarn.serving.retrain_watch import RetrainWatch
from liqwarn.serving.schedule import CronTimes

__all__ = ["MEMORY", "RetrainSchedule", "trigger_of"]

MEMORY: Final = "retrain_schedule.json"
_NAMES: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_JOB: Final = "retrain"
_LOOK_S: Final = 30
_APART: Final = timedelta(hours=1)


def trigger_of(times: CronTimes) -> BaseTrigger:
    """The times as APScheduler knows them: every value by itself, weekdays by name, in UTC.

    Its own reader of crontabs is not used: it counts weekdays from Monday.
    """
    days = {"day": _listed(times.days)}
    weekdays = {"day_of_week": ",".join(_NAMES[day] for day in times.weekdays)}
    named = (days, weekdays) if times.either else (days | weekdays,)
    found = [
        CronTrigger(
            month=_listed(times.months),
            hour=_listed(times.hours),
            minute=_listed(times.minutes),
            second=0,
            timezone=UTC,
            **on,
        )
        for on in named
    ]
    return found[0] if len(found) == 1 else OrTrigger(found)


class RetrainSchedule:
    """Runs a retraining whenever it is due, from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    trigger : BaseTrigger
        When: :func:`trigger_of` times; a test brings one that is due at once.
    run : RetrainRun
    watch : RetrainWatch
        Told of what comes and what came.
    memory : Path
        Folder of the server's own, which remembers the last run over a restart.
    clock : Clock
    """

    def __init__(
        self, trigger: BaseTrigger, run: RetrainRun, watch: RetrainWatch, *, memory: Path,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._trigger = trigger
        self._run = run
        self._watch = watch
        self._memory = memory / MEMORY
        self._clock = clock
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(1), "here": DebugExecutor()}
        )

    def start(self) -> None:
        """Wait for what is due next, and make up for what was missed."""
        now = self._clock.wall()
        missed = self._missed(now)
        options = {"next_run_time": self._not_before(now)} if missed is not None else {}
        self._scheduler.add_job(
            self._once,
            self._trigger,
            id=_JOB,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # however late, it is done, once
            **options,
        )
        self._scheduler.add_job(
            _look, IntervalTrigger(seconds=_LOOK_S), executor="here", misfire_grace_time=None
        )
        self._scheduler.add_listener(self._left_out, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.start()
        self._watch.waiting(self.next, missed=missed)

    def stop(self) -> None:
        """Start nothing more, and end the run that is on; it will be made again."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._run.end()

    @property
    def next(self) -> datetime | None:
        """When the next run is due; None when none is."""
        job = self._scheduler.get_job(_JOB)
        return None if job is None else job.next_run_time

    def _once(self) -> None:
        self._watch.started()
        before = self._remembered()
        self._write({**before, "began": iso_utc(self._clock.wall())})
        outcome = self._run()
        if outcome.result == "ended":
            self._write(before)
        else:
            self._remember(outcome.finished)  # what was due meanwhile was left out
        self._watch.finished(outcome, self.next)

    def _left_out(self, event: JobSubmissionEvent) -> None:
        self._watch.left_out(event.scheduled_run_times[0], self.next)

    def _missed(self, now: datetime) -> datetime | None:
        """What was due first since the last run; nothing is at the first start ever."""
        try:
            last = datetime.fromisoformat(self._remembered()["last"])
            due: datetime | None = self._trigger.get_next_fire_time(None, last)
        except (ValueError, KeyError, TypeError):
            self._remember(now)
            return None
        return due if due is not None and due <= now else None

    def _not_before(self, now: datetime) -> datetime:
        """When a missed run may begin: not at once where this server died in the last one.

        Else a run that takes the server with it would do so again after every restart.
        """
        try:
            began = datetime.fromisoformat(self._remembered()["began"])
            return max(now, began + _APART) if began <= now else now
        except (ValueError, KeyError, TypeError):
            return now

    def _remember(self, moment: datetime) -> None:
        self._write({"last": iso_utc(moment)})

    def _remembered(self) -> dict[str, str]:
        try:
            found = orjson.loads(self._memory.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, told: dict[str, str]) -> None:
        try:
            write_json(self._memory, told)
        except OSError as error:
            self._watch.forgetful(error)


def _look() -> None:
    """Wake the scheduler: it waits by a clock that stands still while the machine sleeps."""


def _listed(values: tuple[int, ...]) -> str:
    return ",".join(map(str, values))
