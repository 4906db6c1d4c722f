import pytest

from liqwarn.reports.evaluation_text import estimate, gain, lift, minutes, plain, rate, times

NOTHING = (None, float("nan"), float("inf"), "0.5")


@pytest.mark.parametrize("value", NOTHING)
def test_what_is_no_number_is_a_dash_and_brings_no_interval(value):
    said = {plain(value), estimate(value, [0, 1]), rate(value, [0, 1]), times(value, [0, 1])}

    assert said == {"–"}
    assert gain({"mean": value, "ci": [0, 1]}) == "–"
    assert minutes({"median": value, "q25": 1.0, "q75": 2.0}) == "–"
    assert lift({"pr_auc": value, "base_rate": 0.1}) == "–"


def test_a_minus_is_the_same_sign_everywhere():
    said = [
        plain(-2.07, 2),
        estimate(-0.2, [-0.3, -0.1]),
        gain({"mean": -0.2, "ci": [-0.3, -0.1]}),
        rate(-0.2, [-0.3, -0.1]),
        times(-0.5, None),
    ]

    assert "-" not in "".join(said)
    assert all("−" in text for text in said)


@pytest.mark.parametrize("ends", [None, [None, 0.2], [0.1], "ab", [0.1, float("nan")]])
def test_half_an_interval_is_none(ends):
    assert estimate(0.1234, ends) == "0.123"
    assert rate(0.5, ends) == "50 %"
    assert times(2.0, ends) == "2.00×"
    assert gain({"mean": 0.1, "ci": ends}) == "+0.100"
