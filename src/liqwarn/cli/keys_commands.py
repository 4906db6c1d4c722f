"""liqwarn keys: make, list, disable and rotate the API keys of a server."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit
from liqwarn.cli.options import Options, command
from liqwarn.config import load_settings
from liqwarn.data.mapping import parse_duration
from liqwarn.decisions import iso_utc
from liqwarn.errors import ConfigError
from liqwarn.serving.key_file import change_keys, read_keys
from liqwarn.serving.keys import SCOPE_NAMES, ApiKey, KeySet, new_key, rotated

__all__: list[str] = []

_LONGEST: Final = timedelta(days=3650)

keys = typer.Typer(
    help="Make, list, disable and rotate the API keys of a server.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(keys, name="keys")

KeyId = Annotated[str, typer.Argument(help="Id of the key, as liqwarn keys list shows it.")]


@dataclass(frozen=True, kw_only=True)
class KeysOptions(Options):
    """What every command over keys takes."""

    file: Annotated[
        Path | None, typer.Option(help="File of keys [default: $LIQWARN_HOME/keys/keys.json].")
    ] = None

    @property
    def path(self) -> Path:
        """The file of keys."""
        return self.file or load_settings().home / "keys" / "keys.json"


@dataclass(frozen=True, kw_only=True)
class AddOptions(KeysOptions):
    """Options of ``liqwarn keys add``."""

    name: Annotated[str, typer.Option(help="Who holds it.")]
    scope: Annotated[
        list[str], typer.Option(help=f"What it opens: {', '.join(SCOPE_NAMES)}; may be repeated.")
    ]
    expires: Annotated[
        str | None, typer.Option(help="How long it is good, such as 90d [default: until disabled].")
    ] = None


@command(keys, "add", AddOptions, example="liqwarn keys add --name desk --scope read --expires 90d")
def add(options: AddOptions) -> None:
    """Make a key and show its token, this once."""
    now = datetime.now(UTC)
    end = None if options.expires is None else now + _duration(options.expires)

    def change(before: KeySet) -> tuple[KeySet, tuple[ApiKey, str]]:
        made = new_key(options.name, options.scope, now=now, expires_at=end)
        return KeySet([*before.keys.values(), made[0]]), made

    key, token = change_keys(options.path, change)
    text = f"{token}\nkey {key.id} of {key.name}; the token is kept nowhere and not shown again"
    emit({**_shown(key, now), "token": token}, as_json=options.json, text=text)


@command(keys, "list", KeysOptions, example="liqwarn keys list")
def list_keys(options: KeysOptions) -> None:
    """Show every key, and no secret."""
    now = datetime.now(UTC)
    shown = [_shown(key, now) for key in read_keys(options.path).keys.values()]
    rows = [f"{k['id']}  {k['state']:9} {','.join(k['scopes']):12} {k['name']}" for k in shown]
    emit({"keys": shown}, as_json=options.json, text="\n".join(rows) or "no keys")


@dataclass(frozen=True, kw_only=True)
class DisableOptions(KeysOptions):
    """Options of ``liqwarn keys disable``."""

    id: KeyId


@command(keys, "disable", DisableOptions, example="liqwarn keys disable 0123456789ab")
def disable(options: DisableOptions) -> None:
    """Shut a key out, from the next request on and out of its open streams."""
    now = datetime.now(UTC)

    def change(key: ApiKey) -> tuple[ApiKey, ApiKey]:
        after = replace(key, disabled_at=key.disabled_at or now)
        return after, after

    key = _change_one(options.path, options.id, change)
    emit(_shown(key, now), as_json=options.json, text=f"key {key.id} of {key.name} is disabled")


@dataclass(frozen=True, kw_only=True)
class RotateOptions(KeysOptions):
    """Options of ``liqwarn keys rotate``."""

    id: KeyId
    grace: Annotated[str, typer.Option(help="How long the old token stays good.")] = "24h"


@command(keys, "rotate", RotateOptions, example="liqwarn keys rotate 0123456789ab --grace 24h")
def rotate(options: RotateOptions) -> None:
    """Give a key a new token, good at once, and show it; the old one ends after the grace."""
    now = datetime.now(UTC)
    until = now + _duration(options.grace)

    def change(key: ApiKey) -> tuple[ApiKey, tuple[ApiKey, str]]:
        made = rotated(key, now=now, until=until)
        return made[0], made

    key, token = _change_one(options.path, options.id, change)
    text = f"{token}\nkey {key.id} of {key.name}; its old token is good until {iso_utc(until)}"
    shown = {**_shown(key, now), "token": token, "old_until": iso_utc(until)}
    emit(shown, as_json=options.json, text=text)


def _change_one(path: Path, key_id: str, change: Callable[[ApiKey], tuple[ApiKey, Any]]) -> Any:  # noqa: ANN401
    def change_set(before: KeySet) -> tuple[KeySet, Any]:
        key = before.keys.get(key_id)
        if key is None:
            raise ConfigError(f"{path}: no key {key_id!r}, expected one liqwarn keys list shows")
        after, given = change(key)
        return KeySet({**before.keys, key_id: after}.values()), given

    if not path.exists():
        raise ConfigError(f"{path}: missing; liqwarn keys add makes it")
    return change_keys(path, change_set)


def _shown(key: ApiKey, now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "state": key.refusal(now) or "in use",
        "scopes": [scope for scope in SCOPE_NAMES if scope in key.scopes],
        "created_at": iso_utc(key.created_at),
        "expires_at": None if key.expires_at is None else iso_utc(key.expires_at),
        "tokens": sum(s.valid_until is None or s.valid_until > now for s in key.secrets),
    }


def _duration(text: str) -> timedelta:
    try:
        found = parse_duration(text)
    except (OverflowError, ValueError) as error:
        raise ConfigError(str(error)) from error
    if found > _LONGEST:
        raise ConfigError(f"duration is {text!r}, expected at most {_LONGEST.days}d")
    return found
