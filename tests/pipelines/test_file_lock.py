"""One holder at a time; the next has it as soon as it is given back."""

import pytest
from filelock import FileLock

from liqwarn.errors import ConfigError
from liqwarn.pipelines.file_lock import file_lock


def hold(path, then=lambda: None):
    with file_lock(path, 0.05):
        then()


def fail():
    raise KeyError("of the block")


def test_while_it_is_held_another_is_refused(tmp_path):
    path = tmp_path / "new" / "x.lock"
    with file_lock(path, 0.0), pytest.raises(ConfigError, match=r"lock .*x\.lock for 0\.05 s"):
        hold(path)


def test_an_error_of_the_block_gives_it_back(tmp_path):
    path = tmp_path / "x.lock"
    with pytest.raises(KeyError, match="of the block"):
        hold(path, fail)

    with FileLock(path, timeout=0) as held:
        assert held.is_locked
