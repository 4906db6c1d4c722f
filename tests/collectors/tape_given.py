"""Small tapes for tests."""

from liqwarn.collectors.tape import TapeWriter
from liqwarn.collectors.taped import Taped

T0 = 1_780_000_000_000


def record(number, *, seen_ms=None, what="frame", content=None):
    """A record whose content says which one it is."""
    return Taped(
        seen_ms=T0 + number if seen_ms is None else seen_ms,
        line=f"line-{number % 3}",
        what=what,
        content=b'{"n":%d}' % number if content is None else content,
    )


def written(folder, batches, *, venue="okx", close=False, **options):
    """A tape of batches of records, each synced."""
    writer = TapeWriter(folder, venue, **options)
    for batch in batches:
        for one in batch:
            writer.append(one)
        writer.sync()
    if close:
        writer.close()
    return writer
