import pytest

from liqwarn.errors import ConflictError


@pytest.fixture
def rivals(make_panel, make_source):
    def of(priority=0):
        return make_panel(
            make_source(),
            make_source(
                name="other", file="other.csv", priority=priority, fields={"close": "close"}
            ),
        )

    return of


def test_sources_of_one_priority_must_agree(rivals, candles, load, data_dir):
    table = candles()
    other = table.copy()
    other.loc[5, "close"] *= 1.01
    other.to_csv(data_dir / "other.csv", index=False)

    with pytest.raises(
        ConflictError, match=r"other.csv.*row 6 field 'close' of BTCUSDT: .* from source 'klines'"
    ):
        load(rivals(), table)


def test_rounding_is_no_disagreement(rivals, candles, load, data_dir):
    table = candles()
    table.astype({"close": "float32"}).to_csv(data_dir / "other.csv", index=False)

    assert load(rivals(), table).total("new") == 48


def test_a_priority_decides(rivals, candles, load, data_dir):
    table = candles()
    (table * [1, 1, 1, 1, 1.01, 1]).to_csv(data_dir / "other.csv", index=False)

    assert load(rivals(priority=1), table).total("new") == 48


def test_sources_that_never_meet_do_not_contradict(rivals, candles, load, data_dir):
    candles(start=1_704_067_200 + 24 * 3_600, seed=9).to_csv(data_dir / "other.csv", index=False)

    assert load(rivals(), candles()).total("new") == 48
