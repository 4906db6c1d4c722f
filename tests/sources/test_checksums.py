"""Checksum files as published, and everything that comes instead of them."""

import os
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import DataError
from liqwarn.sources.checksums import parse_checksum

MANY = settings(max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 25)
DIGEST = sha256(b"a").hexdigest()
NAMES = st.from_regex(r"[A-Z0-9]{2,12}-[a-z0-9]{2,11}-20\d\d-\d\d\.zip", fullmatch=True)


@MANY
@given(content=st.binary(max_size=20), name=NAMES, gap=st.sampled_from(["  ", " *", "\t", " "]))
def test_what_sha256sum_writes_is_read(content, name, gap):
    digest = sha256(content).hexdigest()

    assert parse_checksum(f"{digest}{gap}{name}\n", name) == digest
    assert parse_checksum(f"{digest.upper()}{gap}dir/{name}\r\n", name) == digest


@MANY
@given(text=st.text(max_size=200), name=NAMES)
def test_anything_else_is_refused_and_named(text, name):
    with pytest.raises(DataError, match="CHECKSUM") as caught:
        parse_checksum(text, name)
    assert name in str(caught.value)
    assert len(str(caught.value)) < 500


@given(name=NAMES, at=st.integers(0, 63), wrong=st.sampled_from("g_ é"))
def test_a_digest_with_a_wrong_character_is_refused(name, at, wrong):
    with pytest.raises(DataError, match="expected '<SHA-256>"):
        parse_checksum(f"{DIGEST[:at]}{wrong}{DIGEST[at + 1 :]}  {name}", name)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "says '', expected"),
        (DIGEST, "expected '<SHA-256>"),
        (f"{DIGEST[:-1]}  a.zip", "expected '<SHA-256>"),
        (f"{DIGEST}  b.zip", "speaks of 'b.zip'"),
        (f"{DIGEST}  a.zip\n{DIGEST}  b.zip", "expected '<SHA-256>"),
        ("<html><body>Please log in</body></html>", "a page of HTML or XML"),
        ('  <?xml version="1.0"?><Error><Code>AccessDenied</Code>', "a page of HTML or XML"),
        ('{"code": 0, "msg": "ok"}', "expected '<SHA-256>"),
    ],
)
def test_what_comes_instead_is_named(text, match):
    with pytest.raises(DataError, match=match):
        parse_checksum(text, "a.zip")
