"""A line counts as listened to only while it surely was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.coverage import (
    PAUSE_MS,
    SETTLE_MS,
    Listening,
    covered_seconds,
    joined_spans,
)
from liqwarn.collectors.tape_tables_fold import carry_from_json
from liqwarn.collectors.taped import Taped
from liqwarn.collectors.watch import Silence


def spans(*told, line="a"):
    """Spans of a line, and of its topic "forced", after ``(seen_ms, line, what, content)``."""
    listening = Listening()
    for seen_ms, of, what, *content in told:
        record = Taped(seen_ms=seen_ms, line=of, what=what, content=b"".join(content))
        listening.take(record, unread=what == "refused")
    return listening.spans(line, {"forced"})


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(0, "a", "frame"), (9, "a", "frame")], []),
        ([(0, "a", "opened"), (50, "b", "frame")], [(0, 50)]),
        ([(0, "a", "opened"), (50, "a", "closed"), (90, "b", "frame")], [(0, 50)]),
        ([(0, "a", "opened"), (50, "a", "closed"), (70, "a", "opened"), (90, "a", "frame")],
         [(0, 50), (70, 90)]),
        # silence counts from the last record on, until something comes again
        ([(0, "a", "opened"), (9, "a", "frame"), (70, "b", "frame"), (80, "a", "silent"),
          (90, "b", "frame"), (95, "a", "frame"), (99, "b", "frame")], [(0, 9), (95, 99)]),
        # by the word of the collector, since when; records of its own since then are no frames
        ([(0, "a", "opened"), (90_000, "a", "happenings"),
          (95_000, "a", "silent", b"line: nothing for 62.5 s"), (95_001, "a", "closed")],
         [(0, 32_500)]),
        # a topic that matters, until the line is opened again
        ([(0, "a", "opened"), (90_000, "a", "silent", b"forced: nothing for 60.0 s"),
          (95_000, "a", "frame"), (96_000, "a", "closed"), (96_000, "a", "opened", b""),
          (99_000, "a", "frame")], [(0, 30_000), (96_000, 99_000)]),
        # one that does not
        ([(0, "a", "opened"), (90_000, "a", "silent", b"mark: nothing for 60.0 s"),
          (95_000, "a", "frame")], [(0, 95_000)]),
        # one that takes the place of a dead one was not: its own subscriptions were under way
        ([(0, "a", "opened"), (50_000, "a", "closed", b"no close frame received or sent"),
          (50_000, "a", "opened", b"replaces another"), (90_000, "a", "frame")],
         [(0, 50_000), (50_000, 90_000)]),
        ([(0, "a", "opened"), (50_000, "a", "silent", b"line: nothing for 20.0 s"),
          (50_000, "a", "closed", b"replaced"), (50_000, "a", "opened", b"replaces another"),
          (90_000, "a", "frame")], [(0, 30_000), (50_000, 90_000)]),
        # a process that was killed in between
        ([(0, "a", "opened"), (50_000, "a", "closed", b"replaced"),
          (50_001 + PAUSE_MS, "a", "opened", b"replaces another"),
          (60_001 + PAUSE_MS, "a", "frame")],
         [(0, 50_000), (50_001 + PAUSE_MS, 60_001 + PAUSE_MS)]),
        # a connection that takes another's place was open before
        ([(0, "a", "opened"), (50_000, "a", "closed", b"replaced"),
          (50_001, "a", "opened", b"replaces another"), (90_000, "a", "frame")], [(0, 90_000)]),
        # refused frames that were not kept: within a minute after the last one that was
        (
            [(0, "a", "opened"), (9_000, "a", "refused"), (99_000, "a", "refused"),
             (99_000, "a", "dropped"), (99_500, "a", "frame")],
            [(0, 9_000), (69_000, 99_000), (99_000, 99_500)],
        ),
        ([(0, "a", "opened"), (99_000, "", "dropped"), (99_500, "a", "frame")], [(0, 99_500)]),
        # our clock jumped
        ([(0, "a", "opened"), (9, "a", "frame"), (50, "", "clock"), (60, "a", "frame")],
         [(0, 9), (50, 60)]),
        # what a gap or an unreadable frame lost is not known
        ([(0, "a", "opened"), (9, "a", "frame"), (30, "a", "gap"), (50, "a", "frame")],
         [(0, 9), (30, 50)]),
        ([(0, "a", "opened"), (9, "a", "refused"), (50, "a", "frame")], [(0, 9), (9, 50)]),
        # a fault of another line is none of this one
        ([(0, "a", "opened"), (1, "b", "opened"), (9, "b", "silent"), (50, "b", "closed")],
         [(0, 50)]),
        # killed: the tape stands still
        ([(0, "a", "opened"), (9, "b", "frame"), (9 + PAUSE_MS + 1, "a", "frame"),
          (9 + PAUSE_MS + 50, "a", "frame")],
         [(0, 9), (PAUSE_MS + 10, PAUSE_MS + 59)]),
        # killed and started again at once: a line is opened that was never closed
        ([(0, "a", "opened"), (1, "b", "opened"), (9, "a", "frame"), (20, "b", "opened"),
          (30, "b", "frame")], [(0, 9)]),
        # a line that stands still though others go on: its collector begins without it, or hangs
        ([(0, "a", "opened"), (50_000, "a", "happenings"),
          *((n, "b", "frame") for n in range(60_000, 400_000, 60_000))], [(0, 50_000)]),
        ([(0, "a", "opened"), (50_000, "a", "happenings"),
          *((n, "b", "frame") for n in range(60_000, 400_000, 60_000)),
          (380_000, "a", "happenings"), (390_000, "a", "happenings")],
         [(0, 50_000), (380_000, 390_000)]),
        # a part of the tape is missing: what became of a line in it is not known
        ([(0, "a", "opened"), (9, "a", "frame"), (PAUSE_MS + 10, "b", "frame"),
          (PAUSE_MS + 60_000, "a", "opened"), (PAUSE_MS + 70_000, "a", "frame")],
         [(0, 9), (PAUSE_MS + 60_000, PAUSE_MS + 70_000)]),
        # the clock was set back
        ([(100, "a", "opened"), (150, "a", "frame"), (40, "a", "frame"), (60, "a", "frame")],
         [(100, 150), (40, 60)]),
    ],
)  # fmt: skip
def test_spans_of_a_line(told, expected):
    assert spans(*told) == expected


APART = b"frames are %s s behind our clock, expected -1 to 5 s"
AGREED = b"frames are 0.1 s behind our clock, as expected"


@pytest.mark.parametrize(
    ("behind", "last", "expected"),
    [
        (b"3600.4", AGREED, [(0, 40_000), (200_000, 250_000)]),
        (b"-2.5", AGREED, [(0, 40_000), (200_000, 250_000)]),
        (b"3600.4", b"our clock jumped by -3600.400 s", [(0, 40_000)]),
        (b"3600.4", None, [(0, 40_000)]),
        # delays in a cascade are no wrong clock, and minutes go by the venue's time
        (b"9.8", AGREED, [(0, 99_999), (100_000, 170_000), (200_000, 250_000)]),
    ],
)
def test_while_our_clock_is_not_the_venues_nothing_counts_as_listened_to(behind, last, expected):
    told = [(0, "a", "opened"), (99_999, "a", "frame")]
    told += [(100_000, "", "clock", APART.replace(b"%s", behind))]
    told += [(n, "a", "frame") for n in range(110_000, 200_000, 30_000)]
    told += [(200_000, "", "clock", last)] if last else []

    assert spans(*told, (250_000, "a", "frame")) == expected


def test_a_collector_that_begins_anew_has_not_told_of_a_wrong_clock():
    told = [(0, "a", "opened"), (99_999, "a", "frame")]
    told += [(100_000, "", "clock", APART.replace(b"%s", b"99.0"))]
    told += [(110_000, "a", "closed"), (120_000, "a", "opened"), (150_000, "a", "frame")]

    assert spans(*told) == [(0, 40_000), (120_000, 150_000)]


def test_the_unsettled_ends_of_a_connection_do_not_count_but_two_connections_help_each_other():
    assert joined_spans([(0, 2 * SETTLE_MS)]) == []
    assert joined_spans([(0, 60_000), (60_000, 120_000)]) == [(2_000, 58_000), (62_000, 118_000)]
    assert joined_spans([(0, 60_000), (60_000, 120_000), (50_000, 70_000)]) == [(2_000, 118_000)]


@given(
    st.lists(
        st.tuples(st.integers(0, 400_000), st.integers(0, 90_000)).map(lambda s: (s[0], sum(s))),
        max_size=8,
    )
)
def test_covered_seconds_are_those_of_each_millisecond(told):
    joined = joined_spans(told)
    slow = [
        sum(any(a <= t < b for a, b in joined) for t in range(m * 60_000, (m + 1) * 60_000, 100))
        for m in range(5)
    ]

    quick = covered_seconds(joined, 0, 5)

    assert ((quick >= 0) & (quick <= 60)).all()
    assert abs(quick * 10 - slow).max() <= 2 * len(told) + 1


@pytest.mark.parametrize(("topic", "expected"), [("", [(0, 30_000)]), ("forced", [(0, 30_000)]),
                                                 ("mark", [(0, 99_000)])])  # fmt: skip
def test_a_silence_is_understood_as_the_collector_writes_it(topic, expected):
    told = Silence(topic=topic, seconds=60.04).to_text().encode()

    assert spans((0, "a", "opened"), (90_000, "a", "silent", told), (99_000, "b", "frame")) == (
        expected
    )


def test_the_state_is_enough_to_go_on():
    told = [(0, "opened", b""), (90_000, "silent", b"forced: nothing for 60.0 s")]
    first = Listening()
    for seen_ms, what, content in told:
        first.take(Taped(seen_ms=seen_ms, line="a", what=what, content=content))
    second = Listening(**first.state())
    for listening in (first, second):
        listening.take(Taped(seen_ms=99_000, line="a", what="closed", content=b""))
        listening.take(Taped(seen_ms=99_500, line="a", what="opened", content=b""))
        listening.take(Taped(seen_ms=99_900, line="a", what="frame", content=b""))

    assert first.spans("a", {"forced"}) == [(0, 30_000), (99_500, 99_900)]
    assert second.spans("a", {"forced"}) == first.spans("a", {"forced"})


def test_a_replacement_across_the_state_leaves_no_hole():
    first = Listening()
    first.take(Taped(seen_ms=0, line="a", what="opened", content=b""))
    first.take(Taped(seen_ms=50, line="a", what="closed", content=b"replaced"))
    second = carry_from_json(
        json.loads(json.dumps({"listening": first.state(), "since": {}, "once": []}))
    )[0]
    for listening in (first, second):
        listening.take(Taped(seen_ms=50, line="a", what="opened", content=b"replaces another"))
        listening.take(Taped(seen_ms=90, line="a", what="frame", content=b""))

    assert first.spans("a") == second.spans("a") == [(0, 90)]


def test_spans_that_are_over_can_be_forgotten():
    listening = Listening()
    for seen_ms, what in ((0, "opened"), (50, "closed"), (90, "opened"), (99, "closed")):
        listening.take(Taped(seen_ms=seen_ms, line="a", what=what, content=b""))

    listening.forget_before(60)

    assert listening.spans("a") == [(90, 99)]
