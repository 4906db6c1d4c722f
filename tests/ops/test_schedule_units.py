"""Services and timers of retraining and of the ledger: well formed, confined, commands of ours."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

import liqwarn.cli.commands  # noqa: F401  registers every command
from liqwarn.cli.app import app
from liqwarn.cli.retrain_command import LOCKED, STOPPED

FOLDER = Path(__file__).parents[2] / "ops" / "systemd"
NAMES = ("liqwarn-retrain", "liqwarn-ledger")
UNITS = [f"{name}.{kind}" for name in NAMES for kind in ("service", "timer")]


def analyze(*words):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


def entries(unit):
    """The settings of a unit, the values of a repeated one in order."""
    found = {}
    for line in (FOLDER / unit).read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_it(unit, tmp_path):
    for one in UNITS:  # a timer is looked at together with what it begins
        text = (FOLDER / one).read_text().replace("/opt/liqwarn/bin/liqwarn", shutil.which("true"))
        (tmp_path / one).write_text(re.sub(r"(?m)^(User|Group)=liqwarn$", r"\1=root", text))
    done = analyze("verify", "--man=no", str(tmp_path / unit))
    told = [line for line in done.stderr.splitlines() if unit.partition(".")[0] in line]

    assert told == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_it_is_confined(name):
    unit = str(FOLDER / f"{name}.service")
    done = analyze("security", "--offline=true", "--threshold=25", "--no-pager", unit)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("unit", "apart"), [("liqwarn-retrain.timer", 7 * 24), ("liqwarn-ledger.timer", 1)]
)
def test_it_is_due_as_often_as_it_says_and_made_up_for(unit, apart):
    found = entries(unit)
    [calendar] = found["OnCalendar"]
    assert calendar.endswith(" UTC")
    assert found["Persistent"] == ["true"]
    assert "RandomizedDelaySec" in found
    done = analyze("calendar", "--base-time=2026-11-18 12:00 UTC", "--iterations=2", calendar)
    assert done.returncode == 0, done.stderr
    told = re.findall(r"(\w{3} \d{4}-\d\d-\d\d \d\d:\d\d):00 UTC", done.stdout)
    expected = {
        168: ["Sun 2026-11-22 03:00", "Sun 2026-11-29 03:00"],
        1: ["Wed 2026-11-18 12:12", "Wed 2026-11-18 13:12"],
    }
    assert told == expected[apart]


@pytest.mark.parametrize("name", NAMES)
def test_it_gives_way_and_ends(name):
    found = entries(f"{name}.service")
    given = dict(value.split("=", 1) for value in found["Environment"])

    assert found["Type"] == ["oneshot"]
    assert int(found["Nice"][0]) >= 10
    assert {"CPUWeight", "MemoryMax", "TimeoutStartSec"} <= set(found)
    assert given["OMP_WAIT_POLICY"] == "passive"
    assert {key for key in given if key.startswith("LIQWARN_")} == {"LIQWARN_HOME"}


@pytest.mark.parametrize(
    ("name", "variable"),
    [("liqwarn-retrain", "RETRAIN_OPTIONS"), ("liqwarn-ledger", "LEDGER_OPTIONS")],
)
def test_its_command_with_the_options_of_its_example_is_one_of_ours(name, variable):
    found = entries(f"{name}.service")
    example = entries(f"{name}.env.example")
    [line], [options] = found["ExecStart"], example[variable]
    words = shlex.split(line.replace(f"${variable}", *shlex.split(options)))

    assert found["EnvironmentFile"] == [f"/etc/liqwarn/{name}.env"]
    assert list(example) == [variable]
    assert words[0] == "/opt/liqwarn/bin/liqwarn"
    assert context_of(words[1:]).params["panel"] == Path("/etc/liqwarn/panels/panel.yaml")


def context_of(words):
    """What our own command line makes of the words; it refuses what it does not know."""
    found = typer.main.get_command(app)
    while hasattr(found, "commands"):
        found, words = found.commands[words[0]], words[1:]
    return found.make_context(found.name, list(words))


def test_whoever_serves_cannot_read_the_key_of_releases():
    [line] = entries("liqwarn-retrain.service")["ExecStart"]
    key = shlex.split(line)[shlex.split(line).index("--key") + 1]
    others = [one for one in FOLDER.glob("*.service") if one.name != "liqwarn-retrain.service"]

    assert len(others) == 4
    for unit in others:
        assert entries(unit.name)["InaccessiblePaths"] == [f"-{key}"], unit


def test_what_its_exit_codes_mean():
    found = entries("liqwarn-retrain.service")

    assert found["SuccessExitStatus"] == [str(LOCKED)]
    assert found["RestartPreventExitStatus"] == [str(STOPPED)]
