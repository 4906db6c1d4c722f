"""A simulated year of weekly retrains, nobody watching: docs/retrain-year.md.

Every week of the year the data grows by seven days, the champion in force scores them, the ledger
settles what became known, and the retrain decides. Four things are planted: in one week traders
change their habits, in one two symbols' open interest is told in another unit (and put right the
week after), in one the timer does not fire, and once the champion is rolled back by hand. Run as
``make year``; the page is written by this command alone. The clock is the simulation's.
"""

import argparse
import shutil
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from liqwarn.config import Settings, load_policy
from liqwarn.durable import write_bytes, write_json
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.bundle import Bundle
from liqwarn.pipelines.alias_moves import Mandate, history_of, promote, rollback
from liqwarn.pipelines.champion import open_champion, registry_of
from liqwarn.pipelines.ledger import settle
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.retrain import retrain
from liqwarn.pipelines.score import score
from liqwarn.pipelines.study import Study, build_study
from liqwarn.pipelines.train import TrainOrder, train
from retrain_year_page import page
from turned_market import Turned, publish, turned_market, write_panel

ROOT = Path(__file__).parents[1]
START = datetime(2021, 1, 1, tzinfo=UTC)
HISTORY_DAYS = 640
"""Before the first retrain: a first training block of 18 months, and a quarter to test."""
WEEK = timedelta(days=7)
TREES = BoostSettings(milder_trees=40, onset_trees=60, learning_rate=0.06)
"""Fewer and faster trees than the defaults: the year is about the chain, not about skill."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which week brings what, counted from 0."""

    weeks: int = 52
    turn: int = 8
    fault: int = 20
    missed: int = 30
    rollback: int = 44


@dataclass(kw_only=True)
class Year:
    """The year so far."""

    market: Turned
    plan: Plan
    out: Path
    panel: Path
    settings: Settings
    order: TrainOrder
    weeks: list[dict[str, Any]] = field(default_factory=list)

    def moment(self, week: int) -> datetime:
        """When a week's timer fires: ten minutes after midnight."""
        return START + timedelta(days=HISTORY_DAYS, minutes=10) + week * WEEK


def study_at(year: Year, week: int) -> Study:
    """The study of everything published by a week's timer."""
    now, fault = year.moment(week), None
    if week == year.plan.fault:
        fault = (("DOGEUSDT", "ETHUSDT"), now - timedelta(days=3))
    publish(year.market, year.out / "files", now, fault=fault)
    repaired = week == year.plan.fault + 1
    job = MarketJob(
        panel=year.panel,
        data=year.out / "files",
        store=year.settings.home / "store" / "year",
        replace=repaired,
    )
    market = open_market(job, now=now)
    return build_study(market, memory=year.settings.home / "features" / "year")


def one_week(year: Year, week: int) -> dict[str, Any]:
    """Publish, score with the champion in force, settle, retrain."""
    now, began = year.moment(week), time.monotonic()
    row: dict[str, Any] = {
        "week": week,
        "at": now.date().isoformat(),
        "events": happenings(year, week),
    }
    if week == year.plan.missed:
        return row | {"action": "missed", "reasons": ["the timer did not fire"], "seconds": 0.0}
    study = study_at(year, week)
    champion = open_champion("year", year.settings)
    row["before"] = None if champion is None else champion.stamp.version
    if champion is not None:
        row |= flags_of_the_week(year, study, champion, week)
    built = time.monotonic()
    done = retrain("year", lambda: (study, ()), year.order, year.settings, now=now)
    row |= {
        "action": done.action,
        "reasons": list(done.reasons),
        "champion": done.champion,
        "retrain_s": time.monotonic() - built,
        "seconds": time.monotonic() - began,
    }
    return row


def flags_of_the_week(year: Year, study: Study, champion: Bundle, week: int) -> dict[str, Any]:
    """Score the week with the champion in force, and settle the ledger."""
    policy, scores = load_policy(ROOT / "conf" / "policy.yaml"), year.out / "scoring"
    score(study, champion, policy, scores, now=year.moment(week), since=year.moment(0))
    account = settle(study, champion, year.settings, scores=scores, now=year.moment(week))
    grades = [one["grade"] for one in account["drift"]["inputs"]]
    recent = [
        one
        for one in account["skill"]
        if (one["scope"], one["window"], one["model"]) == ("all", "90d", "any")
    ]
    return {
        "drift": {grade: grades.count(grade) for grade in ("none", "moderate", "large", "unknown")},
        "calibration": account["drift"]["calibration"],
        "skill": recent,
        "alarms": [f"{one['rule']} {one['subject']}" for one in account["alarms"]],
        "misses": len(account["misses"]),
    }


def happenings(year: Year, week: int) -> list[str]:
    """What was planted in a week."""
    plan = year.plan
    told = {
        plan.turn: "traders take up leverage",
        plan.fault: "open interest of DOGEUSDT and ETHUSDT told in thousands for three days",
        plan.fault + 1: "put right by the provider",
        plan.missed: "the timer does not fire",
    }
    return [told[week]] if week in told else []


def drill_rollback(year: Year, week: int) -> dict[str, Any]:
    """Roll the champion back by hand and forward again, and time both."""
    registry, history = registry_of("year", year.settings), history_of("year", year.settings)
    by_hand = ""
    if registry.champion() == "1":  # the gate let nobody pass: a person does
        study = study_at(year, week)
        done = train(study, (), year.order, year.settings, run=("by hand", year.moment(week)))
        mandate = Mandate(action="promote", reason="drill", by="the year", now=year.moment(week))
        promote(registry, history, done.version, mandate)
        by_hand = ", of a challenger that was promoted by hand"
    found: dict[str, Any] = {"week": week, "was": registry.champion(), "by_hand": by_hand}
    for action in ("rollback", "promote"):
        mandate = Mandate(action=action, reason="drill", by="the year", now=year.moment(week))
        began = time.monotonic()
        if action == "rollback":
            moved = rollback(registry, history, mandate)
        else:
            moved = promote(registry, history, str(found["was"]), mandate)
        found[action] = {"champion": moved.champion, "seconds": time.monotonic() - began}
    return found


def run(options: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """The whole year; returns what the page is written from."""
    out = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    days = HISTORY_DAYS + 7 * plan.weeks + 2
    market = turned_market(START, days, HISTORY_DAYS + 7 * plan.turn, options.seed)
    home = out / "home"
    settings = Settings(home=home, mlflow_uri=f"sqlite:///{home / 'mlflow.db'}")
    year = Year(
        market=market,
        plan=plan,
        out=out,
        panel=write_panel(
            "year", ROOT / "conf" / "panels" / "demo.yaml", out / "panels" / "year.yaml"
        ),
        settings=settings,
        order=TrainOrder(seed=options.seed, threads=options.threads, settings=TREES),
    )
    found: dict[str, Any] = {"seed": options.seed, "plan": vars(plan), "rollback": None}
    began = time.monotonic()
    for week in range(plan.weeks):
        row = one_week(year, week)
        year.weeks.append(row)
        print(
            f"  week {week}: {row['action']}, {row['seconds']:.0f} s: {row['reasons'][:1]}",
            file=sys.stderr,
            flush=True,
        )
        if week >= plan.rollback and found["rollback"] is None and row["action"] != "missed":
            found["rollback"] = drill_rollback(year, week)
    return found | {"weeks": year.weeks, "seconds": time.monotonic() - began}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "year")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "retrain-year.md")
    options = parser.parse_args()
    found = run(options, Plan(weeks=options.weeks))
    write_json(options.out / "year.json", found)
    write_bytes(options.page, page(found).encode())


if __name__ == "__main__":
    main()
