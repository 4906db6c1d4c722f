"""Every command explains itself, and is the installed program."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from liqwarn.cli.app import app

ROOT = typer.main.get_command(app)


def commands(group=ROOT, words=()):
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from commands(found, (*words, name))
        else:
            yield (*words, name)


COMMANDS = sorted(commands())


def test_every_promised_command_is_there():
    assert {" ".join(words) for words in COMMANDS} == {
        "ingest", "features", "label", "evaluate", "train", "score", "report", "retrain",
        "serve", "replay", "demo", "event", "explain", "audit verify", "audit replay",
        "ledger settle", "ledger show", "ledger verify", "ledger standings", "ledger enable",
        "audit models", "promote", "rollback", "models copy", "gc", "position",
        "map validate", "map show", "keys add", "keys list", "keys disable", "keys rotate",
        "bundle keygen", "bundle sign", "bundle verify", "bundle release", "bundle point",
        "order halt", "order tighten", "order loosen", "order release", "order list",
        "simulate run", "simulate worst-case", "simulate closed-loop", "fetch binance",
        "fetch bybit", "fetch ccxt", "fetch coinmetrics", "fetch deribit-dvol", "fetch hyperliquid",
        "fetch cryptoquant", "fetch coinglass", "fetch coinalyze",
        "fetch glassnode", "panel check",
        "quality", "feed", "collect",
        "tape tables", "tape show", "tape liquidations", "tape completeness",
    }  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_shows_an_example_and_the_option_for_machines(run, words):
    told = run(*words, "--help")

    assert told.code == 0
    written = [word for word in words if word != "run"]  # a scenario stands for it
    assert f"Example: liqwarn {' '.join(written)}" in " ".join(told.out.split())
    assert "--json" in told.out
    assert told.err == ""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_wrong_usage(run, words):
    told = run(*words, "--no-such-option")

    assert told.code == 2
    assert told.out == ""
    assert "no-such-option" in told.err


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-command",),
        ("ingest",),
        ("features", "--panel", "x.yaml"),
        ("evaluate", "--panel", "x", "--out", "y", "--retrain", "weekly"),
        ("evaluate", "--panel", "x", "--out", "y", "--test-from", "yesterday"),
        ("train", "--panel", "x", "--threads", "0"),
        ("audit", "verify"),
        ("map",),
        ("simulate",),
        ("simulate", "x.yaml"),
        ("simulate", "x.yaml", "--out", "y", "--paths", "many"),
        ("simulate", "closed-lop"),
        ("simulate", "worst-case", "x.yaml", "--out", "y", "--objective", "win"),
        ("map", "validate", "--panel", "x.yaml"),
        ("map", "show"),
        ("map", "show", "--symbol", "BTCUSDT", "--at", "yesterday"),
        ("map", "show", "--symbol", "BTCUSDT", "--days", "0"),
        ("demo", "--panel", "conf/panels/btc_core.yaml"),
        ("serve", "--scores", "x", "--port", "99999"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(run, words):
    told = run(*words)

    assert told.code == 2
    assert told.out == ""


def test_the_installed_program_is_this_one(tmp_path):
    program = Path(sys.executable).parent / "liqwarn"

    bad = subprocess.run(
        [program, "label", "--panel", "none.yaml", "--out", "events.csv"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip

    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr == "liqwarn: none.yaml: cannot be read (No such file or directory)\n"


def test_a_server_that_comes_back_does_not_wait_for_what_draws_and_trains():
    program = (
        "import sys, liqwarn.cli.serve_command\n"
        "print([name for name in ('matplotlib', 'mlflow', 'dask') if name in sys.modules])"
    )

    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert told.stdout == "[]\n"
