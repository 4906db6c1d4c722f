"""What would kill, hang or mislead the server does so to a child, and is told."""

import os
import runpy
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from liqwarn.models.model_files import write_folder
from liqwarn.models.signed_bundle import (
    VerifiedBundle,
    read_bundle,
    read_unsigned,
    sign_bundle,
)
from liqwarn.serving.canary import CanaryLimits, canary
from liqwarn.signing import generate_key

damage = runpy.run_path(str(Path(__file__).with_name("bundle_damage.py")))
KEY = generate_key()
NICENESS = """
import os
from liqwarn.serving import canary_child
canary_child.answer = lambda stream: {"error": os.nice(0)}
canary_child.main()
"""
CONFINED = """
import os
def refused(by):
    raise PermissionError(1, "Operation not permitted")
os.nice = refused
from liqwarn.serving import canary_child
canary_child.main()
"""
UNCHECKED = """
from liqwarn.models import cascade
from liqwarn.serving import canary_child
cascade.check_booster_text = lambda text: None
canary_child.main()
"""


@pytest.fixture
def folder(small_bundle_folder, tmp_path):
    return shutil.copytree(small_bundle_folder, tmp_path / "b")


def verified(folder):
    return read_bundle(folder, (KEY.public,))


def test_a_good_bundle_passes(folder):
    sign_bundle(folder, KEY, policy=Path("conf/policy.yaml").read_bytes())

    assert canary(verified(folder)) is None


def test_a_cut_model_text_that_was_signed_is_refused(folder):
    damage["cut_tree"](folder, KEY)

    told = canary(verified(folder))

    assert (
        "the canary refused it: ModelError: model file model/onset_4h_0.txt cannot be used" in told
    )


def test_a_text_that_kills_kills_only_the_child(folder):
    """LightGBM itself is given the cut text: what the check of texts is there to prevent."""
    damage["cut_tree"](folder, KEY, share=0.3)

    assert canary(verified(folder), child=("-c", UNCHECKED)).startswith("the canary was killed by")


def test_other_scores_than_the_probes_say_are_refused(folder):
    damage["other_leaf"](folder, KEY)

    told = canary(verified(folder))

    assert told.startswith("the canary answered otherwise: ")
    assert "scores of probes differ" in told


def test_what_the_child_refuses_is_told_in_its_words(folder):
    sign_bundle(folder, KEY, policy=b"schema: nonsense\n")

    assert "the canary refused it: ConfigError: policy.yaml" in canary(verified(folder))


def test_a_child_that_hangs_is_killed(folder):
    hangs = ("-c", "import time; time.sleep(60)")

    told = canary(read_unsigned(folder), CanaryLimits(seconds=1), child=hangs)

    assert told == "the canary did not answer within 1 s"


def test_a_child_without_memory_is_refused(folder):
    told = canary(read_unsigned(folder), CanaryLimits(memory=200 << 20))

    assert told is not None


@pytest.mark.parametrize(
    ("child", "why"),
    [
        (("-m", "liqwarn.no_such_module"), "ended with exit code 1"),
        (("-c", "import os; os.abort()"), "was killed by SIGABRT"),
        (("-c", "import os; os.kill(os.getpid(), 40)"), "was killed by signal 40"),
        (("-m", "this"), "gave no answer that can be read"),
    ],
)
def test_a_child_that_says_nothing_sensible_is_refused(folder, child, why):
    assert why in canary(read_unsigned(folder), child=child)


def test_without_an_interpreter_nothing_passes(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))

    assert canary(read_unsigned(folder)) == (
        "the canary could not be started: No such file or directory"
    )


def test_what_is_signed_must_have_probes(folder):
    names = ("training.json", "history.parquet")
    files = {name: (folder / "training" / name).read_bytes() for name in names}
    shutil.rmtree(folder / "training")
    write_folder(folder / "training", files)
    unsigned = read_unsigned(folder)

    told = canary(VerifiedBundle(id=replace(unsigned.id, key="x"), files=unsigned.files))

    assert told == "it is signed without probes"


@pytest.mark.parametrize("nice", [0, 3])
def test_a_child_gives_way_as_far_as_it_is_told(folder, nice):
    told = canary(read_unsigned(folder), CanaryLimits(nice=nice), child=("-c", NICENESS))

    assert told == f"the canary refused it: {min(os.nice(0) + nice, 19)}"


def test_a_sandbox_that_refuses_a_lower_priority_refuses_no_bundle(folder):
    assert canary(read_unsigned(folder), child=("-c", CONFINED)) is None
