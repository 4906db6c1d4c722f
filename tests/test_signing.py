"""A signature holds for the very values that were signed, and a private key stays private."""

import copy
import pickle

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import ConfigError
from liqwarn.signing import (
    VerifyKey,
    generate_key,
    load_signing_key,
    load_verify_keys,
    save_signing_key,
    save_verify_key,
    sign_document,
    verify_document,
)

KEY = generate_key()
OTHER = generate_key()

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(st.text().filter(lambda k: k != "signature"), json_values, max_size=5)


@given(documents)
def test_a_signed_document_survives_being_published(document):
    published = orjson.loads(orjson.dumps(sign_document(document, KEY)))

    assert verify_document(published, [OTHER.public, KEY.public]) is None


@given(documents, st.text(min_size=1), st.integers(-(2**63), 2**63))
def test_any_other_value_does_not_match(document, name, value):
    signed = sign_document(document, KEY)
    if name != "signature" and document.get(name, ...) != value:
        assert verify_document(signed | {name: value}, [KEY.public]) == "signature does not match"


@given(json_values)
def test_whatever_stands_for_a_signature_is_refused_in_words(found):
    told = verify_document({"tier": 0, "signature": found}, [KEY.public])

    assert isinstance(told, str)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"signature": None}, "unsigned"),
        ({"signature": {"key": OTHER.key_id, "ed25519": ""}}, "unknown key"),
        ({"signature": {"key": KEY.key_id, "ed25519": ""}}, "does not match"),
        ({"signature": {"key": KEY.key_id, "ed25519": "é"}}, "unreadable signature"),
        ({"signature": {"key": KEY.key_id}}, "unreadable signature"),
        ({"signature": {"key": KEY.key_id, "ed25519": "", "more": 1}}, "unreadable signature"),
        ({"tier": 2**70}, "unreadable signature"),
        ({3: 4}, "unreadable signature"),
    ],
)
def test_why_a_document_is_not_believed(change, why):
    assert why in verify_document(sign_document({"tier": 3}, KEY) | change, [KEY.public])


def test_the_same_signature_in_other_letters_is_refused():
    signed = sign_document({"tier": 3}, KEY)
    letters = signed["signature"]["ed25519"]
    assert letters.endswith(("A==", "Q==", "g==", "w=="))
    other = letters[:-3] + chr(ord(letters[-3]) + 1) + "=="

    told = verify_document(
        signed | {"signature": {"key": KEY.key_id, "ed25519": other}}, [KEY.public]
    )

    assert told == "unreadable signature: not as it is written"


def test_a_signature_of_a_document_is_no_part_of_what_is_signed():
    once = sign_document({"tier": 3}, KEY)

    assert sign_document(once, KEY) == once
    assert verify_document(sign_document(once, OTHER), [OTHER.public]) is None
    assert verify_document(sign_document(once, OTHER), [KEY.public]).startswith("unknown key")


def test_a_key_comes_back_from_its_files(tmp_path):
    save_signing_key(KEY, tmp_path / "keys" / "signing.key")
    save_verify_key(KEY.public, tmp_path / "keys" / "verify.pem")

    back = load_signing_key(tmp_path / "keys" / "signing.key")

    assert (tmp_path / "keys" / "signing.key").stat().st_mode & 0o777 == 0o600
    assert back.key_id == KEY.key_id == KEY.public.key_id
    assert len(KEY.key_id) == 16
    assert back.sign(b"x") == KEY.sign(b"x")
    assert load_verify_keys(tmp_path / "keys" / "verify.pem") == (KEY.public,)


def test_several_keys_are_trusted_while_they_rotate(tmp_path):
    for name, key in (("a", KEY), ("b", OTHER)):
        save_verify_key(key.public, tmp_path / f"{name}.pem")
    both = (tmp_path / "a.pem").read_bytes() + (tmp_path / "b.pem").read_bytes()
    save_signing_key(KEY, tmp_path / "signing.key")  # a folder may hold it beside

    assert load_verify_keys(tmp_path) == (KEY.public, OTHER.public)
    (tmp_path / "c.pem").write_bytes(both)
    assert load_verify_keys(tmp_path / "c.pem") == (KEY.public, OTHER.public)
    assert len(load_verify_keys(tmp_path)) == 2


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_private_key_that_others_may_read_is_refused(tmp_path, mode):
    save_signing_key(KEY, tmp_path / "k")
    (tmp_path / "k").chmod(mode)

    with pytest.raises(ConfigError, match=rf"has mode {mode:04o}, expected 0600"):
        load_signing_key(tmp_path / "k")


def test_a_private_key_is_never_overwritten_shown_or_copied(tmp_path):
    save_signing_key(KEY, tmp_path / "k")

    with pytest.raises(ConfigError, match="cannot be written: File exists"):
        save_signing_key(OTHER, tmp_path / "k")
    assert load_signing_key(tmp_path / "k").key_id == KEY.key_id
    assert repr(KEY) == f"SigningKey({KEY.key_id})"
    for take in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not copied or pickled"):
            take(KEY)


def test_what_is_no_key_is_refused(tmp_path):
    (tmp_path / "k").write_bytes(b"nonsense")
    (tmp_path / "k").chmod(0o600)
    save_signing_key(KEY, tmp_path / "private.pem")
    other = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "ec.key").touch(mode=0o600)
    (tmp_path / "ec.key").write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (tmp_path / "ec.pub").write_bytes(
        other.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    save_verify_key(KEY.public, tmp_path / "cut")
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes().replace(b"MC", b"MX"))
    (tmp_path / "empty").mkdir()

    with pytest.raises(ConfigError, match="holds no private key"):
        load_signing_key(tmp_path / "k")
    with pytest.raises(ConfigError, match="another kind, expected Ed25519"):
        load_signing_key(tmp_path / "ec.key")
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_signing_key(tmp_path / "none")
    with pytest.raises(ConfigError, match="something else than public keys"):
        load_verify_keys(tmp_path / "private.pem")
    with pytest.raises(ConfigError, match="another kind, expected Ed25519"):
        load_verify_keys(tmp_path / "ec.pub")
    with pytest.raises(ConfigError, match="a public key that cannot be read"):
        load_verify_keys(tmp_path / "cut")
    with pytest.raises(ConfigError, match="holds no public key"):
        load_verify_keys(tmp_path / "empty")
    with pytest.raises(ConfigError, match="has 3 bytes, expected 32"):
        VerifyKey(b"abc")
