"""A part of an evaluation: sentences, charts and tables, for the page and for markdown alike."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from liqwarn.reports.formats import DASH

__all__ = ["Line", "Section", "Table", "Tone", "markdown_of", "markdown_table", "sides_beside"]

Tone = Literal["", "good", "bad", "quiet"]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table.

    Attributes
    ----------
    cells : tuple of str
    ours : bool
        Whether it is liqwarn's.
    tone : {"", "good", "bad", "quiet"}
        How the verdict in its last cell is to be read.
    """

    cells: tuple[str, ...]
    ours: bool = False
    tone: Tone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of texts.

    Attributes
    ----------
    title : str
    header : tuple of str
    rows : tuple of Line
    texts : int
        How many columns on the left hold words; the others hold figures.
    verdict : bool
        Whether the last column holds a verdict.
    brief, page : bool
        Whether it is part of the markdown, and of the page.
    beside : tuple of str
        Columns that markdown shows for both sides in one row; needs sides in the last column of
        words.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[Line, ...]
    texts: int = 1
    verdict: bool = False
    brief: bool = True
    page: bool = True
    beside: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[bool, ...]:
        """Which columns hold figures."""
        last = len(self.header) - 1
        return tuple(k >= self.texts and not (self.verdict and k == last) for k in range(last + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the evaluation.

    Attributes
    ----------
    key : str
        Its anchor on the page.
    title : str
    lead : tuple of str
        Paragraphs.
    alarm : str
        A warning that comes first; empty when there is none.
    charts : tuple
        Each with a ``kind`` that names the macro which draws it.
    tables : tuple of Table
    missing : bool
        True when the run did not measure it; `lead` says what that means.
    """

    key: str
    title: str
    lead: tuple[str, ...] = ()
    alarm: str = ""
    charts: tuple[Any, ...] = ()
    tables: tuple[Table, ...] = ()
    missing: bool = False


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], figures: Sequence[bool] = ()
) -> str:
    r"""A markdown table; columns of figures to the right, by default all but the first.

    >>> print(markdown_table(["model", "n"], [["B0", "1"], ["a|b", "2"]]))
    | model | n |
    |---|---:|
    | B0 | 1 |
    | a\|b | 2 |
    """
    right = figures or [k > 0 for k in range(len(header))]
    lines = [
        "| " + " | ".join(header) + " |",
        "|" + "|".join("---:" if at_right else "---" for at_right in right) + "|",
    ]
    lines += ["| " + " | ".join(_cell(text) for text in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def markdown_of(section: Section) -> str:
    """The section as markdown, without its charts.

    >>> print(markdown_of(Section(key="a", title="Alarms", lead=("None.",), alarm="Look!")))
    ## Alarms
    <BLANKLINE>
    **Look!**
    <BLANKLINE>
    None.
    """
    parts = [f"## {section.title}", f"**{section.alarm}**" if section.alarm else ""]
    parts.append(re.sub(r"(?<![.:])\n", " ", "\n".join(section.lead)))
    for table in section.tables:
        if table.brief and table.rows:
            shown = sides_beside(table) if table.beside else table
            parts += [f"**{table.title}**" if table.title else "", _table(shown)]
    return "\n\n".join(part for part in parts if part)


def sides_beside(table: Table) -> Table:
    """The same table with one row for both sides; unchanged where a row has two of one side.

    >>> two = Table(title="", header=("run", "side", "n"), texts=2, beside=("n",),
    ...             rows=(Line(("a", "long", "1")), Line(("a", "short", "2"))))
    >>> sides_beside(two).header, sides_beside(two).rows[0].cells
    (('run', 'long n', 'short n'), ('a', '1', '2'))
    """
    at, names = table.texts - 1, [table.header.index(name) for name in table.beside]
    found: dict[tuple[str, ...], dict[str, Line]] = {}
    for line in table.rows:
        found.setdefault(line.cells[:at], {})[line.cells[at]] = line
    if sum(map(len, found.values())) < len(table.rows):
        return table
    sides = list(dict.fromkeys(line.cells[at] for line in table.rows))
    return Table(
        title=table.title,
        header=(*table.header[:at], *(f"{s} {name}" for s in sides for name in table.beside)),
        rows=tuple(
            Line((*key, *(lines[s].cells[k] if s in lines else DASH for s in sides for k in names)))
            for key, lines in found.items()
        ),
        texts=at,
    )


def _table(table: Table) -> str:
    rows = [_bold(line, table.texts - 1) if line.ours else line.cells for line in table.rows]
    return markdown_table(table.header, rows, table.figures)


def _bold(line: Line, at: int) -> tuple[str, ...]:
    return tuple(f"**{text}**" if k == at else text for k, text in enumerate(line.cells))
