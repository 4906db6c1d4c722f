"""The container file: read, not built; no container engine is assumed."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "ops/container/Containerfile").read_text().replace("\\\n", " ").splitlines()
STEPS = [line for line in LINES if line and not line.startswith("#")]


def test_it_does_not_run_as_root():
    assert [line for line in STEPS if line.startswith("USER")] == ["USER 10001:10001"]


def test_what_is_installed_is_what_was_locked():
    installs = [line for line in STEPS if "pip install" in line]

    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-deps" in installs[1]


@pytest.mark.parametrize("line", [line for line in STEPS if re.match("COPY (?!--from)", line)])
def test_what_is_copied_is_there(line):
    for name in line.split()[1:-1]:
        assert (ROOT / name).exists()


def test_it_says_whether_it_lives():
    (check,) = [line for line in STEPS if line.startswith("HEALTHCHECK")]

    assert "/healthz" in check
