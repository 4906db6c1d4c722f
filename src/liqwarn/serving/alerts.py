"""Alerts by mail, chat, phone: whatever apprise knows. The only module that talks to it."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liqwarn import __version__
from liqwarn.errors import ConfigError
from liqwarn.serving.alert_events import Alert

if TYPE_CHECKING:
    from liqwarn.serving.alert_sink import Notify

__all__ = ["open_notifier", "read_addresses"]

_KINDS: Final = {"info": "info", "warning": "warning", "failure": "failure"}


def read_addresses(path: Path) -> tuple[str, ...]:
    """The addresses of a file, one a line; empty lines and those that begin with # are left out.

    Raises
    ------
    ConfigError
        When it cannot be read, others may read it, or it holds none.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        lines = [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {type(error).__name__}") from error
    if mode & 0o077:
        raise ConfigError(f"{path}: mode is {mode:04o}, expected 0600: the addresses are secrets")
    found = tuple(line for line in lines if line and not line.startswith("#"))
    if not found:
        raise ConfigError(f"{path}: no address, expected one a line such as mailto://…")
    return found


def open_notifier(urls: Sequence[str]) -> "Notify":
    """A way to people by apprise's addresses, such as ``mailto://`` or ``slack://``.

    Parameters
    ----------
    urls : sequence of str
        They hold passwords: they are never logged, and no message names one. ``file:PATH`` stands
        for those of a file; what is on a command line other users can read.

    Raises
    ------
    ConfigError
        When apprise is not installed, or an address is none of its.
    """
    try:
        import apprise  # noqa: PLC0415  an extra that nothing else needs
    except ImportError as error:
        raise ConfigError(
            "alerts need the package apprise, which is not installed: expected liqwarn[alerts]"
        ) from error
    asset = apprise.AppriseAsset(
        app_id="liqwarn", app_desc="liqwarn", app_url="", secure_logging=True, async_mode=False
    )
    carrier = apprise.Apprise(asset=asset)
    addresses = [address for url in urls for address in _spread(url)]
    for number, url in enumerate(addresses, start=1):
        if not carrier.add(url):
            scheme = url.partition("://")[0] if "://" in url else "none"
            raise ConfigError(
                f"alert address {number} of {len(addresses)}: not understood, its scheme is "
                f"{scheme!r}; expected one that apprise knows, such as mailto:// or json://"
            )

    def notify(alert: Alert) -> bool:
        sent = carrier.notify(
            title=f"liqwarn: {alert.title}",
            body=f"{alert.text}\nliqwarn {__version__}",
            notify_type=_KINDS[alert.severity],
        )
        return bool(sent)

    return notify


def _spread(url: str) -> tuple[str, ...]:
    path = url.removeprefix("file:")
    return (url,) if path == url else read_addresses(Path(path))
