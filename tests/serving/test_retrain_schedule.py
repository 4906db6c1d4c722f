"""When the server retrains: cron's times, one run at a time, and what was missed."""

import threading
import time
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.serving.clock import SystemClock
from liqwarn.serving.retrain_run import RetrainOutcome
from liqwarn.serving.retrain_schedule import MEMORY, RetrainSchedule, trigger_of
from liqwarn.serving.schedule import CronTimes

MINUTE = timedelta(minutes=1)


def following(text, now):
    return trigger_of(CronTimes.parse(text)).get_next_fire_time(None, now)


def test_three_on_sunday_is_three_on_sunday():
    wednesday = datetime(2026, 11, 18, 12, tzinfo=UTC)

    assert following("0 3 * * 0", wednesday) == datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert following("0 3 * * 7", wednesday) == datetime(2026, 11, 22, 3, tzinfo=UTC)
    # what APScheduler itself makes of the same line
    monday = CronTrigger.from_crontab("0 3 * * 0", timezone=UTC)
    assert monday.get_next_fire_time(None, wednesday).isoweekday() == 1


def test_no_hour_is_left_out_or_done_twice_where_clocks_are_changed():
    """In Berlin 02:30 did not come on 29 March 2026, and came twice on 25 October."""
    for day in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        first = following("30 * * * *", day)
        hours = [first]
        while hours[-1] < day + timedelta(hours=23):
            hours.append(following("30 * * * *", hours[-1] + MINUTE))
        assert hours == [day + timedelta(hours=h, minutes=30) for h in range(24)]


def spans(least, most):
    one = st.integers(least, most)
    pair = st.tuples(one, one).map(sorted)
    stepped = st.tuples(pair, st.integers(1, most)).map(lambda p: f"{p[0][0]}-{p[0][1]}/{p[1]}")
    return st.one_of(st.just("*"), one.map(str), pair.map(lambda p: f"{p[0]}-{p[1]}"), stepped)


_LINES = st.tuples(
    spans(0, 59), spans(0, 23), spans(1, 28), spans(1, 12), st.lists(spans(0, 7), min_size=1)
).map(lambda f: f"{f[0]} {f[1]} {f[2]} {f[3]} {','.join(f[4])}")
_MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(_LINES, _MOMENTS, st.lists(st.integers(1, 60 * 24 * 400), max_size=40))
def test_the_next_time_is_the_first_that_holds(text, now, minutes):
    times = CronTimes.parse(text)
    due = trigger_of(times).get_next_fire_time(None, now)
    whole = now.replace(second=0, microsecond=0)

    assert due >= now
    assert times.holds(due)
    assert (due.second, due.microsecond) == (0, 0)
    between = [whole + n * MINUTE for n in minutes]
    assert not [moment for moment in between if times.holds(moment) and moment < due]


class Runs:
    """A run that takes as long as it is told, and counts."""

    def __init__(self, took_s=0.0, result="kept"):
        self.took_s, self.result, self.begun = took_s, result, []
        self.let_go = threading.Event()
        self.ended = False

    def __call__(self):
        now = datetime.now(UTC)
        self.begun.append(now)
        self.let_go.wait(self.took_s)
        return RetrainOutcome(
            result="ended" if self.ended else self.result, code=0, reasons=(), champion="1",
            said="", started=now, finished=datetime.now(UTC), took_s=self.took_s,
        )  # fmt: skip

    def end(self):
        self.ended = True
        self.let_go.set()


class Told:
    """A watch that keeps what it was told."""

    def __init__(self):
        self.came, self.missed, self.due = [], None, None

    def waiting(self, due, *, missed):
        self.due, self.missed = due, missed

    def started(self):
        self.came.append("started")

    def finished(self, outcome, due):
        self.came.append(outcome.result)
        self.due = due

    def left_out(self, due, following):
        self.came.append("left out")

    def forgetful(self, error):
        self.came.append(type(error).__name__)


@pytest.fixture
def begin(tmp_path):
    """Start a schedule; it is stopped in the end."""
    started = []

    def start(trigger, run=None, memory=tmp_path):
        watch = Told()
        schedule = RetrainSchedule(
            trigger, run or Runs(), watch, memory=memory, clock=SystemClock()
        )
        started.append(schedule)
        schedule.start()
        return schedule, watch

    yield start
    for one in started:
        one.stop()


def until(holds, within_s=20.0):
    end = time.monotonic() + within_s
    while time.monotonic() < end and not holds():
        time.sleep(0.005)
    assert holds()


def soon():
    return DateTrigger(datetime.now(UTC) + timedelta(seconds=0.1))


def test_it_runs_when_it_is_due_and_says_what_is_next(begin):
    run = Runs()
    schedule, watch = begin(IntervalTrigger(seconds=0.2), run)
    first = schedule.next
    until(lambda: len(run.begun) == 2)

    assert abs((run.begun[0] - first).total_seconds()) < 1.0
    assert watch.came[:2] == ["started", "kept"]
    assert schedule.next > first


def test_what_is_due_while_a_run_is_on_is_left_out(begin):
    run = Runs(took_s=60.0)
    _, watch = begin(IntervalTrigger(seconds=0.1), run)
    until(lambda: watch.came.count("left out") >= 2)

    assert len(run.begun) == 1
    assert watch.came[0] == "started"


class Slept(BaseTrigger):
    """Due every 8 s, the first time 20 s ago: three times at once, and a fourth that is too far."""

    def __init__(self, now):
        self.begin = now - timedelta(seconds=20)

    def get_next_fire_time(self, previous, now):
        return self.begin if previous is None else previous + timedelta(seconds=8)


def test_a_machine_that_slept_over_many_times_runs_once(begin):
    run = Runs()
    schedule, watch = begin(Slept(datetime.now(UTC)), run)
    until(lambda: "kept" in watch.came)
    time.sleep(0.2)

    assert len(run.begun) == 1
    assert schedule.next > datetime.now(UTC)


def test_it_looks_at_the_wall_s_clock_now_and_then(begin):
    """A wait of days by a clock that stands still while the machine sleeps would end days late."""
    schedule, _ = begin(trigger_of(CronTimes.parse("0 3 * * 0")))
    jobs = schedule._scheduler.get_jobs()

    assert min(job.next_run_time for job in jobs) < datetime.now(UTC) + MINUTE


def remembered(folder):
    return datetime.fromisoformat(orjson.loads((folder / MEMORY).read_bytes())["last"])


def test_at_the_first_start_nothing_was_missed(begin, tmp_path):
    _, watch = begin(trigger_of(CronTimes.parse("* * * * *")))

    assert watch.missed is None
    assert watch.came == []
    assert abs(remembered(tmp_path) - datetime.now(UTC)) < MINUTE


def test_what_was_missed_while_the_server_was_down_is_made_up_for_once(begin, tmp_path):
    last = datetime.now(UTC) - timedelta(days=20)
    (tmp_path / MEMORY).write_bytes(orjson.dumps({"last": last.isoformat()}))
    weekly = trigger_of(CronTimes.parse("0 3 * * 0"))
    run = Runs()
    schedule, watch = begin(weekly, run)
    until(lambda: watch.came == ["started", "kept"])

    assert watch.missed == weekly.get_next_fire_time(None, last)
    assert len(run.begun) == 1
    assert schedule.next == weekly.get_next_fire_time(None, datetime.now(UTC))
    assert remembered(tmp_path) >= run.begun[0].replace(microsecond=0)
    schedule.stop()
    _, watch = begin(weekly, Runs())
    assert watch.missed is None


def test_a_run_that_the_server_ended_is_missed(begin, tmp_path):
    weekly = trigger_of(CronTimes.parse("0 3 * * 0"))
    last = datetime.now(UTC) - timedelta(days=20)
    (tmp_path / MEMORY).write_bytes(orjson.dumps({"last": last.isoformat()}))
    run = Runs(took_s=60.0)
    schedule, watch = begin(weekly, run)
    until(lambda: run.begun)
    schedule.stop()
    until(lambda: watch.came == ["started", "ended"])

    assert remembered(tmp_path) == last
    _, watch = begin(weekly, Runs())
    assert watch.missed is not None


@pytest.mark.parametrize(("ago", "runs"), [(10, 0), (120, 1), (-300, 1)])
def test_a_run_that_took_the_server_with_it_is_not_made_again_at_once(begin, tmp_path, ago, runs):
    now = datetime.now(UTC)
    began = now - ago * MINUTE
    told = {"last": (now - timedelta(days=20)).isoformat(), "began": began.isoformat()}
    (tmp_path / MEMORY).write_bytes(orjson.dumps(told))
    run = Runs()
    schedule, watch = begin(trigger_of(CronTimes.parse("0 3 * * 0")), run)
    if runs:
        until(lambda: watch.came == ["started", "kept"])

    assert watch.missed is not None
    assert len(run.begun) == runs
    assert runs or schedule.next == began + timedelta(hours=1)


@pytest.mark.parametrize("found", [b"", b"[]", b'{"last": 3}', b'{"last": "yesterday"}'])
def test_a_damaged_memory_is_made_anew(begin, tmp_path, found):
    (tmp_path / MEMORY).write_bytes(found)
    _, watch = begin(soon())

    assert watch.missed is None
    assert abs(remembered(tmp_path) - datetime.now(UTC)) < MINUTE


def test_a_memory_that_cannot_be_written_is_told_and_it_runs_on(begin, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    _, watch = begin(soon(), memory=blocked)
    until(lambda: "kept" in watch.came)

    assert "started" in watch.came
    assert {"FileExistsError", "NotADirectoryError"} & set(watch.came)


def test_it_may_be_stopped_twice_and_unstarted(begin, tmp_path):
    schedule, _ = begin(soon())
    schedule.stop()
    schedule.stop()
    RetrainSchedule(soon(), Runs(), Told(), memory=tmp_path, clock=SystemClock()).stop()
