"""Assets, the weekly job and its schedule.

``dagster dev`` in this folder; where liqwarn and its files are is said by the variables below.
"""

from collections.abc import Mapping
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSelection,
    Backoff,
    ConfigurableResource,
    DefaultScheduleStatus,
    Definitions,
    EnvVar,
    Failure,
    MaterializeResult,
    MetadataValue,
    RetryPolicy,
    RetryRequested,
    ScheduleDefinition,
    asset,
    define_asset_job,
)
from liqwarn_weekly.commands import BUSY, STEPS, CommandError, Where, command_of, run

BUSY_WAIT_S = 600
EVERY = EnvVar("WEEKLY_SCHEDULE").get_value("0 3 * * 0")
TAGS = {"liqwarn/panel": EnvVar("WEEKLY_PANEL").get_value("unnamed")}


class Liqwarn(ConfigurableResource):
    """Where liqwarn and its files are. Names do not begin with LIQWARN_: liqwarn refuses those."""

    program: str = EnvVar("WEEKLY_PROGRAM")
    panel: str = EnvVar("WEEKLY_PANEL")
    data: str = EnvVar("WEEKLY_DATA")
    policy: str = EnvVar("WEEKLY_POLICY")
    home: str = EnvVar("WEEKLY_HOME")
    scores: str = EnvVar("WEEKLY_SCORES")
    releases: str = ""
    key: str = ""

    def where(self) -> Where:
        """The same as plain data."""
        return Where(**self.model_dump())


def step_asset(step: str, before: str | None, description: str) -> AssetsDefinition:
    """An asset that a command brings up to date."""

    @asset(
        name=step,
        deps=[before] if before else [],
        description=description,
        group_name="liqwarn",
        kinds={"liqwarn"},
        retry_policy=RetryPolicy(max_retries=2, delay=60, backoff=Backoff.EXPONENTIAL),
    )
    def made(context: AssetExecutionContext, liqwarn: Liqwarn) -> MaterializeResult:
        where = liqwarn.where()
        try:
            told = run(command_of(step, where), where, context.log.info)
        except CommandError as error:
            if error.code == BUSY:
                raise RetryRequested(max_retries=6, seconds_to_wait=BUSY_WAIT_S) from error
            metadata = {"exit code": error.code, "said": str(error)}
            # the same data is refused again: a person is needed, not another try
            raise Failure(str(error), metadata=metadata, allow_retries=error.code < 0) from error
        return MaterializeResult(metadata=metadata_of(step, told))

    return made


def metadata_of(step: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What Dagster shows of a step."""
    shown = {name: told[name] for name in SHOWN[step] if told.get(name) not in (None, "", [])}
    if step == "retrain":
        shown["reasons"] = MetadataValue.md("\n".join(f"- {one}" for one in told["reasons"]))
    if step == "report":
        shown["out"] = MetadataValue.path(told["out"])
    if step == "score":
        tiers = [side["tier"] for flag in told["flags"] for side in flag["sides"].values()]
        shown |= {"symbols": len(told["flags"]), "highest tier": max(tiers, default="none")}
    return shown | {"all": MetadataValue.json(told)}


SHOWN: Mapping[str, tuple[str, ...]] = {
    "ingest": (),
    "retrain": ("action", "champion", "run", "release", "report", "notes"),
    "ledger": ("as_of", "counts", "champion", "alarms"),
    "score": ("new_bars",),
    "report": (),
}

ABOUT = {
    "ingest": "The store, with every row that is new.",
    "retrain": "The champion: judged against a challenger, promoted or kept, with the reasons.",
    "ledger": "What became of the flags that were issued, and the champion's skill live.",
    "score": "Flags of every new bar.",
    "report": "One page of all of it.",
}

ASSETS = [
    step_asset(step, before, ABOUT[step])
    for step, before in zip(STEPS, (None, *STEPS), strict=False)
]

weekly = define_asset_job(
    "weekly", selection=AssetSelection.groups("liqwarn"), tags=TAGS, description="Every step."
)

# cron's weekdays here: 0 is Sunday; in UTC no hour is left out or done twice
every_week = ScheduleDefinition(
    name="every_week",
    job=weekly,
    cron_schedule=EVERY,
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
)

defs = Definitions(
    assets=ASSETS, jobs=[weekly], schedules=[every_week], resources={"liqwarn": Liqwarn()}
)
