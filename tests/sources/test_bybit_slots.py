"""Candles filled in any order and in any pieces are those of all trades at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.sources.bybit_slots import Slots

SPAN, STEP = 3_000, 1_000
TRADES = st.lists(
    st.tuples(st.integers(0, SPAN - 1), st.integers(1, 9), st.integers(1, 9), st.booleans()),
    min_size=1,
    max_size=30,
)


def filled(trades, cuts=()):
    slots = Slots(0, STEP, SPAN)
    for piece in np.split(np.arange(len(trades)), sorted(cuts)):
        if len(piece):
            stamps, price, size, bought = zip(*[trades[n] for n in piece], strict=True)
            slots.add(np.array(stamps), np.array(price, float), np.array(size, float),
                      np.array(bought))  # fmt: skip
    return slots


def naive(trades):
    """Trades in order of time, those of one moment as they stand."""
    lines = ["open_time,open,high,low,close,volume,taker_buy_volume,trades"]
    for start in range(0, SPAN, STEP):
        inside = [t for t in sorted(trades, key=lambda t: t[0]) if start <= t[0] < start + STEP]
        if inside:
            prices = [price for _, price, _, _ in inside]
            bought = sum(size for _, _, size, buy in inside if buy)
            cells = (prices[0], max(prices), min(prices), prices[-1],
                     sum(size for _, _, size, _ in inside), bought, len(inside))  # fmt: skip
            lines.append(",".join(map(str, (start // 1_000, *cells))))
    return "\n".join(lines) + "\n"


@given(trades=TRADES, data=st.data())
def test_pieces_and_order_do_not_matter(trades, data):
    cuts = data.draw(st.lists(st.integers(0, len(trades)), max_size=3))

    assert filled(trades, cuts).to_csv() == naive(trades)
    assert filled(trades[::-1], cuts).to_csv(backwards=True) == naive(trades)


@pytest.mark.parametrize(("value", "text"), [(1e-05, "0.00001"), (1e15, "1000000000000000")])
def test_numbers_have_no_exponent(value, text):
    slots = Slots(0, STEP, SPAN)
    slots.add(np.array([5]), np.array([value]), np.array([0.1 + 0.2]), np.array([True]))

    assert slots.to_csv().splitlines()[1] == f"0,{text},{text},{text},{text},0.3,0.3,1"
