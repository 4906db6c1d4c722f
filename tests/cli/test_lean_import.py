import gc
import subprocess
import sys

import pytest

from liqwarn.cli.lean_import import lean_import

_SEEN = (
    "import sys\n"
    "from liqwarn.cli.lean_import import lean_import\n"
    "lean_import('liqwarn.cli.serve_command')\n"
    "heavy = ('sklearn', 'joblib', 'scipy.stats', 'matplotlib', 'mlflow', 'dask')\n"
    "print([name for name in heavy if name in sys.modules], end=' ')\n"
    "import sklearn\n"
    "print(sklearn is not None)"
)


def test_a_server_is_imported_without_what_lightgbm_would_bring_along():
    told = subprocess.run([sys.executable, "-c", _SEEN], capture_output=True, text=True, check=True)

    assert told.stdout == "[] True\n"  # and who needs it afterwards finds it


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_left_as_it_was(enabled, monkeypatch):
    monkeypatch.setattr(gc, "freeze", lambda: None)  # this process is not one server
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        lean_import("liqwarn.errors")
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_a_module_that_is_not_there_says_so_and_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(gc, "freeze", lambda: None)
    before = {name for name, module in sys.modules.items() if module is None}

    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        lean_import("liqwarn.no_such_module")

    assert gc.isenabled()
    assert {name for name, module in sys.modules.items() if module is None} == before
