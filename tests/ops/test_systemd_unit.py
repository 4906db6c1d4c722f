"""The systemd unit: it is well formed, confined, and says what the server needs."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "ops" / "systemd" / "liqwarn.service"


def analyze(*words):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def service():
    """The lines of [Service], the values of a repeated key in order."""
    found = {}
    section = UNIT.read_text().partition("[Service]")[2].partition("[Install]")[0]
    for line in section.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_systemd_understands_it(tmp_path):
    copy = tmp_path / "liqwarn.service"
    # what is not installed here must not hide what is wrong
    text = UNIT.read_text().replace("/opt/liqwarn/bin/liqwarn", shutil.which("true"))
    text = re.sub(r"(?m)^(User|Group)=liqwarn$", r"\1=root", text)
    copy.write_text(text)
    done = analyze("verify", "--man=no", str(copy))
    told = [line for line in done.stderr.splitlines() if "liqwarn.service" in line]

    assert told == []
    assert done.returncode == 0, done.stderr


def test_it_is_confined():
    done = analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(UNIT))

    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_started_again_whatever_happens(service):
    assert service["Restart"] == ["always"]
    assert "StartLimitIntervalSec=0" in UNIT.read_text()


def test_threads_and_caches_are_set_before_python_starts(service):
    given = dict(value.split("=", 1) for value in service["Environment"])

    assert given["OMP_WAIT_POLICY"] == "passive"
    assert given["OMP_NUM_THREADS"] == "1"
    assert given["NUMBA_CACHE_DIR"].startswith("/var/cache/liqwarn")
    assert {name for name in given if name.startswith("LIQWARN_")} == {"LIQWARN_HOME"}


def test_it_reaches_nobody_by_default(service):
    assert service["IPAddressDeny"] == ["any"]
    assert service["IPAddressAllow"] == ["localhost"]


def test_the_example_of_its_settings_is_one(service):
    example = UNIT.with_name("liqwarn.env.example").read_text()
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(f"[env]\n{example}")

    assert list(parser["env"]) == ["SERVE_OPTIONS"]
    assert service["ExecStart"] == ["/opt/liqwarn/bin/liqwarn serve $SERVE_OPTIONS"]


def refused_calls(lines):
    """What the filters take back of what they allow, groups spread out; later lines count more."""
    refused = set()
    for line in lines:
        words = set(line.removeprefix("~").split())
        groups = {word for word in words if word.startswith("@")}
        told = [analyze("syscall-filter", group).stdout.split("\n")[1:] for group in groups]
        names = (words - groups) | {
            name.strip() for lines in told for name in lines if "#" not in name
        }
        refused = refused | names if line.startswith("~") else refused - names
    return refused


def test_the_calls_of_the_canary_are_not_refused(service):
    refused = refused_calls(service["SystemCallFilter"])

    assert {"setrlimit", "sched_setaffinity"} <= refused  # the groups were spread out
    assert refused.isdisjoint({"setpriority", "prlimit64"})  # os.nice, resource.setrlimit
