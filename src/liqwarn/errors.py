"""Everything liqwarn raises on purpose.

::

    LiqwarnError
    ├── ConfigError       a panel, policy or settings file asks for something impossible
    │   └── LockHeldError     another process does the same just now
    ├── DataError         a provider file says something impossible
    │   └── ConflictError the same cell was given two different values
    ├── StoreError        the store on disk is damaged or not ours
    ├── SourceError       a provider's server cannot be used
    │   ├── BusyError         it did not give a file however often it was asked
    │   └── RefusedError      it refuses this one question; others it may answer
    ├── FrameError        arrays whose axes, units or order do not fit together
    ├── ModelError        a model, calibrator or evaluation that cannot be used
    │   └── OutdatedModelError  its files are of an earlier version's format
    ├── PolicyError       a policy or a transition the circuit breaker must refuse
    └── AuditError        an audit log that was edited, cut or cannot be replayed

A message says what, what was found and what was expected, and names file, row and field where
there are any: ``field 'close' has shape (3, 10), expected (3, 12)``.
"""

__all__ = [
    "AuditError",
    "BusyError",
    "ConfigError",
    "ConflictError",
    "DataError",
    "FrameError",
    "LiqwarnError",
    "LockHeldError",
    "ModelError",
    "OutdatedModelError",
    "PolicyError",
    "RefusedError",
    "SourceError",
    "StoreError",
]


class LiqwarnError(Exception):
    """The root: ``except LiqwarnError`` catches what liqwarn raises on purpose and no bug."""


class ConfigError(LiqwarnError):
    """A configuration file asks for something impossible; every fault is named at once."""


class LockHeldError(ConfigError):
    """Another process does the same just now; the same call may succeed later."""


class DataError(LiqwarnError):
    """A provider file says something impossible."""


class ConflictError(DataError):
    """The same symbol, time and field was given two different values."""


class StoreError(LiqwarnError):
    """The store on disk is damaged, incomplete or was not written by liqwarn."""


class SourceError(LiqwarnError):
    """A provider's server refuses, is not there, or answers what it should not."""


class BusyError(SourceError):
    """A provider's server did not give a file however often it was asked."""


class RefusedError(SourceError):
    """A provider's server refuses one question, such as a name or a metric; others may come."""


class FrameError(LiqwarnError):
    """Arrays whose axes, units or order do not fit together."""


class ModelError(LiqwarnError):
    """A model, calibrator or evaluation that cannot be used."""


class OutdatedModelError(ModelError):
    """A model of an earlier version's format: it can score no more and must be trained again."""


class PolicyError(LiqwarnError):
    """A policy file or a transition that the circuit breaker must refuse."""


class AuditError(LiqwarnError):
    """An audit log that was edited, cut short or cannot be replayed."""
