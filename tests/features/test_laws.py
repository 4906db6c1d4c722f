"""Laws that every feature obeys, and mutants that show each law can fail."""

import inspect
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.features.builder import FeatureBuilder, all_features
from liqwarn.features.feature import Feature
from liqwarn.features.past import Past, reveal
from liqwarn.frames import ALL_FIELDS, MAP_FIELDS, MarketFrame, epoch_seconds

FEATURES = {feature.name: feature for feature in all_features()}
HOUR = timedelta(hours=1)
BARS = {"30min": HOUR / 2, "1h": HOUR, "4h": 4 * HOUR}
PRICES = {"open", "high", "low", "close", "mark", "index"}
COINS = {"volume", "taker_buy_volume", "taker_sell_volume", "inflow", "outflow", "netflow"}
COINS |= {"open_interest", "reserve"}
COINS |= {name for name, field in MAP_FIELDS.items() if field.unit == "coins"}
ABSURD = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e300, 1e-300)
USD = {"long_liq_usd", "short_liq_usd", "bid_depth_usd", "ask_depth_usd"}


def replaced(frame, fields):
    """The frame with these fields and no others."""
    return MarketFrame(
        symbols=frame.symbols, times=frame.times, bar=frame.bar, fields=fields, ages={}
    )


def values_of(feature, frame, symbols=None):
    return FeatureBuilder((feature,)).build(frame, symbols).values[:, :, 0]


def bits(values):
    """Bytes of the values, every NaN the same."""
    return np.where(np.isnan(values), np.nan, values).tobytes()


def assert_same(found, expected):
    assert found.shape == expected.shape
    if bits(found) != bits(expected):
        differs = np.argwhere(~((found == expected) | (np.isnan(found) & np.isnan(expected))))
        raise AssertionError(f"{len(differs)} of {found.size} values differ, first {differs[:1]}")


def law_causal(feature, frame):
    """What happens after a bar never changes a value at or before it."""
    whole = values_of(feature, frame)
    n_bars = frame.shape[1]
    for at in (n_bars // 3, n_bars // 2 + 5, n_bars - 2):
        rng = np.random.default_rng(at)
        other = {name: values.copy() for name, values in frame.fields.items()}
        for values in other.values():
            future = values[:, at + 1 :]
            future *= rng.uniform(0.5, 1.5, future.shape)
        assert_same(values_of(feature, replaced(frame, other))[:, : at + 1], whole[:, : at + 1])
        assert_same(values_of(feature, frame.between(0, at + 1)), whole[:, : at + 1])


def law_any_start(feature, frame):
    """A build that starts `lookback_bars` before a bar gives the bits of the whole history."""
    whole = values_of(feature, frame)
    need = FeatureBuilder((feature,)).lookback_bars(frame.bar)
    n_bars = frame.shape[1]
    assert need < n_bars - 20, "the frame is too short to judge"
    for at, more in ((n_bars - 1, 0), (n_bars - 2, 3), (n_bars - 7, 0), (n_bars - 16, 5)):
        tail = values_of(feature, frame.between(at + 1 - need - more, at + 1))
        assert_same(tail[:, need - 1 :], whole[:, at - more : at + 1])


def law_any_symbols(feature, frame):
    """A symbol's values do not depend on which others are asked for."""
    whole = values_of(feature, frame)
    for rows in ((0,), (1,), (0, 2), (1, 2)):
        wanted = tuple(frame.symbols[row] for row in rows)
        assert_same(values_of(feature, frame, wanted), whole[list(rows)])


def law_missing(feature, frame):
    """Whatever input is absent, NaN, gappy or absurd: no error, no warning, never infinite."""
    short = frame.between(frame.shape[1] - 400, frame.shape[1])
    rng = np.random.default_rng(3)
    holes = {n: np.where(rng.random(v.shape) < 0.3, np.nan, v) for n, v in short.fields.items()}
    zeros = {n: np.where(rng.random(v.shape) < 0.3, 0.0, v) for n, v in short.fields.items()}
    cases = [{}, holes, zeros]
    for name in feature.inputs:
        others = {key: values for key, values in short.fields.items() if key != name}
        planes = [np.full(short.shape, absurd) for absurd in ABSURD if name in short.fields]
        cases += [others, *({**others, name: plane} for plane in planes)]
    for absurd in (0.0, -1.0, 1e300):
        cases += [dict.fromkeys(short.fields, np.full(short.shape, absurd))]
    for fields in cases:
        assert not np.isinf(values_of(feature, replaced(short, fields))).any()


def law_shape(feature, frame):
    """The right shape for any number of bars and symbols; something known at the end."""
    for n_bars in (0, 1, 2):
        assert values_of(feature, frame.between(0, n_bars)).shape == (3, n_bars)
    alone = frame.select(("XRPUSDT",))
    assert values_of(feature, alone).shape == (1, frame.shape[1])
    whole = values_of(feature, frame)
    assert not np.isinf(whole).any()
    assert frame.bar > HOUR or np.isfinite(whole[:, -100:]).any()


def law_scale(feature, frame):
    """Prices in another currency and coins in another denomination change nothing."""
    factor = dict.fromkeys(PRICES, 7.0) | dict.fromkeys(COINS, 3.0) | dict.fromkeys(USD, 21.0)
    scaled = {name: values * factor.get(name, 1.0) for name, values in frame.fields.items()}
    found, expected = values_of(feature, replaced(frame, scaled)), values_of(feature, frame)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


LAWS = {
    "causal": law_causal,
    "any_start": law_any_start,
    "any_symbols": law_any_symbols,
    "missing": law_missing,
    "shape": law_shape,
    "scale": law_scale,
}
QUOTE_DEPENDENT = {name for name in FEATURES if name.startswith("round_")}


@pytest.fixture(scope="module")
def frames(market):
    """A market of each bar length, longer than any feature's lookback."""
    longest = {key: FeatureBuilder().lookback_bars(bar) for key, bar in BARS.items()}
    return {key: market(bar, longest[key] + 60) for key, bar in BARS.items()}


@pytest.mark.parametrize("bar", BARS)
@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_obeys_every_law(name, bar, frames):
    for law, check in LAWS.items():
        if law == "scale" and name in QUOTE_DEPENDENT:
            continue
        check(FEATURES[name], frames[bar])


@pytest.mark.parametrize("name", sorted(QUOTE_DEPENDENT))
def test_round_numbers_are_the_only_features_that_depend_on_the_quote(name, frames):
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        law_scale(FEATURES[name], frames["1h"])


SIGNS = ("positive", "negative", "0 when", "1 when", "near 1", "; 1 is all", "-1", "0 to 1")


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_says_its_unit_and_what_its_sign_means(name):
    feature = FEATURES[name]

    assert feature.unit
    assert feature.summary.endswith(".") or ". " in feature.summary
    assert any(sign in feature.summary.lower() for sign in SIGNS), feature.summary
    assert len(feature.summary) <= 100


# mutants: features that are wrong in one way, each made by going behind the back of Past


def mutant(function, inputs=("close",), *, cross_section=False):
    return Feature(
        name=function.__name__,
        family="mutants",
        inputs=inputs,
        resolution="base",
        unit="none",
        summary=inspect.getdoc(function) or "",
        cross_section=cross_section,
        function=function,
    )


def past_like(past, values, lookback=1):
    hours = timedelta(hours=past.cell_hours)
    first = past._first_cell
    return Past(np.ascontiguousarray(values), cell=hours, first_cell=first, lookback=lookback)


def peeking(close):
    """The next bar's return."""
    values = reveal(close.log())
    return past_like(close, np.diff(values, append=np.nan))


def open_cell(close):
    """The close of the 8-h cell that the bar is part of."""
    values = reveal((close / close.lag(4)).log())
    bars = close._first_cell + np.arange(values.shape[1])
    ends = np.minimum(-(-bars // 8) * 8 - close._first_cell, values.shape[1] - 1)
    return past_like(close, values[:, ends], lookback=16)


def cumulative(volume):
    """Share of this bar in all volume so far."""
    values = reveal(volume)
    total = np.nancumsum(values, axis=1)
    return past_like(volume, np.divide(values, total, where=total > 0, out=values * np.nan))


def whole_batch_mean(close):
    """Return above the mean return of the batch."""
    values = reveal(close.log() - close.log().previous())
    known = ~np.isnan(values)
    total, count = np.where(known, values, 0.0).sum(), max(known.sum(), 1)
    return past_like(close, values - total / count, lookback=2)


def rank_among_the_given(funding):
    """Rank of the symbol among those that happen to be computed."""
    values = reveal(funding)
    rank = (values[None] <= values[:, None]).sum(axis=1).astype(float)
    return past_like(funding, np.where(np.isnan(values), np.nan, rank))


def short_of_history(close):
    """A week's trend that claims to need one bar."""
    return past_like(close, reveal(close.log().zscore(168.0)))


def running_sum(volume):
    """A mean over 24 bars by differences of a running sum: right, but not to the bit."""
    values = np.nan_to_num(reveal(volume / volume.mean(24.0)))
    with np.errstate(all="ignore"):
        total = np.cumsum(np.concatenate([np.zeros((len(values), 24)), values], axis=1), axis=1)
        mean = (total[:, 24:] - total[:, :-24]) / 24.0
    return past_like(volume, np.where(np.isfinite(mean), mean, np.nan), lookback=48 + 24)


def unguarded(volume):
    """A ratio that lets a division by zero through."""
    with np.errstate(all="ignore"):
        return past_like(volume, 1.0 - reveal(volume.previous()) / reveal(volume), lookback=2)


def loud(volume):
    """A ratio that warns about a division by zero."""
    return past_like(volume, reveal(volume.previous()) / reveal(volume), lookback=2)


def impatient(close):
    """A feature that insists on its input."""
    if not np.isfinite(reveal(close)).any():
        raise FrameError("no price")
    return close.log() - close.log().previous()


def misshapen(close):
    """A feature that loses a bar."""
    return past_like(close, reveal((close / close.previous()).log())[:, 1:])


def blind(close):
    """A feature that never knows anything."""
    return close * np.nan


def price_level(close):
    """The price itself."""
    return close


MUTANTS = {
    "peeking": (mutant(peeking), {"causal", "any_start"}),
    "open_cell": (mutant(open_cell), {"causal", "any_start"}),
    "cumulative": (mutant(cumulative, ("volume",)), {"any_start"}),
    "whole_batch_mean": (mutant(whole_batch_mean), {"causal", "any_start", "any_symbols"}),
    "rank_among_the_given": (mutant(rank_among_the_given, ("funding_rate",)), {"any_symbols"}),
    "short_of_history": (mutant(short_of_history), {"any_start"}),
    "running_sum": (mutant(running_sum, ("volume",)), {"any_start"}),
    "unguarded": (mutant(unguarded, ("volume",)), {"missing"}),
    "loud": (mutant(loud, ("volume",)), {"missing"}),
    "impatient": (mutant(impatient), {"any_start", "missing", "shape"}),
    "blind": (mutant(blind), {"shape"}),
    "price_level": (mutant(price_level), {"scale"}),
}


def caught(feature, frame):
    """Names of the laws that a feature breaks."""
    broken = set()
    for law, check in LAWS.items():
        try:
            check(feature, frame)
        except (AssertionError, FrameError, RuntimeWarning):
            broken.add(law)
    return broken


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught_by_the_law_it_breaks(name, frames):
    feature, expected = MUTANTS[name]

    assert caught(feature, frames["1h"].between(3_000, frames["1h"].shape[1])) == expected


def test_every_law_catches_some_mutant():
    assert set(LAWS) == set().union(*(laws for _, laws in MUTANTS.values()))


def test_a_feature_of_the_wrong_shape_is_refused(frames):
    with pytest.raises(ValueError, match="could not broadcast"):
        values_of(mutant(misshapen), frames["1h"])


def test_the_markets_of_the_laws_carry_every_field(frames):
    for frame in frames.values():
        assert set(frame.fields) == set(ALL_FIELDS)


def test_the_markets_of_the_laws_begin_off_the_8_hour_grid(frames):
    for frame in frames.values():
        assert epoch_seconds(frame.times[:1])[0] % (8 * 3600) != 0
