"""The child's answer, asked here; its limits are asked for by the canary's own tests."""

from io import BytesIO

import numpy as np
import orjson
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.bundle import load_bundle
from liqwarn.models.model_files import write_folder
from liqwarn.models.signed_bundle import read_unsigned
from liqwarn.serving.canary_child import answer


def framed(files):
    header = {"version": "3", "files": [[name, len(c)] for name, c in files.items()]}
    return BytesIO(orjson.dumps(header) + b"\n" + b"".join(files.values()))


def scores(said):
    return np.array([float.fromhex(value) for value in said["raw"]]).reshape(said["shape"])


def test_the_answer_is_the_scores_of_the_probes(small_bundle_folder):
    probes = load_bundle(small_bundle_folder, version="1").probes

    said = answer(framed(read_unsigned(small_bundle_folder).files))

    assert probes.compare(scores(said)) is None


def test_an_old_bundle_without_probes_scores_a_row_of_nothing(small_bundle_folder, tmp_path):
    names = ("training.json", "history.parquet")
    files = {name: (small_bundle_folder / "training" / name).read_bytes() for name in names}
    write_folder(tmp_path / "training", files)
    tree = {
        path.relative_to(path.parents[1]).as_posix(): path.read_bytes()
        for path in (*small_bundle_folder.glob("model/*"), *tmp_path.glob("training/*"))
    }

    assert scores(answer(framed(tree))).shape == (1, 2, 3)


def test_a_stream_that_ends_too_early_is_no_bundle(small_bundle_folder):
    stream = framed(read_unsigned(small_bundle_folder).files)

    with pytest.raises(ModelError, match="SHA-256"):
        answer(BytesIO(stream.getvalue()[:-5000]))
