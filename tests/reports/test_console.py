from io import StringIO

from rich.console import Console

from liqwarn.reports.console import flags_table, flags_text


def shown(table):
    console = Console(file=StringIO(), width=80, color_system=None)
    console.print(table)
    return console.file.getvalue()


def test_every_side_has_a_row_with_its_tier_in_words(build, scores):
    flags = build["flags"](scores)
    text = shown(flags_table(flags))

    assert flags_table(flags).row_count == 20
    assert text.count("T0 normal") + text.count("T2 caution") > 5
    assert "valid until 2024-08-05 04:15 UTC, then expired" in text
    assert "…" not in text


def test_markup_in_a_symbol_is_shown_and_not_obeyed(build, scores):
    flag = dict(build["flags"](scores)[0], symbol="[red]EVIL[/red]")

    assert "[red]EVIL[/red]" in shown(flags_table([flag]))


def test_plain_lines(build, scores):
    lines = flags_text(build["flags"](scores)).splitlines()

    assert len(lines) == 20
    assert all("valid until 2024-08-05 04:15 UTC" in line for line in lines)
    assert all(line.endswith(".") for line in lines)
