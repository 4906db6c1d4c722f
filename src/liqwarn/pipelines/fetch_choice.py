"""What may be chosen of a provider's series, and what is wrong with a choice."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["faults_of_choice"]


def faults_of_choice(what: str, chosen: Sequence[str], known: Iterable[str]) -> Iterator[str]:
    """Every fault of a choice, an unknown word with the nearest known one.

    >>> list(faults_of_choice("metric", ["inflw", "price"], ["inflow", "price"]))
    ["metric is 'inflw', did you mean 'inflow'? expected of inflow, price"]
    >>> list(faults_of_choice("metric", [], ["inflow"]))
    ['metrics: none, expected of inflow']
    """
    names = list(known)
    if not chosen:
        yield f"{what}s: none, expected of {', '.join(names)}"
    if len(set(chosen)) < len(chosen):
        yield f"{what}s: {', '.join(chosen)}, expected each once"
    for word in dict.fromkeys(chosen):
        if word not in names:
            near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
            hint = f", did you mean '{near[0]}'?" if near else ","
            yield f"{what} is {word!r}{hint} expected of {', '.join(names)}"
