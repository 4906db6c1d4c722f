"""Each callback by itself, with a gate that says what it is told."""

import math
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from freqtrade.resolvers import StrategyResolver
from guarded_strategy import Crossing
from liqwarn_freqtrade import LiqwarnMixin
from liqwarn_freqtrade.gates import NoGate, allows, gate_of
from liqwarn_freqtrade.settings import Settings, parse_settings
from market import configuration

from liqwarn.client.decision import Moment, allowed, denied
from liqwarn.decisions import Limits, Restriction, Tier, TradingState
from liqwarn.errors import ConfigError

NOW = datetime(2025, 3, 1, tzinfo=UTC)
PAIR = "BTC/USDT:USDT"
ENTRY = dict(
    pair=PAIR,
    order_type="limit",
    amount=1.0,
    rate=100.0,
    time_in_force="GTC",
    current_time=NOW,
    entry_tag=None,
    side="long",
)
LEVERAGE = dict(
    pair=PAIR,
    current_time=NOW,
    current_rate=100.0,
    proposed_leverage=1.0,
    max_leverage=50.0,
    entry_tag=None,
    side="long",
)
STAKE = dict(
    pair=PAIR,
    current_time=NOW,
    current_rate=100.0,
    proposed_stake=1_000.0,
    min_stake=10.0,
    max_stake=5_000.0,
    leverage=3.0,
    entry_tag=None,
    side="long",
)


def decision(symbol="BTCUSDT", side="long", *, tier=0, quality="ok", **limits):
    bound = Limits(**limits)
    state = TradingState.ACTIVE if bound.net_increase else TradingState.REDUCING
    moment = Moment(sequence=1, as_of_ns=0, valid_until_ns=10**9, quality=quality)
    restriction = Restriction(
        tier=Tier(tier), state=state, limits=bound, probability={}, reasons=("As told.",)
    )
    return allowed(symbol, side, restriction, moment)


class Told:
    """Answers with one decision, or raises it."""

    def __init__(self, answer):
        self.answer = answer

    def ask(self, symbol, side, now):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Guarded(LiqwarnMixin, Crossing):
    """What is tested."""


def bot(answer, strategy=Guarded, **section):
    made = strategy({"runmode": SimpleNamespace(value="backtest"), "stake_currency": "USDT"})
    made.liqwarn_gate = Told(answer)
    made.liqwarn_settings = parse_settings(section)
    made.bot_start()
    return made


BAD = {
    "denied": denied("BTCUSDT", "long", "as told"),
    "raises": RuntimeError("out of order"),
    "nothing": None,
    "of another symbol": decision("ETHUSDT"),
    "of another side": decision(side="short"),
    "stale": decision(quality="stale"),
    "restricted": decision(tier=3, net_increase=False),
    "no size": decision(order_size_frac=0.0),
    "not even a decision": {"new_risk": True},
}


@pytest.fixture(params=BAD.values(), ids=BAD.keys())
def bad(request):
    return bot(request.param)


def test_a_calm_flag_lets_the_strategy_be():
    calm = bot(decision())
    assert calm.confirm_trade_entry(**ENTRY) is True
    assert calm.leverage(**LEVERAGE) == 3.0
    assert calm.custom_stake_amount(**STAKE) == 1_000.0


def test_nothing_bad_lets_an_entry_through(bad):
    assert bad.confirm_trade_entry(**ENTRY) is False
    assert bad.custom_stake_amount(**STAKE) == 0.0
    assert 1.0 <= bad.leverage(**LEVERAGE) <= 3.0


def test_nothing_bad_lets_an_add_through_or_stops_a_reduction(bad):
    trade = SimpleNamespace(pair=PAIR, is_short=False)
    bad.wish = 100.0
    assert adding(bad)(trade) is None
    bad.wish = -100.0
    assert adding(bad)(trade) == -100.0


def test_nothing_bad_blocks_an_exit(bad):
    trade = SimpleNamespace(pair=PAIR, is_short=False)
    exit_ = dict(order_type="limit", amount=1.0, rate=1.0, time_in_force="GTC", current_time=NOW)
    assert bad.confirm_trade_exit(pair=PAIR, trade=trade, exit_reason="roi", **exit_) is True
    moved = bad.adjust_order_price(**resting(trade, is_entry=False))
    assert moved == 99.0


def adding(strategy):
    """`adjust_trade_position` of a bot whose strategy wishes `wish`."""

    class Adds(Crossing):
        def adjust_trade_position(self, trade, **kwargs):
            return strategy.wish

    class GuardedAdds(LiqwarnMixin, Adds):
        pass

    made = bot(strategy.liqwarn_gate.answer, GuardedAdds)
    return lambda trade, **more: made.adjust_trade_position(trade=trade, current_time=NOW, **more)


def resting(trade, *, is_entry):
    return dict(
        trade=trade,
        order=None,
        pair=PAIR,
        current_time=NOW,
        proposed_rate=99.0,
        current_order_rate=99.0,
        entry_tag=None,
        side="long",
        is_entry=is_entry,
    )


@pytest.mark.parametrize(
    ("frac", "got"), [(1.0, 3.0), (0.75, 2.25), (0.5, 1.5), (0.3, 1.0), (0.0, 1.0)]
)
def test_leverage_is_scaled_and_never_below_freqtrades_floor(frac, got):
    assert bot(decision(leverage_frac=frac)).leverage(**LEVERAGE) == pytest.approx(got)


def test_leverage_is_never_above_the_exchanges():
    assert bot(decision()).leverage(**{**LEVERAGE, "max_leverage": 2.0}) == 2.0


def test_a_stake_is_scaled_and_never_raised():
    scaled = bot(decision(order_size_frac=0.5))
    assert scaled.custom_stake_amount(**STAKE) == 500.0
    assert scaled.custom_stake_amount(**{**STAKE, "min_stake": 501.0}) == 0.0
    assert scaled.custom_stake_amount(**{**STAKE, "min_stake": None}) == 500.0
    assert scaled.liqwarn_counts["too small"] == 1


@pytest.mark.parametrize("own", [math.nan, math.inf, -1.0, None, "much", 0.0])
def test_a_strategys_odd_stake_is_no_bigger_trade(own):
    class Odd(Crossing):
        def custom_stake_amount(self, **kwargs):
            return own

    class GuardedOdd(LiqwarnMixin, Odd):
        pass

    stake = bot(decision(order_size_frac=0.5), GuardedOdd).custom_stake_amount(**STAKE)
    assert stake == 0.0


def test_adds_take_the_stricter_share_and_keep_their_tag():
    strategy = bot(decision(order_size_frac=0.75, add_frac=0.5))
    trade = SimpleNamespace(pair=PAIR, is_short=False)
    strategy.wish = (100.0, "dip")
    assert adding(strategy)(trade) == (50.0, "dip")
    assert adding(strategy)(trade, min_stake=60.0) is None
    strategy.wish = None
    assert adding(strategy)(trade) is None


@pytest.mark.parametrize(("order_type", "tif"), [("market", "GTC"), ("limit", "GTC")])
def test_post_only_is_refused_where_the_order_is_not(order_type, tif):
    strategy = bot(decision(post_only=True))
    assert not strategy.confirm_trade_entry(
        **{**ENTRY, "order_type": order_type, "time_in_force": tif}
    )
    assert strategy.confirm_trade_entry(**{**ENTRY, "order_type": "limit", "time_in_force": "PO"})


def test_adds_and_moved_entries_rest_in_the_book_where_the_flag_says_so():
    trade = SimpleNamespace(pair=PAIR, is_short=False)

    class Chasing(Crossing):
        def adjust_trade_position(self, trade, **kwargs):
            return 100.0

        def adjust_order_price(self, **kwargs):
            return 101.0

    class GuardedChasing(LiqwarnMixin, Chasing):
        pass

    def asked(**limits):
        strategy = bot(decision(**limits), GuardedChasing)
        add = strategy.adjust_trade_position(trade=trade, current_time=NOW)
        return add, strategy.adjust_order_price(**resting(trade, is_entry=True))

    assert asked() == (100.0, 101.0)
    assert asked(post_only=True) == (None, None)
    assert asked(collar_frac=0.01) == (None, None)
    Chasing.order_time_in_force = {"entry": "PO", "exit": "GTC"}
    assert asked(post_only=True) == (100.0, 101.0)


def test_a_collar_that_cannot_be_checked_is_refused():
    assert not bot(decision(collar_frac=0.01)).confirm_trade_entry(**ENTRY)


def test_the_strategys_own_no_stands_and_its_failure_is_a_no():
    class Own(Crossing):
        answer = False

        def confirm_trade_entry(self, **kwargs):
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    class GuardedOwn(LiqwarnMixin, Own):
        pass

    strategy = bot(decision(), GuardedOwn)
    assert strategy.confirm_trade_entry(**ENTRY) is False
    strategy.answer = RuntimeError("bug")
    assert strategy.confirm_trade_entry(**ENTRY) is False
    strategy.answer = True
    assert strategy.confirm_trade_entry(**ENTRY) is True


def test_resting_entries_are_cancelled_when_the_flag_says_so():
    trade = SimpleNamespace(pair=PAIR, is_short=False)
    asked = dict(pair=PAIR, trade=trade, order=None, current_time=NOW)
    assert bot(decision()).check_entry_timeout(**asked) is False
    halt = decision(tier=5, net_increase=False, cancel_increasing=True)
    assert bot(halt).check_entry_timeout(**asked) is True


def test_a_denied_entry_is_not_placed_anew():
    class Chasing(Crossing):
        def adjust_entry_price(self, proposed_rate, **kwargs):
            return 101.0

        def adjust_exit_price(self, proposed_rate, **kwargs):
            return 98.0

    class GuardedChasing(LiqwarnMixin, Chasing):
        pass

    trade = SimpleNamespace(pair=PAIR, is_short=False)
    calm, shut = bot(decision(), GuardedChasing), bot(BAD["denied"], GuardedChasing)
    assert calm.adjust_order_price(**resting(trade, is_entry=True)) == 101.0
    assert shut.adjust_order_price(**resting(trade, is_entry=True)) is None
    assert shut.adjust_order_price(**resting(trade, is_entry=False)) == 98.0


def test_derisking_is_asked_for_and_needs_a_fresh_flag():
    trade = SimpleNamespace(pair=PAIR, is_short=False)
    asked = dict(pair=PAIR, trade=trade, current_time=NOW, current_rate=1.0, current_profit=0.0)
    hot = decision(tier=4, net_increase=False)
    assert bot(hot).custom_exit(**asked) is None
    assert bot(hot, derisk_tier=4).custom_exit(**asked) == "liqwarn_T4"
    assert bot(hot, derisk_tier=5).custom_exit(**asked) is None
    stale = denied("BTCUSDT", "long", "gone", last=hot)
    assert bot(stale, derisk_tier=4).custom_exit(**asked) is None


def test_a_strategys_veto_of_exits_is_kept_only_when_asked():
    class Veto(Crossing):
        def confirm_trade_exit(self, **kwargs):
            return False

    class GuardedVeto(LiqwarnMixin, Veto):
        pass

    exit_ = dict(pair=PAIR, trade=None, exit_reason="roi")
    assert bot(decision(), GuardedVeto).confirm_trade_exit(**exit_) is True
    kept = bot(decision(), GuardedVeto, keep_exit_veto=True)
    assert kept.confirm_trade_exit(**exit_) is False
    assert kept.confirm_trade_exit(**{**exit_, "exit_reason": "liqwarn_T4"}) is True


def test_a_class_that_would_switch_the_gate_off_does_not_load():
    with pytest.raises(TypeError, match="defines confirm_trade_entry, expected only"):

        class Overriding(LiqwarnMixin, Crossing):
            def confirm_trade_entry(self, *args, **kwargs):
                return True

    with pytest.raises(TypeError, match="defines adjust_order_price"):

        class Behind(Crossing, LiqwarnMixin):
            pass


def test_a_bot_without_settings_denies_everything():
    made = Guarded({"runmode": SimpleNamespace(value="dry_run"), "stake_currency": "USDT"})
    assert made.confirm_trade_entry(**ENTRY) is False  # not even started
    made.bot_start()
    assert isinstance(made.liqwarn_gate, NoGate)
    assert made.confirm_trade_entry(**ENTRY) is False
    assert made.custom_stake_amount(**STAKE) == 0.0


@pytest.mark.parametrize("section", [{"sorce": "x"}, {"derisk_tier": 2}, {"delay_s": -1.0}])
def test_settings_that_make_no_sense_deny(section):
    made = Guarded(
        {"runmode": SimpleNamespace(value="live"), "stake_currency": "USDT", "liqwarn": section}
    )
    made.bot_start()
    assert made.confirm_trade_entry(**ENTRY) is False
    with pytest.raises(ConfigError, match="expected"):
        parse_settings(section)


def test_a_key_is_not_in_the_settings_words():
    assert "secret" not in repr(Settings(api_key="secret"))


def test_only_everything_together_allows():
    assert allows(decision())
    assert not any(
        allows(answer)
        for answer in BAD.values()
        if hasattr(answer, "fresh") and (answer.symbol, answer.side) == ("BTCUSDT", "long")
    )
    assert isinstance(gate_of(Settings(), "backtest"), NoGate)


def test_an_empty_name_of_keys_does_not_take_unsigned_flags():
    with pytest.raises(ConfigError, match="no public key"):
        gate_of(Settings(source="file:none.json", keys=""), "live")


def test_freqtrade_does_not_start_with_such_a_class(tmp_path):
    (tmp_path / "bad.py").write_text(
        "from guarded_strategy import Crossing\n"
        "from liqwarn_freqtrade import LiqwarnMixin\n"
        "class Bad(LiqwarnMixin, Crossing):\n"
        "    def leverage(self, **kwargs):\n"
        "        return 10.0\n"
    )
    config = configuration(tmp_path, tmp_path, "Bad")
    with pytest.raises(TypeError, match="Bad defines leverage"):
        StrategyResolver.load_strategy(config)
