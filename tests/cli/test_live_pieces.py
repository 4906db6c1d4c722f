"""Bundles are checked by keys or a human said not to; one that does not fit says why."""

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.cli.live_options import ServeOptions
from liqwarn.cli.live_pieces import (
    document_by,
    listen_order,
    open_models,
    open_source,
    policy_in_force,
)
from liqwarn.config import load_policy
from liqwarn.decisions import Flag, Limits, ModelStamp, PolicyStamp, Restriction, Tier, TradingState
from liqwarn.errors import ConfigError, ModelError
from liqwarn.serving.clock import SystemClock
from liqwarn.signing import generate_key, verify_document

ROOT = Path(__file__).parents[2]
_GIVEN = Path(__file__).parents[1] / "serving" / "live_given.py"
small_frame = runpy.run_path(str(_GIVEN))["small_frame"]
PANEL = SimpleNamespace(name="another")


@pytest.fixture
def flag():
    side = Restriction(
        tier=Tier.T0,
        state=TradingState.ACTIVE,
        limits=Limits(),
        probability={4: 0.1},
        reasons=("By hand.",),
    )
    now = datetime(2024, 8, 5, 12, tzinfo=UTC)
    return Flag(
        symbol="BTCUSDT",
        as_of=now,
        issued_at=now,
        valid_until=now + timedelta(minutes=70),
        sequence=1,
        quality="ok",
        sides={"long": side, "short": side},
        model=ModelStamp(version="1", sha256="ab" * 32),
        policy=PolicyStamp(version="1", sha256="cd" * 32),
        data_sha256="ef" * 32,
        completeness=1.0,
    )


@pytest.fixture
def told():
    verdicts = []
    return SimpleNamespace(verdicts=verdicts, bundle=verdicts.append)


@pytest.mark.parametrize("trust", [True, False], ids=["both", "neither"])
def test_keys_are_never_named_and_then_not_asked(small_bundle_folder, tmp_path, told, trust):
    options = ServeOptions(
        model=small_bundle_folder, trust=tmp_path if trust else None, unsigned=trust
    )

    with pytest.raises(ConfigError, match="either --trust KEYS, or --unsigned"):
        open_models(options, PANEL, tmp_path, told)


def test_a_bundle_of_another_panel_is_refused_with_its_reason(small_bundle_folder, tmp_path, told):
    options = ServeOptions(model=small_bundle_folder, unsigned=True)

    with pytest.raises(ModelError, match=r"was trained on panel .* expected 'another'"):
        open_models(options, PANEL, tmp_path, told)

    assert [verdict.accepted for verdict in told.verdicts] == [False]


def test_a_feed_of_live_bars_goes_by_the_machine_s_clock(tmp_path):
    def never():
        raise AssertionError("the store's history is for replays")

    (tmp_path / "bars.jsonl").touch()
    for feed in (f"file:{tmp_path / 'bars.jsonl'}", f"unix:{tmp_path / 's'}", "tcp:127.0.0.1:0"):
        source = open_source(ServeOptions(feed=feed), never)
        source.feed.close()
        assert isinstance(source.clock, SystemClock)
        assert (source.joined, source.begin) == (False, None)


@pytest.mark.parametrize(
    ("start", "first", "begin"),
    [
        (None, "2024-08-05T14:00:00", "2024-08-05T13:00:00"),
        ("2024-08-05", "2024-08-05T14:00:00", "2024-08-05T13:00:00"),
        ("2024-08-05T15:30", "2024-08-05T16:00:00", "2024-08-05T15:00:00"),
        ("2024-08-05T16:00", "2024-08-05T16:00:00", "2024-08-05T15:00:00"),
    ],
)
def test_a_replay_begins_where_it_is_told_and_knows_what_was_before(start, first, begin):
    frame = small_frame(9)
    told = None if start is None else datetime.fromisoformat(start)
    source = open_source(ServeOptions(feed="replay:1e6", replay_from=told), lambda: frame)
    delivery = source.feed.poll(0.0)

    assert source.joined
    assert source.clock is source.feed
    assert {str(one.time) for one in delivery.messages} == {first}
    assert source.begin == datetime.fromisoformat(begin).replace(tzinfo=UTC)


def test_a_flag_is_signed_where_there_is_a_key(flag):
    key = generate_key()
    plain, signed = (document_by(one)(flag) for one in (None, key))

    assert "signature" not in plain
    assert verify_document(signed, (key.public,)) is None
    assert {name: signed[name] for name in plain} == plain


def test_where_to_listen_is_as_it_was_told(tmp_path):
    order = listen_order(ServeOptions(port=8123, tls_cert=tmp_path / "c", tls_key=tmp_path / "k"))

    assert (order.host, order.port, order.keys) == ("127.0.0.1", 8123, None)
    assert order.tls.cert == tmp_path / "c"
    with pytest.raises(ConfigError, match="--tls-cert and --tls-key together"):
        listen_order(ServeOptions(tls_key=tmp_path / "k"))


@pytest.mark.parametrize(
    ("named", "released", "expected"),
    [(True, True, "named"), (True, False, "named"), (False, True, "released")],
)
def test_a_policy_that_was_named_comes_before_the_bundle_s(tmp_path, named, released, expected):
    content = (ROOT / "conf" / "policy.yaml").read_text()
    files = {}
    for who in ("named", "released"):
        files[who] = tmp_path / f"{who}.yaml"
        files[who].write_text(f"{content}\n# {who}\n")
    policies = {who: load_policy(file) for who, file in files.items()}
    heard = []
    watch = SimpleNamespace(released_policy=lambda *both: heard.append(both))
    options = ServeOptions(policy=files["named"] if named else None)
    loaded = SimpleNamespace(policy=policies["released"] if released else None)

    assert policy_in_force(options, loaded, watch) == policies[expected]
    assert heard == ([(loaded.policy, policies["named"])] if named else [])


def test_without_any_other_the_policy_is_the_project_s(monkeypatch):
    monkeypatch.chdir(ROOT)
    watch = SimpleNamespace(released_policy=lambda *_: None)

    found = policy_in_force(ServeOptions(), SimpleNamespace(policy=None), watch)

    assert found == load_policy(ROOT / "conf" / "policy.yaml")
