"""Configuration: YAML to frozen settings, every fault reported at once; the environment.

The only module that reads the environment.
"""

import hashlib
import os
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from liqwarn.data.mapping import nearest
from liqwarn.data.panel import Panel
from liqwarn.data.queries import DATABASE_VARIABLE
from liqwarn.errors import ConfigError
from liqwarn.liquidation.tier_file import parse_tiers
from liqwarn.liquidation.tiers import VenueTiers
from liqwarn.policy.ladder import Policy, parse_policy
from liqwarn.simulation.scenario import Scenario
from liqwarn.simulation.scenario_file import parse_scenario
from liqwarn.sources.binance_files import BINANCE_ARCHIVE
from liqwarn.sources.providers import PROVIDERS

__all__ = [
    "Settings",
    "child_environment",
    "config_sha256",
    "load_margin_tiers",
    "load_panel",
    "load_policy",
    "load_scenario",
    "load_settings",
    "policy_of",
    "read_yaml",
    "settle_environment",
]

T = TypeVar("T")

_HOME: Final = "LIQWARN_HOME"
_MLFLOW: Final = "LIQWARN_MLFLOW_URI"
_ARTIFACTS: Final = "LIQWARN_MLFLOW_ARTIFACTS"
_BINANCE: Final = "LIQWARN_BINANCE_ARCHIVE"
_APIS: Final = {provider.variable: name for name, provider in PROVIDERS.items()}
_KEYS: Final = {told.key.variable: name for name, told in PROVIDERS.items() if told.key}
_DATABASE: Final = re.compile(DATABASE_VARIABLE + "[A-Z][A-Z0-9_]*")
_CCXT: Final = "LIQWARN_CCXT_PYTHON"
_ELSEWHERE: Final = ("LIQWARN_FAULTS", "LIQWARN_REAL_DATA")  # read by the tests
_HANDED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE",
                     "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy",
                     "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")  # fmt: skip
_QUIET: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_WAITING: Final = {"OMP_WAIT_POLICY": "passive"}  # else threads of LightGBM spin where others work


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says.

    Attributes
    ----------
    home : Path
        Absolute folder of outputs; ``LIQWARN_HOME``, by default ``runs`` here.
    mlflow_uri : str
        Tracking store; ``LIQWARN_MLFLOW_URI``, by default SQLite below `home`. It may hold a
        password and is in no text made of the settings.
    mlflow_artifacts : str or None
        Folder or address of MLflow's files beside a database; ``LIQWARN_MLFLOW_ARTIFACTS``.
    binance_archive : str
        Address of the archive or of a mirror; ``LIQWARN_BINANCE_ARCHIVE``.
    apis : mapping of provider to str
        Addresses of the APIs that are not the provider's own, see
        :data:`liqwarn.sources.providers.PROVIDERS`.
    keys : mapping of provider to str
        Keys of the APIs, such as ``LIQWARN_COINGLASS_KEY``; in no text made of the settings.
    ccxt_python : Path or None
        Python of an environment that has ccxt; ``LIQWARN_CCXT_PYTHON``.
    databases : mapping of name to str
        Addresses of servers that queries of panels ask: ``LIQWARN_SQL_MARKET`` is ``market``.
        They hold passwords and are in no text made of the settings.
    """

    home: Path
    mlflow_uri: str = field(repr=False)
    mlflow_artifacts: str | None = None
    binance_archive: str = BINANCE_ARCHIVE
    apis: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    ccxt_python: Path | None = None
    databases: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def artifacts(self) -> Path | str | None:
        """Where MLflow's files go: as told, else below `home`; a tracking server decides itself."""
        if self.mlflow_artifacts is not None:
            address = self.mlflow_artifacts
            return address if "://" in address else Path(address).resolve()
        database = self.mlflow_uri.startswith(("sqlite:", "postgres"))
        return self.home / "mlflow-artifacts" if database else None


def load_settings() -> Settings:
    """Read the environment, and switch the telemetry of what we start off.

    Raises
    ------
    ConfigError
        When a ``LIQWARN_`` variable is none of ours.
    """
    known = (_HOME, _MLFLOW, _ARTIFACTS, _BINANCE, _CCXT, *_APIS, *_KEYS, *_ELSEWHERE)
    asked = {k for k in os.environ if _DATABASE.fullmatch(k)}
    ours = {k for k in os.environ if k.startswith("LIQWARN_")} - asked
    unknown = sorted(ours.difference(known))
    if unknown:
        faults = [f"environment: unknown variable {k}{nearest(k, known)}" for k in unknown]
        raise ConfigError("\n".join(faults))
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    home = Path(os.environ.get(_HOME) or "runs").resolve()
    uri = os.environ.get(_MLFLOW) or f"sqlite:///{home / 'mlflow.db'}"
    archive = os.environ.get(_BINANCE) or BINANCE_ARCHIVE
    apis = {name: os.environ[k] for k, name in _APIS.items() if os.environ.get(k)}
    keys = {name: os.environ[k] for k, name in _KEYS.items() if os.environ.get(k)}
    servers = {
        k.removeprefix(DATABASE_VARIABLE).lower(): os.environ[k] for k in asked if os.environ[k]
    }
    ccxt = os.environ.get(_CCXT)
    return Settings(
        ccxt_python=Path(ccxt) if ccxt else None,
        home=home,
        mlflow_uri=uri,
        mlflow_artifacts=os.environ.get(_ARTIFACTS) or None,
        binance_archive=archive,
        apis=apis,
        keys=keys,
        databases=servers,
    )


def settle_environment() -> None:
    """Set what libraries read once, when they are loaded; what is set already stays.

    For whatever starts a process of ours, before LightGBM is imported.
    """
    for name, value in {**_QUIET, **_WAITING}.items():
        os.environ.setdefault(name, value)


def child_environment() -> dict[str, str]:
    """What a program of somebody else is handed of the environment: no key of ours is in it."""
    return {name: os.environ[name] for name in _HANDED_ON if name in os.environ}


def config_sha256(path: Path) -> str:
    """Hash of a configuration file, for reports, flags and MLflow."""
    return hashlib.sha256(_bytes(path)).hexdigest()


def load_panel(path: Path) -> Panel:
    r"""Read a panel file.

    Raises
    ------
    ConfigError
        Naming the file and every fault in it, an unknown key with the nearest known one.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "panel.yaml"
    >>> _ = path.write_text("name: one\nmarket: real\nbar: 1h\nsymbol: [BTCUSDT]\nsources: []")
    >>> load_panel(path)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    liqwarn.errors.ConfigError: ...panel.yaml: 3 faults
      symbols: required and missing
      sources: Tuple should have at least 1 item after validation, not 0
      symbol: unknown key, did you mean 'symbols'?
    """
    raw = read_yaml(path)
    try:
        return Panel.model_validate(raw)
    except ValidationError as error:
        faults = [fault for told in _causes(error) for fault in _faults(told)]
        count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        raise ConfigError("\n  ".join([f"{path}: {count}", *faults])) from error


def load_policy(path: Path) -> Policy:
    """Read a circuit-breaker policy.

    Raises
    ------
    ConfigError
        Naming the file and every fault in it.
    """
    return policy_of(_bytes(path), path)


def policy_of(content: bytes, source: Path) -> Policy:
    """The circuit-breaker policy in the bytes of its file; nothing is read.

    Raises
    ------
    ConfigError
        Naming `source` and every fault.
    """
    parse = partial(parse_policy, sha256=hashlib.sha256(content).hexdigest())
    return _parsed(content, source, parse)


def load_margin_tiers(path: Path) -> VenueTiers:
    """Read a venue's tables of maintenance tiers.

    Raises
    ------
    ConfigError
        Naming the file and every fault in it.
    """
    return _parsed(_bytes(path), path, parse_tiers)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario of the simulator.

    Raises
    ------
    ConfigError
        Naming the file and every fault in it.
    """
    return _parsed(_bytes(path), path, parse_scenario)


def _parsed(content: bytes, path: Path, parse: Callable[[Mapping[str, Any]], T]) -> T:
    """What a parser makes of a file; its faults name the file."""
    raw = _mapping(content, path)
    try:
        return parse(raw)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a mapping; a key stated twice is an error.

    Raises
    ------
    ConfigError
        When it is missing, not YAML, not a mapping, or states a key twice.
    """
    return _mapping(_bytes(path), path)


def _mapping(content: bytes, path: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(content, Loader=_StrictLoader)  # noqa: S506 - a safe loader, stricter
    except (yaml.YAMLError, ValueError) as error:  # a date such as 2025-02-30 is the latter
        raise ConfigError(f"{path}: not valid YAML, {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply, expected keys and values") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: found {type(raw).__name__}, expected keys and values")
    return raw


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is stated twice, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(
                    problem=f"found the key {key}, expected a word",
                    problem_mark=key_node.start_mark,
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key}' is stated twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = nearest(path.name, beside)
        raise ConfigError(f"{path}: cannot be read ({error.strerror}){hint}") from error


def _causes(error: ValidationError) -> Iterator[Mapping[str, Any]]:
    """Its faults, without lists that are too short only because their items are faulty."""
    errors = error.errors()
    for told in errors:
        inside = [
            e for e in errors if e["loc"][: len(told["loc"])] == told["loc"] and e is not told
        ]
        if not (told["type"] == "too_short" and inside):
            yield dict(told)


def _faults(told: Mapping[str, Any]) -> Iterator[str]:
    """One line a fault: where it is, and what is wrong there."""
    place = _place(told["loc"])
    if told["type"] == "extra_forbidden":
        known = _keys_at(told["loc"][:-1])
        yield f"{place}: unknown key{nearest(str(told['loc'][-1]), known)}"
    elif told["type"] == "missing":
        yield f"{place}: required and missing"
    else:
        for line in str(told["msg"]).removeprefix("Value error, ").split("\n"):
            yield f"{place}: {line}" if place else line


def _place(loc: tuple[str | int, ...]) -> str:
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in loc if p != "[key]")
    return text.removeprefix(".")


def _keys_at(loc: tuple[str | int, ...]) -> list[str]:
    """Keys that the model at this place of a panel knows."""
    found: type[BaseModel] | None = Panel
    for step in loc:
        if found is not None and isinstance(step, str):
            named = {f.alias or name: f.annotation for name, f in found.model_fields.items()}
            found = _model(named[step]) if step in named else found  # else: a key of a mapping
    return [] if found is None else [f.alias or n for n, f in found.model_fields.items()]


def _model(annotation: object) -> type[BaseModel] | None:
    """The model inside ``tuple[Model, ...]``, ``Model | None`` or ``Mapping[str, Model]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [found for arg in get_args(annotation) if (found := _model(arg)) is not None]
    return inner[-1] if inner else None
