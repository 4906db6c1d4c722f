"""An environment of its own for the worker, with a made-up ccxt in it."""

import json
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

FAKE = Path(__file__).parent / "fake_ccxt.py"


class Environment:
    """A virtual environment below a folder.

    Attributes
    ----------
    python : Path
    """

    def __init__(self, folder, *, ccxt=True):
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        self._place = folder / sysconfig.get_path("purelib", vars={"base": ""}).lstrip("/")
        if not self._place.is_dir():
            self._place = folder / "lib" / version / "site-packages"
        if ccxt:
            shutil.copy(FAKE, self._place / "ccxt.py")
            self.tell()

    def tell(self, *, now=1_707_091_200_000, first=0, size="0.0001", **acts):
        """What it does at the next questions of a kind, in order."""
        named = {name.replace("_", "-"): queue for name, queue in acts.items()}
        state = {"now": now, "first": first, "size": size, "acts": named, "asked": []}
        (self._place / "state.json").write_text(json.dumps(state))

    @property
    def asked(self):
        """What it was asked: kind and arguments."""
        return json.loads((self._place / "state.json").read_text())["asked"]
