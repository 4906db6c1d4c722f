"""The rules of the house that a linter does not know; see CONTRIBUTING.md."""

import ast
import importlib
import os
import pkgutil
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

import liqwarn

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "liqwarn"
FILES = sorted(SOURCE.rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "base", "core", "manager"}
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(liqwarn.__path__, prefix="liqwarn.")
    if not info.name.endswith("__main__")
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[Path, Function]]:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, Function):
                yield file, node


def body_lines(function: Function) -> int:
    """Lines of a function's body, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_file_is_longer_than_400_lines_and_the_median_is_at_most_150():
    lengths = {str(f.relative_to(ROOT)): len(f.read_text().splitlines()) for f in FILES}

    assert {f: n for f, n in lengths.items() if n > 400} == {}
    assert statistics.median(lengths.values()) <= 150


def test_functions_fit_the_eye():
    lengths = {(f"{f.name}:{n.lineno} {n.name}"): body_lines(n) for f, n in functions()}

    assert {name: lines for name, lines in lengths.items() if lines > 50} == {}
    assert sum(lines <= 20 for lines in lengths.values()) >= 0.9 * len(lengths)


def test_no_name_is_a_drawer_for_everything():
    assert [str(f) for f in FILES if FORBIDDEN_NAMES & {f.stem, *f.parts}] == []


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_exports_is_true_and_documented(name):
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", [])

    assert module.__doc__, f"{name} says nothing about itself"
    assert len(set(exported)) == len(exported)  # their order is ruff's to check
    for member in exported:
        value = getattr(module, member)
        if callable(value) and getattr(value, "__module__", None) == name:
            assert value.__doc__, f"{name}.{member} is public and undocumented"


def test_every_module_has_a_test_of_its_name():
    """Tests mirror the source: `policy/audit.py` is tested by `tests/policy/test_audit.py`."""
    tests = {str(f.relative_to(ROOT / "tests")) for f in (ROOT / "tests").rglob("test_*.py")}
    missing = []
    for file in FILES:
        inside = file.relative_to(SOURCE)
        mirror = str(inside.parent / f"test_{inside.stem.lstrip('_')}.py")
        if inside.name != "__init__.py" and mirror not in tests:
            missing.append(str(inside))

    assert len(missing) <= 0.15 * len(FILES), missing


def test_the_repository_names_no_machine_and_no_secret():
    for folder in ("src", "conf", "docs", "tests", "benchmarks", "tools", "examples", "adapters"):
        for file in written(ROOT / folder):
            text = file.read_text(errors="ignore")
            assert "/work/" not in text, file
            assert "BEGIN PRIVATE KEY" not in text, file
            assert "pypi.org" not in text, file


def written(folder: Path) -> Iterator[Path]:
    """Files that somebody wrote; not caches, nor an adapter's own environment."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__" and name[0] != "."]
        for file in (Path(place, name) for name in names):
            if file.is_file() and file != Path(__file__):
                yield file
