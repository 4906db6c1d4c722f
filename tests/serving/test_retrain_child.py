"""The process that a server starts to retrain gives way, and becomes liqwarn."""

import subprocess
import sys

from liqwarn.serving.retrain_child import NICE, OOM_SCORE

_SHOW = (
    "import os\n"
    "from pathlib import Path\n"
    "from liqwarn.serving.retrain_child import give_way\n"
    "give_way()\n"
    "score = Path('/proc/self/oom_score_adj')\n"
    "print(os.nice(0), score.read_text().strip() if score.exists() else None, flush=True)\n"
    "os.execv('/bin/sh', ['sh', '-c', 'echo $OMP_WAIT_POLICY'])\n"
)


def test_it_gives_way_and_so_does_what_it_becomes():
    told = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, text=True, check=True)
    claims, policy = told.stdout.splitlines()

    assert claims in (f"{NICE} {OOM_SCORE}", f"{NICE} None")
    assert policy == "passive"


def test_it_becomes_liqwarn_with_the_words_it_was_given():
    words = [sys.executable, "-m", "liqwarn.serving.retrain_child", "tape", "show", "--help"]
    told = subprocess.run(words, capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stderr
    assert "liqwarn tape show" in told.stdout
