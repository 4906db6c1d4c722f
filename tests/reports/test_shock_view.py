import pytest

from liqwarn.reports.shock_view import hours_of, shock_bars, shock_sentence, shocked_symbols


@pytest.mark.parametrize(
    ("raw", "hours"),
    [("30m", 0.5), ("45min", 0.75), ("90s", 0.025), ("2h", 2.0), ("1d", 24.0), ("1h30m", 1.5)],
)
def test_a_span_of_text_is_read(raw, hours):
    assert hours_of({"over": raw}, "over") == pytest.approx(hours)


@pytest.mark.parametrize("raw", ["soon", "", "5", "3 h", "-1h", None, 7, True])
def test_a_span_whose_unit_is_unknown_is_not_guessed(raw):
    assert hours_of({"over": raw}, "over") is None


@pytest.mark.parametrize(
    ("shock", "sentence"),
    [
        ({"kind": "price", "move": 0.25, "over": "1h"}, "Price +25.0 % over 1 h"),
        ({"kind": "depth", "to": 0.3, "for": "2h"}, "Depth of the book 0.30× for 2 h"),
        (
            {"kind": "funding", "rate": -0.003, "payments": 3, "every": "1h"},
            "Funding of 0.30 % a payment, 3 of them every 1 h, shorts pay",
        ),
        (
            {"kind": "haircut", "haircut": 0.06, "over": "6h"},
            "Haircut of 6.0 % on cross-margin collateral over 6 h",
        ),
        (
            {"kind": "outage", "for": "45m"},
            "Venue down for 45 min: no trade, no liquidation; the index moves on",
        ),
        (
            {"kind": "unlock", "share": 0.3, "over": "12h"},
            "Coins worth 30.0 % of open interest are sold slowly over 12 h",
        ),
        ({"kind": "price"}, "Price – % over –"),
    ],
)
def test_every_kind_is_said_in_words(shock, sentence):
    assert shock_sentence(shock) == sentence


def test_bars_are_in_the_order_of_time_and_inside_the_axis():
    bars = shock_bars(
        [
            {"kind": "adl", "at": "20h"},
            {"kind": "unlock", "at": "18h", "over": "12h"},
            {"kind": "depth", "at": "6h", "for": "6h", "half_life": "2h"},
            {"kind": "price", "at": "sometime"},
        ],
        24.0,
    )

    assert [bar.kind for bar in bars] == ["depth", "unlock", "adl", "price"]
    assert (bars[0].left, bars[0].width, bars[0].tail) == (25.0, 25.0, 25.0)
    assert (bars[1].left, bars[1].width) == (75.0, 25.0)
    assert bars[2].left + bars[2].width == pytest.approx(100.0)
    assert (bars[3].left, bars[3].when) == (None, "–")


def test_an_instant_is_still_seen():
    (bar,) = shock_bars([{"kind": "funding", "at": 0, "payments": 1, "every": "1h"}], 24.0)

    assert (bar.left, bar.when) == (0.0, "at 0 h")
    assert bar.width > 0.5


def test_whom_a_shock_hits():
    assert shocked_symbols({}) is None
    assert shocked_symbols({"symbols": "FETUSDT"}) == ("FETUSDT",)
    (bar,) = shock_bars([{"kind": "price", "at": "1h", "symbols": ["A", "B"]}], 24.0)
    assert bar.symbols == "A, B"
