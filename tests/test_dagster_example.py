"""The Dagster example: read without Dagster, its commands run, and run whole where Dagster is."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

import liqwarn.cli.commands  # noqa: F401  registers every command
from liqwarn.cli.app import app

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "examples" / "dagster"
sys.path.insert(0, str(PROJECT))
from liqwarn_weekly import commands  # noqa: E402  it is no part of what is installed

sys.path.remove(str(PROJECT))


def where(folder, **changes):
    given = {
        "program": "liqwarn",
        "panel": str(folder / "panel.yaml"),
        "data": str(folder / "files"),
        "policy": str(ROOT / "conf" / "policy.yaml"),
        "home": str(folder / "home"),
        "scores": str(folder / "scores"),
    }
    return commands.Where(**(given | changes))


def context_of(words):
    """What our own command line makes of the words; it refuses what it does not know."""
    found = typer.main.get_command(app)
    while hasattr(found, "commands"):
        found, words = found.commands[words[0]], words[1:]
    return found.make_context(found.name, list(words))


@pytest.mark.parametrize("step", commands.STEPS)
def test_a_step_is_a_command_of_ours(step, tmp_path):
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "flags.parquet").touch()
    released = where(tmp_path, releases="releases", key="release.pem")
    for place in (where(tmp_path), released):
        words = commands.command_of(step, place)
        assert words[0] == "liqwarn"
        assert context_of(words[1:]).params["json"] is True


def test_what_is_released_is_signed(tmp_path):
    words = commands.command_of("retrain", where(tmp_path, releases="releases", key="k.pem"))

    assert words[words.index("--release") + 1] == "releases"
    assert words[words.index("--key") + 1] == "k.pem"
    assert "--release" not in commands.command_of("retrain", where(tmp_path))


def test_flags_are_settled_once_there_are_any(tmp_path):
    assert "--scores" not in commands.command_of("ledger", where(tmp_path))
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "flags.parquet").touch()
    assert "--scores" in commands.command_of("ledger", where(tmp_path))


def test_a_command_is_run_to_its_end_and_its_progress_told(tmp_path):
    said = []
    script = (
        "import json, os, sys\n"
        "sys.stderr.write('one: 1 of 1\\n\\ntwo: 2 of 2\\n')\n"
        "print(json.dumps({'home': os.environ['LIQWARN_HOME'], 'x': 'x' * 200_000}))"
    )
    told = commands.run([sys.executable, "-S", "-c", script], where(tmp_path), said.append)

    assert told["home"] == str(tmp_path / "home")
    assert len(told["x"]) == 200_000
    assert said == ["one: 1 of 1", "two: 2 of 2"]


def test_a_refusal_has_its_code_and_its_last_words(tmp_path):
    script = "import sys; sys.stderr.write('loading\\nliqwarn: no file\\n'); sys.exit(75)"

    with pytest.raises(commands.CommandError, match=r"^liqwarn: no file$") as found:
        commands.run([sys.executable, "-S", "-c", script], where(tmp_path), lambda _: None)
    assert found.value.code == commands.BUSY


def test_a_run_that_stopped_says_its_reasons(tmp_path):
    script = 'print(\'{"reasons": ["stale", "silent"]}\'); raise SystemExit(3)'

    with pytest.raises(commands.CommandError, match=r"^stale; silent$") as found:
        commands.run([sys.executable, "-S", "-c", script], where(tmp_path), lambda _: None)
    assert found.value.code == 3


def test_the_project_says_where_its_definitions_are():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    module = project["tool"]["dagster"]["module_name"]
    tree = ast.parse((PROJECT / f"{module.replace('.', '/')}.py").read_text())
    names = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert {"defs", "weekly", "every_week"} <= names
    settings = yaml.safe_load((PROJECT / "instance" / "dagster.yaml").read_text())
    assert settings["telemetry"] == {"enabled": False}


def test_liqwarn_and_dagster_do_not_import_one_another():
    for file in PROJECT.rglob("*.py"):
        tree = ast.parse(file.read_text())
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        roots = {module.split(".")[0] for module in modules}
        assert not {"liqwarn", "dagster"} <= roots, file


@pytest.fixture
def dagster_python():
    """An environment with Dagster: this one, or the one that is named, or a skip."""
    named = os.environ.get("WEEKLY_DAGSTER_PYTHON", sys.executable)
    found = subprocess.run([named, "-c", "import dagster"], capture_output=True, check=False)
    if found.returncode:
        pytest.skip("Dagster is not installed here: set WEEKLY_DAGSTER_PYTHON to a Python that has")
    return named


_TRY = (
    "import dagster as dg\n"
    "from liqwarn_weekly.definitions import ASSETS, Liqwarn, every_week, weekly, defs\n"
    "done = dg.materialize(ASSETS, resources={'liqwarn': Liqwarn()}, raise_on_error=False)\n"
    "told = [e.step_key for e in done.get_asset_materialization_events()]\n"
    "context = dg.build_schedule_context(scheduled_execution_time=__import__('datetime').datetime("
    "2026, 11, 22, 3, tzinfo=__import__('datetime').timezone.utc))\n"
    "due = every_week.evaluate_tick(context).run_requests\n"
    "print(done.success, told, len(due))"
)


def test_dagster_runs_it_in_order(dagster_python, tmp_path):
    """A program that answers as liqwarn does stands for it; the whole is run by hand."""
    stand_in = tmp_path / "liqwarn"
    stand_in.write_text(
        f"#!{sys.executable} -S\n"
        "import json, sys\n"
        "step = sys.argv[1]\n"
        "said = {'retrain': {'action': 'kept', 'champion': '1', 'run': 'r', 'reasons': ['tie']},\n"
        "        'score': {'new_bars': 3, 'flags': []}, 'report': {'out': 'report.html'}}\n"
        "print(json.dumps(said.get(step, {})))\n"
    )
    stand_in.chmod(0o755)
    place = where(tmp_path, program=str(stand_in))
    names = ("program", "panel", "data", "policy", "home", "scores")
    given = {f"WEEKLY_{name.upper()}": getattr(place, name) for name in names}
    (tmp_path / "dagster.yaml").write_text((PROJECT / "instance" / "dagster.yaml").read_text())
    done = subprocess.run(
        [dagster_python, "-c", _TRY],
        env=os.environ | given | {"DAGSTER_HOME": str(tmp_path), "PYTHONPATH": str(PROJECT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"True {list(commands.STEPS)} 1"
