"""The webhook: the newest flag of each symbol, in order, whatever the receiver does."""

import threading
import time
from collections import Counter
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest

from liqwarn.decisions import flag_from_dict, flag_to_dict
from liqwarn.serving.flag_file import FlagSet, parse_flags
from liqwarn.serving.webhook import WebhookPace, WebhookSink
from liqwarn.serving.webhook_post import WebhookTarget
from liqwarn.signing import generate_key, sign_document, verify_document


class Receiver:
    """Keeps the documents it took; answers with the statuses it is told to, then with 200."""

    def __init__(self, port=0):
        self.taken, self.statuses, self.stall_s = [], [], 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(outer.stall_s)
                status = outer.statuses.pop(0) if outer.statuses else 200
                if status == 200:
                    outer.taken.append(body)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *told):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def sequences(self):
        return [
            (found["symbol"], found["sequence"])
            for body in self.taken
            for found in orjson.loads(body)["flags"]
        ]

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def outcomes():
    return Counter()


@pytest.fixture
def sink(receiver, clock, outcomes):
    made = []

    def sink(document=flag_to_dict, timeout_s=2.0):
        made.append(
            WebhookSink(
                WebhookTarget(url=f"http://127.0.0.1:{receiver.port}/hook", timeout_s=timeout_s),
                document=document,
                clock=clock,
                pace=WebhookPace(first_s=0.01, longest_s=0.02),
                on_outcome=lambda outcome, _pending: outcomes.update([outcome]),
            )
        )
        return made[-1]

    yield sink
    for one in made:
        one.close()


@pytest.fixture
def flags_of(make_flag, noon):
    """The set of flags of the n-th bar."""

    def flags_of(n, *symbols):
        as_of = noon + timedelta(minutes=n)
        flags = {symbol: make_flag(symbol, as_of=as_of) for symbol in symbols or ("BTC",)}
        return FlagSet(generated_at=as_of, market="real", flags=flags)

    return flags_of


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_a_set_of_flags_arrives_as_the_server_would_answer_it(receiver, sink, flags_of):
    sent = flags_of(0, "BTC", "ETH")
    sink().publish(sent)
    until(lambda: receiver.taken)

    found = parse_flags(receiver.taken[0])
    assert found == sent


def test_flags_are_signed_where_there_is_a_key(receiver, sink, flags_of):
    key = generate_key()
    sink(lambda flag: sign_document(flag_to_dict(flag), key)).publish(flags_of(0))
    until(lambda: receiver.taken)

    (found,) = orjson.loads(receiver.taken[0])["flags"]
    assert verify_document(found, [key.public]) is None


def test_what_was_posted_is_not_posted_again_and_nothing_goes_back(receiver, sink, flags_of):
    hook = sink()
    for n in (1, 1, 0, 2):
        hook.publish(flags_of(n))
        until(lambda: not hook.pending())
    start = flags_of(0).flags["BTC"].sequence

    assert [sequence - start for _, sequence in receiver.sequences] == [60, 120]


def test_a_receiver_that_fails_gets_the_newest_in_the_end(receiver, sink, flags_of, outcomes):
    receiver.statuses = [500, 503, 429, 408, 500]
    hook = sink()
    for n in range(4):
        hook.publish(flags_of(n, "BTC", "ETH"))
    until(lambda: not hook.pending())

    newest = flags_of(3).flags["BTC"].sequence
    assert receiver.sequences[-2:] == [("BTC", newest), ("ETH", newest)]
    assert outcomes["retried"] == 5
    assert hook.dead_letters == 0


def test_sequences_only_grow_whatever_fails(receiver, sink, flags_of):
    receiver.statuses = [500, 200, 500, 500, 200] * 10
    hook = sink()
    for n in range(30):
        hook.publish(flags_of(n, "BTC", "ETH"))
        time.sleep(0.002)
    until(lambda: not hook.pending())

    for symbol in ("BTC", "ETH"):
        got = [sequence for name, sequence in receiver.sequences if name == symbol]
        assert got == sorted(set(got))
        assert got[-1] == flags_of(29).flags["BTC"].sequence


def test_a_receiver_that_stalls_never_makes_the_loop_wait(receiver, sink, flags_of):
    receiver.stall_s = 0.3
    hook = sink(timeout_s=0.1)
    begun = time.perf_counter()
    for n in range(50):
        hook.publish(flags_of(n, "BTC", "ETH"))
    took = time.perf_counter() - begun

    assert took < 2
    assert hook.pending() == 2
    receiver.stall_s = 0.0
    until(lambda: not hook.pending())


def test_a_receiver_that_dies_and_comes_back_gets_what_is_true_then(receiver, sink, flags_of):
    hook = sink()
    hook.publish(flags_of(0))
    until(lambda: receiver.taken)
    receiver.close()
    for n in range(1, 4):
        hook.publish(flags_of(n))
        time.sleep(0.02)
    back = Receiver(receiver.port)
    until(lambda: back.taken)
    back.close()

    assert [sequence for _, sequence in back.sequences] == [flags_of(3).flags["BTC"].sequence]
    receiver.close = lambda: None


def test_what_is_refused_for_good_is_a_dead_letter(receiver, sink, flags_of, outcomes):
    receiver.statuses = [404, 302]
    hook = sink()
    for n in range(3):
        hook.publish(flags_of(n, "BTC", "ETH"))
        until(lambda: not hook.pending())

    assert hook.dead_letters == 4
    assert outcomes == {"dead": 2, "delivered": 1}


def test_what_expired_while_it_waited_is_a_dead_letter(receiver, sink, flags_of, clock, outcomes):
    receiver.statuses = [500] * 10_000
    hook = sink()
    hook.publish(flags_of(0))
    until(lambda: outcomes["retried"] > 2)
    clock.run(minutes=71)
    until(lambda: hook.dead_letters == 1)
    receiver.statuses = []

    assert hook.pending() == 0
    assert receiver.taken == []


def test_a_flag_that_cannot_be_written_out_stops_nothing(receiver, sink, flags_of):
    def document(flag):
        if flag.symbol == "ODD":
            raise ValueError("odd")
        return flag_to_dict(flag)

    hook = sink(document)
    hook.publish(flags_of(0, "ODD"))
    until(lambda: hook.dead_letters == 1)
    hook.publish(flags_of(1, "BTC"))
    until(lambda: receiver.taken)


def test_three_hundred_symbols_go_in_posts_of_a_hundred(receiver, sink, flags_of):
    hook = sink()
    sent = flags_of(0, *(f"S{n}" for n in range(300)))
    hook.publish(sent)
    until(lambda: not hook.pending())

    assert [len(orjson.loads(body)["flags"]) for body in receiver.taken] == [100] * 3
    assert flag_from_dict(orjson.loads(receiver.taken[2])["flags"][99]) == sent.flags["S299"]


def test_closing_delivers_what_waits_and_does_not_hang(receiver, sink, flags_of):
    hook = sink()
    hook.publish(flags_of(0))
    hook.close()
    assert receiver.taken

    stuck = sink(timeout_s=0.2)
    receiver.statuses = [500] * 100
    stuck.publish(flags_of(1))
    begun = time.perf_counter()
    stuck.close()
    assert time.perf_counter() - begun < 1


def test_the_pause_doubles_up_to_the_longest():
    pace = WebhookPace(first_s=1, longest_s=10)

    assert [pace.after(n) for n in (1, 2, 3, 4, 5, 1000)] == [1, 2, 4, 8, 10, 10]
    assert [pace.after(1, asked) for asked in (5, 1e9)] == [5, 10]
