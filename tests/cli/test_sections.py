"""Headings of the help: every command stands under one."""

import typer
import typer.testing

import liqwarn.cli.commands  # noqa: F401  registers them
from liqwarn.cli.app import app
from liqwarn.cli.fetch_command import fetches
from liqwarn.cli.sections import COMMANDS, FETCHES, CommandSections


def test_every_command_has_a_heading_and_every_name_is_a_command():
    for group, sections in ((app, COMMANDS), (fetches, FETCHES)):
        named = [name for names in sections.values() for name in names]
        assert sorted(named) == sorted(typer.main.get_group(group).commands)


def test_the_help_shows_commands_in_the_order_of_use(run):
    told = run("--help").out

    assert told.index("\nReal data:") < told.index("  fetch ") < told.index("  ingest ")
    assert told.index("  ingest ") < told.index("\nLive:")
    assert "Other:" not in told


def test_a_group_with_other_commands_shows_them_all():
    small = typer.Typer(cls=CommandSections, rich_markup_mode=None)
    small.command("ingest", help="Read.")(lambda: None)
    small.command("more", help="Other things.")(lambda: None)

    told = typer.testing.CliRunner().invoke(small, ["--help"]).output

    assert "Real data:\n  ingest  Read.\n\nOther:\n  more    Other things.\n" in told
    assert "Study" not in told
