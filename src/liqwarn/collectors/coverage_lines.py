"""Which lines of a venue carry what, from what is subscribed on them."""

from collections.abc import Mapping, Sequence

from liqwarn.collectors.happenings import Kind
from liqwarn.collectors.venue import Venue

__all__ = ["carrying_lines"]


def carrying_lines(
    venue: Venue, symbols: Sequence[str], kind: Kind, kinds: frozenset[Kind]
) -> Mapping[str, Mapping[str, frozenset[str]]]:
    """The lines that carry a kind of each symbol, and in which topics.

    A line carries it when it has a topic that the venue would subscribe for this symbol and kind
    alone.

    Parameters
    ----------
    venue : Venue
    symbols, kinds
        What the collector was asked for: the names of the lines depend on it.
    kind : str

    Returns
    -------
    mapping of symbol to mapping of line to frozenset of str
        The topics of it on each line; empty where no line carries it.
    """
    lines = venue.lines(symbols, kinds)
    topics = {line.name: frozenset(topic for topic, _ in line.topics) for line in lines}
    found = {}
    for symbol in symbols:
        alone = venue.lines([symbol], frozenset({kind}))
        wanted = frozenset(topic for line in alone for topic, _ in line.topics)
        found[symbol] = {name: has & wanted for name, has in topics.items() if has & wanted}
    return found
