from liqwarn.data.bars.feed import Delivery, Silence


def test_silence_is_counted_from_the_opening_and_from_the_last_that_was_heard():
    now = [100.0]
    silence = Silence(clock=lambda: now[0])

    now[0] = 130.0
    assert silence.after(heard=False) == 30.0
    assert silence.after(heard=True) == 0.0
    now[0] = 131.5
    assert silence.after(heard=False) == 1.5


def test_a_delivery_of_nothing_says_nothing():
    assert Delivery() == Delivery(messages=(), refused=0, faults=(), silence_s=0.0, ended=False)
