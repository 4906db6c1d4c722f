"""The C header: compiled strictly, it says what the Python reader says, field by field."""

import math
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from liqwarn.board import BoardReader, BoardWriter
from liqwarn.board.layout import slot_at
from liqwarn.board.mapping import open_map
from liqwarn.signing import generate_key

ROOT = Path(__file__).parents[2]
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2"]
CODES = {
    "ok": 0,
    "missing": 1,
    "unknown version": 2,
    "damaged": 3,
    "dead": 4,
    "unknown symbol": 5,
    "no flag yet": 6,
    "torn": 7,
    "inconsistent": 8,
    "silent": 9,
    "expired": 10,
}


@pytest.fixture(scope="session")
def c_reader(tmp_path_factory):
    """`c_reader(path, symbol)` runs the example and returns its code and its lines."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here: install cc")
    program = tmp_path_factory.mktemp("c") / "board_reader"
    source = str(ROOT / "examples" / "board_reader.c")
    include = f"-I{ROOT / 'src' / 'liqwarn' / 'board'}"
    subprocess.run(["cc", *FLAGS, include, source, "-o", str(program), "-lm"], check=True)

    def read(path, symbol="BTCUSDT"):
        run = subprocess.run(
            [str(program), str(path), symbol], capture_output=True, text=True, check=False
        )
        lines = dict(line.split(" ", 1) for line in run.stdout.splitlines())
        assert CODES[lines["code"]] == run.returncode
        return lines.pop("code"), lines

    return read


def lines_of(flag):
    """What the C example must print of a flag that Python read."""
    plain = ("symbol", "sequence", "as_of_ns", "issued_at_ns", "valid_until_ns", "deadline_ns")
    lines = {name: str(getattr(flag, name)) for name in (*plain, "quality")}
    lines |= {name: getattr(flag, name) for name in ("model", "policy", "data")}
    lines |= {"completeness": flag.completeness, "key_id": flag.key_id or "0" * 16}
    for name, side in flag.sides.items():
        limits = side.limits
        shares = ("leverage_frac", "order_size_frac", "add_frac", "collateral_buffer_mult")
        lines |= {f"{name}.{key}": getattr(limits, key) for key in shares}
        for key in ("max_participation_frac", "collar_frac"):
            value = getattr(limits, key)
            lines[f"{name}.{key}"] = math.nan if value is None else value
        for key in ("net_increase", "post_only", "cancel_increasing"):
            lines[f"{name}.{key}"] = str(int(getattr(limits, key)))
        lines |= {f"{name}.p_{h}h": side.probability.get(h, math.nan) for h in (1, 4, 24)}
        lines |= {f"{name}.tier": str(int(side.tier)), f"{name}.state": side.state.value}
        lines[f"{name}.new_risk"] = str(int(limits.net_increase and limits.add_frac > 0))
    return lines


@pytest.mark.parametrize("key", [None, generate_key()], ids=["unsigned", "signed"])
def test_it_agrees_with_python_on_every_field(c_reader, path, make_flag, deadline, key):
    with BoardWriter.create(path, ["ETHUSDT", "BTCUSDT"], key=key) as board:
        board.write(make_flag(), deadline_ns=deadline)
        code, found = c_reader(path)
        expected = lines_of(BoardReader(path).read("BTCUSDT"))

    assert code == "ok"
    assert set(found) == set(expected)
    for name, value in expected.items():
        if isinstance(value, float):
            same = float(found[name]) == value or (math.isnan(value) and "nan" in found[name])
            assert same, (name, found[name], value)
        else:
            assert found[name] == value, name


def test_it_agrees_with_python_on_every_refusal(c_reader, board, path, make_flag, deadline):
    def both(symbol="BTCUSDT"):
        code, _ = c_reader(path, symbol)
        assert code == BoardReader(path, max_silence_s=15).refusal(symbol).kind
        return code

    assert both() == "no flag yet"
    assert both("NOPE") == "unknown symbol"
    board.write(make_flag(), deadline_ns=deadline)
    assert c_reader(path)[0] == "ok"
    raw = open_map(path, writable=True)
    raw.memory[slot_at(0) + 240] ^= 1
    assert both() == "damaged"
    raw.memory[slot_at(0) + 240] ^= 1
    raw.words[slot_at(0) // 8] += 1
    assert both() == "torn"
    raw.words[slot_at(0) // 8] -= 1
    board.beat(time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 16 * 10**9)
    assert both() == "silent"
    board.write(make_flag(later=-4200), deadline_ns=deadline)
    assert both() == "expired"
    board.write(make_flag(), deadline_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME))
    assert both() == "expired"
    board.write(make_flag(), deadline_ns=2**64 - 1)
    assert both() == "inconsistent"
    board.write(make_flag(later=86_500), deadline_ns=deadline)
    assert both() == "inconsistent"
    board.close()
    assert both() == "dead"
    raw.memory[0] ^= 1
    assert both() == "unknown version"
    path.unlink()
    assert both() == "missing"


@pytest.mark.parametrize("at", range(0, 476, 9))
def test_a_flipped_byte_is_never_a_flag(c_reader, board, path, make_flag, at):
    board.write(make_flag(), deadline_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME) + 10**12)
    content = bytearray(path.read_bytes())
    content[slot_at(0) + at] ^= 0x10
    path.with_name("flipped").write_bytes(content)
    assert c_reader(path.with_name("flipped"))[0] != "ok"


def test_it_is_shipped_beside_the_package():
    program = "import liqwarn.board, pathlib\n"
    program += "print((pathlib.Path(liqwarn.board.__file__).parent/'liqwarn_board.h').is_file())"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout == b"True\n"
