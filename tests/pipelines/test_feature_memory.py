"""Features of closed months are taken from the folder, and are the bits of a full build."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.liquidation.fit import FitConfig
from liqwarn.liquidation.schedule import blocks_of
from liqwarn.pipelines import feature_memory_keys
from liqwarn.pipelines.feature_memory_file import read_month, write_month
from liqwarn.pipelines.feature_memory_keys import month_keys
from liqwarn.pipelines.study import build_study

DAY = 24


def cut(market, stop):
    return replace(market, frame=market.frame.between(0, stop))


def bits(array):
    return np.ascontiguousarray(array).view(np.int64)


def same_up_to(found, whole, stop):
    """A study equals the first bars of a longer one, whose past it is."""
    assert set(found.mapped.fields) == set(whole.mapped.fields)
    for name, values in whole.mapped.fields.items():
        np.testing.assert_array_equal(
            bits(found.mapped.fields[name]), bits(values[:, :stop]), err_msg=name
        )
    np.testing.assert_array_equal(bits(found.matrix.values), bits(whole.matrix.values[:, :stop]))
    assert found.matrix.names == whole.matrix.names
    assert found.map_draws.drawn == whole.map_draws.drawn[: len(found.map_draws.drawn)]
    n_months = len(found.map_draws.blocks)
    np.testing.assert_array_equal(found.map_draws.posterior, whole.map_draws.posterior[:n_months])


@pytest.fixture(scope="module")
def filled(market, tmp_path_factory):
    """A folder that a study of five closed months and a half filled; not to be changed."""
    folder = tmp_path_factory.mktemp("memory")
    build_study(cut(market, 170 * DAY), memory=folder)
    return folder


@pytest.fixture
def memory(filled, tmp_path):
    """A copy of it."""
    for path in filled.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize("stop", [177 * DAY, 151 * DAY, 31 * DAY + 1])
def test_a_study_with_memory_is_the_full_one_bit_for_bit(market, study, memory, stop):
    """Later, the same again, and as it was before: on the first bars of a month, too."""
    found = build_study(cut(market, stop), memory=memory)

    same_up_to(found, study, stop)


def test_weeks_one_after_the_other_are_each_the_full_study(market, study, tmp_path):
    for day in (45, 52, 60, 180):
        same_up_to(build_study(cut(market, day * DAY), memory=tmp_path), study, day * DAY)


def keys_of(market, job, panel="panel"):
    blocks = blocks_of(market.frame.times)
    return list(month_keys(market.frame, blocks, job, panel))


def with_old_value(market, bar, name="close"):
    frame = market.frame
    plane = frame.fields[name].copy()
    plane[0, bar] *= 1.0 + 1e-12
    return replace(market, frame=replace(frame, fields={**frame.fields, name: plane}))


def test_later_bars_leave_the_keys_of_closed_months(market, study):
    whole, short = keys_of(market, study.map_job), keys_of(cut(market, 100 * DAY), study.map_job)

    assert len(whole) == 6
    assert short[:-1] == whole[: len(short) - 1]


def test_a_changed_old_value_changes_the_keys_from_its_month_on(market, study):
    whole = keys_of(market, study.map_job)
    changed = keys_of(with_old_value(market, 65 * DAY), study.map_job)

    assert [a == b for a, b in zip(whole, changed, strict=True)] == [True, True, *4 * [False]]


def test_an_age_and_a_missing_value_count_as_well(market, study):
    frame = market.frame
    name = next(iter(frame.ages))
    ages = {**frame.ages, name: frame.ages[name] + 1.0}
    plane = frame.fields["volume"].copy()
    plane[:, 0] = np.nan
    missing = {**frame.fields, "volume": plane}

    for changed in (replace(frame, ages=ages), replace(frame, fields=missing)):
        found = keys_of(replace(market, frame=changed), study.map_job)
        assert not set(found) & set(keys_of(market, study.map_job))


def test_symbols_tiers_fit_panel_and_code_change_every_key(market, study, monkeypatch):
    job = study.map_job
    table = job.venue.default
    other = replace(job.venue, default=replace(table, fee_rate=table.fee_rate + 1e-4))
    one_less = replace(market, frame=market.frame.select(market.frame.symbols[:1]))
    found = [
        keys_of(market, job),
        keys_of(one_less, job),
        keys_of(market, replace(job, venue=other)),
        keys_of(market, replace(job, config=FitConfig(seed=1))),
        keys_of(market, job, "another panel"),
    ]
    monkeypatch.setattr(feature_memory_keys, "_source", lambda: "other code")
    found.append(keys_of(market, job))

    assert len({key for keys in found for key in keys}) == 6 * len(found)


def test_after_a_changed_old_value_the_study_is_the_full_one_of_it(market, memory):
    changed = with_old_value(cut(market, 170 * DAY), 140 * DAY)

    found = build_study(changed, memory=memory)

    same_up_to(found, build_study(changed), 170 * DAY)


def damaged(content, at):
    return content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :]


@pytest.mark.parametrize("suffix", ["month", "state"])
def test_a_damaged_file_is_built_anew(market, study, memory, suffix):
    for path in memory.glob(f"*.{suffix}"):
        path.write_bytes(damaged(path.read_bytes(), path.stat().st_size // 2))

    same_up_to(build_study(cut(market, 170 * DAY), memory=memory), study, 170 * DAY)


def test_kept_features_are_not_built_again(market, study, memory):
    """A value put into a month's file under its own hash comes out: nothing computed it."""
    first = min(memory.glob("*.month"))
    key = keys_of(cut(market, 170 * DAY), study.map_job, market.panel_sha256)[0]
    month = read_month(first, key)
    month["features"] = month["features"] + 1.0
    write_month(first, key, month)

    found = build_study(cut(market, 170 * DAY), memory=memory)

    n_bars = month["features"].shape[1]
    np.testing.assert_array_equal(
        found.matrix.values[:, :n_bars], study.matrix.values[:, :n_bars] + 1.0
    )


def test_the_folder_holds_a_file_a_closed_month_and_the_last_maps(market, memory):
    names = sorted(path.name for path in memory.iterdir())
    months = [f"2022-{month:02d}.month" for month in range(1, 6)]
    assert names == sorted([*months, "2022-05.state"])

    build_study(cut(market, 100 * DAY), memory=memory)

    names = sorted(path.name for path in memory.iterdir())
    assert [one for one in names if one.endswith(".month")] == months[:3]
    assert len([one for one in names if one.endswith(".state")]) <= 2


def test_a_panel_within_one_month_keeps_nothing(market, study, tmp_path):
    same_up_to(build_study(cut(market, 20 * DAY), memory=tmp_path / "new"), study, 20 * DAY)

    assert not (tmp_path / "new").exists()


ARRAYS = {
    "evidence": np.array([[1.0, np.nan], [-0.0, np.inf]]),
    "maps": np.arange(7, dtype=np.uint8),
    "none": np.empty((0, 3)),
}


def test_arrays_come_back_bit_for_bit(tmp_path):
    write_month(tmp_path / "one.month", "a key", ARRAYS)
    found = read_month(tmp_path / "one.month", "a key")

    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_another_key_and_no_file_are_nothing(tmp_path):
    write_month(tmp_path / "one.month", "a key", ARRAYS)

    assert read_month(tmp_path / "one.month", "a") is None
    assert read_month(tmp_path / "two.month", "a key") is None


def test_no_flipped_bit_and_no_cut_gets_through(tmp_path):
    path = tmp_path / "one.month"
    write_month(path, "a key", ARRAYS)
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(damaged(content, at))
        assert read_month(path, "a key") is None, at
        path.write_bytes(content[:at])
        assert read_month(path, "a key") is None, at
    path.write_bytes(content + b"\0")
    assert read_month(path, "a key") is None
