"""Options as data: Typer's options come from annotations, refusals become one line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
import typer.testing

from liqwarn.cli.options import Options, PanelOptions, command
from liqwarn.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Some(Options):
    """Options of a command of this test."""

    count: Annotated[int, typer.Option(min=1, help="How many.")]
    where: Annotated[Path, typer.Option(help="A folder.")] = Path("here")


@pytest.fixture
def given():
    """What the command was run with."""
    return []


@pytest.fixture
def invoke(given):
    app = typer.Typer()
    app.command("other")(lambda: None)

    def build(run):
        command(app, "some", Some, example="some --count 3")(run)
        return lambda *words: typer.testing.CliRunner().invoke(app, ["some", *words])

    return build


def test_a_command_gets_its_options_as_one_value(invoke, given):
    result = invoke(given.append)("--count", "3", "--json")

    assert result.exit_code == 0
    assert given == [Some(count=3, where=Path("here"), json=True)]


def test_inherited_options_are_not_repeated():
    assert set(PanelOptions.__dataclass_fields__) == {"json", "panel", "data", "store"}


@pytest.mark.parametrize("words", [(), ("--count", "0"), ("--count", "x"), ("--cuont", "1")])
def test_wrong_usage_exits_with_2(invoke, given, words):
    result = invoke(given.append)(*words)

    assert result.exit_code == 2
    assert given == []
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("row 3:\n  bad"), "liqwarn: row 3: bad"),
        (FileNotFoundError(2, "No such file", "x.csv"), "liqwarn: [Errno 2] No such file: 'x.csv'"),
        (IsADirectoryError(21, "Is a directory", "x"), "liqwarn: [Errno 21] Is a directory: 'x'"),
    ],
)
def test_a_refusal_is_one_line_and_exits_with_1(invoke, error, line):
    def run(_options):
        raise error

    result = invoke(run)("--count", "1")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{line}\n")


def test_a_bug_is_not_dressed_as_a_refusal(invoke):
    def run(_options):
        raise ZeroDivisionError

    assert isinstance(invoke(run)("--count", "1").exception, ZeroDivisionError)


def test_help_holds_the_docstring_and_the_example(invoke):
    def run(_options):
        """Count them."""

    text = invoke(run)("--help").stdout

    assert "Count them." in text
    assert "Example: some --count 3" in text
