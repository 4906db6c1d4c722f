"""A bundle is read only if every byte of it is signed; what was verified is what is loaded."""

import os
import shutil

import numpy as np
import orjson
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.bundle import bundle_of, load_bundle
from liqwarn.models.model_files import write_folder
from liqwarn.models.signed_bundle import (
    BUNDLE,
    read_bundle,
    read_unsigned,
    sign_bundle,
    verify_bundle,
)
from liqwarn.signing import generate_key, sign_document

KEY, OTHER = generate_key(), generate_key()
KEYS = (KEY.public,)
POLICY = b"schema: liqwarn.policy/1\n"


@pytest.fixture
def folder(small_bundle_folder, tmp_path):
    folder = shutil.copytree(small_bundle_folder, tmp_path / "v7")
    sign_bundle(folder, KEY, policy=POLICY)
    return folder


def documented(folder, change):
    """Change what the manifest says and sign it again, as only a thief of the key could."""
    document = orjson.loads((folder / BUNDLE).read_bytes())
    change(document)
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    (folder / BUNDLE).write_bytes(orjson.dumps(sign_document(document, KEY), option=options))


def test_a_signed_bundle_is_loaded_from_the_bytes_that_were_verified(folder):
    before = load_bundle(folder, version="7")
    verified = read_bundle(folder, (OTHER.public, KEY.public))
    shutil.rmtree(folder)

    bundle = bundle_of(verified.files, version=verified.id.version)

    assert verified.id.version == "v7"
    assert verified.id.key == KEY.key_id
    assert verified.id.model_sha256 == bundle.stamp.sha256 == before.stamp.sha256
    assert verified.files["policy.yaml"] == POLICY
    assert bundle.stamp.version == "v7"
    assert bundle.training == before.training
    assert bundle.probes.fault(bundle.model) is None
    rows = np.random.default_rng(1).normal(size=(50, len(bundle.model.names_)))
    np.testing.assert_array_equal(
        bundle.model.predict_proba(rows), before.model.predict_proba(rows)
    )


def test_the_id_is_of_the_files_whoever_signed_them(folder):
    first = verify_bundle(folder, KEYS)

    again = sign_bundle(folder, OTHER)

    assert again.sha256 == first.sha256
    assert again == verify_bundle(folder, (OTHER.public,))
    assert again.to_dict()["key"] == OTHER.key_id
    assert sign_bundle(folder, KEY, version="8").sha256 != first.sha256


def test_a_bundle_is_signed_the_same_twice(folder):
    once = (folder / BUNDLE).read_bytes()
    sign_bundle(folder, KEY)

    assert (folder / BUNDLE).read_bytes() == once


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f: (f / BUNDLE).unlink(), "is unsigned: it has no bundle.json"),
        (lambda f: sign_bundle(f, OTHER), "not to be trusted: unknown key"),
        (lambda f: (f / "extra.txt").touch(), "besides what is signed: 'extra.txt'"),
        (lambda f: (f / "model" / "x").touch(), "besides what is signed: 'model/x'"),
        (lambda f: (f / "empty").mkdir(), None),
        (lambda f: (f / "policy.yaml").unlink(), "lacks: 'policy.yaml'"),
        (lambda f: os.truncate(f / "model/features.json", 9), "9 bytes, expected"),
        (lambda f: os.truncate(f / BUNDLE, 2 << 20), "too large"),
        (lambda f: os.truncate(f / BUNDLE, 99), "unreadable bundle.json"),
        (lambda f: (f / BUNDLE).write_bytes(b"[]"), "unreadable bundle.json"),
        (lambda f: (f / "policy.yaml").write_bytes(POLICY.upper()), "changed after it was signed"),
        (lambda f: shutil.copytree(f / "model", f / "model" / "m"), "none so deep"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_whatever_is_not_signed_is_refused(folder, change, why):
    change(folder)

    if why is None:
        assert verify_bundle(folder, KEYS)  # an empty folder holds no byte
        return
    with pytest.raises(ModelError, match=why):
        verify_bundle(folder, KEYS)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d.update(schema="liqwarn.bundle/2"), "schema 'liqwarn.bundle/2', expected"),
        (lambda d: d.update(more=1), "not as liqwarn writes it"),
        (lambda d: d.update(version="../up"), "not as liqwarn writes it"),
        (lambda d: d.update(version=7), "unreadable bundle.json"),
        (lambda d: d.pop("files"), "unreadable bundle.json"),
        (lambda d: d["files"].update({"../../etc/x": {"bytes": 1, "sha256": ""}}), "lacks: '../.."),
        (
            lambda d: d["files"].update({"/etc/hostname": {"bytes": 1, "sha256": ""}}),
            "lacks: '/etc",
        ),
        (lambda d: d["files"]["policy.yaml"].pop("bytes"), "not as liqwarn writes it"),
    ],
    ids=["schema", "more", "up", "number", "files", "traversal", "absolute", "size"],
)
def test_even_signed_a_manifest_of_another_shape_is_refused(folder, change, why):
    documented(folder, change)

    with pytest.raises(ModelError, match=why):
        verify_bundle(folder, KEYS)


def test_any_byte_of_the_manifest_changed_is_refused(folder):
    whole = (folder / BUNDLE).read_bytes()
    for at in range(0, len(whole), 7):
        content = bytearray(whole)
        content[at] ^= 1
        (folder / BUNDLE).write_bytes(content)
        with pytest.raises(ModelError, match=r"bundle"):
            verify_bundle(folder, KEYS)


def test_the_same_values_written_otherwise_are_refused(folder):
    (folder / BUNDLE).write_bytes((folder / BUNDLE).read_bytes() + b"\n")

    with pytest.raises(ModelError, match="not as liqwarn writes it"):
        verify_bundle(folder, KEYS)


def test_an_unsigned_bundle_is_read_where_somebody_said_so(small_bundle_folder, folder):
    unsigned = read_unsigned(small_bundle_folder)

    assert (unsigned.id.key, unsigned.id.version) == (None, "bundle")
    assert bundle_of(unsigned.files, version="x").stamp.sha256 == unsigned.id.model_sha256
    assert read_unsigned(folder).id.sha256 == verify_bundle(folder, KEYS).sha256
    (folder / "policy.yaml").write_bytes(POLICY.upper())
    with pytest.raises(ModelError, match="was changed after"):
        read_unsigned(folder)
    (folder / BUNDLE).unlink()
    assert read_unsigned(folder).id.key is None
    (folder / "more").touch()
    with pytest.raises(ModelError, match="no part of it: more"):
        read_unsigned(folder)


def test_only_a_whole_bundle_with_probes_is_signed(small_bundle_folder, tmp_path):
    folder = shutil.copytree(small_bundle_folder, tmp_path / "b")
    with pytest.raises(ModelError, match=r"bundle version is '\.\./x'"):
        sign_bundle(folder, KEY, version="../x")
    (folder / "model" / "onset_4h_0.txt").write_bytes(b"tree")
    with pytest.raises(ModelError, match="has SHA-256"):
        sign_bundle(folder, KEY)
    files = {
        name: (small_bundle_folder / "training" / name).read_bytes()
        for name in ("training.json", "history.parquet")
    }
    shutil.rmtree(folder)
    shutil.copytree(small_bundle_folder / "model", folder / "model")
    write_folder(folder / "training", files)
    with pytest.raises(ModelError, match=r"has no probes.*train it again"):
        sign_bundle(folder, KEY)
    assert not (folder / BUNDLE).exists()
    assert load_bundle(folder, version="1").probes is None
