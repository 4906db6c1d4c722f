"""Zips that came over the network: whole ones of one table, and all the others."""

import random
import struct
import zipfile

import pytest

from liqwarn.errors import DataError
from liqwarn.sources import zip_files
from liqwarn.sources.zip_files import check_zip

TABLE = "create_time,symbol\n" + "2024-01-01 00:05:00,BTCUSDT\n" * 500


@pytest.fixture
def check(tmp_path):
    def run(content):
        path = tmp_path / "x.zip"
        path.write_bytes(content)
        check_zip(path, "x.zip")

    return run


def test_a_whole_zip_of_one_table_passes(fake, check):
    check(fake["zipped"]("x.csv", TABLE))


def test_a_zip_cut_anywhere_is_refused(fake, check):
    whole = fake["zipped"]("x.csv", TABLE)

    for length in range(len(whole)):
        with pytest.raises(DataError, match=r"x\.zip: a damaged zip or one cut short"):
            check(whole[:length])


def test_a_flipped_bit_is_refused_unless_the_table_is_the_same(fake, check, tmp_path):
    whole, dice = fake["zipped"]("x.csv", TABLE), random.Random(3)
    body = range(30 + len("x.csv"), whole.index(b"PK\x01\x02"))  # after the local header

    refused = 0
    for _ in range(200):
        at = dice.choice(body)
        changed = whole[:at] + bytes([whole[at] ^ 1 << dice.randrange(8)]) + whole[at + 1 :]
        try:
            check(changed)
        except DataError:
            refused += 1
        else:  # the padding behind the last block means nothing
            with zipfile.ZipFile(tmp_path / "x.zip") as archive:
                assert archive.read("x.csv").decode() == TABLE
    assert refused > 180


def test_a_bomb_is_refused_by_what_it_states(fake, check, monkeypatch):
    monkeypatch.setattr(zip_files, "MAX_UNPACKED", 1 << 20)

    with pytest.raises(DataError, match=r"unpacks to \d+ bytes, expected at most 1048576"):
        check(fake["bomb"](1 << 22))


def test_a_bomb_that_lies_about_its_size_is_refused(fake, check, monkeypatch):
    monkeypatch.setattr(zip_files, "MAX_UNPACKED", 1 << 20)
    content = bytearray(fake["zipped"]("a.csv", "0" * (1 << 22)))
    entry = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, entry + 24, 100)  # the uncompressed size in the directory

    with pytest.raises(DataError, match=r"damaged zip|unpacks to more"):
        check(bytes(content))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda f: f["zipped"]("x.csv", TABLE, members=2), "holds 2 files"),
        (lambda f: f["zipped"]("x.exe", TABLE), "expected one .csv"),
        (lambda f: f["zipped"]("x.csv", ""), "its table is empty"),
        (lambda _: b"<!DOCTYPE html><html>", "found a page of HTML or XML"),
        (lambda _: b"", "damaged zip or one cut short"),
        (lambda _: b"create_time,symbol\n", "damaged zip or one cut short"),
    ],
)
def test_anything_else_is_named(fake, check, make, match):
    with pytest.raises(DataError, match=match):
        check(make(fake))


def test_an_encrypted_zip_is_refused(fake, check):
    content = bytearray(fake["zipped"]("x.csv", TABLE))
    content[content.index(b"PK\x01\x02") + 8] |= 1

    with pytest.raises(DataError, match="is encrypted"):
        check(bytes(content))
