"""The flag history of `liqwarn score` and `liqwarn replay` as data of a backtest."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from market import BAR, START, SYMBOL, run

from liqwarn.decisions import Limits
from liqwarn.errors import DataError
from liqwarn_nautilus import load_flags
from liqwarn_nautilus.default_limits import DEFAULT_LIMITS

POLICY = Path(__file__).parents[3] / "conf" / "policy.yaml"
FIRST = datetime(2024, 8, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)


def row(bar, side, tier="T0", *, state="ACTIVE", issued=None, **kwargs):
    as_of = FIRST + bar * STEP
    return {
        "symbol": SYMBOL,
        "as_of": as_of,
        "side": side,
        "p_1h": 0.01,
        "p_4h": 0.02,
        "p_24h": 0.05,
        "tier": tier,
        "state": state,
        "rule": "calm",
        "quality": "ok",
        "sequence": bar + 1,
        "issued_at": issued or as_of + timedelta(seconds=2),
        "valid_until": as_of + timedelta(minutes=15),
        **kwargs,
    }


def written(tmp_path, rows):
    path = tmp_path / "flags.parquet"
    schema = [(n, pa.timestamp("us", tz="UTC")) for n in ("as_of", "issued_at", "valid_until")]
    table = pa.Table.from_pylist(rows)
    for name, kind in schema:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(kind))
    pq.write_table(table, path)
    return path


def both(bar, long="T0", short="T0", **kwargs):
    states = ["REDUCING" if t in ("T3", "T4", "T5") else "ACTIVE" for t in (long, short)]
    return [
        row(bar, "long", long, state=states[0], **kwargs),
        row(bar, "short", short, state=states[1], **kwargs),
    ]


def test_flags_come_at_their_issue_with_limits_of_their_tiers(tmp_path):
    path = written(tmp_path, [*both(1, "T3"), *both(0, "T2", "T1")])
    first, second = load_flags(path)

    assert (first.ts_event, first.ts_init) == (START, START + 2 * 10**9)
    assert first.valid_until_ns == START + BAR + 10 * 60 * 10**9
    assert (first.long.tier, first.short.tier, first.sequence) == (2, 1, 1)
    assert (first.long.limits.add_frac, first.short.limits.order_size_frac) == (0.5, 0.75)
    assert second.ts_event == START + BAR
    assert not second.long.new_risk
    assert second.short.limits.leverage_frac == 0.5  # what T3 shares with the other side
    assert first.long.p_4h == 0.02


def test_a_history_scored_afterwards_asks_for_a_delay(tmp_path):
    path = written(tmp_path, both(0, issued=datetime(2026, 1, 1, tzinfo=UTC)))

    with pytest.raises(DataError, match="expected issue_delay"):
        load_flags(path)
    (found,) = load_flags(path, issue_delay=timedelta(seconds=3))
    assert found.ts_init == START + 3 * 10**9
    with pytest.raises(DataError, match="no flag is early"):
        load_flags(path, issue_delay=timedelta(seconds=-1))


def test_a_flag_before_its_bar_is_refused(tmp_path):
    path = written(tmp_path, both(3, issued=FIRST))

    with pytest.raises(DataError, match="1 flags issued before their bar closed"):
        load_flags(path)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(DataError, match="expected both sides"):
        load_flags(written(tmp_path, both(0)[:1]))
    with pytest.raises(DataError, match="expected T0 to T5"):
        load_flags(written(tmp_path, both(0, "T9")))
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"symbol": ["a"]}), path)
    with pytest.raises(DataError, match="expected a flag history"):
        load_flags(path)


def test_a_missing_probability_is_none(tmp_path):
    (found,) = load_flags(written(tmp_path, both(0, p_4h=float("nan"))))

    assert found.long.p_4h is None


def test_a_loaded_history_drives_a_backtest(tmp_path):
    rows = [r for bar in range(288) for r in both(bar, "T4" if bar >= 144 else "T0", "T0")]
    found = run(load_flags(written(tmp_path, rows)))

    assert set(found.trader.denials) == {"LIQWARN: long side of BTCUSDT is at T4, REDUCING"}
    assert found.trader.denied_exits == 0


def test_the_table_of_limits_is_the_policy_that_ships():
    tiers = yaml.safe_load(POLICY.read_text())["tiers"]

    for name, tier in tiers.items():
        known = DEFAULT_LIMITS[int(name[1:])]
        assert known.threatened == Limits(**tier.get("threatened", {})), name
        assert known.other == Limits(**tier.get("other", {})), name
