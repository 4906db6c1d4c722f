"""Open a gate from one line of a bot's configuration."""

from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from liqwarn.board import BoardReader
from liqwarn.client.board_source import BoardSource
from liqwarn.client.file_fetch import FileFetch
from liqwarn.client.gate import Gate
from liqwarn.client.polled import PolledSource
from liqwarn.errors import ConfigError

if TYPE_CHECKING:
    from ssl import SSLContext

    from liqwarn.client.polled import Fetch
    from liqwarn.signing import VerifyKey

__all__ = ["open_gate"]


def open_gate(
    source: str,
    *,
    keys: Path | None = None,
    api_key: str | None = None,
    tls: "SSLContext | None" = None,
    max_wait_s: float = 0.005,
    max_silence_s: float = 15.0,
) -> Gate:
    """A gate over a board, a server or a file of flags. None of them needs to be there yet.

    Parameters
    ----------
    source : str
        ``board:PATH``, ``http://HOST:PORT``, ``https://HOST`` or ``file:PATH``.
    keys : Path or None
        Public keys, a PEM file or a folder of them; when given, every flag must be signed.
    api_key : str or None
        For a server that asks for one.
    tls : SSLContext or None
        For ``https`` with an authority or a client certificate of one's own.
    max_wait_s : float
        Longest that a call waits: for a write to end (board), for the first answer (others).
    max_silence_s : float
        Without a sign of life for longer, everything is denied: the heartbeat of a board's writer,
        or a good answer of the server or file, which are asked twice a second.

    Raises
    ------
    ConfigError
        When `source` is none of these, `keys` holds no public key, or an API key would travel
        unencrypted to another machine.

    Examples
    --------
    >>> with open_gate("board:no_such.board") as gate:
    ...     decision = gate("BTCUSDT", "long")
    >>> decision.new_risk, decision.state, decision.reason
    (False, 'REDUCING', 'missing: no_such.board: No such file or directory')
    """
    scheme, _, rest = source.partition(":")
    if scheme not in ("board", "file", "http", "https") or not rest.strip("/"):
        raise ConfigError(
            f"source is {source!r}, expected board:PATH, file:PATH, http://HOST:PORT or https://HOST"
        )
    if api_key is not None and scheme not in ("http", "https"):
        raise ConfigError(f"api_key is given for {source!r}, expected for a server alone")
    trusted = _trusted(keys)
    if scheme == "board":
        reader = BoardReader(
            Path(rest),
            keys=trusted,
            max_silence_s=max_silence_s,
            max_wait_s=max_wait_s,
        )
        return Gate(BoardSource(reader), source)
    fetch = FileFetch(Path(rest)) if scheme == "file" else _http(source, api_key, tls)
    polled = PolledSource(fetch, keys=trusted, max_silence_s=max_silence_s, max_wait_s=max_wait_s)
    return Gate(polled, fetch.name)


def _trusted(keys: Path | None) -> "tuple[VerifyKey, ...]":
    if keys is None:
        return ()
    from liqwarn.signing import load_verify_keys  # noqa: PLC0415  heavy, needed with keys alone

    return load_verify_keys(keys)


def _http(source: str, api_key: str | None, tls: "SSLContext | None") -> "Fetch":
    from liqwarn.client.http_fetch import HttpFetch  # noqa: PLC0415  brings TLS along

    url = _url(source)
    if api_key is not None and url.scheme == "http" and not _is_loopback(url.hostname or ""):
        raise ConfigError(f"api_key for {url.hostname!r} over http, expected https")
    return HttpFetch(url, api_key=api_key, tls=tls)


def _url(source: str) -> SplitResult:
    url = urlsplit(source)
    try:
        named = bool(url.hostname) and url.port != 0
    except ValueError:
        named = False
    if not named or url.username or url.password or url.query or url.fragment:
        raise ConfigError(f"source is {source!r}, expected scheme, host, port and path alone")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
