"""liqwarn ledger settle, show, verify: a scoring fills it, and it can be read and checked."""

import pytest


@pytest.fixture
def scored(run, given, model, tmp_path):
    panel = ("--panel", given / "panel.yaml", "--data", given / "files")
    out = tmp_path / "scores"
    run("score", *panel, "--model", model, "--out", out, "--from", "2022-01-20", "--json")
    return panel, out


def test_a_scoring_fills_the_ledger_and_it_is_whole(run, scored, given):
    panel, out = scored
    about = ("--panel", given / "panel.yaml")
    shown = run("ledger", "show", *about, "--json").json
    settled = run("ledger", "settle", *panel, "--scores", out, "--json").json
    verified = run("ledger", "verify", *about)

    assert shown["schema"] == "liqwarn.ledger/1"
    assert shown["counts"]["issued"] == settled["counts"]["issued"] > 0
    assert verified.code == 0
    assert verified.out.startswith("whole: ")


def test_show_is_readable_and_an_edit_is_refused(run, scored, given, tmp_path):
    about = ("--panel", given / "panel.yaml")
    part = next((tmp_path / "home" / "ledger").rglob("*-flags.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")

    assert run("ledger", "show", *about).code == 0
    assert (
        "it was edited; keep a copy of the folder, and restore it"
        in run("ledger", "verify", *about).refusal
    )


def test_a_panel_without_a_ledger_says_how_to_begin_one(run, given):
    for name in ("show", "verify"):
        told = run("ledger", name, "--panel", given / "panel.yaml").refusal
        assert "`liqwarn ledger settle --scores FOLDER`" in told
