"""A key: in a header, and in nothing that is shown."""

import json
import re
from urllib.parse import quote

import pytest

from liqwarn.errors import ConfigError
from liqwarn.sources.api_key import ApiKey, KeyTerms

TERMS = KeyTerms(variable="LIQWARN_X_KEY", header="Authorization", before="Bearer ")
SECRET = 'ab/cd"ef\\gh0123456789'


def test_the_header_holds_it_and_no_text_does():
    key = ApiKey(TERMS, SECRET)

    assert key.headers == {"Authorization": f"Bearer {SECRET}"}
    assert "0123456789" not in repr(key) + str(key)


@pytest.mark.parametrize(
    "said",
    [SECRET, json.dumps(SECRET), json.dumps(SECRET).replace("/", "\\/"), quote(SECRET, safe=""),
     "".join(f"\\u{ord(c):04X}" if c in '/"\\' else c for c in SECRET),
     "".join(f"&#x{ord(c):x};" if c in '/"\\' else c for c in SECRET), f"{SECRET} {SECRET}"],
)  # fmt: skip
def test_what_a_server_says_of_it_is_hidden(said):
    assert b"0123456789" not in ApiKey(TERMS, SECRET).hide(b"no key " + said.encode())


@pytest.mark.parametrize(
    "value", ["", "short", "with a space", "line\nbreak0", "ключ-ключ", "x" * 513]
)
def test_what_cannot_be_one_is_refused_unseen(value):
    with pytest.raises(ConfigError, match=f"LIQWARN_X_KEY: found {len(value)} char") as caught:
        ApiKey(TERMS, value)
    assert not value or not re.search(re.escape(value), str(caught.value))
