"""Where to listen: on this machine alone, unless callers have keys and the way is sealed."""

from ipaddress import ip_address

from liqwarn.errors import ConfigError

__all__ = ["check_bind", "is_loopback"]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`.

    A name other than ``localhost`` counts as public: what it means may change.

    Examples
    --------
    >>> is_loopback("::1"), is_loopback("0.0.0.0")
    (True, False)
    """
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def check_bind(
    host: str, port: int, *, auth: bool, tls: bool, behind_tls_proxy: bool = False
) -> None:
    """Refuse an address where a flag or a token could be read or forged on the way.

    Parameters
    ----------
    host, port
        Where to listen. Port 0 lets the system choose.
    auth : bool
        Whether every request but the health check needs an API key.
    tls : bool
        Whether the server itself speaks TLS.
    behind_tls_proxy : bool
        Whether whoever starts it says that a proxy in front does.

    Raises
    ------
    ConfigError
        For a port that is none, and for a public address without keys, or without TLS.

    Examples
    --------
    >>> check_bind("127.0.0.1", 8000, auth=False, tls=False)
    >>> check_bind("0.0.0.0", 8000, auth=False, tls=True)
    Traceback (most recent call last):
        ...
    liqwarn.errors.ConfigError: host is '0.0.0.0', which other machines reach: expected API keys
    (--keys FILE), or a loopback address such as 127.0.0.1
    """
    if not 0 <= port <= 65535:
        raise ConfigError(f"port is {port}, expected 0 to 65535")
    if is_loopback(host):
        return
    missing = [] if auth else ["API keys (--keys FILE)"]
    if not (tls or behind_tls_proxy):
        missing.append("TLS (--tls-cert and --tls-key, or --behind-tls-proxy)")
    if missing:
        raise ConfigError(
            f"host is {host!r}, which other machines reach: expected {' and '.join(missing)}, "
            "or a loopback address such as 127.0.0.1"
        )
