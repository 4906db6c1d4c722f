"""A scenario file as the first word stands for the command that runs it."""

import pytest
import typer
import typer.testing

from liqwarn.cli.scenario_group import RUN, ScenarioGroup


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    group = typer.Typer(cls=ScenarioGroup, no_args_is_help=True)
    app.add_typer(group, name="simulate")
    app.command("other")(lambda: None)

    @group.command(RUN)
    def run(scenario: str, paths: int = 1) -> None:
        typer.echo(f"run {scenario} {paths}")

    @group.command("worst-case")
    def worst(scenario: str) -> None:
        typer.echo(f"worst {scenario}")

    return lambda *words: typer.testing.CliRunner().invoke(app, ["simulate", *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x.yaml",), "run x.yaml 1"),
        (("x.yaml", "--paths", "7"), "run x.yaml 7"),
        (("--paths", "7", "x.yaml"), "run x.yaml 7"),
        (("run", "x.yaml"), "run x.yaml 1"),
        (("run", "run"), "run run 1"),
        (("worst-case", "x.yaml"), "worst x.yaml"),
        (("worst-case", "run"), "worst run"),
    ],
)
def test_the_first_word(invoke, words, said):
    result = invoke(*words)

    assert (result.exit_code, result.stdout.strip()) == (0, said)


def test_a_slip_in_a_command_is_not_taken_for_a_file(invoke):
    result = invoke("worst-cas", "x.yaml")

    assert result.exit_code == 2
    assert "No such command 'worst-cas'" in result.stderr


def test_unless_there_is_such_a_file(invoke, tmp_path):
    (tmp_path / "worst-cas").touch()

    assert invoke("worst-cas").stdout.strip() == "run worst-cas 1"


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_help_lists_all_commands(invoke, words):
    result = invoke(*words)

    assert "run" in result.output
    assert "worst-case" in result.output
