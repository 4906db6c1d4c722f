"""How good a panel's data is, for a person: what is known, what lies apart, what is in doubt."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from math import isnan
from typing import Any, Final

from liqwarn.reports.formats import finite, percent

__all__ = ["feed_lines", "quality_text"]

_SHORT: Final = 16
_RARELY: Final = 0.005


def quality_text(account: Mapping[str, Any]) -> str:
    """The document of ``liqwarn quality`` as lines.

    Parameters
    ----------
    account : mapping
        As :meth:`liqwarn.pipelines.quality.QualityAccount.to_dict` gives it.
    """
    head = (
        f"{account['panel']}: {account['bars']:,} bars of {account['bar']} from "
        f"{_time(account['since'])} to {_time(account['until'])}"
    )
    parts = [[head], _fields(account["fields"]), _doubts(account["doubts"])]
    parts += [_apart(account["disagreements"])] if account["disagreements"] else []
    parts += [[*feed_lines(account), account["feeds"]["caveat"]]] if account.get("feeds") else []
    return "\n\n".join("\n".join(part) for part in parts)


def _fields(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line a field and symbol; fields that are whole for every symbol in one line together."""
    whole = [row for row in rows if _is_whole(row)]
    names = list(dict.fromkeys(row["field"] for row in whole))
    every = {name: sum(row["field"] == name for row in rows) for name in names}
    done = [n for n in names if sum(row["field"] == n for row in whole) == every[n]]
    table = [
        ("symbol", "field", "known from", "to", "covered", "holes", "longest", "age", "held"),
        *(_field(row) for row in rows if row["field"] not in done),
    ]
    lines = [f"whole, told anew each bar: {', '.join(done)}"] if done else []
    return [*lines, *_columns(table)] if len(table) > 1 else lines


def _is_whole(row: Mapping[str, Any]) -> bool:
    held = row["held_frac"]
    return bool(row["coverage"] == 1.0 and not (held is not None and held > _RARELY))


def _field(row: Mapping[str, Any]) -> tuple[str, ...]:
    if row["first"] is None:
        return (row["symbol"], row["field"], "never", "", "", "", "", "", "")
    longest = row["longest"][0] if row["longest"] else None
    hole = "" if longest is None else f"{longest['bars']:,} at {_time(longest['first'])}"
    silent = f"silent for {row['silent_bars']:,} bars" if row["silent_bars"] else ""
    return (
        row["symbol"],
        row["field"],
        _time(row["first"]),
        _time(row["last"]),
        percent(finite(row["coverage"]), 2),
        f"{row['holes']:,}",
        silent or hole,
        f"{_span(row['age_median_s'])} to {_span(row['age_p99_s'])}",
        percent(finite(row["held_frac"]), 0),
    )


def _doubts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    told = [
        f"{row['symbol']}: {row['bars']:,} bars in doubt ({row['rule']}), the last at "
        f"{_time(row['last'])}"
        for row in rows
    ]
    return told or ["no bar in doubt: prices agree, and no liquidation feed was mute in a run"]


def _apart(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    table = [("asset", "compared", "bars", "median", "p99", "worst", "at", "together", "shift")]
    equal = [row for row in rows if row["worst"] == 0.0]
    for row in (row for row in rows if row["worst"] > 0.0):
        digits = 1 if row["unit"] == "bps" else 3
        unit = " bps" if row["unit"] == "bps" else ""
        sizes = (f"{row[name]:.{digits}f}{unit}" for name in ("median", "p99", "worst"))
        together = "" if row["together"] is None else f"{row['together']:.3f}"
        table.append(
            (
                row["asset"],
                f"{row['one']} / {row['other']}",
                f"{row['bars']:,}",
                *sizes,
                _time(row["worst_at"]),
                together,
                "" if row["ahead"] == 0 else f"{row['ahead']:+d} bars",
            )
        )
    same = [f"{row['asset']} {row['one']} / {row['other']}" for row in equal]
    told = [f"the same to the bit: {', '.join(same)}"] if same else []
    return [*(_columns(table) if len(table) > 1 else ()), *told]


def feed_lines(account: Mapping[str, Any]) -> list[str]:
    """What each liquidation feed told over the fall of open interest, and the venue's own word."""
    feeds = account.get("feeds")
    return [] if not feeds else [*map(_feed, feeds["sides"]), feeds["grade"]]


def _feed(side: Mapping[str, Any]) -> str:
    head = f"{side['symbol']} {side['side']} liquidations"
    if side["share"] is None:
        return f"{head}: {side['episodes']} hard moves, too few to compare with open interest"
    low, high = percent(side["low"], 1), percent(side["high"], 1)
    return (
        f"{head}: {percent(side['share'], 1)} [{low}, {high}] of the fall of open interest in "
        f"{side['episodes']} hard moves"
    )


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _span(seconds: float | None) -> str:
    if seconds is None or isnan(seconds):
        return "?"
    return str(timedelta(seconds=round(seconds))).removesuffix(":00")


def _time(text: str) -> str:
    return text[:_SHORT].replace("T", " ")
