"""Code that changed is another hash."""

import pytest

from liqwarn.pipelines.source_hash import source_sha256


@pytest.fixture
def package(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "one.py").write_text("a = 1\n")
    (tmp_path / "models" / "two.py").write_text("b = 2\n")
    (tmp_path / "frames.py").write_text("c = 3\n")
    return tmp_path


def hashed(package, names=("models", "frames.py"), libraries=("numpy",)):
    return source_sha256(names, libraries, package)


@pytest.mark.parametrize(
    ("file", "content"),
    [("models/one.py", "a = 2\n"), ("models/three.py", ""), ("frames.py", "c = 3\n\n")],
)
def test_a_changed_line_or_file_is_another_hash(package, file, content):
    before = hashed(package)
    assert before == hashed(package)

    (package / file).write_text(content)

    assert hashed(package) != before


def test_what_is_not_named_does_not_count(package):
    before = hashed(package, names=("models",))

    (package / "frames.py").write_text("")
    (package / "models" / "notes.txt").write_text("")

    assert hashed(package, names=("models",)) == before
    assert hashed(package, names=("models",), libraries=("numpy", "scipy")) != before
