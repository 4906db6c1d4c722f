"""panel check: what a panel's files show, and the exit code."""

import orjson
import pytest

OPTIONS = ("panel", "check")


def folder_of(given):
    return given / "panel.yaml", "--data", given / "files"


def test_a_good_panel_ends_with_0_and_a_line_that_counts(run, given):
    told = run(*OPTIONS, *folder_of(given))

    assert told.code == 0
    assert told.out.splitlines()[-1].startswith("demo: 0 surely wrong, ")
    assert "market: a value is known 1h after its stamp (label start, step 1h" in told.out


def test_json_is_one_object(run, given):
    told = run(*OPTIONS, *folder_of(given), "--json").json

    assert (told["panel"], told["wrong"]) == ("demo", 0)
    (source,) = told["sources"]
    assert [file["file"] for file in source["files"]] == [
        "market/BTCUSDT.parquet",
        "market/DOGEUSDT.parquet",
    ]
    assert source["files"][0]["clock"]["step_s"] == 3_600


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_wrong_panel_ends_with_1_and_is_still_shown(run, given, tmp_path, flags):
    panel = tmp_path / "wrong.yaml"
    text = (given / "panel.yaml").read_text()
    panel.write_text(text.replace("column: timestamp", "column: timestomp"))

    told = run(*OPTIONS, panel, "--data", given / "files", *flags)

    assert told.code == 1
    assert told.err == ""
    assert "no column 'timestomp', did you mean 'timestamp'?" in told.out
    assert not flags or orjson.loads(told.out)["wrong"] > 0


def test_a_panel_that_cannot_be_read_is_refused(run, given, tmp_path):
    panel = tmp_path / "typo.yaml"
    panel.write_text((given / "panel.yaml").read_text().replace("symbols:", "simbols:"))

    assert "did you mean 'symbols'?" in run(*OPTIONS, panel, "--data", tmp_path).refusal


def test_a_missing_folder_is_refused(run, given, tmp_path):
    reason = run(*OPTIONS, given / "panel.yaml", "--data", tmp_path / "none").refusal

    assert "no such folder" in reason


def test_without_a_folder_the_panels_own_is_used(run, given, tmp_path):
    for file in (given / "files" / "market").iterdir():
        (tmp_path / "market").mkdir(exist_ok=True)
        (tmp_path / "market" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "panel.yaml").write_text((given / "panel.yaml").read_text())

    assert run(*OPTIONS, tmp_path / "panel.yaml", "--json").json["wrong"] == 0


def test_nothing_is_written(run, given, tmp_path):
    before = sorted(given.rglob("*")), sorted((tmp_path / "home").rglob("*"))

    run(*OPTIONS, *folder_of(given))

    assert (sorted(given.rglob("*")), sorted((tmp_path / "home").rglob("*"))) == before
