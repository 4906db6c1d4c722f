"""Who should have said something by now."""

from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.venue import Line
from liqwarn.collectors.watch import LineWatch

LINE = Line(name="x", path="/", silence_s=30.0, topics=(("a", 5.0), ("b", 10.0), ("c", None)))


def told(watch, now):
    return [(silence.topic, silence.seconds) for silence in watch.overdue(now)]


def test_each_topic_has_its_own_time_and_some_have_none():
    watch = LineWatch(LINE, 0.0)
    watch.heard("a", 4.0)

    assert told(watch, 8.0) == []
    assert told(watch, 9.5) == [("a", 5.5)]
    assert told(watch, 10.5) == [("b", 10.5)]
    assert told(watch, 1e6) == []


def test_a_new_connection_gives_time_and_does_not_hide_how_long_it_has_been():
    watch = LineWatch(LINE, 0.0)
    told(watch, 6.0)
    watch.reopened(20.0)

    assert told(watch, 24.0) == []
    assert told(watch, 26.0) == [("a", 26.0)]


def test_any_sign_of_life_is_one_of_the_line():
    watch = LineWatch(LINE, 0.0)
    watch.alive(20.0)
    watch.heard("unknown", 40.0)

    assert watch.line_silence(70.0) is None
    assert watch.line_silence(70.5).to_text() == "line: nothing for 30.5 s"
    assert watch.silences(50.0) == {"a": 50.0, "b": 50.0, "c": 50.0}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.0, 4.9)), max_size=30))
def test_who_speaks_in_time_is_never_told(said):
    watch, now = LineWatch(LINE, 0.0), 0.0
    for topic, wait in said:
        now += wait
        for other in "ab":
            watch.heard(other, now)
        watch.heard(topic, now)
        assert told(watch, now + 4.9) == []


def test_a_refused_topic_is_not_waited_for_until_the_line_is_opened_again_or_it_speaks():
    watch = LineWatch(LINE, 0.0)

    assert watch.refuse(["a", "elsewhere"]) == ("a",)
    assert watch.refuse(["a"]) == ()
    assert watch.refuse(["elsewhere"]) is None
    assert told(watch, 9.0) == []
    watch.heard("a", 9.0)
    assert told(watch, 9.5) == []
    assert told(watch, 14.5) == [("a", 5.5), ("b", 14.5)]
    watch.refuse(["a", "b", "c"])
    assert watch.all_refused
    watch.reopened(20.0)
    assert not watch.all_refused
    assert told(watch, 26.0) == [("a", 17.0)]


def test_how_often_a_topic_was_silent_in_a_row_is_told():
    watch = LineWatch(LINE, 0.0)
    found = []
    for now in (6.0, 12.0, 18.0):
        found += [silence.times for silence in watch.overdue(now) if silence.topic == "a"]
        watch.reopened(now)
    watch.heard("a", 18.0)
    found += [silence.times for silence in watch.overdue(24.0) if silence.topic == "a"]

    assert found == [1, 2, 3, 1]
