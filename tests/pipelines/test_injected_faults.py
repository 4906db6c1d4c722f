"""Spoilt market data: only the spoilt day differs, each fault does what its name says."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.models.novelty import Novelty
from liqwarn.pipelines.evaluate import labelled_rows
from liqwarn.pipelines.injected_faults import FAULTS, faulty_rows

DAY = 24


@pytest.fixture(scope="module")
def faulty(study):
    since = study.market.frame.times[-30 * DAY]
    return list(faulty_rows(study, since))


def rows_of(faulty, fault):
    return next(one for one in faulty if one.fault == fault)


def test_every_fault_is_put_into_the_same_day_of_all_symbols(study, faulty):
    n_symbols = len(study.matrix.symbols)

    assert [one.fault for one in faulty] == list(FAULTS)
    assert {one.since for one in faulty} == {study.market.frame.times[-30 * DAY]}
    assert {one.X.shape for one in faulty} == {(n_symbols * DAY, len(study.matrix.names))}


def test_without_a_fault_the_features_are_those_of_the_study(study, faulty):
    expected = study.matrix.values[:, -30 * DAY : -29 * DAY]

    found = rows_of(faulty, "none").X

    np.testing.assert_array_equal(found, expected.reshape(found.shape))


def test_a_day_is_spoilt_again_and_again(study):
    frame = study.market.frame
    none = {"none": FAULTS["none"]}

    found = faulty_rows(study, frame.times[-60 * DAY], every=timedelta(days=29), faults=none)

    moments = [one.since for one in found]
    assert moments == [frame.times[k * DAY] for k in (-60, -31, -2)]


def test_features_show_the_fault(study, faulty):
    names = list(study.matrix.names)
    clean = rows_of(faulty, "none").X

    def column(fault, name):
        return rows_of(faulty, fault).X[:, names.index(name)]

    def usual(name):
        return clean[:, names.index(name)]

    assert column("open interest halved", "oi_change_1h")[0] == pytest.approx(
        usual("oi_change_1h")[0] + np.log(0.5)
    )
    np.testing.assert_allclose(
        column("funding with the other sign", "funding_8h"), -usual("funding_8h")
    )
    assert (column("price stuck", "price_return_1h") == 0.0).all()
    assert (column("everything stuck", "oi_change_1h") == 0.0).all()
    assert abs(column("price × 1000", "price_return_1h")[0]) > 5.0
    assert (column("volume × 1000", "volume_surge_1h") > usual("volume_surge_1h") + 1.0).all()


def test_gross_faults_are_novel_and_an_honest_day_is_not(study, faulty):
    rows = labelled_rows(study)
    novelty = Novelty().fit(rows.take(np.flatnonzero(rows.end < faulty[0].since)))

    found = {one.fault: bool(novelty.novel(one.X).any()) for one in faulty}

    assert not found["none"]
    assert found["price × 1000"]
    assert found["open interest × 1000"]
    assert found["price of another market"]
