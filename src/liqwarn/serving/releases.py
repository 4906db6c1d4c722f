"""A folder of released bundles, and a pointer file that names the one to use.

::

    releases/
    ├── current            the name of one folder, replaced atomically
    ├── 4f0c9e…/           a signed bundle, named by its id; never changed, never removed by liqwarn
    └── .lock              held during a release

A release is written beside the others, verified, loaded by the canary, and only then given its name
and pointed at. Killed at any moment it leaves the pointer on a whole bundle, the old or the new.
"""

import fcntl
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from liqwarn.durable import sync_to_disk, write_bytes
from liqwarn.errors import ModelError
from liqwarn.models.signed_bundle import (
    BUNDLE,
    BundleId,
    VerifiedBundle,
    read_bundle,
    read_unsigned,
    sign_bundle,
)
from liqwarn.serving.canary import canary
from liqwarn.signing import SigningKey

__all__ = ["POINTER", "Release", "point", "pointed", "release"]

POINTER: Final = "current"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_INCOMING: Final = ".incoming-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A bundle that is ready to be served.

    Attributes
    ----------
    folder : Path
    id : BundleId
    """

    folder: Path
    id: BundleId


def pointed(releases: Path) -> Path:
    """The folder that the pointer names.

    Raises
    ------
    ModelError
        When there is no pointer, or it names anything but a folder beside it.
    """
    path = releases / POINTER
    try:
        with path.open("rb") as stream:
            name = stream.read(200).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"no release: {path} cannot be read ({error})") from error
    if not _NAME.fullmatch(name):
        raise ModelError(f"{path} names {name!r}, expected the name of a folder beside it")
    return releases / name


def point(releases: Path, name: str) -> None:
    """Name the bundle to use: a release, or an earlier one to go back to.

    Raises
    ------
    ModelError
        When there is no such folder.
    """
    if not _NAME.fullmatch(name) or not (releases / name).is_dir():
        raise ModelError(f"{releases} has no release {name!r}")
    write_bytes(releases / POINTER, f"{name}\n".encode())


def release(
    folder: Path,
    releases: Path,
    key: SigningKey,
    *,
    version: str | None = None,
    policy: bytes | None = None,
    check: Callable[[VerifiedBundle], str | None] = canary,
) -> Release:
    """Copy a bundle, sign the copy, try it, name it, point at it; `folder` is left as it is.

    Parameters
    ----------
    version, policy
        As of :func:`liqwarn.models.signed_bundle.sign_bundle`.
    check : callable
        The canary: what is wrong with a verified bundle, or None.

    Raises
    ------
    ModelError
        When it is no whole bundle or the canary refuses it; nothing was released.
    """
    taken = read_unsigned(folder)
    with _locked(releases):
        _remove_unfinished(releases)
        incoming = Path(mkdtemp(prefix=_INCOMING, dir=releases))
        try:
            for name, content in taken.files.items():
                write_bytes(incoming / name, content)
            chosen = _default_version(folder, taken) if version is None else version
            done = sign_bundle(incoming, key, version=chosen, policy=policy)
            why = check(read_bundle(incoming, (key.public,)))
            if why is not None:
                raise ModelError(f"bundle {folder} was not released: {why}")
            target = releases / done.sha256[:32]
            _put(incoming, target, key)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        point(releases, target.name)
    return Release(folder=target, id=done)


def _default_version(folder: Path, taken: VerifiedBundle) -> str:
    """The version it was signed with before, or the folder's name."""
    return taken.id.version if (folder / BUNDLE).exists() else folder.resolve().name


def _put(incoming: Path, target: Path, key: SigningKey) -> None:
    """Give a finished bundle its name; the same files may be there, signed with another key."""
    if not target.exists():
        incoming.chmod(0o755)  # a temporary folder is its owner's alone; the server may be another
        incoming.rename(target)
        sync_to_disk(target.parent)
        return
    (incoming / BUNDLE).replace(target / BUNDLE)  # no other file ever lies in a release
    sync_to_disk(target)
    try:
        read_bundle(target, (key.public,))
    except ModelError as error:
        raise ModelError(f"release {target} is there already and damaged: {error}") from error


@contextmanager
def _locked(releases: Path) -> Iterator[None]:
    """One release at a time; the lock goes with the process that holds it."""
    releases.mkdir(parents=True, exist_ok=True)
    with (releases / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_unfinished(releases: Path) -> None:
    """What a release that was killed left behind; nobody else is writing now."""
    for left in releases.glob(f"{_INCOMING}*"):
        shutil.rmtree(left)
