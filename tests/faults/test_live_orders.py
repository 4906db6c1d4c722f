"""Orders by hand on the real server: through the command, and with kill -9 around the answer.

``LIQWARN_FAULTS=full`` runs the counts that docs/faults.md reports.
"""

import os
import random
import runpy
import signal
import time
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

import liqwarn.cli.order_commands  # noqa: F401  registers the commands
from liqwarn.cli.app import app
from liqwarn.decisions import Tier
from liqwarn.policy.audit import replay, verify
from liqwarn.policy.orders import Action, Order
from liqwarn.serving.live_restart import last_positions
from liqwarn.serving.order_desk import place
from liqwarn.serving.order_journal import read_entries

HERE = Path(__file__).parent
KILLS = 200 if os.environ.get("LIQWARN_FAULTS") == "full" else 4
_KILLS = runpy.run_path(str(HERE / "test_live_kills.py"))
nursery, world = _KILLS["nursery"], _KILLS["world"]
SYMBOL = "BTCUSDT"


def command(world, *words):
    live = str(world.folder / "live")
    return CliRunner().invoke(app, ["order", *words, "--live", live])


def wait_for_tier(world, tier):
    """Until the server serves it; the sequence of what it serves never falls, see World.judge."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        answer = world.ask()
        flag = world.judge(*answer) if answer else None
        if flag is not None and flag["sides"]["long"]["tier"] == tier:
            return flag
        time.sleep(0.005)
    raise AssertionError(f"{tier} is not served: {answer}")


def wait_for_line(world, order, within_s):
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if any(one.order == order for one in read_entries(world.folder / "live")):
            return True
    return False


def test_the_commands_of_the_runbook_on_a_running_server(world, policy):
    one = world("commands", 3)
    one.begin()
    one.close_bars(1)
    one.wait_for_bar()
    ada, both = ("--name", "Ada"), ("--name", "Ada", "--name", "Bob")
    why = ("--reason", "a drill")

    began = time.monotonic()
    halted = command(one, "halt", "--all", *ada, *why, "--json")
    assert halted.exit_code == 0, halted.stderr
    assert orjson.loads(halted.stdout)["accepted"]
    flag = wait_for_tier(one, "T5")
    assert time.monotonic() - began < 5
    assert flag["sides"]["long"]["state"] == "HALTED"

    alone = command(one, "release", "--all", *ada, *why)
    assert (alone.exit_code, alone.stderr.count("expected 2 different")) == (1, 1)
    loosened = command(one, "loosen", "--all", "--tier", "T1", "--for", "1h", *both, *why)
    assert (loosened.exit_code, "needs a release" in loosened.stderr) == (1, True)
    one.close_bars(1)
    one.wait_for_bar()
    assert wait_for_tier(one, "T5")["sides"]["short"]["tier"] == "T5"
    released = command(one, "release", "--all", *both, *why)
    assert released.exit_code == 0, released.stderr
    wait_for_tier(one, "T4")
    listed = command(one, "list")
    assert [line.split()[1] for line in listed.stdout.splitlines()] == ["halt", "loosen", "release"]
    one.kill(signal.SIGTERM)
    log = one.folder / "live" / "audit.jsonl"
    verify(log, log.with_name("audit.head.json"))
    assert replay(log, policy).differences == 0


def test_without_a_server_what_restricts_waits_and_what_takes_back_is_withdrawn(world):
    one = world("nobody", 1)
    (one.folder / "live" / "bars").mkdir()
    words = ("--all", "--name", "Ada", "--reason", "a drill", "--wait", "0.1")

    release = command(one, "release", *words, "--name", "Bob")
    assert (release.exit_code, "withdrawn" in release.stderr) == (1, True)
    halt = command(one, "halt", *words)
    assert (halt.exit_code, "waits in" in halt.stderr) == (1, True)
    one.begin()
    one.close_bars(1)
    wait_for_tier(one, "T5")
    one.kill()


@pytest.mark.timeout(3_000)
def test_an_order_that_was_acknowledged_is_never_lost(world, study, policy):
    one, rng = world("kills", KILLS + 2), random.Random(4)
    one.begin()
    one.close_bars(1)
    one.wait_for_bar()
    acknowledged = 0
    for kill in range(KILLS):
        order = Order(
            id=f"order-{kill}",
            action=Action.TIGHTEN,
            tier=Tier.T3,
            symbols=(SYMBOL,),
            sides=("long",),
            names=("Ada",),
            reason=f"Kill {kill}.",
        )
        place(one.folder / "live", order)
        if kill % 2:
            time.sleep(rng.random() * 0.55)  # anywhere around the loop's next round
            acknowledged += wait_for_line(one, order, 0)
        else:
            acknowledged += wait_for_line(one, order, 20)  # then at once
            time.sleep(rng.choice([0, 0, rng.random() * 0.01]))
        one.kill()
        if kill % 3 == 2:
            one.close_bars(1)
        one.begin()
        wait_for_tier(one, "T3") if kill < 1 else one.first_answer()
        assert wait_for_line(one, order, 20)
    one.close_bars(1)
    one.wait_for_bar()
    one.kill(signal.SIGTERM)

    live = one.folder / "live"
    entries = list(read_entries(live))
    assert [entry.order.id for entry in entries] == [f"order-{k}" for k in range(KILLS)]
    assert all(entry.accepted for entry in entries)
    held = last_positions(live, None, study.market.panel.symbol_names)[SYMBOL, "long"].floors
    assert sorted(one.reason for one in held) == sorted(e.order.reason for e in entries)
    verify(live / "audit.jsonl", live / "audit.head.json")
    assert replay(live / "audit.jsonl", policy).differences == 0
    print(f"{KILLS} kills, {acknowledged} orders acknowledged before, none lost")
