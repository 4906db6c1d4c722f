"""A release is whole before anything points at it."""

import shutil
import tempfile
from pathlib import Path

import pytest

from liqwarn.errors import ModelError
from liqwarn.models.signed_bundle import sign_bundle, verify_bundle
from liqwarn.serving.releases import POINTER, point, pointed, release
from liqwarn.signing import generate_key

KEY, OTHER = generate_key(), generate_key()
POLICY = (Path(__file__).parents[2] / "conf" / "policy.yaml").read_bytes()


def good(_):
    return None


@pytest.fixture
def releases(tmp_path):
    return tmp_path / "releases"


def names(releases):
    return {path.name for path in releases.iterdir()}


def test_a_release_is_signed_and_pointed_at_and_its_source_is_left_alone(
    small_bundle_folder, releases
):
    before = {p: p.read_bytes() for p in small_bundle_folder.rglob("*") if p.is_file()}

    done = release(small_bundle_folder, releases, KEY, version="7", policy=POLICY, check=good)

    assert pointed(releases) == done.folder
    assert verify_bundle(done.folder, (KEY.public,)) == done.id
    assert (done.id.version, done.folder.name) == ("7", done.id.sha256[:32])
    assert (done.folder / "policy.yaml").read_bytes() == POLICY
    assert {p: p.read_bytes() for p in small_bundle_folder.rglob("*") if p.is_file()} == before
    assert names(releases) == {".lock", POINTER, done.folder.name}
    assert done.folder.stat().st_mode & 0o777 == 0o755


def test_the_same_release_again_changes_nothing_but_the_pointer(small_bundle_folder, releases):
    one = release(small_bundle_folder, releases, KEY, version="1", check=good)
    two = release(small_bundle_folder, releases, KEY, version="2", check=good)
    assert pointed(releases) == two.folder

    again = release(small_bundle_folder, releases, OTHER, version="1", check=good)

    assert again.folder == one.folder == pointed(releases)
    assert verify_bundle(one.folder, (OTHER.public,)).key == OTHER.key_id
    point(releases, two.folder.name)
    assert pointed(releases) == two.folder


def test_a_bundle_keeps_the_version_it_was_signed_with(small_bundle_folder, releases, tmp_path):
    folder = shutil.copytree(small_bundle_folder, tmp_path / "b")
    assert release(folder, releases, KEY, check=good).id.version == "b"
    sign_bundle(folder, KEY, version="9")
    assert release(folder, releases, KEY, check=good).id.version == "9"


def test_what_the_canary_refuses_is_not_released(small_bundle_folder, releases):
    first = release(small_bundle_folder, releases, KEY, version="1", check=good)

    with pytest.raises(ModelError, match=r"was not released: it sang"):
        release(small_bundle_folder, releases, KEY, version="2", check=lambda _: "it sang")

    assert pointed(releases) == first.folder
    assert names(releases) == {".lock", POINTER, first.folder.name}


def test_what_a_killed_release_left_behind_is_removed(small_bundle_folder, releases):
    (releases / ".incoming-dead").mkdir(parents=True)

    release(small_bundle_folder, releases, KEY, check=good)

    assert not (releases / ".incoming-dead").exists()


def test_a_damaged_release_of_the_same_name_is_told(small_bundle_folder, releases):
    done = release(small_bundle_folder, releases, KEY, check=good)
    (done.folder / "model" / "features.json").write_bytes(b"[]")

    with pytest.raises(ModelError, match=r"is there already and damaged: .*features\.json"):
        release(small_bundle_folder, releases, KEY, check=good)


@pytest.mark.parametrize(
    "told", [b"", b"../up", b"/etc", b".incoming-x", b"a b", b"\xff", b"x" * 150]
)
def test_a_pointer_names_a_folder_beside_it_or_nothing(releases, told):
    releases.mkdir()
    (releases / POINTER).write_bytes(told)

    with pytest.raises(ModelError, match=r"expected the name of a folder|cannot be read"):
        pointed(releases)


def test_without_a_pointer_there_is_no_release(releases):
    with pytest.raises(ModelError, match=r"no release: .*current cannot be read"):
        pointed(releases)
    with pytest.raises(ModelError, match="has no release 'x'"):
        point(releases, "x")


def test_a_release_that_is_signed_anew_is_whole_at_every_moment(
    small_bundle_folder, releases, monkeypatch
):
    one = release(small_bundle_folder, releases, KEY, version="1", check=good)
    real, folders = tempfile.mkstemp, []

    def mkstemp(*given, **named):
        folders.append(named["dir"])
        return real(*given, **named)

    monkeypatch.setattr(tempfile, "mkstemp", mkstemp)
    release(small_bundle_folder, releases, OTHER, version="1", check=good)

    assert folders
    assert one.folder not in folders  # what a kill left there would be one file too many
