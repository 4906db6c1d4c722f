"""What a page or a text says of one run of retraining, from the lines of its journal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.reports.formats import DASH, finite, number, percent, utc
from liqwarn.reports.retrain_gate import GateRow, gate_rows

__all__ = ["RetrainView", "retrain_view"]

Line = Mapping[str, Any]
_ENDS: Final = {"finished", "stopped", "failed"}
_SENTENCES: Final = {
    "first": "The first model is champion",
    "promoted": "The challenger was promoted",
    "kept": "The champion stays",
    "stopped": "Stopped before training; the champion stays",
    "failed": "Broken off; the next run goes on",
    "": "Not finished",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainView:
    """The parts of a page.

    Attributes
    ----------
    sentence : str
        What came of it.
    action, run, at, champion : str
    reasons, notes : tuple of str
    facts : tuple of (str, str)
        Name and value, of the data and its checks.
    drift : tuple of (str, ...)
        Feature, PSI, KS, grade.
    sides : tuple of str
    gate : tuple of GateRow
    steps : tuple of (str, str, str)
        Step, seconds since the run began, and what was said.
    """

    sentence: str
    action: str
    run: str
    at: str
    champion: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    drift: tuple[tuple[str, ...], ...]
    sides: tuple[str, ...]
    gate: tuple[GateRow, ...]
    steps: tuple[tuple[str, str, str], ...]


def retrain_view(lines: Sequence[Line]) -> RetrainView:
    """The view of a run.

    Parameters
    ----------
    lines : sequence of mapping
        Its lines in the journal, of all attempts; where a step was made twice the last counts.
    """
    last = {str(line["step"]): line for line in lines}
    end: Line = lines[-1] if lines and lines[-1]["step"] in _ENDS else {}
    figures = end.get("figures", {})
    action = str(figures.get("action") or end.get("step") or "")
    evidence = _figures(last, "judged").get("evidence", [])
    reasons = tuple(end.get("reasons", ()))
    return RetrainView(
        sentence=_SENTENCES.get(action, action),
        action=action or "not finished",
        run=str(lines[-1]["run"]) if lines else "",
        at=utc(lines[-1]["at"]) if lines else DASH,
        champion=str(figures.get("champion") or DASH),
        reasons=reasons,
        notes=tuple(figures.get("notes", ())),
        facts=(*_data(_figures(last, "data")), *_quality(_figures(last, "quality"))),
        drift=tuple(_drift(_figures(last, "drift"))),
        sides=tuple(str(one["side"]) for one in evidence),
        gate=tuple(gate_rows(evidence)),
        steps=tuple(_step(line, reasons) for line in lines),
    )


def _figures(last: Mapping[str, Line], step: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = last[step]["figures"] if step in last else {}
    return found


def _data(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not data:
        return []
    return [
        ("Symbols", ", ".join(data["symbols"])),
        ("Bars", f"{data['bars']:,} from {utc(data['since'])} to {utc(data['until'])}"),
        ("New rows", DASH if data["new_rows"] is None else f"{data['new_rows']:,}"),
        ("Data", str(data["data_sha256"])[:16]),
        ("Panel file", str(data["panel_sha256"])[:16]),
    ]


def _quality(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not found:
        return []
    return [
        ("Least covered core field", percent(found["least_coverage"])),
        ("Longest silence at the end", f"{found['most_silent_bars']} bars"),
        ("Bars in doubt, at most", percent(found["most_doubt"])),
        ("Prices apart, median at most", f"{number(found['most_apart_bps'], 1)} bps"),
    ]


def _drift(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (str(row["feature"]), number(row["psi"]), number(row["ks"]), str(row["grade"]))
        for row in found.get("farthest", ())
    ]


def _step(line: Line, told: tuple[str, ...]) -> tuple[str, str, str]:
    """What a step said, unless the page begins with it."""
    seconds = finite(line["seconds"])
    said = "" if tuple(line["reasons"]) == told else "; ".join(line["reasons"])
    return str(line["step"]), DASH if seconds is None else f"{seconds:.1f} s", said
