"""TLS of the server, and of its clients where it asks for their certificates."""

import ssl
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from liqwarn.errors import ConfigError

__all__ = ["TlsFiles", "tls_options"]

_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Where the server's certificate is.

    Attributes
    ----------
    cert : Path
        PEM: the server's certificate, then those between it and its root.
    key : Path
        PEM: its private key, without a passphrase, for its owner's eyes only.
    client_ca : Path or None
        PEM: the authorities whose clients are let in; None asks clients for no certificate.
    """

    cert: Path
    key: Path
    client_ca: Path | None = None


def tls_options(files: TlsFiles) -> dict[str, Any]:
    """What ``uvicorn.Config`` must be given, once the files are seen to be whole and to fit.

    Raises
    ------
    ConfigError
        When a file is missing or no PEM, others may read the key, it has a passphrase, or it is
        not the certificate's.
    """
    _need_private(files.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(files.cert, files.key, password=_no_passphrase)
    except OSError as error:  # ssl.SSLError is one
        told = getattr(error, "reason", None) or error.strerror
        raise ConfigError(
            f"{files.cert} and {files.key}: {told}, expected a certificate and its key in PEM"
        ) from error
    options: dict[str, Any] = {
        "ssl_certfile": str(files.cert),
        "ssl_keyfile": str(files.key),
        "ssl_context_factory": _at_least_tls_1_2,
    }
    if files.client_ca is not None:
        _need_authorities(context, files.client_ca)
        options |= {"ssl_ca_certs": str(files.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return options


def _at_least_tls_1_2(_config: Any, make: Any) -> ssl.SSLContext:  # noqa: ANN401  uvicorn's own
    context: ssl.SSLContext = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _need_private(key: Path) -> None:
    try:
        mode = stat.S_IMODE(key.stat().st_mode)
    except OSError as error:
        raise ConfigError(f"{key}: cannot be read: {error.strerror}") from error
    if mode & _OTHERS:
        raise ConfigError(f"{key}: mode is {mode:04o}, expected 0600: others may read the key")


def _need_authorities(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except OSError as error:
        told = getattr(error, "reason", None) or error.strerror
        raise ConfigError(f"{path}: {told}, expected certificates of authorities in PEM") from error
    if not context.get_ca_certs():
        raise ConfigError(f"{path}: holds no authority, expected a CA certificate in PEM")


def _no_passphrase() -> str:
    # without it OpenSSL would ask on the terminal, and a service would wait for ever
    raise ConfigError("the TLS key has a passphrase, expected one without")
