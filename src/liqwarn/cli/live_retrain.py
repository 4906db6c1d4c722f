"""Retraining on schedule within ``liqwarn serve``: its options checked, its command line made."""

from pathlib import Path
from typing import TYPE_CHECKING

from liqwarn.cli.live_options import ServeOptions
from liqwarn.cli.options import DEFAULT_POLICY
from liqwarn.config import load_policy
from liqwarn.errors import ConfigError
from liqwarn.serving.alert_sink import AlertSink
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.retrain_run import CHILD, RetrainRun
from liqwarn.serving.retrain_watch import RetrainWatch
from liqwarn.serving.schedule import CronTimes
from liqwarn.signing import load_signing_key, load_verify_keys

if TYPE_CHECKING:
    from liqwarn.serving.retrain_schedule import RetrainSchedule

__all__ = ["open_retraining", "retrain_times", "retrain_words"]


def retrain_times(options: ServeOptions) -> CronTimes | None:
    """When ``--retrain`` is due, everything that it needs checked; None without it.

    Raises
    ------
    ConfigError
        When the schedule cannot be read, or what is retrained would not reach this server.
    """
    if options.retrain is None:
        unheard = {"--retrain-key": options.retrain_key, "--train-panel": options.train_panel}
        named = [name for name, given in unheard.items() if given]
        if named:
            raise ConfigError(f"{', '.join(named)} without --retrain: there is no schedule")
        return None
    times = CronTimes.parse(options.retrain)
    if options.releases is None or options.retrain_key is None:
        raise ConfigError(
            "--retrain needs --releases FOLDER and --retrain-key KEY: a new champion reaches this "
            "server as a signed release"
        )
    load_policy(options.policy or DEFAULT_POLICY)  # what it is released with: refused now or then
    key = load_signing_key(options.retrain_key).public
    if options.trust is not None and key not in load_verify_keys(options.trust):
        raise ConfigError(
            f"--retrain-key {options.retrain_key} is key {key.key_id}, which is none of --trust "
            f"{options.trust}: this server would refuse what it releases"
        )
    return times


def retrain_words(options: ServeOptions) -> tuple[str, ...]:
    """The command that a run is: ``liqwarn retrain`` over what this server was told.

    One thread, so that a core is left to the server.
    """
    given = {
        "--panel": options.panel,
        "--data": options.data,
        "--store": options.store,
        "--policy": options.policy or DEFAULT_POLICY,
        "--release": options.releases,
        "--key": options.retrain_key,
    }
    named = [word for name, path in given.items() if path for word in (name, str(path))]
    others = [word for path in options.train_panel or () for word in ("--train-panel", str(path))]
    return ("retrain", "--json", "--threads", "1", *named, *others)


def open_retraining(
    options: ServeOptions, times: CronTimes | None, metrics: ServingMetrics,
    alerts: AlertSink | None, folder: Path,
) -> "RetrainSchedule | None":  # fmt: skip
    """The schedule, not yet started; None without one."""
    if times is None:
        return None
    # a server without a schedule need not wait for APScheduler
    from liqwarn.serving.retrain_schedule import RetrainSchedule, trigger_of  # noqa: PLC0415

    clock = SystemClock()  # in a replay, too: models age by today's clock
    run = RetrainRun((*CHILD, *retrain_words(options)), folder, clock=clock)
    watch = RetrainWatch(metrics, alerts)
    return RetrainSchedule(trigger_of(times), run, watch, memory=folder, clock=clock)
