"""ingest, features, label: results for machines, refusals in a line."""

import pandas as pd
import pytest

from liqwarn.models.events import EVENT_COLUMNS


def test_ingest_counts_what_it_read_and_the_second_time_nothing_is_new(run, market_options):
    first = run("ingest", *market_options, "--json").json
    second = run("ingest", *market_options, "--json").json

    assert first["panel"] == "demo"
    assert first["new"] == first["rows"] == 2 * 90 * 24
    assert (second["new"], second["unchanged"]) == (0, first["rows"])
    assert first["quarantined"] == {}


def test_text_is_for_a_person(run, market_options):
    told = run("ingest", *market_options)

    assert told.code == 0
    assert "rows" in told.out
    assert "ingest demo: 2 of 2" in told.err


def change_a_price(folder, given):
    file = given / "files" / "market" / "BTCUSDT.parquet"
    table = pd.read_parquet(file)
    table.loc[100, "funding_rate"] += 0.0001
    (folder / "market").mkdir(parents=True)
    table.to_parquet(folder / "market" / "BTCUSDT.parquet", index=False)
    other = given / "files" / "market" / "DOGEUSDT.parquet"
    (folder / "market" / "DOGEUSDT.parquet").write_bytes(other.read_bytes())


def test_a_value_that_changed_is_refused_unless_it_may_be_replaced(
    run, market_options, given, tmp_path
):
    assert run("ingest", *market_options).code == 0
    change_a_price(tmp_path / "changed", given)
    again = ("--panel", given / "panel.yaml", "--data", tmp_path / "changed",
             "--store", tmp_path / "s")  # fmt: skip

    reason = run("ingest", *again).refusal

    assert "BTCUSDT.parquet" in reason
    assert "funding_rate" in reason
    assert run("ingest", *again, "--replace", "--json").json["replaced"] == 1


def test_features_are_written(run, market_options, tmp_path):
    out = tmp_path / "features.parquet"

    told = run("features", *market_options, "--out", out, "--json").json

    table = pd.read_parquet(out)
    assert told == {"out": str(out), "rows": len(table), "features": table.shape[1] - 2}
    assert told["features"] >= 70


def test_labels_are_written(run, market_options, tmp_path):
    out = tmp_path / "events.csv"

    told = run("label", *market_options, "--out", out, "--json").json

    table = pd.read_csv(out)
    assert tuple(table.columns) == EVENT_COLUMNS
    assert told["long"] + told["short"] == len(table) > 0


def test_the_store_alone_is_enough_once_it_is_filled(run, market_options, given, tmp_path):
    run("ingest", *market_options)

    told = run("label", "--panel", given / "panel.yaml", "--store", tmp_path / "s",
               "--out", tmp_path / "e.csv")  # fmt: skip

    assert told.code == 0


def test_an_empty_store_without_data_says_to_ingest(run, given, tmp_path):
    reason = run("label", "--panel", given / "panel.yaml", "--out", tmp_path / "e.csv").refusal

    assert "knows no close" in reason
    assert "ingest its files first" in reason
    assert not (tmp_path / "e.csv").exists()


def test_ingest_without_data_is_refused(run, given):
    assert "data folder is None" in run("ingest", "--panel", given / "panel.yaml").refusal


def test_a_missing_provider_file_is_named(run, given, tmp_path):
    (tmp_path / "none").mkdir()

    reason = run("ingest", "--panel", given / "panel.yaml", "--data", tmp_path / "none").refusal

    assert "BTCUSDT.parquet" in reason


@pytest.mark.parametrize("command", ["ingest", "features", "label"])
def test_an_unknown_key_of_a_panel_is_told_with_the_nearest(run, given, tmp_path, command):
    panel = tmp_path / "typo.yaml"
    panel.write_text((given / "panel.yaml").read_text().replace("symbols:", "simbols:"))
    out = () if command == "ingest" else ("--out", tmp_path / "x.csv")

    reason = run(command, "--panel", panel, "--data", given / "files", *out).refusal

    assert "simbols: unknown key, did you mean 'symbols'?" in reason


def test_a_missing_panel_is_told_with_the_nearest_file(run, tmp_path):
    reason = run(
        "label", "--panel", "conf/panels/btc_cor.yaml", "--out", tmp_path / "e.csv"
    ).refusal

    assert "btc_cor.yaml: cannot be read" in reason
    assert "btc_core.yaml" in reason


def test_another_suffix_is_refused(run, market_options, tmp_path):
    reason = run("label", *market_options, "--out", tmp_path / "events.xlsx").refusal

    assert "expected .parquet or .csv" in reason


def test_a_panel_without_open_interest_has_features(run, given, tmp_path):
    told = run("features", "--panel", given / "prices.yaml", "--data", given / "files",
               "--out", tmp_path / "f.parquet", "--json")  # fmt: skip

    assert told.json["rows"] == 2 * 90 * 24
