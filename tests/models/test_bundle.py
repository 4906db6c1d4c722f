"""A bundle comes back as it was written, or not at all."""

import shutil

import numpy as np
import orjson
import pandas as pd
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.bundle import load_bundle, save_bundle
from liqwarn.models.model_files import write_folder


@pytest.fixture(scope="module")
def bundle(small_bundle_folder):
    return load_bundle(small_bundle_folder, version="7")


@pytest.fixture
def copy(small_bundle_folder, tmp_path):
    return shutil.copytree(small_bundle_folder, tmp_path / "copy")


def test_a_bundle_comes_back_as_it_was_written(bundle, tmp_path):
    digest = save_bundle(tmp_path / "b", bundle.model, bundle.training, bundle.history)

    back = load_bundle(tmp_path / "b", version="12")

    assert back.stamp.version == "12"
    assert back.stamp.sha256 == digest == bundle.stamp.sha256
    assert back.training == bundle.training
    pd.testing.assert_frame_equal(back.history, bundle.history, check_exact=True)
    rows = np.random.default_rng(1).normal(size=(50, len(bundle.model.names_)))
    np.testing.assert_array_equal(back.model.predict_proba(rows), bundle.model.predict_proba(rows))


def test_no_file_of_a_bundle_is_a_pickle(small_bundle_folder):
    found = {p.suffix for p in small_bundle_folder.rglob("*") if p.is_file()}

    assert found == {".txt", ".json", ".parquet"}


@pytest.mark.parametrize(
    "name", ["model/onset_4h_0.txt", "model/calibrator.json", "training/history.parquet"]
)
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_file_is_found_before_it_is_parsed(copy, name, damage):
    path = copy / name
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    path.write_bytes(content if damage == "flipped" else content[:-20])
    if damage == "gone":
        path.unlink()

    with pytest.raises(ModelError, match=path.name.replace(".", r"\.")):
        load_bundle(copy, version="1")


@pytest.mark.parametrize(
    "record", [b"[]", b"{}", b'{"trained_until": "soon"}', b'{"trained_until": 3}']
)
def test_a_record_of_another_shape_is_refused(copy, record):
    history = (copy / "training" / "history.parquet").read_bytes()
    write_folder(copy / "training", {"training.json": record, "history.parquet": history})

    with pytest.raises(ModelError, match="unreadable record of training"):
        load_bundle(copy, version="1")


def test_a_record_without_its_history_is_refused(copy):
    record = (copy / "training" / "training.json").read_bytes()
    assert orjson.loads(record)["panel"] == "synthetic"
    (copy / "training" / "history.parquet").unlink()
    write_folder(copy / "training", {"training.json": record})

    with pytest.raises(ModelError, match=r"history\.parquet"):
        load_bundle(copy, version="1")
