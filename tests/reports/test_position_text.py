"""The three risks in words: each sentence carries its own numbers, for every state."""

import math

import pytest
from rich.console import Console

from liqwarn.liquidation.funding import Funding
from liqwarn.liquidation.position import Position
from liqwarn.liquidation.requirement import flat_requirement
from liqwarn.liquidation.risk import assess
from liqwarn.reports.position_text import (
    call_text,
    erosion_text,
    liquidation_text,
    position_table,
    price_text,
)


def risk(*, mark=None, funding=0.0, atr=None, rate=0.01, **changed):
    sound = {"side": "long", "entry": 120.0, "notional": 600.0, "leverage": 5.0}
    return assess(
        Position(**(sound | changed)),
        flat_requirement(rate),
        mark=mark,
        atr=atr,
        funding=Funding(rate=funding),
    )


def printed(table):
    console = Console(width=80)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (60_542.17, "60,542.17"),
        (96.9697, "96.97"),
        (2.178, "2.178"),
        (0.0, "0.00"),
        (-71.3651, "-71.365"),
        (1.23456e-7, "0.00000012346"),
        (math.nan, "–"),
    ],
)
def test_prices_keep_the_digits_that_matter(price, text):
    assert price_text(price) == text


def test_liquidation_in_a_sentence():
    told = liquidation_text(risk())
    assert "when the mark price falls 19.19 % to 96.97" in told
    assert "before the bankruptcy price 96.00" in told
    assert "rises 18.81 % to 142.57" in liquidation_text(risk(side="short"))
    assert "no price liquidates this long" in liquidation_text(risk(leverage=1.0))
    assert "already beyond its liquidation price 96.97" in liquidation_text(risk(mark=90.0))


def test_the_margin_call_in_a_sentence():
    told = call_text(risk())
    assert "a warning only, due when the price falls 18.99 % to 97.215" in told
    assert "maintenance margin is 80 % of equity (now 5.0 %)" in told
    assert "rises" in call_text(risk(side="short"))
    assert "the margin ratio is 90.7 %, past the warning at 80 % (97.215)" in call_text(
        risk(mark=97.07)
    )
    assert "is beyond any, past the warning" in call_text(risk(mark=90.0))
    assert "no price lifts the margin ratio to 80 %" in call_text(risk(leverage=1.0))


def test_funding_in_a_sentence():
    paid = erosion_text(risk(funding=0.0003))
    assert "this long pays 0.54 quote units a day at 0.0300 % a settlement, 3 a day" in paid
    assert "0.10909 a day nearer, and alone liquidates it after 211.1 days" in paid
    received = erosion_text(risk(funding=0.0003, side="short"))
    assert "none, this short receives 0.54 quote units a day" in received
    assert "a day away" in received
    assert "no funding rate is given" in erosion_text(risk())
    assert "coins a day" in erosion_text(risk(funding=0.0003, contract="inverse"))


def test_the_table_holds_every_figure_and_fits_a_terminal():
    text = printed(position_table(risk(atr=4.0, funding=0.0003), symbol="BTCUSDT"))
    for part in ("long BTCUSDT, 5x isolated, linear", "96.97", "96.00", "97.215", "5.8 ATR"):
        assert part in text
    assert "flat rate 0.01" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_what_never_happens_is_said():
    safe = printed(position_table(risk(leverage=1.0)))
    assert "none needed" in safe
    assert "never" in safe
    gone = printed(position_table(risk(mark=90.0)))
    assert "no equity left" in gone
    assert "−30.00 / 4.50 quote" in gone
