"""kill -9 of a retraining before every durable step, and the same command again.

A few of them by default; ``LIQWARN_FAULTS=full`` tries each, and docs/retrain.md has the count. The
chain is the real one over a small market; only the canary of the release is left out.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FULL = os.environ.get("LIQWARN_FAULTS") == "full"
KILLED = -9


class Nursery:
    """The process that forks runs; each question has one answer."""

    def __init__(self, folder, tables):
        self.folder = folder
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, HERE / "retrain_nursery.py", folder, tables],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=HERE.parents[1],
                text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        assert self.process.stdout.readline() == "ready\n", (folder / "log").read_text()

    def ask(self, do, **more):
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@pytest.fixture(scope="module")
def nursery(tmp_path_factory, mlflow_tables):
    made = Nursery(tmp_path_factory.mktemp("retrain"), mlflow_tables)
    yield made
    made.close()


@pytest.fixture(scope="module")
def whole(nursery):
    """A run that nobody disturbs: what it did, and its durable steps."""
    done = nursery.ask("run")["told"]
    found = nursery.ask("look")["told"]
    check_done(found, done["run"])
    assert done["action"] == "promoted"
    return done


def check_left(found, key):
    """What a kill may leave: the champion is the old or the new one, the release one of them."""
    assert found["champion"] in {"1", "2"}
    assert found["released"] in {None, "1", "2"}
    assert len([v for v in found["versions"] if v[1] == key]) <= 1
    assert found["steps"].count([key, "finished"]) <= 1


def check_done(found, key):
    """What stands after the same command again: one change, one version, one release."""
    promotions = [m for m in found["moves"] if (m[0], m[2], m[3]) == ("champion", key, "done")]
    assert len(promotions) == 1, found["moves"]
    assert all(state in {"done", "failed", "superseded"} for *_, state in found["moves"])
    assert [v for v in found["versions"] if v[1] == key] == [[2, key]]
    assert (found["champion"], found["challenger"], found["released"]) == ("2", "2", "2")
    assert found["judged"] == 1
    assert found["steps"].count([key, "finished"]) == 1
    assert found["steps"][-1] == [key, "finished"]


def places(points):
    """Which durable steps to be killed before, by number from 1."""
    if FULL:
        return random.Random(5).sample(range(1, len(points) + 1), len(points))
    last = {name: k for k, name in enumerate(points, start=1)}
    return [last[name] for name in ("after Registry.register", "os.rename")]


@pytest.mark.timeout(6 * 3600 if FULL else 300)
def test_killed_before_any_durable_step_the_same_command_changes_it_once(nursery, whole):
    key, kills = whole["run"], 0
    for number in places(whole["points"]):
        nursery.ask("reset")

        code = nursery.ask("run", kill=number)["code"]
        again = nursery.ask("again")

        where = f"before step {number}, {whole['points'][number - 1]}"
        assert code == KILLED, where
        assert again["code"] == 0, (where, (nursery.folder / "log").read_text()[-2000:])
        try:
            check_left(again["told"]["left"], key)
            check_done(again["told"]["found"], key)
        except AssertionError as error:
            raise AssertionError(where) from error
        assert again["told"]["done"]["action"] in {"promoted", "nothing new"}
        kills += 1
        print(f"kill {kills}: {where}", flush=True)
    print(f"{kills} kills before {len(whole['points'])} durable steps")


def test_two_at_once_one_works_and_the_other_leaves_no_trace(nursery, whole):
    nursery.ask("reset")
    nursery.ask("run", stop=whole["points"].index("after Registry.register") + 1)

    before = nursery.ask("look")["told"]
    other = nursery.ask("run")["told"]
    after = nursery.ask("look")["told"]
    first = nursery.ask("continue")

    assert other["action"] == "locked"
    assert "another liqwarn retrain holds the lock" in other["why"]
    assert after == before
    assert first["told"]["action"] == "promoted"
    check_done(nursery.ask("look")["told"], whole["run"])
