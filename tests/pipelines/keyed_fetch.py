"""What tests of fetched APIs with a key share."""

import runpy
from pathlib import Path

import pytest

SHARED = runpy.run_path(str(Path(__file__).parent / "api_fetch.py"))
ROOT, at, run_job, table = (SHARED[name] for name in ("ROOT", "at", "run_job", "table"))
API = SHARED["API"]
KEYED = runpy.run_path(str(ROOT / "tests" / "sources" / "fake_keyed_api.py"))
KEY = KEYED["KEY"]


def quick(monkeypatch, tmp_path, variable):
    """A place of its own, and the key."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(variable, KEY)
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def by_name(done):
    """Outcomes by kind and name."""
    return {(o.kind, o.name): o for o in done.report.outcomes}


def hides_the_key(folder):
    """No file below a folder holds the key."""
    for path in folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    return True


def raises(error, match):
    """As pytest's, and the message does not hold the key."""

    class _Raises:
        def __enter__(self):
            self.inner = pytest.raises(error, match=match)
            self.caught = self.inner.__enter__()

        def __exit__(self, *told):
            done = self.inner.__exit__(*told)
            assert KEY[:10] not in str(self.caught.value)
            return done

    return _Raises()
