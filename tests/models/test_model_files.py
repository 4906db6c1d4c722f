"""A model folder is read only if every byte is the one that was written."""

from hashlib import sha256

import orjson
import pytest

from liqwarn.errors import ModelError, OutdatedModelError
from liqwarn.models.model_files import MANIFEST, SCHEMA, read_folder, write_folder

FILES = {"b.txt": b"tree\nleaf=1\n", "a.json": b"[1, 2]", "empty": b""}


@pytest.fixture
def folder(tmp_path):
    write_folder(tmp_path / "model", FILES)
    return tmp_path / "model"


def write_manifest(folder, **content):
    (folder / MANIFEST).write_bytes(
        orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )


def test_what_was_written_is_read_back(tmp_path):
    digest = write_folder(tmp_path, FILES)

    found, again = read_folder(tmp_path)

    assert found == FILES
    assert again == digest == sha256((tmp_path / MANIFEST).read_bytes()).hexdigest()


def test_the_digest_names_the_content_and_not_the_order(tmp_path):
    turned = dict(reversed(FILES.items()))
    other = {**FILES, "empty": b" "}

    digests = [write_folder(tmp_path / str(k), f) for k, f in enumerate((FILES, turned, other))]

    assert digests[0] == digests[1] != digests[2]


def test_every_changed_byte_of_every_file_is_found(folder):
    for path in folder.iterdir():
        content = path.read_bytes()
        for at in range(len(content)):
            for mask in (0x01, 0x2A):  # a digit or letter; a blank into another blank
                changed = bytes([*content[:at], content[at] ^ mask, *content[at + 1 :]])
                path.write_bytes(changed)
                with pytest.raises(ModelError, match="model"):
                    read_folder(folder)
        path.write_bytes(content)
    assert read_folder(folder)[0] == FILES


def test_every_cut_is_found(folder):
    for path in folder.iterdir():
        content = path.read_bytes()
        for length in range(len(content)):
            path.write_bytes(content[:length])
            with pytest.raises(ModelError, match="model"):
                read_folder(folder)
        path.write_bytes(content)


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()

    with pytest.raises(ModelError, match=f"cannot read model file .*{name}: No such file"):
        read_folder(folder)


def test_swapped_files_are_found(folder):
    first, second = folder / "a.json", folder / "b.txt"
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)

    with pytest.raises(ModelError, match=r"a.json has SHA-256 \w{12}…, expected \w{12}…"):
        read_folder(folder)


def test_a_file_beside_the_manifest_is_not_read(folder):
    (folder / "extra.txt").write_text("not ours")

    assert set(read_folder(folder)[0]) == set(FILES)


def test_the_schema_of_an_earlier_version_says_what_to_do(folder):
    write_manifest(folder, schema="liqwarn.model/1", files={})

    said = f"schema 'liqwarn.model/1', expected '{SCHEMA}': .* train it again"
    with pytest.raises(OutdatedModelError, match=said):
        read_folder(folder)


@pytest.mark.parametrize("schema", ["liqwarn.model/9", "garbage", None, 7])
def test_another_schema_is_refused_and_never_called_outdated(folder, schema):
    """A later version's model, or a damaged one, must not be replaced without being judged."""
    write_manifest(folder, schema=schema, files={})

    with pytest.raises(ModelError, match=f"expected '{SCHEMA}'") as told:
        read_folder(folder)
    assert not isinstance(told.value, OutdatedModelError)


@pytest.mark.parametrize("content", [{"schema": SCHEMA}, {"schema": SCHEMA, "files": [1]}])
def test_a_manifest_of_another_shape_is_unreadable(folder, content):
    write_manifest(folder, **content)

    with pytest.raises(ModelError, match=r"manifest.json is unreadable"):
        read_folder(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "deeper/file"])
def test_a_manifest_does_not_lead_out_of_its_folder(folder, name):
    write_manifest(folder, schema=SCHEMA, files={name: "0" * 64})

    with pytest.raises(ModelError, match="names files outside of it"):
        read_folder(folder)


@pytest.mark.parametrize("name", ["", ".", "..", "a\0b"])
def test_a_name_that_is_no_file_is_refused(folder, name):
    write_manifest(folder, schema=SCHEMA, files={name: "0" * 64})

    with pytest.raises(ModelError, match="model"):
        read_folder(folder)
