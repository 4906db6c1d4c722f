"""bundle: keys are made, bundles signed, verified and released; refusals are one line."""

import shutil

import pytest

from liqwarn.serving.releases import pointed, release
from liqwarn.signing import load_signing_key


@pytest.fixture
def keys(run, tmp_path):
    return tmp_path / "keys", run("bundle", "keygen", "--out", tmp_path / "keys", "--json").json


@pytest.fixture
def folder(small_bundle_folder, tmp_path):
    return shutil.copytree(small_bundle_folder, tmp_path / "b")


def test_keys_are_made_once_and_the_private_one_is_never_shown(run, keys):
    folder, made = keys

    assert {path.name for path in folder.iterdir()} == {"signing.key", f"verify-{made['key']}.pem"}
    assert (folder / "signing.key").stat().st_mode & 0o777 == 0o600
    assert "File exists" in run("bundle", "keygen", "--out", folder).refusal
    assert set(made) == {"key", "private", "public"}


def test_a_bundle_is_signed_and_verified(run, keys, folder):
    where, made = keys
    assert "is unsigned" in run("bundle", "verify", folder, "--keys", where).refusal

    signed = run("bundle", "sign", folder, "--key", where / "signing.key", "--json").json
    verified = run("bundle", "verify", folder, "--keys", where, "--canary", "--json").json

    assert signed == verified
    assert (signed["key"], signed["version"]) == (made["key"], "b")
    assert (folder / "policy.yaml").is_file()
    told = run("bundle", "verify", folder, "--keys", where).out
    assert f"is whole and trusted: version b, {signed['files']} files" in told
    (folder / "extra").touch()
    assert "besides what is signed: 'extra'" in (
        run("bundle", "verify", folder, "--keys", where).refusal
    )


def test_a_release_is_pointed_at(run, keys, folder, tmp_path):
    where, _ = keys
    words = ("--to", tmp_path / "releases", "--key", where / "signing.key")

    done = run("bundle", "release", folder, *words, "--version", "12", "--json").json

    assert str(pointed(tmp_path / "releases")) == done["folder"]
    assert done["version"] == "12"
    assert run("bundle", "verify", done["folder"], "--keys", where).code == 0
    (folder / "model" / "features.json").write_bytes(b"[]")
    assert "SHA-256" in run("bundle", "release", folder, *words).refusal
    assert str(pointed(tmp_path / "releases")) == done["folder"]


def test_a_server_is_pointed_back(run, keys, folder, tmp_path):
    where, _ = keys
    releases = tmp_path / "releases"
    for version in ("1", "2"):
        done = release(folder, releases, load_signing_key(where / "signing.key"), version=version,
                       check=lambda _: None)  # fmt: skip
    first = next(p.name for p in releases.glob("[!.]*") if p.is_dir() and p != done.folder)

    back = run("bundle", "point", first, "--to", releases, "--keys", where, "--json").json

    assert back["version"] == "1"
    assert pointed(releases) == releases / first
    (releases / first / "extra").touch()
    for name, why in ((first, "besides what is signed"), ("none", "cannot be opened")):
        assert why in run("bundle", "point", name, "--to", releases, "--keys", where).refusal
    assert run("bundle", "point", "..", "--to", releases, "--keys", where).refusal


def test_a_policy_that_cannot_be_served_with_is_not_signed(run, keys, folder, tmp_path):
    (tmp_path / "p.yaml").write_text("schema: nonsense\n")
    words = ("--key", keys[0] / "signing.key", "--policy", tmp_path / "p.yaml")

    assert "p.yaml: policy has" in run("bundle", "sign", folder, *words).refusal
    assert not (folder / "bundle.json").exists()
    assert "No such file" in run("bundle", "sign", folder, *words[:3], tmp_path / "no").refusal
