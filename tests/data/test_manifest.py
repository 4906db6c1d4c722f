import json
from datetime import UTC, datetime

import pytest

from liqwarn.data.manifest import MANIFEST, Manifest, Origin, Part, load_manifest, save_manifest
from liqwarn.errors import StoreError

PATH = "panel=p/source=s/symbol=BTCUSDT/year=2024/part-00000.parquet"
PART = Part(path=PATH, rows=2, size=100, sha256="aa", first=1, last=2)


def origin(day):
    return Origin(file="a.csv", sha256="ff", first_at=datetime(2024, 1, day, tzinfo=UTC))


def test_it_survives_the_way_there_and_back(tmp_path):
    manifest = Manifest(origins=(origin(1),), parts={PATH: PART})

    save_manifest(tmp_path, manifest)

    assert load_manifest(tmp_path) == manifest
    assert PART.key.symbol == "BTCUSDT"


def test_a_store_without_one_is_empty(tmp_path):
    assert load_manifest(tmp_path) == Manifest()


def test_the_hash_is_of_the_content_not_of_the_day(tmp_path):
    one = Manifest(origins=(origin(1),), parts={PATH: PART})
    other = Manifest(origins=(origin(2),), parts={PATH: PART})

    assert one.sha256 == other.sha256
    assert one.sha256 != Manifest().sha256


def test_every_edit_is_noticed(tmp_path):
    save_manifest(tmp_path, Manifest(origins=(origin(1),), parts={PATH: PART}))
    path = tmp_path / MANIFEST
    body = json.loads(path.read_text())
    body["parts"][0]["rows"] = 3
    path.write_text(json.dumps(body))

    with pytest.raises(StoreError, match=r"manifest.json: its hash does not match"):
        load_manifest(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"sha256": 1}'])
def test_what_is_no_manifest_is_told(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content)

    with pytest.raises(StoreError, match=r"manifest.json: unreadable"):
        load_manifest(tmp_path)


def test_another_schema_is_told(tmp_path):
    (tmp_path / MANIFEST).write_text('{"sha256": "", "schema": "liqwarn.store/9"}')

    with pytest.raises(StoreError, match=r"schema is 'liqwarn\.store/9', expected"):
        load_manifest(tmp_path)
