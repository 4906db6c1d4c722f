"""The worker imports nothing of ours: it must run where liqwarn is not installed."""

import ast
import sys
from pathlib import Path

from liqwarn.sources import ccxt_worker


def test_it_imports_the_standard_library_only():
    tree = ast.parse(Path(ccxt_worker.__file__).read_text())
    found = {
        name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        )
    }

    assert {name.split(".")[0] for name in found} <= sys.stdlib_module_names


def test_ccxt_is_no_dependency_of_ours():
    root = Path(__file__).parents[2]
    told = (root / "pyproject.toml").read_text()

    assert "ccxt>" not in told
    assert not any(
        line.startswith("ccxt==")
        for path in root.glob("requirements/*.txt")
        for line in path.read_text().splitlines()
    )
