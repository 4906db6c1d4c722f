"""Versions of derived policies: whole, on record, and the old one or the new after any kill."""

import runpy
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from liqwarn import chained_log
from liqwarn.config import Settings, load_policy
from liqwarn.errors import AuditError, StoreError
from liqwarn.pipelines import policy_versions
from liqwarn.pipelines.policy_versions import PolicyVersions, next_version
from liqwarn.policy.threshold_curve import thresholds_of

_GIVEN = runpy.run_path(str(Path(__file__).with_name("test_rederive.py")))
SHIPPED, NOW, WEEK, once = (_GIVEN[name] for name in ("SHIPPED", "NOW", "WEEK", "once"))


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path / "home", mlflow_uri="")


@pytest.fixture
def written(tmp_path):
    """A person's policy file."""
    return Path(shutil.copy(SHIPPED, tmp_path / "policy.yaml"))


def test_before_any_change_the_persons_file_is_in_force(home, written):
    at = PolicyVersions("demo", written, home).in_force()

    assert (at.path, at.policy.version, at.changed_at) == (written, "1.0.0", None)
    assert not (home.home / "policies").exists()


def test_versions_rise_by_number_not_by_letter(home, written):
    once(home, written)
    (home.home / "policies" / "demo" / "1.9.0.yaml").write_bytes(written.read_bytes())
    (home.home / "policies" / "demo" / "1.10.2.yaml").write_bytes(written.read_bytes())

    assert once(home, written, now=NOW + WEEK).version == next_version("1.10.2") == "1.11.0"


def test_a_version_that_was_edited_is_refused_by_name(home, written):
    done = once(home, written)
    for name in ("1.1.0.yaml", "current.yaml"):
        path = done.path.parent / name
        path.write_text(path.read_text().replace("0.984", "0.5"))

    with pytest.raises(StoreError, match=r"1\.1\.0\.yaml is not the version 1\.1\.0 that"):
        once(home, written, now=NOW + WEEK)


def test_an_edited_current_policy_is_put_right_from_its_version(home, written):
    done = once(home, written)
    whole = done.path.read_bytes()
    done.path.write_bytes(b"# nothing")

    assert PolicyVersions("demo", written, home).in_force().policy.version == "1.1.0"
    assert done.path.read_bytes() == whole


def test_an_edited_history_is_found(home, written):
    done = once(home, written)
    log = done.path.parent / "history.jsonl"
    log.write_bytes(log.read_bytes().replace(b"0.984", b"0.985"))

    with pytest.raises(AuditError, match="line 1 is not"):
        once(home, written, now=NOW + WEEK)


class Killed(BaseException):
    """Nobody catches it, as nobody catches a kill."""


@pytest.mark.parametrize("after", range(7))
def test_killed_at_any_write_the_policy_is_the_old_or_the_new_one(
    home, written, monkeypatch, after
):
    """The writes of a change: version, log, head, current, and what comes before each."""
    once(home, written)
    old = (home.home / "policies" / "demo" / "current.yaml").read_bytes()
    left = [after]

    def counted(whole):
        def write(*given, **more):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return whole(*given, **more)

        return write

    with monkeypatch.context() as patch:
        patch.setattr(policy_versions, "write_bytes", counted(policy_versions.write_bytes))
        patch.setattr(policy_versions, "append_records", counted(policy_versions.append_records))
        patch.setattr(chained_log, "write_json", counted(chained_log.write_json))
        try:
            once(home, written, now=NOW + WEEK)
            done = True
        except Killed:
            done = False

    assert load_policy(home.home / "policies" / "demo" / "current.yaml")
    at = PolicyVersions("demo", written, home).in_force()
    known = {"1.1.0": 9.6, "1.2.0": 11.52}
    assert thresholds_of(at.policy).enter[2].base_multiple == known[at.policy.version]
    assert at.policy.version == "1.2.0" or (not done and at.path.read_bytes() == old)
    again = once(home, written, now=NOW + WEEK + timedelta(hours=1))
    assert thresholds_of(load_policy(again.path)).enter[2].base_multiple == 11.52
    chained_log.verify(*(again.path.parent / f"history{end}" for end in (".jsonl", ".head.json")))
