"""Funding features on histories short enough to compute by hand."""

import numpy as np
import pytest

DAY = 24


def test_rates_are_put_on_one_scale_by_their_interval(column):
    rates = [1e-4, 1e-4, 1e-4]

    found = column("funding_8h", funding_rate=rates, funding_interval_h=[8.0, 4.0, 1.0])
    np.testing.assert_allclose(found, [1e-4, 2e-4, 8e-4])
    np.testing.assert_allclose(column("funding_8h", funding_rate=rates), [1e-4] * 3)
    assert np.isnan(column("funding_8h", funding_rate=[1e-4], funding_interval_h=[0.0])).all()


def test_carry_is_what_a_long_paid(column):
    rates = np.full(7 * DAY, 1e-4)
    rates[-DAY:] = -3e-4

    assert column("funding_carry_1d", funding_rate=rates)[-1] == pytest.approx(3 * -3e-4)
    assert column("funding_carry_7d", funding_rate=rates)[-1] == pytest.approx(18e-4 - 9e-4)
    assert column("funding_mean_3d", funding_rate=rates)[-1] == pytest.approx((2 - 3) / 3 * 1e-4)


def test_carry_is_the_same_however_often_it_settles(column):
    hourly = column("funding_carry_1d", funding_rate=[1e-5] * DAY, funding_interval_h=[1.0] * DAY)
    eightly = column("funding_carry_1d", funding_rate=[8e-5] * DAY)

    assert hourly[-1] == pytest.approx(24e-5)
    np.testing.assert_allclose(hourly, eightly)


def test_z_and_rank_stand_on_settlements(column):
    settled = np.repeat(np.r_[np.tile([1e-4, 3e-4], 134), 1e-4, 9e-4], 8)

    z = column("funding_z_60d", funding_rate=settled)
    last_180 = settled[7::8][-180:]
    expected = (last_180[-1] - last_180.mean()) / last_180.std(ddof=1)
    assert z[-1] == pytest.approx(expected)
    assert np.isnan(z[: 134 * 8]).all()
    assert column("funding_rank_90d", funding_rate=settled)[-1] == pytest.approx(1 - 0.5 / 270)
    assert column("funding_extreme_90d", funding_rate=settled)[-1] == 1.0
    assert column("funding_extreme_90d", funding_rate=-settled)[-1] == -1.0
    assert column("funding_extreme_90d", funding_rate=settled)[-9] == 0.0


def test_a_run_of_one_sign_in_days_keeps_the_sign(column):
    rates = np.r_[np.full(60 * DAY, 1e-4), np.full(2 * DAY, -1e-4)]

    assert column("funding_run_30d", funding_rate=rates)[60 * DAY - 1] == 30.0
    assert column("funding_run_30d", funding_rate=rates)[-1] == -2.0


def test_share_of_time_that_longs_paid(column):
    rates = np.r_[np.full(42, -1e-4), np.full(126, 1e-4)]

    assert column("funding_positive_share_7d", funding_rate=rates)[-1] == 0.75


def test_the_spread_across_venues_compares_rates_per_8_h(column):
    found = column(
        "funding_venue_spread",
        funding_rate=[1e-4],
        funding_interval_h=[8.0],
        funding_rate_2=[1e-4],
        funding_interval_2_h=[4.0],
    )

    np.testing.assert_allclose(found, [-1e-4])


def test_change_of_funding(column):
    rates = np.r_[np.full(DAY, 1e-4), 5e-4]

    assert column("funding_change_24h", funding_rate=rates)[-1] == pytest.approx(4e-4)
    assert column("funding_change_8h", funding_rate=rates)[-1] == pytest.approx(4e-4)


def test_crowding_counts_only_where_contracts_were_added(column):
    rates = np.repeat(np.r_[np.tile([1e-4, 2e-4], 44), 1e-4, 5e-4], 8)
    grown = np.repeat(np.r_[np.tile([100.0, 110.0], 44), 100.0, 200.0], 8)
    shrunk = np.repeat(np.r_[np.tile([100.0, 110.0], 44), 100.0, 50.0], 8)

    def z(values):
        return (values[-1] - values[-90:].mean()) / values[-90:].std(ddof=1)

    crowd = column("funding_oi_crowding_30d", funding_rate=rates, open_interest=grown)[-1]
    assert crowd == pytest.approx(z(rates[7::8]) * z(np.log(grown[7::8])))
    assert column("funding_oi_crowding_30d", funding_rate=rates, open_interest=shrunk)[-1] == 0.0
