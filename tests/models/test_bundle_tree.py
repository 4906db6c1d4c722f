"""A folder is read once, and only if it is nothing but a few plain files."""

import os

import pytest

from liqwarn.errors import ModelError
from liqwarn.models import bundle_tree
from liqwarn.models.bundle_tree import open_tree, read_entry, tree_sizes


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "b" / "model").mkdir(parents=True)
    (tmp_path / "b" / "bundle.json").write_bytes(b"{}")
    (tmp_path / "b" / "model" / "x.txt").write_bytes(b"tree")
    return tmp_path / "b"


def sizes(folder):
    with open_tree(folder) as root:
        return tree_sizes(root, folder)


def test_a_tree_is_its_files(folder):
    (folder / "model" / "empty").touch()

    assert sizes(folder) == {"bundle.json": 2, "model/x.txt": 4, "model/empty": 0}
    with open_tree(folder) as root:
        assert read_entry(root, "model/x.txt", 4, folder) == b"tree"
        assert read_entry(root, "bundle.json", 2, folder) == b"{}"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda f: (f / "model" / "l").symlink_to("x.txt"), "symbolic link 'model/l'"),
        (lambda f: (f / "l").symlink_to("model"), "symbolic link 'l'"),
        (lambda f: (f / "l").symlink_to("/nowhere"), "symbolic link 'l'"),
        (lambda f: os.mkfifo(f / "model" / "p"), "special file 'model/p'"),
        (lambda f: (f / "model" / "deep").mkdir(), "folder 'model/deep', expected none so deep"),
        (lambda f: os.truncate(f / "bundle.json", 65 << 20), "too large at 'bundle.json'"),
    ],
    ids=["link", "link to folder", "dangling", "pipe", "deep", "huge"],
)
def test_anything_but_plain_files_is_refused(folder, make, why):
    make(folder)

    with pytest.raises(ModelError, match=why):
        sizes(folder)


def test_too_much_is_refused(folder, monkeypatch):
    monkeypatch.setattr(bundle_tree, "LARGEST_TREE", 5)
    with pytest.raises(ModelError, match=r"too large at 'model/x\.txt' with 4 bytes"):
        sizes(folder)
    monkeypatch.setattr(bundle_tree, "MOST_FILES", 1)
    monkeypatch.setattr(bundle_tree, "LARGEST_TREE", 100)
    with pytest.raises(ModelError, match="more than 1 files"):
        sizes(folder)


def test_only_a_folder_itself_is_opened(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)

    for path in (tmp_path / "link", folder / "bundle.json", tmp_path / "none"):
        with pytest.raises(ModelError, match="cannot be opened, expected a folder"):
            sizes(path)


def test_a_file_that_changes_between_looking_and_reading_is_refused(folder):
    with open_tree(folder) as root:
        (folder / "model" / "x.txt").write_bytes(b"longer than before")
        with pytest.raises(ModelError, match=r"changed while it was read, at 'x\.txt'"):
            read_entry(root, "model/x.txt", 4, folder)
        (folder / "model" / "x.txt").unlink()
        with pytest.raises(ModelError, match=r"changed while it was read, at 'x\.txt'"):
            read_entry(root, "model/x.txt", 4, folder)
        (folder / "model" / "x.txt").symlink_to("/etc/hostname")
        with pytest.raises(ModelError, match=r"changed while it was read, at 'x\.txt'"):
            read_entry(root, "model/x.txt", 4, folder)
        (folder / "bundle.json").unlink()
        os.mkfifo(folder / "bundle.json")
        with pytest.raises(ModelError, match=r"changed while it was read, at 'bundle\.json'"):
            read_entry(root, "bundle.json", 2, folder)  # and does not wait for a writer


def test_a_folder_that_is_swapped_is_still_the_one_that_was_opened(folder, tmp_path):
    with open_tree(folder) as root:
        folder.rename(tmp_path / "moved")
        folder.mkdir()
        (folder / "bundle.json").write_bytes(b"other")

        assert tree_sizes(root, folder)["bundle.json"] == 2
        assert read_entry(root, "bundle.json", 2, folder) == b"{}"
