"""The account's file: read again when it is replaced, and never a crash."""

import os
import runpy
import threading
from pathlib import Path

import orjson
import pytest

from liqwarn.serving.ledger_file import LedgerFile

GIVEN = runpy.run_path(str(Path(__file__).with_name("ledger_given.py")))


@pytest.fixture
def home(tmp_path):
    return GIVEN["GivenHome"](tmp_path)


def test_it_is_parsed_once_a_change(home):
    home.settle()
    file = LedgerFile(home.account)
    first = file.read()

    assert file.read() is first
    assert first.account["panel"] == "made_up"
    assert first.settled_at.isoformat() == "2025-10-01T00:05:00+00:00"
    home.settle(generated_at="2025-10-02T00:05:00Z")
    assert file.read().settled_at.isoformat() == "2025-10-02T00:05:00+00:00"


def test_a_missing_file_is_one_fault_and_its_coming_ends_it(home):
    file = LedgerFile(home.account)

    assert [file.read().faults for _ in range(3)] == [1, 1, 1]
    assert file.read().fault == "account.json: No such file or directory"
    home.settle()
    assert (file.read().fault, file.read().faults) == (None, 1)
    home.account.unlink()
    assert (file.read().account, file.read().faults) == (None, 2)


DAMAGED = [
    (b"", "JSONDecodeError"),
    (b"{", "JSONDecodeError"),
    (b"[]", "schema is None"),
    (b'{"schema": "liqwarn.ledger/2"}', "schema is 'liqwarn.ledger/2', expected 'liqwarn.ledger/1"),
    (b'{"schema": "liqwarn.ledger/1"}', "generated_at"),
    (b'{"schema": "liqwarn.ledger/1", "generated_at": 3}', "generated_at is 3, expected text"),
    (b"\xff\xfe" * 20, "JSONDecodeError"),
    (b"[" * 100_000, "JSONDecodeError"),
]


@pytest.mark.parametrize(("content", "told"), DAMAGED, ids=range(len(DAMAGED)))
def test_damage_is_told_once_a_file_and_the_old_figures_are_gone(home, content, told):
    home.settle()
    file = LedgerFile(home.account)
    file.read()
    home.replace(content)
    found = file.read()

    assert told in found.fault
    assert (found.account, found.settled_at, found.faults) == (None, None, 1)
    assert file.read() is found
    home.settle()
    assert file.read().account is not None


def test_an_account_of_any_size_is_not_taken(home, monkeypatch):
    monkeypatch.setattr("liqwarn.serving.ledger_file._LARGEST", 100)
    home.replace(orjson.dumps({"schema": "liqwarn.ledger/1", "pad": "x" * 200}))

    assert "expected at most 100" in LedgerFile(home.account).read().fault


def test_a_folder_in_its_place_is_a_fault(home):
    home.account.mkdir()

    assert "Is a directory" in LedgerFile(home.account).read().fault


def test_a_pipe_in_its_place_holds_nobody_up(home):
    os.mkfifo(home.account)
    found = []
    reader = threading.Thread(
        target=lambda: found.append(LedgerFile(home.account).read()), daemon=True
    )
    reader.start()
    reader.join(10)

    assert [one.fault for one in found] == ["account.json: StoreError: no regular file"]
