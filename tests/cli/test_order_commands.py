"""order: what is no order is said before anything is placed; the rest is in tests/faults."""

import pytest

WORDS = ("--name", "Ada", "--reason", "why")


@pytest.fixture
def live(tmp_path):
    (tmp_path / "live" / "bars").mkdir(parents=True)
    return tmp_path / "live"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("halt",), "either --all or --symbol"),
        (("halt", "--all", "--symbol", "BTCUSDT"), "either --all or --symbol"),
        (("halt", "--all", "--side", "up"), "--side is 'up'"),
        (("tighten", "--all", "--tier", "T9"), "--tier is 'T9'"),
        (("tighten", "--all", "--tier", "T3", "--for", "soon"), "expected a duration"),
        (("loosen", "--all", "--tier", "T0", "--for", "1h"), "expected 2 different"),
        (("release", "--all"), "expected 2 different"),
        (("halt", "--all", "--id", "../x"), "id is '../x'"),
    ],
)
def test_what_is_no_order_is_refused_and_nothing_placed(run, live, words, why):
    assert why in run("order", *words, *WORDS, "--live", live).refusal
    assert not (live / "orders").exists()


def test_a_folder_in_which_no_service_ran_takes_no_orders(run, tmp_path):
    told = run("order", "halt", "--all", *WORDS, "--live", tmp_path)
    assert "no live service has run here" in told.refusal


def test_without_a_service_a_release_is_withdrawn_and_a_halt_waits(run, live):
    told = run("order", "release", "--all", *WORDS, "--name", "Bob", "--live", live, "--wait", 0)
    assert "withdrawn" in told.refusal
    assert list((live / "orders").iterdir()) == []

    told = run("order", "halt", "--all", *WORDS, "--live", live, "--wait", 0, "--id", "h")
    assert "carried out when one runs" in told.refusal
    assert [path.name for path in (live / "orders").iterdir()] == ["h.json"]
    assert run("order", "list", "--live", live).out == "no orders\n"
