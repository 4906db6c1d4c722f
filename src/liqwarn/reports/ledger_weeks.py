"""The weeks of a ledger as charts in boxes of 100 by 100: ranking, error, events, alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.frames import SIDES
from liqwarn.reports.formats import finite, number
from liqwarn.reports.ledger_rows import week_rows
from liqwarn.reports.simulation_charts import LinearScale, curve_path

__all__ = ["ENOUGH_A_WEEK", "Bar", "Spot", "WeekChart", "week_charts"]

ENOUGH_A_WEEK: Final = 5
"""Onsets below which a week's PR-AUC is drawn hollow: it says next to nothing."""

_LABELS: Final = 6
_GAP: Final = 0.12
Row = Mapping[str, Any]
Ticks = tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar from `y` down to `y` + `height`, all from the top left."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A week's figure; hollow when it stands on too few onsets. `y` is from below."""

    x: float
    y: float
    hollow: bool
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekChart:
    """One measure of one side, week by week."""

    name: str
    side: str
    label: str
    x_ticks: Ticks
    y_ticks: Ticks
    path: str = ""
    bars: tuple[Bar, ...] = ()
    spots: tuple[Spot, ...] = ()


def week_charts(account: Mapping[str, Any]) -> tuple[WeekChart, ...]:
    """The charts, measure by measure, the long side first; empty before the first week.

    Where no week has a PR-AUC, there is no chart of it.
    """
    rows = week_rows(account)
    weeks = sorted({str(row["week"]) for row in rows})
    if not weeks:
        return ()
    by_side = {side: _filled(rows, side, weeks) for side in SIDES}
    charts = []
    ranked = any(finite(row.get("pr_auc")) is not None for row in rows)
    for draw in (*([_ranking] if ranked else []), _squares, _events, _alarms):
        every = [row for side in SIDES for row in by_side[side]]
        charts += [draw(by_side[side], every, side, weeks) for side in SIDES]
    return tuple(charts)


def _filled(rows: Sequence[Row], side: str, weeks: Sequence[str]) -> list[Row]:
    """A row for each week; a week that is missing has an empty one."""
    found = {str(row["week"]): row for row in rows if row["side"] == side}
    return [found.get(week, {"week": week}) for week in weeks]


def _ranking(rows: list[Row], every: list[Row], side: str, weeks: list[str]) -> WeekChart:
    up = LinearScale(0.0, LinearScale.around([row.get("pr_auc") for row in every]).high)
    spots = []
    for place, row in enumerate(rows):
        score, onsets = finite(row.get("pr_auc")), finite(row.get("onsets")) or 0.0
        if score is not None:
            title = f"week of {row['week']}: PR-AUC {number(score)} on {onsets:.0f} onsets"
            spots.append(
                Spot(
                    x=_middle(place, weeks),
                    y=up.at(score),
                    hollow=onsets < ENOUGH_A_WEEK,
                    title=title,
                )
            )
    solid = sum(not spot.hollow for spot in spots)
    label = f"{side} side: {len(spots)} weeks with a PR-AUC, {solid} of them on enough onsets"
    return WeekChart(
        name="PR-AUC", side=side, label=label, x_ticks=_dates(weeks), y_ticks=_levels(up),
        spots=tuple(spots),
    )  # fmt: skip


def _squares(rows: list[Row], every: list[Row], side: str, weeks: list[str]) -> WeekChart:
    up = LinearScale(0.0, LinearScale.around([row.get("brier") for row in every]).high)
    places: list[float | None] = [_middle(place, weeks) for place in range(len(weeks))]
    values = [finite(row.get("brier")) for row in rows]
    known = [value for value in values if value is not None]
    label = f"{side} side: Brier score by week"
    if known:
        label += f", from {number(min(known), 4)} to {number(max(known), 4)}"
    return WeekChart(
        name="Brier score", side=side, label=label, x_ticks=_dates(weeks), y_ticks=_levels(up),
        path=curve_path(places, values, LinearScale(0.0, 100.0), up),
    )  # fmt: skip


def _events(rows: list[Row], every: list[Row], side: str, weeks: list[str]) -> WeekChart:
    """Caught upwards, missed downwards: told apart without colour."""
    most = max((_count(row, name) for row in every for name in ("caught", "missed")), default=0)
    scale = LinearScale(-max(most, 1.0), max(most, 1.0))
    bars = []
    for place, row in enumerate(rows):
        for name, sign in (("caught", 1.0), ("missed", -1.0)):
            count = _count(row, name)
            if count:
                bars.append(_bar(place, weeks, scale, sign * count, (name, f"{count:.0f} {name}")))
    totals = [sum(_count(row, name) for row in rows) for name in ("caught", "missed")]
    label = f"{side} side: {totals[0]:.0f} events caught and {totals[1]:.0f} missed"
    ticks = tuple((at, number(abs(level), 0)) for at, level in _whole(scale))
    return WeekChart(
        name="Caught ↑ and missed ↓", side=side, label=label, x_ticks=_dates(weeks),
        y_ticks=ticks, bars=tuple(bars),
    )  # fmt: skip


def _alarms(rows: list[Row], every: list[Row], side: str, weeks: list[str]) -> WeekChart:
    most = max((_count(row, "false_alarms") for row in every), default=0)
    scale = LinearScale(0.0, max(most, 1.0))
    bars = []
    for place, row in enumerate(rows):
        count = _count(row, "false_alarms")
        if count:
            bars.append(_bar(place, weeks, scale, count, ("false", f"{count:.0f} false alarms")))
    total = sum(_count(row, "false_alarms") for row in rows)
    ticks = tuple((at, number(level, 0)) for at, level in _whole(scale))
    return WeekChart(
        name="False alarms", side=side, label=f"{side} side: {total:.0f} false alarms",
        x_ticks=_dates(weeks), y_ticks=ticks, bars=tuple(bars),
    )  # fmt: skip


def _bar(
    place: int, weeks: list[str], scale: LinearScale, value: float, told: tuple[str, str]
) -> Bar:
    ends = sorted((100.0 - scale.at(0.0), 100.0 - scale.at(value)))
    wide = 100.0 / len(weeks)
    return Bar(
        x=(place + _GAP) * wide,
        y=ends[0],
        width=(1 - 2 * _GAP) * wide,
        height=ends[1] - ends[0],
        kind=told[0],
        title=f"week of {weeks[place]}: {told[1]}",
    )


def _count(row: Row, name: str) -> float:
    return max(finite(row.get(name)) or 0.0, 0.0)


def _middle(place: int, weeks: Sequence[str]) -> float:
    return 100.0 * (place + 0.5) / len(weeks)


def _dates(weeks: Sequence[str]) -> Ticks:
    """A few weeks by their first day, from the first on at one distance."""
    step = max(-(-len(weeks) // _LABELS), 1)
    return tuple((_middle(k, weeks), weeks[k]) for k in range(0, len(weeks), step))


def _levels(up: LinearScale) -> Ticks:
    return tuple((at, f"{value:g}") for at, value in up.ticks(4))


def _whole(scale: LinearScale) -> list[tuple[float, float]]:
    """Ticks at whole numbers."""
    return [(at, value) for at, value in scale.ticks(4) if value == round(value)]
