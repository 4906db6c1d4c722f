"""The flags in the terminal: one row a symbol and side, the strictest first."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from liqwarn.reports.formats import percent, utc
from liqwarn.reports.tiers import flag_sides, tier_title

__all__ = ["flags_table", "flags_text"]

_STYLES: Final = ("green", "cyan", "yellow", "dark_orange", "bold red", "bold white on red")


def flags_table(flags: Iterable[Mapping[str, Any]]) -> Table:
    """The flags as a rich table that fits 80 columns.

    Parameters
    ----------
    flags : iterable of dict
        As :func:`liqwarn.decisions.flag_to_dict` writes them.

    Examples
    --------
    >>> flags_table([]).row_count
    0
    """
    rows = flag_sides(flags)
    until = sorted({row.valid_until for row in rows})
    caption = f"valid until {utc(until[0])} UTC, then expired" if until else "no flags"
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", pad_edge=False)
    for name in ("Symbol", "Side", "Tier", "State"):
        table.add_column(name, no_wrap=True)
    for name in ("P 1h", "P 4h", "P 24h"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Data", no_wrap=True)
    for row in rows:
        table.add_row(
            escape(row.symbol),
            row.side,
            Text(tier_title(row.tier), style=_STYLES[row.tier]),
            escape(row.state),
            *(percent(row.probability[h]) for h in (1, 4, 24)),
            escape(row.quality),
        )
    return table


def flags_text(flags: Iterable[Mapping[str, Any]]) -> str:
    """The flags as plain lines, with their reasons, for logs and pipes.

    Examples
    --------
    >>> flags_text([])
    'no flags'
    """
    lines = [
        f"{row.symbol} {row.side}: {tier_title(row.tier)}, {row.state}, "
        f"p(4 h) {percent(row.probability[4])}, data {row.quality}, "
        f"valid until {utc(row.valid_until)} UTC. {' '.join(row.reasons)}".rstrip()
        for row in flag_sides(flags)
    ]
    return "\n".join(lines) or "no flags"
