"""The two commands of a fresh machine: what they need is found before anything is installed."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def preflight(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the check with only the fake commands of `folder` (and a shell) on the path."""
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / "preflight")],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(folder: Path, *, version: str = "3.11", lacks: str = "") -> None:
    """A python3 that says its version and fails on any code that mentions `lacks`."""
    major, minor = version.split(".")
    supported = 0 if (3, 11) <= (int(major), int(minor)) < (3, 14) else 1
    script = folder / "python3"
    script.write_text(
        "#!/bin/sh\n"
        'case "$2" in\n'
        f'*"%d.%d"*) echo {version};;\n'
        f"*sys.exit*) exit {supported};;\n" + (f"*{lacks}*) exit 1;;\n" if lacks else "") + "esac\n"
    )
    script.chmod(0o755)


def test_a_machine_with_everything_is_told_its_interpreter(tmp_path):
    fake_python(tmp_path)

    found = preflight(tmp_path)

    assert (found.returncode, found.stdout, found.stderr) == (0, "python3\n", "")


@pytest.mark.parametrize(
    ("version", "lacks", "says", "mends"),
    [
        ("3.10", "", "python3 is 3.10", "sudo apt-get install -y python3.11 python3.11-venv"),
        ("3.14", "", "python3 is 3.14", "sudo apt-get install -y python3.11 python3.11-venv"),
        ("3.11", "libgomp", "libgomp.so.1", "sudo apt-get install -y libgomp1"),
        ("3.12", "ensurepip", "venv module", "sudo apt-get install -y python3-venv"),
    ],
)
def test_a_missing_piece_is_named_with_the_one_command_that_mends_it(
    tmp_path, version, lacks, says, mends
):
    fake_python(tmp_path, version=version, lacks=lacks)

    found = preflight(tmp_path)

    assert found.returncode == 1
    assert found.stdout == ""
    assert says in found.stderr
    assert found.stderr.rstrip().endswith(mends)
    assert found.stderr.count("\n") == 1


def test_a_machine_without_python_is_told_so(tmp_path):
    found = preflight(tmp_path)

    assert found.returncode == 1
    assert "no python3 was found" in found.stderr


def test_the_lock_pins_hashes_and_names_no_index():
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    pins = re.findall(r"^([a-z0-9][\w.-]*)==\S+", lock, flags=re.MULTILINE)

    assert {"lightgbm", "scikit-learn", "pandas", "mlflow"} <= set(pins)
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "://" not in lock
    assert "index-url" not in lock
    assert "find-links" not in lock


def test_make_refuses_before_it_installs_anything(tmp_path):
    """`make` stops at the check: no virtual environment is begun."""
    tools = tmp_path / "bin"
    tools.mkdir()
    fake_python(tools, lacks="libgomp")
    venv = tmp_path / "venv"

    run = subprocess.run(
        ["make", "-C", str(ROOT), "setup", f"VENV={venv}"],
        env={**os.environ, "PATH": f"{tools}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode != 0
    assert "sudo apt-get install -y libgomp1" in run.stderr
    assert not venv.exists()
