"""liqwarn bundle: make keys, sign a model bundle, verify one, release one, point at another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit
from liqwarn.cli.options import DEFAULT_POLICY, Options, command
from liqwarn.config import policy_of
from liqwarn.errors import ModelError
from liqwarn.models.signed_bundle import BundleId, read_bundle, sign_bundle, verify_bundle
from liqwarn.serving.canary import canary
from liqwarn.serving.releases import point, release
from liqwarn.signing import (
    generate_key,
    load_signing_key,
    load_verify_keys,
    save_signing_key,
    save_verify_key,
)

__all__: list[str] = []

bundles = typer.Typer(
    help="Sign, verify and release model bundles.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(bundles, name="bundle")

Folder = Annotated[Path, typer.Argument(help="Folder of a model bundle.")]
Key = Annotated[Path, typer.Option(help="Private key to sign with (PEM, mode 0600).")]


@dataclass(frozen=True, kw_only=True)
class KeygenOptions(Options):
    """Options of ``liqwarn bundle keygen``."""

    out: Annotated[Path, typer.Option(help="Folder for signing.key and a public .pem.")]


@command(bundles, "keygen", KeygenOptions, example="liqwarn bundle keygen --out keys")
def keygen(options: KeygenOptions) -> None:
    """Make a pair of keys: signing.key stays with who releases, the .pem goes to the servers."""
    key = generate_key()
    private, public = options.out / "signing.key", options.out / f"verify-{key.key_id}.pem"
    save_signing_key(key, private)
    save_verify_key(key.public, public)
    emit(
        {"key": key.key_id, "private": str(private), "public": str(public)},
        as_json=options.json,
        text=f"key {key.key_id}: keep {private} secret, give {public} to the servers",
    )


@dataclass(frozen=True, kw_only=True)
class SignOptions(Options):
    """Options of ``liqwarn bundle sign``."""

    folder: Folder
    key: Key
    version: Annotated[
        str | None, typer.Option(help="What flags call this model [default: the folder's name].")
    ] = None
    policy: Annotated[Path, typer.Option(help="Policy file (YAML) to release it with.")] = (
        DEFAULT_POLICY
    )


@command(bundles, "sign", SignOptions, example="liqwarn bundle sign runs/model --key signing.key")
def sign(options: SignOptions) -> None:
    """Put the policy into a bundle and sign every byte of it, in place."""
    key = load_signing_key(options.key)
    version = options.version or options.folder.resolve().name
    done = sign_bundle(options.folder, key, version=version, policy=_policy(options.policy))
    _tell(options, done, f"signed {options.folder}")


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(Options):
    """Options of ``liqwarn bundle verify``."""

    folder: Folder
    keys: Annotated[Path, typer.Option(help="Public key, or folder of them (*.pem).")]
    canary: Annotated[
        bool, typer.Option("--canary", help="Load it in a child process and score its probes.")
    ] = False


@command(bundles, "verify", VerifyOptions, example="liqwarn bundle verify runs/model --keys keys")
def verify(options: VerifyOptions) -> None:
    """Check that every byte of a bundle is signed by a trusted key."""
    verified = read_bundle(options.folder, load_verify_keys(options.keys))
    why = canary(verified) if options.canary else None
    if why is not None:
        raise ModelError(f"bundle {options.folder}: {why}")
    _tell(options, verified.id, f"{options.folder} is whole and trusted")


@dataclass(frozen=True, kw_only=True)
class ReleaseOptions(SignOptions):
    """Options of ``liqwarn bundle release``."""

    to: Annotated[Path, typer.Option(help="Folder of releases that servers watch.")]


@command(
    bundles,
    "release",
    ReleaseOptions,
    example="liqwarn bundle release runs/model --to releases --key signing.key",
)
def release_command(options: ReleaseOptions) -> None:
    """Copy a bundle to the releases, sign the copy, try it in a child process, point at it."""
    key = load_signing_key(options.key)
    policy = _policy(options.policy)
    done = release(options.folder, options.to, key, version=options.version, policy=policy)
    _tell(options, done.id, f"released {done.folder}", folder=str(done.folder))


@dataclass(frozen=True, kw_only=True)
class PointOptions(Options):
    """Options of ``liqwarn bundle point``."""

    name: Annotated[str, typer.Argument(help="Name of a release: its folder among the releases.")]
    to: Annotated[Path, typer.Option(help="Folder of releases that servers watch.")]
    keys: Annotated[Path, typer.Option(help="Public key, or folder of them (*.pem).")]


@command(
    bundles,
    "point",
    PointOptions,
    example="liqwarn bundle point 4f0c9e --to releases --keys keys",
)
def point_command(options: PointOptions) -> None:
    """Point at a release that is there, to go back to it or to have it judged again."""
    done = verify_bundle(options.to / options.name, load_verify_keys(options.keys))
    point(options.to, options.name)
    _tell(options, done, f"{options.to} points at {options.name}")


def _policy(path: Path) -> bytes:
    """The bytes of a policy file that can be served with."""
    content = path.read_bytes()
    policy_of(content, path)
    return content


def _tell(options: Options, done: BundleId, what: str, **more: str) -> None:
    emit(
        done.to_dict() | more,
        as_json=options.json,
        text=f"{what}: version {done.version}, {done.files} files, {done.size:,} bytes, "
        f"key {done.key}, SHA-256 {done.sha256}",
    )
