"""What the gate does with good and bad challengers: prints the tables of docs/gate.md.

    python benchmarks/gate.py [--seeds 8]

Challengers are arrays of scores over a small simulated truth, judged through the real evidence.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from gate_challengers import BAD, RESAMPLES, bad, better, given, identical, leak, level, truth
from liqwarn.models import gate
from liqwarn.models.gate import RULES, judge


def refusals(verdicts: Iterable[gate.Verdict]) -> tuple[int, int]:
    """How many were refused, and of how many."""
    told = [verdict.promote for verdict in verdicts]
    return told.count(False), len(told)


def without_each_rule(challengers: list) -> Iterator[tuple[str, int]]:
    """Name of a rule, and how many bad challengers pass a gate that lacks it."""
    whole = dict(RULES)
    for name in whole:
        gate.RULES = {other: rule for other, rule in whole.items() if other != name}
        yield name, sum(judge(one.evidence, one.dates).promote for one in challengers)
    gate.RULES = whole


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    seeds = range(parser.parse_args().seeds)
    print(f"{len(seeds)} seeds a kind, {RESAMPLES} resamples of weeks.\n")
    print("| challenger | refused | for the reason | a refusal |\n|---|---:|---:|---|")
    every = []
    for kind, (_, why) in BAD.items():
        made = [bad(kind, seed) for seed in seeds]
        every += made
        verdicts = [judge(one.evidence, one.dates) for one in made]
        named = [[r for r in verdict.reasons if why in r] for verdict in verdicts]
        refused, n = refusals(verdicts)
        right = sum(map(bool, named))
        print(f"| {kind} | {refused} of {n} | {right} of {n} | {named[0][0]} |")
    print("\n| no bad challenger | promoted |\n|---|---:|")
    others: dict[str, Callable] = {"better": better, "the champion itself": identical,
                                   "another as good": level}  # fmt: skip
    for name, make in others.items():
        refused, n = refusals(judge(x.evidence, x.dates) for x in map(make, seeds))
        print(f"| {name} | {n - refused} of {n} |")
    print("\n| rule left out | bad challengers let through |\n|---|---:|")
    for name, passed in without_each_rule(every):
        print(f"| {name} | {passed} |")
    print(
        "\n| strength of a leaked label | ROC-AUC before onsets | at the edge | refused as a leak |"
    )
    print("|---:|---:|---:|---:|")
    for strength in (0.5, 1.0, 1.5, 2.0, 3.0):
        made = [given("leak", s, truth(s), leak(truth(s), s, strength)) for s in seeds]
        sides = [one for x in made for one in x.evidence]
        told = [judge(x.evidence, x.dates).reasons for x in made]
        caught = sum(any("a leak" in reason for reason in reasons) for reasons in told)
        near, edge = (
            np.median([one.nearest_roc_auc for one in sides]),
            np.median([one.edge_roc_auc for one in sides]),
        )
        print(f"| {strength} | {near:.2f} | {edge:.2f} | {caught} of {len(made)} |")


if __name__ == "__main__":
    main()
