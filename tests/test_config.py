import os
import subprocess
import sys
from pathlib import Path

import pytest

from liqwarn.config import (
    Settings,
    child_environment,
    config_sha256,
    load_panel,
    load_policy,
    load_settings,
    policy_of,
    read_yaml,
    settle_environment,
)
from liqwarn.errors import ConfigError

ROOT = Path(__file__).parents[1]
GOOD = """
name: one
market: real
bar: 1h
symbols: [BTCUSDT]
sources:
  - name: klines
    file: "{symbol}.csv"
    time: {column: t, unit: ms, label: start, step: 1h}
    fields: {close: c}
"""


@pytest.fixture
def panel_file(tmp_path):
    def write(text):
        path = tmp_path / "panel.yaml"
        path.write_text(text)
        return path

    return write


def test_a_panel_file_becomes_a_panel(panel_file):
    assert load_panel(panel_file(GOOD)).fields == ("close",)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "conf" / "panels").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_shipped_panel_is_valid_and_named_as_its_file(path):
    panel = load_panel(path)

    assert panel.name == path.stem
    assert panel.description
    assert panel.market == ("simulated" if path.stem == "demo" else "real")


def test_all_faults_are_told_at_once_with_the_nearest_known_key(panel_file):
    text = (
        GOOD.replace("market: real", "market: reel")
        .replace("symbols:", "symbol:")
        .replace("unit: ms", "untis: ms")
        .replace("step: 1h", "step: 1 hour")
        .replace("{close: c}", "{clsoe: c, volume: {colum: v}}")
    )
    with pytest.raises(ConfigError) as caught:
        load_panel(panel_file(text))

    first, *faults = str(caught.value).split("\n  ")
    assert first.endswith("panel.yaml: 7 faults")
    assert sorted(faults) == [
        "market: Input should be 'real' or 'simulated'",
        "sources[0].fields.clsoe: unknown field 'clsoe', did you mean 'close'?",
        "sources[0].fields.volume.colum: unknown key, did you mean 'column'?",
        "sources[0].time.step: found '1 hour', expected a duration such as 30min, 1h, 8h or 1d",
        "sources[0].time.untis: unknown key, did you mean 'unit'?",
        "symbol: unknown key, did you mean 'symbols'?",
        "symbols: required and missing",
    ]


def test_the_alias_of_a_span_is_suggested(panel_file):
    with pytest.raises(ConfigError, match=r"valid\.frm: unknown key, did you mean 'from'"):
        load_panel(panel_file(GOOD + "valid: {frm: 2024-01-01}\n"))


def test_faults_between_parts_are_told_one_a_line(panel_file):
    with pytest.raises(ConfigError) as caught:
        load_panel(panel_file(GOOD + "core: [close, open_interest]\nmax_age: {volume: 1h}\n"))

    assert str(caught.value).split("\n  ")[1:] == [
        "max_age.volume: only fields that hold their last value grow old",
        "core: no source gives the core field 'open_interest'",
    ]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a: [1", "not valid YAML"),
        ("- a\n- b", "found list, expected keys and values"),
        ("", "found NoneType, expected keys"),
        ("name: a\nname: b", "key 'name' is stated twice"),
        ("? [a, b]\n: 1", "not valid YAML, found the key .* expected a word"),
        ("a: " + "[" * 3_000 + "]" * 3_000, r"panel\.yaml: nested too deeply"),
        ("a: !!python/object/apply:os.getcwd []", "not valid YAML"),
    ],
)
def test_what_is_no_configuration_is_told(panel_file, text, match):
    with pytest.raises(ConfigError, match=match):
        read_yaml(panel_file(text))


def test_a_missing_file_is_told_with_the_nearest_name(panel_file):
    path = panel_file(GOOD)

    with pytest.raises(ConfigError, match=r"cannot be read .*, did you mean 'panel\.yaml'"):
        load_panel(path.with_name("panels.yaml"))


def test_the_hash_is_of_the_bytes(panel_file):
    one = config_sha256(panel_file(GOOD))

    assert len(one) == 64
    assert config_sha256(panel_file(GOOD + "\n")) != one


def test_a_faulty_policy_is_named_by_its_file(panel_file):
    with pytest.raises(ConfigError, match=r"panel\.yaml: policy has"):
        load_policy(panel_file("versio: 1"))


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path))
    monkeypatch.delenv("LIQWARN_MLFLOW_URI", raising=False)
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)

    settings = load_settings()

    assert settings == Settings(home=tmp_path, mlflow_uri=f"sqlite:///{tmp_path}/mlflow.db")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_without_an_environment_outputs_go_to_runs_here(monkeypatch, tmp_path):
    monkeypatch.delenv("LIQWARN_HOME", raising=False)
    monkeypatch.setenv("LIQWARN_MLFLOW_URI", "http://127.0.0.1:5000")
    monkeypatch.chdir(tmp_path)

    assert load_settings() == Settings(home=tmp_path / "runs", mlflow_uri="http://127.0.0.1:5000")


def test_the_password_of_mlflows_database_is_in_no_text(monkeypatch):
    monkeypatch.setenv("LIQWARN_MLFLOW_URI", "postgresql://keeper:s3cret@db/mlflow")

    settings = load_settings()

    assert "s3cret" in settings.mlflow_uri
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("uri", "told", "expected"),
    [
        ("sqlite:////x/y.db", None, "/h/mlflow-artifacts"),
        ("postgresql://a@b/c", None, "/h/mlflow-artifacts"),
        ("postgresql://a@b/c", "s3://bucket/models", "s3://bucket/models"),
        ("http://127.0.0.1:5000", None, "None"),
        ("http://127.0.0.1:5000", "/shared", "/shared"),
    ],
)
def test_where_mlflows_files_go(uri, told, expected):
    settings = Settings(home=Path("/h"), mlflow_uri=uri, mlflow_artifacts=told)

    assert str(settings.artifacts) == expected


def test_the_archives_address_may_be_a_mirror(monkeypatch):
    monkeypatch.delenv("LIQWARN_BINANCE_ARCHIVE", raising=False)
    assert load_settings().binance_archive == "https://data.binance.vision"

    monkeypatch.setenv("LIQWARN_BINANCE_ARCHIVE", "http://mirror.example/binance")
    assert load_settings().binance_archive == "http://mirror.example/binance"


def test_addresses_of_databases_are_read_by_their_name_and_not_shown(monkeypatch):
    monkeypatch.setenv("LIQWARN_SQL_MARKET", "postgresql://reader:hush@host/db")
    monkeypatch.setenv("LIQWARN_SQL_EMPTY", "")

    settings = load_settings()

    assert settings.databases == {"market": "postgresql://reader:hush@host/db"}
    assert "hush" not in repr(settings)
    monkeypatch.setenv("LIQWARN_SQL_lower", "hush")
    with pytest.raises(ConfigError, match="unknown variable LIQWARN_SQL_lower") as raised:
        load_settings()
    assert "hush" not in str(raised.value)


def test_an_unknown_variable_is_told_with_the_nearest(monkeypatch):
    monkeypatch.setenv("LIQWARN_HOMR", "x")

    with pytest.raises(
        ConfigError, match="unknown variable LIQWARN_HOMR, did you mean 'LIQWARN_HOME'"
    ):
        load_settings()


@pytest.mark.parametrize("name", ["LIQWARN_FAULTS", "LIQWARN_REAL_DATA"])
def test_what_the_tests_read_is_known(monkeypatch, name):
    monkeypatch.setenv(name, "full")

    assert load_settings()


def test_a_policy_in_memory_is_the_policy_of_its_file(tmp_path):
    path = Path(__file__).parents[1] / "conf" / "policy.yaml"

    assert policy_of(path.read_bytes(), path) == load_policy(path)
    with pytest.raises(ConfigError, match=r"given\.yaml: found list, expected keys"):
        policy_of(b"[]", Path("given.yaml"))


def test_a_day_that_no_calendar_has_is_not_valid_yaml(tmp_path):
    path = tmp_path / "scenario.yaml"
    path.write_text("at: 2025-02-30T20:00:00Z")
    with pytest.raises(ConfigError, match=r"scenario\.yaml: not valid YAML, day is out of range"):
        read_yaml(path)


def test_keys_come_from_the_environment_and_are_not_shown(monkeypatch, tmp_path):
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path))
    for name in ("COINGLASS", "COINALYZE", "CRYPTOQUANT", "GLASSNODE"):
        monkeypatch.setenv(f"LIQWARN_{name}_KEY", f"secret-of-{name}")

    settings = load_settings()

    assert settings.keys["coinglass"] == "secret-of-COINGLASS"
    assert sorted(settings.keys) == ["coinalyze", "coinglass", "cryptoquant", "glassnode"]
    assert "secret" not in repr(settings)


def test_a_program_of_somebody_else_is_handed_no_key_of_ours(monkeypatch):
    monkeypatch.setenv("LIQWARN_COINGLASS_KEY", "hush")
    monkeypatch.setenv("PYTHONPATH", "src")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")

    told = child_environment()

    assert told["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert "hush" not in told.values()
    assert "PYTHONPATH" not in told
    assert set(told) <= {*os.environ}


def test_threads_wait_quietly_unless_told_otherwise(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    settle_environment()
    assert os.environ["OMP_WAIT_POLICY"] == "active"

    monkeypatch.delenv("OMP_WAIT_POLICY")
    settle_environment()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"


BEFORE_LIGHTGBM = """
import sys
from liqwarn.cli import main
assert "lightgbm" not in sys.modules, "imported before the environment is set"
sys.argv = ["liqwarn", "promote", "--help"]
try:
    main()
finally:
    import os
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
"""


def test_the_command_line_says_so_before_lightgbm_is_loaded():
    env = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}

    done = subprocess.run(
        [sys.executable, "-c", BEFORE_LIGHTGBM], env=env, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()
