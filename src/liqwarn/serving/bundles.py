"""The bundle in use, swapped while requests run.

A request takes one reference with :meth:`BundleHolder.current` and uses nothing else, so that its
whole answer comes from one bundle whatever is swapped meanwhile. A bundle gets there by an offer:
verified, loaded by a canary, loaded here, asked its probes again. Whatever fails, the old one
keeps serving and the refusal is remembered.
"""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from liqwarn.config import policy_of
from liqwarn.decisions import iso_utc
from liqwarn.errors import ConfigError, ModelError
from liqwarn.models.bundle import POLICY, Bundle, bundle_of
from liqwarn.models.bundle_tree import MOST_FILES
from liqwarn.models.signed_bundle import BundleId, VerifiedBundle, read_bundle, read_unsigned
from liqwarn.policy.tiers import Policy
from liqwarn.serving.canary import CanaryLimits, canary
from liqwarn.serving.clock import Clock
from liqwarn.signing import VerifyKey

__all__ = ["BundleHolder", "LoadedBundle", "Verdict"]

_REMEMBERED: Final = 64
_State = tuple[tuple[str, int, int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedBundle:
    """A bundle that may be scored with; never changes.

    Attributes
    ----------
    id : BundleId
    bundle : Bundle
    policy : Policy or None
        The one it was released with.
    """

    id: BundleId
    bundle: Bundle
    policy: Policy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of an offer.

    Attributes
    ----------
    folder : str
    accepted : bool
    reason : str
        Why not; of an accepted one what was done.
    id : BundleId or None
        None when it could not even be verified.
    at : datetime
    took_s : float
    """

    folder: str
    accepted: bool
    reason: str
    id: BundleId | None
    at: datetime
    took_s: float

    def to_dict(self) -> dict[str, object]:
        """The same as plain data, for logs and ``/readyz``."""
        return asdict(self) | {"at": iso_utc(self.at)}


class BundleHolder:
    """Holds the bundle in use.

    Parameters
    ----------
    keys : sequence of VerifyKey
        Whose signature is trusted.
    clock : Clock
    unsigned : bool
        Take bundles that nobody signed: only where a human said so.
    check : callable
        The canary: what is wrong with a verified bundle, or None. By default the real one, which
        gives way to this process unless it waits for its first bundle.
    fits : callable
        What keeps a loaded bundle from being used here, or None: unknown features, say.

    Raises
    ------
    ConfigError
        Without any key, unless `unsigned`.
    """

    def __init__(
        self,
        keys: Sequence[VerifyKey],
        *,
        clock: Clock,
        unsigned: bool = False,
        check: Callable[[VerifiedBundle], str | None] | None = None,
        fits: Callable[[LoadedBundle], str | None] = lambda _: None,
    ) -> None:
        if not keys and not unsigned:
            raise ConfigError("no key to verify bundles with, and unsigned ones were not allowed")
        self._keys = tuple(keys)
        self._clock = clock
        self._unsigned = unsigned
        self._check = check or self._tried
        self._fits = fits
        self._offering = threading.Lock()
        self._current: LoadedBundle | None = None
        self._home: Path | None = None  # whence it came, whatever was found there since
        self._judged: dict[str, tuple[_State, Verdict]] = {}

    def current(self) -> LoadedBundle:
        """The bundle in use: take it once a request.

        Raises
        ------
        ModelError
            While there is none.
        """
        found = self._current  # one read of one reference, which no swap can tear
        if found is None:
            raise ModelError("no bundle is loaded yet")
        return found

    def verdicts(self) -> tuple[Verdict, ...]:
        """What came of the last offers, the oldest first."""
        return tuple(verdict for _, verdict in list(self._judged.values()))

    def fault(self) -> str | None:
        """What is wrong with the files of the bundle in use, read again; None when nothing is.

        Files that are gone, or that are another whole bundle by now, are none of its own.
        """
        folder = self._home
        if folder is None:
            return None
        try:
            _ = read_unsigned(folder) if self._unsigned else read_bundle(folder, self._keys)
        except (ModelError, OSError) as error:
            return None if _unreadable(error) or _is_gone(folder) else str(error)
        return None

    def offer(self, folder: Path, *, again: bool = False) -> Verdict:
        """Use the bundle in a folder if it is good; the old one serves until then, and if not.

        Parameters
        ----------
        again : bool
            Judge it even though the same folder was refused before and has not changed.

        Returns
        -------
        Verdict
            The very one of before, if the folder was judged before and nothing changed since.
        """
        with self._offering:
            state = _state(folder)
            known = self._judged.get(str(folder))
            if known is not None and known[0] == state and not again and self._stands(known[1]):
                return known[1]
            verdict = self._judge(folder)
            self._judged.pop(str(folder), None)
            self._judged[str(folder)] = (state, verdict)
            while len(self._judged) > _REMEMBERED:
                del self._judged[next(iter(self._judged))]
            return verdict

    def _stands(self, verdict: Verdict) -> bool:
        """A refusal does; an acceptance only while its bundle is in use."""
        return not verdict.accepted or (
            self._current is not None and self._current.id == verdict.id
        )

    def _judge(self, folder: Path) -> Verdict:
        began, at = self._clock.monotonic(), self._clock.wall()
        seen: BundleId | None = None
        try:
            verified = read_unsigned(folder) if self._unsigned else read_bundle(folder, self._keys)
            seen = verified.id
            why = self._taken(verified)
            self._home = folder if why is None else self._home
        except Exception as error:  # whatever a bundle breaks, the old one serves on
            known = isinstance(error, (ModelError, ConfigError))
            why = str(error) if known else f"{type(error).__name__}: {error}"
        return Verdict(
            folder=str(folder),
            accepted=why is None,
            reason="in use" if why is None else why,
            id=seen,
            at=at,
            took_s=self._clock.monotonic() - began,
        )

    def _tried(self, verified: VerifiedBundle) -> str | None:
        waiting = self._current is None
        return canary(verified, CanaryLimits(nice=0) if waiting else CanaryLimits())

    def _taken(self, verified: VerifiedBundle) -> str | None:
        """None once the bundle is in use, else why it is not."""
        if self._current is not None and self._current.id == verified.id:
            return None
        why = self._check(verified)
        if why is not None:
            return why
        bundle = bundle_of(verified.files, version=verified.id.version)
        why = None if bundle.probes is None else bundle.probes.fault(bundle.model)
        if why is not None:
            return f"loaded here it answers otherwise: {why}"
        policy = verified.files.get(POLICY)
        loaded = LoadedBundle(
            id=verified.id,
            bundle=bundle,
            policy=None if policy is None else policy_of(policy, Path(POLICY)),
        )
        why = self._fits(loaded)
        if why is None:
            self._current = loaded
        return why


def _unreadable(error: BaseException) -> bool:
    """Whether the disk, not the content, is at fault."""
    return isinstance(error, OSError) or isinstance(error.__cause__, OSError)


def _is_gone(folder: Path) -> bool:
    """Whether nothing is there: a share that is not mounted is an empty folder."""
    try:
        return not any(folder.iterdir())
    except OSError:
        return True


def _state(folder: Path) -> _State:
    """What changes when anything in a folder does; cheap, and never reads a file."""
    found: list[tuple[str, int, int, int, int]] = []
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(above, name)
            try:
                told = path.lstat()
            except OSError:
                continue
            found.append((str(path), told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns))
        if len(found) > MOST_FILES:
            break
    return tuple(sorted(found))
