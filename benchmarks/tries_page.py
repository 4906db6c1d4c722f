"""docs/tries.md from the results."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from tries_judge import Look, verdict, won
from tries_kinds import REFERENCE, Try

Results = Mapping[str, Mapping[str, Any]]

HEAD = Path(__file__).with_name("tries_head.md")
SHOWN = (("log_loss", 1e3, 2), ("brier", 1e5, 1), ("pr_auc", 1.0, 3))
NOTES = Path(__file__).with_name("tries_notes.md")


def page(tries: Sequence[Try], results: Results, looks: Mapping[str, Look]) -> str:
    """The whole document; tries without a result yet are left out."""
    done = [t for t in tries if t.name in results and "first" in results[t.name]]
    judged = [t for t in done if t is not REFERENCE]
    sections = (_reference(results, looks), _count(judged, results), _again(judged, results))
    parts = [HEAD.read_text(), *("\n".join(section) for section in sections)]
    for group, members in groupby(judged, key=lambda t: t.group):
        parts.append(
            "\n".join([f"## {group[:1].upper()}{group[1:]}", "", *_table(members, results)])
        )
    waiting = [t.name for t in tries if t not in done]
    if waiting:
        parts.append(f"Listed and not run yet: {', '.join(waiting)}.")
    parts.append(NOTES.read_text())
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _reference(results: Results, looks: Mapping[str, Look]) -> Iterator[str]:
    yield "## The model kept"
    yield ""
    yield f"{REFERENCE.what[:1].upper()}{REFERENCE.what[1:]}."
    yield ""
    yield "| look | side | PR-AUC | ROC-AUC | log-loss | Brier |"
    yield "|---|---|---|---|---|---|"
    for name in looks:
        figures = results.get(REFERENCE.name, {}).get(name, {}).get("figures")
        for side in ("long", "short") if figures else ():
            f = {k: v[side] for k, v in figures.items()}
            yield (
                f"| {name} | {side} | {f['pr_auc']:.3f} | {f['roc_auc']:.3f} "
                f"| {-f['log_loss']:.4f} | {-f['brier']:.5f} |"
            )


def _count(judged: Sequence[Try], results: Results) -> Iterator[str]:
    told = {t.name: verdict(results[t.name]) for t in judged}
    passed = [name for name, says in told.items() if says == "passes"]
    gains = [n for n in told if won(results[n]["first"])]
    better = sum(results[n]["first"]["delta_log_loss"]["pooled"]["mean"] > 0 for n in told)
    width = np.median(
        [np.ptp(results[n]["first"]["delta_log_loss"]["pooled"]["ci"]) / 2 for n in told]
        or [np.nan]
    )
    chance = len(judged) / 40
    yield "## How many, and how many by chance"
    yield ""
    yield (
        f"{len(judged)} tries. If none of them changed anything, each of the three "
        f"figures would lie above 0 with its whole interval in one try of forty: about "
        f"{chance:.1f} a figure, and up to {3 * chance:.1f} in all if the figures were "
        f"independent, which they are not. Found in the first look: {len(gains)}"
        + (f" ({', '.join(gains)})" if gains else "")
        + f". Pass both looks: {len(passed)}"
        + (f" ({', '.join(passed)})" if passed else "")
        + f". Log-loss is lower than the kept model's, by however little, in {better} of "
        f"{len(judged)}. Half the width of a log-loss interval is {1e3 * width:.2f} in the median: "
        "a gain smaller than that cannot be seen here."
    )


def _again(judged: Sequence[Try], results: Results) -> Iterator[str]:
    """Tries that pass, in all looks and by side."""
    yield "## Those that pass, once more"
    yield ""
    passed = [t for t in judged if verdict(results[t.name]) == "passes"]
    if not passed:
        yield "None."
        return
    yield "| try | look | Δ log-loss | long | short | Δ Brier | Δ PR-AUC | long | short |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for attempt in passed:
        for look, found in results[attempt.name].items():
            cells = [attempt.name, look]
            for figure, scale, digits in (
                ("log_loss", 1e3, 2),
                ("brier", 1e5, 1),
                ("pr_auc", 1, 3),
            ):
                sides = ("pooled",) if figure == "brier" else ("pooled", "long", "short")
                gains = found[f"delta_{figure}"]
                cells += [_gain(gains[side], scale, digits) for side in sides]
            yield f"| {' | '.join(cells)} |"


def _table(members: Iterator[Try], results: Results) -> Iterator[str]:
    yield (
        "| try | why | Δ log-loss | Δ Brier | Δ PR-AUC | Δ PR-AUC long | Δ PR-AUC short "
        "| Δ ROC-AUC long, short | second look: Δ log-loss | Δ PR-AUC | |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for attempt in members:
        found = results[attempt.name]
        first, second = found["first"], found.get("second")
        roc = first["delta_roc_auc"]
        cells = [
            f"**{attempt.name}**: {attempt.what}",
            attempt.why,
            _gain(first["delta_log_loss"]["pooled"], 1e3, 2),
            _gain(first["delta_brier"]["pooled"], 1e5, 1),
            *(_gain(first["delta_pr_auc"][side], 1.0, 3) for side in ("pooled", "long", "short")),
            f"{roc['long']:+.3f}, {roc['short']:+.3f}",
            _gain(second["delta_log_loss"]["pooled"], 1e3, 2) if second else "–",
            _gain(second["delta_pr_auc"]["pooled"], 1.0, 3) if second else "–",
            verdict(found),
        ]
        yield f"| {' | '.join(cells)} |"


def _gain(cell: Mapping[str, Any], scale: float, digits: int) -> str:
    low, high = (scale * end for end in cell["ci"])
    text = f"{scale * cell['mean']:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"
    return f"**{text}**" if low > 0.0 or high < 0.0 else text
