"""From one line of configuration to decisions, over all three ways."""

import subprocess
import sys
import time

import pytest

from liqwarn.board import BoardWriter
from liqwarn.board.clocks import SYSTEM_CLOCKS
from liqwarn.client import open_gate
from liqwarn.errors import ConfigError
from liqwarn.signing import generate_key, save_verify_key

KEY = generate_key()


@pytest.fixture
def trusted(tmp_path):
    (tmp_path / "keys").mkdir()
    save_verify_key(KEY.public, tmp_path / "keys" / "one.pem")
    return tmp_path / "keys"


@pytest.mark.parametrize(
    "source",
    ["", "board", "board:", "file:/", "ftp://x", "/dev/shm/x", "http:", "http://", "https:///x"],
)
def test_what_is_no_source_is_refused(source):
    with pytest.raises(ConfigError, match=r"expected (board:PATH|scheme, host)"):
        open_gate(source)


@pytest.mark.parametrize(
    "source",
    ["http://a:b@127.0.0.1", "http://127.0.0.1:x", "http://127.0.0.1/?a", "http://127.0.0.1/#a"],
)
def test_an_address_with_more_is_refused(source):
    with pytest.raises(ConfigError, match="expected scheme, host, port and path alone"):
        open_gate(source)


def test_an_api_key_does_not_travel_in_the_clear(tmp_path):
    with pytest.raises(ConfigError, match=r"api_key for '10\.0\.0\.1' over http, expected https"):
        open_gate("http://10.0.0.1:8000", api_key="secret")
    with pytest.raises(ConfigError, match="expected for a server alone"):
        open_gate(f"board:{tmp_path}/b", api_key="secret")
    open_gate("http://[::1]:1", api_key="secret").close()


def test_keys_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="public key"):
        open_gate("board:x", keys=tmp_path)


class TestBoard:
    @pytest.fixture
    def board(self, tmp_path):
        with BoardWriter.create(tmp_path / "b", ["BTCUSDT"], key=KEY) as board:
            yield board

    @staticmethod
    def deadline():
        return SYSTEM_CLOCKS.boot_ns() + 10**12

    def test_flags_are_read(self, board, tmp_path, make_flag):
        board.write(make_flag(), deadline_ns=self.deadline())
        with open_gate(f"board:{tmp_path}/b") as gate:
            assert gate("BTCUSDT", "long").new_risk
            assert not gate("BTCUSDT", "short").new_risk
            assert gate("NOPE", "long").reason.startswith("unknown symbol")

    def test_signatures_are_needed_when_keys_are_given(self, board, tmp_path, make_flag, trusted):
        board.write(make_flag(), deadline_ns=self.deadline())
        with open_gate(f"board:{tmp_path}/b", keys=trusted) as gate:
            assert gate("BTCUSDT", "long").new_risk
            board.close()
            with BoardWriter.create(tmp_path / "b", ["BTCUSDT"]) as plain:
                plain.write(make_flag(later=1), deadline_ns=self.deadline())
                assert gate("BTCUSDT", "long").reason.startswith("unsigned")

    def test_a_silent_writer_denies(self, board, tmp_path, make_flag):
        board.write(make_flag(), deadline_ns=self.deadline())
        with open_gate(f"board:{tmp_path}/b") as gate:
            assert gate("BTCUSDT", "long").new_risk
            board.beat(SYSTEM_CLOCKS.boot_ns() - 16 * 10**9)
            assert gate("BTCUSDT", "long").reason.startswith("silent")
            board.beat(SYSTEM_CLOCKS.boot_ns())
            assert gate("BTCUSDT", "long").new_risk

    def test_a_restart_with_an_older_flag_denies(self, board, tmp_path, make_flag):
        board.write(make_flag(later=5), deadline_ns=self.deadline())
        with open_gate(f"board:{tmp_path}/b") as gate:
            assert gate("BTCUSDT", "long").new_risk
            board.close()
            assert gate("BTCUSDT", "long").reason.startswith("dead")
            with BoardWriter.create(tmp_path / "b", ["BTCUSDT"]) as again:
                assert gate("BTCUSDT", "long").reason.startswith("no flag yet")
                again.write(make_flag(), deadline_ns=self.deadline())
                assert gate("BTCUSDT", "long").reason.startswith("lower sequence")
                again.write(make_flag(later=6), deadline_ns=self.deadline())
                assert gate("BTCUSDT", "long").new_risk
            kinds = gate.status()["denials"]
        assert kinds == {"dead": 1, "no flag yet": 1, "lower sequence": 1}


class TestFile:
    def test_a_file_is_followed_through_everything(self, tmp_path, document, make_flag, until):
        path = tmp_path / "flags.json"
        with open_gate(f"file:{path}", max_silence_s=0.6, max_wait_s=2.0) as gate:
            assert gate("BTCUSDT", "long").reason.startswith("unreachable")
            path.write_bytes(document(make_flag()))
            until(lambda: gate("BTCUSDT", "long").new_risk)
            path.write_bytes(document(make_flag())[:100])
            until(lambda: "torn" in gate("BTCUSDT", "long").reason)
            path.write_bytes(document(make_flag(later=1)))
            until(lambda: gate("BTCUSDT", "long").new_risk)
            path.unlink()
            until(lambda: "FileNotFoundError" in gate("BTCUSDT", "long").reason)


class TestServer:
    def test_a_server_that_dies_and_comes_back(self, serve, document, make_flag, until):
        state = {"answer": document(make_flag())}

        def answer(handler):
            if state["answer"] is None:
                handler.send_error(500)
            else:
                serve.reply(handler, state["answer"])

        server = serve(answer)
        with open_gate(server.url, max_silence_s=0.8, max_wait_s=5.0) as gate:
            assert gate("BTCUSDT", "long").new_risk
            state["answer"] = None
            until(lambda: "HTTP status is 500" in gate("BTCUSDT", "long").reason)
            assert gate("BTCUSDT", "long").tier == 3
            state["answer"] = document(make_flag(later=1))
            until(lambda: gate("BTCUSDT", "long").new_risk)

    def test_a_stalled_server_never_holds_the_caller(self, serve):
        server = serve(lambda handler: time.sleep(0.5))
        with open_gate(server.url) as gate:
            took = []
            for _ in range(40):
                start = time.perf_counter()
                assert not gate("BTCUSDT", "long").new_risk
                took.append(time.perf_counter() - start)
        assert sorted(took)[len(took) // 2] < 0.05  # 5 ms, and the machine may be busy

    def test_unsigned_flags_deny_when_keys_are_given(self, serve, document, make_flag, trusted):
        rows = [make_flag("A"), make_flag("B")]

        def strip(row):
            if row["symbol"] == "A":
                del row["signature"]

        server = serve(document(*rows, key=KEY, change=strip))
        with open_gate(server.url, keys=trusted, max_wait_s=5.0) as gate:
            assert gate("A", "long").reason == "unsigned: unsigned"
            assert gate("B", "long").new_risk


def test_the_import_is_light():
    program = (
        "import sys, liqwarn.client\n"
        "heavy = {'numpy', 'pandas', 'pydantic', 'cryptography', 'ssl', 'httpx', 'fastapi',"
        " 'lightgbm', 'numba', 'mlflow', 'yaml', 'liqwarn.policy', 'liqwarn.frames'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout == b"[]\n"
