"""A version of the registry is released to the servers: after a move by hand, or a retraining."""

from pathlib import Path
from tempfile import TemporaryDirectory

from liqwarn.config import policy_of
from liqwarn.models.registry import Registry

__all__ = ["release_champion"]


def release_champion(releases: Path, key: Path, registry: Registry, what: tuple[str, Path]) -> Path:
    """Copy a version's bundle, sign it, have the canary try it, and point at it.

    The same version with the same policy is the same release, and nothing is written twice.

    Parameters
    ----------
    releases : Path
        The folder servers watch.
    key : Path
        Private key (PEM).
    what : tuple of str and Path
        Version, and the policy file it is released with.

    Returns
    -------
    Path
        The folder of the release.

    Raises
    ------
    ModelError
        When the registry has no such bundle, or the canary refuses it; nothing was released.
    ConfigError
        When key or policy cannot be used.
    """
    from liqwarn.serving.releases import release  # noqa: PLC0415  only a release needs it
    from liqwarn.signing import load_signing_key  # noqa: PLC0415  likewise

    version, policy = what
    content = policy.read_bytes()
    policy_of(content, policy)
    with TemporaryDirectory() as scratch:
        bundle = registry.fetch(version, Path(scratch))
        signer = load_signing_key(key)
        return release(bundle, releases, signer, version=version, policy=content).folder
