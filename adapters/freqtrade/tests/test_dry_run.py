"""freqtrade's real bot and database in dry-run mode, with liqwarn's real client."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from dry_bot import PRICES, offline_bot
from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.persistence import PairLocks, Trade
from live_flags import flag_set, make_flags, write_flags
from market import PAIRS, SYMBOLS

from liqwarn.board import BoardWriter
from liqwarn.signing import generate_key, save_verify_key

EXIT = ExitCheckTuple(exit_type=ExitType.EXIT_SIGNAL)


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Start a bot whose client has had its first answer."""
    bots = []

    def make(**section):
        section = {"source": f"file:{tmp_path / 'flags.json'}", "max_wait_s": 1.0, **section}
        bots.append(offline_bot(monkeypatch, tmp_path, section))
        return bots[-1]

    yield make
    for bot in bots:
        bot.cleanup()


def open_pairs():
    return sorted(trade.pair for trade in Trade.get_open_trades())


def leave(bot, trade):
    """Exit at the best price of the other side, where it fills at once."""
    rate = PRICES[trade.pair] * (1.0001 if trade.is_short else 1.0)
    assert bot.execute_trade_exit(trade, rate, EXIT)


def until(true):
    """The client asks its file twice a second."""
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def tier_now(bot):
    return bot.strategy.liqwarn_gate._gate("BTCUSDT", "long").tier


def test_calm_flags_let_the_bot_trade(start, tmp_path):
    write_flags(tmp_path / "flags.json", make_flags())
    bot = start()
    bot.process()
    assert open_pairs() == sorted(PAIRS)
    assert {trade.leverage for trade in Trade.get_open_trades()} == {3.0}
    assert bot.strategy.liqwarn_counts["allowed"] == 2
    assert PairLocks.get_all_locks() == []


def test_a_milder_tier_halves_leverage_and_makes_stakes_smaller(start, tmp_path):
    write_flags(tmp_path / "flags.json", make_flags("T2"))
    start().process()
    assert {trade.leverage for trade in Trade.get_open_trades()} == {1.5}
    assert max(trade.stake_amount for trade in Trade.get_open_trades()) <= 375


@pytest.mark.parametrize("tier", ["T3", "T4", "T5"])
def test_a_strict_tier_locks_the_pairs_and_opens_nothing(start, tmp_path, tier):
    write_flags(tmp_path / "flags.json", make_flags(tier))
    bot = start()
    bot.process()
    assert open_pairs() == []
    locks = PairLocks.get_pair_locks(None)
    assert {(lock.pair, lock.side) for lock in locks} == {
        (pair, side) for pair in PAIRS for side in ("long", "short")
    }
    assert all(f"ladder is at {tier}" in lock.reason for lock in locks)
    bot.process()
    assert len(PairLocks.get_pair_locks(None)) == len(locks)  # renewed, not piled up


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
@pytest.mark.parametrize(
    "wrong", ["missing", "stale", "garbage", "empty", "unsigned", "no such source"]
)
def test_without_a_good_flag_nothing_is_opened(start, tmp_path, wrong, locks):
    path, section = tmp_path / "flags.json", {"lock_pairs": locks, "max_wait_s": 0.05}
    if wrong == "stale":
        write_flags(path, make_flags(valid_minutes=-1))
    elif wrong == "garbage":
        path.write_bytes(b'{"schema": "liqwarn.flags/1", "fla')
    elif wrong == "empty":
        write_flags(path, [])
    elif wrong == "unsigned":
        write_flags(path, make_flags())
        save_verify_key(generate_key().public, tmp_path / "key.pem")
        section["keys"] = str(tmp_path / "key.pem")
    elif wrong == "no such source":
        section["source"] = "carrier pigeon"
    bot = start(**section)
    bot.process()
    bot.process()
    assert open_pairs() == []
    assert bool(PairLocks.get_pair_locks(None)) is locks
    assert bot.execute_entry(PAIRS[0], 500.0) is False  # as a forced entry would


def test_a_signed_flag_is_believed(start, tmp_path):
    key = generate_key()
    write_flags(tmp_path / "flags.json", make_flags(), key)
    save_verify_key(key.public, tmp_path / "key.pem")
    start(keys=str(tmp_path / "key.pem")).process()
    assert open_pairs() == sorted(PAIRS)


def test_a_board_is_read(start, tmp_path):
    boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with BoardWriter.create(tmp_path / "board", SYMBOLS) as writer:
        for flag in make_flags():
            writer.write(flag, deadline_ns=boot_ns + 60 * 10**9)
        writer.beat(boot_ns)
        bot = start(source=f"board:{tmp_path / 'board'}")
        bot.process()
        assert open_pairs() == sorted(PAIRS)
        for trade in Trade.get_open_trades():
            leave(bot, trade)
    until(lambda: tier_now(bot) >= 2)  # the writer is gone
    assert bot.execute_entry(PAIRS[0], 500.0) is False


class Handler(BaseHTTPRequestHandler):
    """As much of liqwarn's server as the client asks for."""

    def do_GET(self):
        good = (self.path, self.headers["Authorization"]) == ("/v1/flags", "Bearer k")
        body = self.server.body if good else b""
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.mark.parametrize(("api_key", "opened"), [("k", sorted(PAIRS)), ("wrong", [])])
def test_a_server_is_read(start, api_key, opened):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.body = flag_set(make_flags())
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        start(source=url, api_key=api_key).process()
        assert open_pairs() == opened
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("then", ["T4", "T5", "missing"])
def test_when_the_flag_turns_exits_go_through_and_entries_do_not(start, tmp_path, then):
    path = tmp_path / "flags.json"
    write_flags(path, make_flags())
    bot = start()
    bot.process()
    trades = Trade.get_open_trades()
    assert len(trades) == 2
    if then == "missing":
        path.unlink()
        bot.strategy.liqwarn_gate._gate.close()  # as after its longest silence
    else:
        write_flags(path, make_flags(then))
        until(lambda: tier_now(bot) >= 4)
    for trade in trades:
        leave(bot, trade)
    Trade.commit()
    bot.process()
    assert open_pairs() == []
    assert bot.execute_entry(PAIRS[0], 500.0) is False


def test_locks_are_taken_back_when_the_flag_clears_and_no_other_is(start, tmp_path):
    path = tmp_path / "flags.json"
    write_flags(path, make_flags("T3"))
    bot = start()
    bot.process()
    until_ = PairLocks.get_pair_locks(None)[0].lock_end_time_utc
    bot.strategy.lock_pair(PAIRS[0], until_, "by hand")
    assert len(PairLocks.get_pair_locks(None)) == 5
    time.sleep(1.1)  # a later second, a higher sequence
    write_flags(path, make_flags("T0"))
    until(lambda: tier_now(bot) == 0)
    bot.process()
    assert [lock.reason for lock in PairLocks.get_pair_locks(None)] == ["by hand"]
    assert open_pairs() == [PAIRS[1]]
