"""The feed's systemd unit: well formed, confined, and its example is one."""

import re
import shlex
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from liqwarn.cli.feed_command import FeedOptions
from liqwarn.cli.tape_commands import TablesOptions

UNIT = Path(__file__).parents[2] / "ops" / "systemd" / "liqwarn-feed.service"


def analyze(*words):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


def test_systemd_understands_it(tmp_path):
    copy = tmp_path / "liqwarn-feed.service"
    text = UNIT.read_text().replace("/opt/liqwarn/bin/liqwarn", shutil.which("true"))
    copy.write_text(re.sub(r"(?m)^(User|Group)=liqwarn$", r"\1=root", text))
    done = analyze("verify", "--man=no", str(copy))
    told = [line for line in done.stderr.splitlines() if "liqwarn-feed.service" in line]

    assert told == []
    assert done.returncode == 0, done.stderr


def test_it_is_confined():
    done = analyze("security", "--offline=true", "--threshold=25", "--no-pager", str(UNIT))

    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_started_again_whatever_happens():
    text = UNIT.read_text()

    assert "\nRestart=always\n" in text
    assert "\nStartLimitIntervalSec=0\n" in text


@pytest.mark.parametrize(
    ("name", "options"), [("FEED_OPTIONS", FeedOptions), ("TABLES_OPTIONS", TablesOptions)]
)
def test_the_options_of_its_example_are_options(name, options):
    example = UNIT.with_name("liqwarn-feed.env.example").read_text()
    lines = [one.partition("=") for one in example.splitlines() if not one.startswith("#")]
    [value] = [value for told, _, value in lines if told == name]
    [words] = [shlex.split(text) for text in shlex.split(value)]
    known = {f"--{field.name.replace('_', '-')}" for field in fields(options)}

    assert re.search(rf"\$\{{?{name}\b", UNIT.read_text())
    assert {word for word in words if word.startswith("--")} <= known


def test_the_refresh_is_one_word_of_the_command():
    """Inside a word systemd puts in a variable with braces alone."""
    [line] = [one for one in UNIT.read_text().splitlines() if one.startswith("ExecStart=")]
    words = shlex.split(line.removeprefix("ExecStart="))

    refresh = words[words.index("--refresh") + 1]
    assert refresh == "/opt/liqwarn/bin/liqwarn tape tables ${TABLES_OPTIONS}"
