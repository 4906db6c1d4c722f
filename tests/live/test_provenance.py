"""Where a decision came from: a hash that any change of the bar changes."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from liqwarn.data.bars.message import BarColumn
from liqwarn.decisions import ModelStamp
from liqwarn.live.provenance import audit_entries, column_sha256, must_log

STAMP = ModelStamp(version="1", sha256="ab" * 32)


def column(**changes):
    given = {
        "time": np.datetime64("2024-08-05T12:00:00"),
        "symbols": ("BTCUSDT", "DOGEUSDT"),
        "fields": {"close": np.array([1.0, 2.0]), "volume": np.array([3.0, np.nan])},
        "ages": {"close": np.array([0.0, 60.0]), "next_macro_h": np.array([0.0, 0.0])},
        "bar_s": 3_600,
    }
    return BarColumn(**(given | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"time": np.datetime64("2024-08-05T13:00:00")},
        {"symbols": ("BTCUSDT", "ETHUSDT")},
        {"fields": {"close": np.array([1.0, 2.0])}},
        {"fields": {"close": np.array([1.0, np.nextafter(2.0, 3.0)]), "volume": np.ones(2)}},
        {"fields": {"volume": np.array([1.0, 2.0]), "close": np.array([3.0, np.nan])}},
        {"ages": {}},
        {"ages": {"volume": np.array([0.0, 60.0]), "next_macro_h": np.array([0.0, 0.0])}},
    ],
)
def test_whatever_differs_the_hash_does(changes):
    assert column_sha256(column(**changes)) != column_sha256(column())


def test_the_order_of_names_is_nothing():
    one = column()
    turned = column(
        fields=dict(reversed(one.fields.items())), ages=dict(reversed(one.ages.items()))
    )

    assert column_sha256(turned) == column_sha256(one)
    assert len(column_sha256(one)) == 64


def test_every_decision_is_logged_or_those_that_changed_a_tier(make_bar, make_scores):
    calm = make_bar()
    stood = {key: decision.after for key, decision in calm.decisions.items()}
    running = np.zeros((2, 2), dtype=np.bool_)
    running[1, 0] = True
    high = make_scores(in_progress=running, quantile=np.full((2, 2), 0.5))
    bar = make_bar(high, stood=stood)
    changed = [d for d in bar.decisions.values() if d.after.tier != d.before.tier]

    assert len(list(audit_entries(bar, column(), STAMP, every=True))) == 4
    told = list(audit_entries(bar, column(), STAMP, every=False))
    assert [decision for decision, _ in told] == changed
    assert 0 < len(changed) < 4
    assert [decision for decision in bar.decisions.values() if must_log(decision)] == changed


def test_the_first_decision_of_a_side_is_logged_though_its_tier_stays(make_bar):
    first = make_bar().decisions.values()
    stays = [one._replace(after=replace(one.after, tier=one.before.tier)) for one in first]

    assert all(must_log(one) for one in stays)


def test_a_bar_that_changes_nothing_is_not_hashed(make_bar):
    calm = make_bar()
    still = make_bar(stood={key: decision.after for key, decision in calm.decisions.items()})

    assert not list(audit_entries(still, None, STAMP, every=False))


def test_a_decision_keeps_what_it_was_made_from(make_bar):
    bar = make_bar()
    for decision, kept in audit_entries(bar, column(), STAMP, every=True):
        row = bar.scores.symbols.index(decision.after.symbol)
        assert kept.inputs_sha256 == column_sha256(column())
        assert kept.features_sha256 == sha256(bar.scores.features[row].tobytes()).hexdigest()
        assert dict(kept.probability) == {1: 0.1, 4: 0.2, 24: 0.3}
        assert kept.feed_ages_s == {"close": [0.0, 60.0][row]}
        assert kept.model == STAMP


def test_features_of_each_symbol_are_its_own(make_bar, make_scores):
    scores = make_scores()
    other = replace(scores, features=scores.features + np.array([[0.0], [1.0]]))
    one, two = (
        [kept.features_sha256 for _, kept in audit_entries(bar, column(), STAMP, every=True)]
        for bar in (make_bar(scores), make_bar(other))
    )

    assert one[:2] == two[:2]
    assert one[2:] != two[2:]
