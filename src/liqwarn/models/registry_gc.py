"""Cleaning a registry up: old versions and runs, with their files.

What is champion, challenger or previous champion stays, whatever its age: every version with an
alias does. The order of deletions makes a kill harmless. The version goes first, so nothing in the
registry points at files that are gone; then the files; then the rows that know where the files
were. What a kill leaves is a run without a version, which the next clean-up finds again.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from liqwarn.errors import ConfigError
from liqwarn.models.registry import Registry
from liqwarn.models.registry_trees import RunTree, drop_tree, run_trees

__all__ = ["CleanUp", "CleanUpOrder", "clean_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanUpOrder:
    """What may go.

    Attributes
    ----------
    older_than : timedelta
        Nothing younger goes.
    keep : int
        Newest versions that stay, and newest runs that made none.
    dry_run : bool
        Tell only.
    """

    older_than: timedelta
    keep: int
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.older_than < timedelta(0) or self.keep < 0:
            raise ConfigError(
                f"clean-up of what is older than {self.older_than} beyond the newest {self.keep}: "
                "expected no negative number"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanUp:
    """What went, or would go.

    Attributes
    ----------
    versions : tuple of str
    kept : tuple of str
    runs : int
        With nested ones.
    size : int
        Bytes of their files.
    dry_run : bool
    """

    versions: tuple[str, ...]
    kept: tuple[str, ...]
    runs: int
    size: int
    dry_run: bool

    def to_dict(self) -> dict[str, object]:
        """The same as plain data, for ``--json``."""
        return asdict(self)

    def to_text(self) -> str:
        """The same in a line."""
        verb = "would delete" if self.dry_run else "deleted"
        names = f" ({', '.join(self.versions)})" if self.versions else ""
        return (
            f"{verb} {len(self.versions)} versions{names} and {self.runs} runs, "
            f"{self.size:,} bytes; {len(self.kept)} versions stay"
        )


def clean_up(
    registry: Registry,
    order: CleanUpOrder,
    *,
    now: datetime,
    spared: Callable[[], frozenset[str]] = frozenset,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> CleanUp:
    """Delete what the order lets go, oldest first; returns what went.

    Nobody registers, promotes or retrains meanwhile, so a version cannot become champion under its
    deletion, nor be deleted between its registration and its move.

    Parameters
    ----------
    spared : callable
        Further versions that stay, asked once nobody can change them.

    Raises
    ------
    ConfigError
        While the model is being retrained.
    """
    with (
        registry.retraining(),
        registry.changing() as check,
        registry.store.opened() as mlflow,
    ):
        client = mlflow.MlflowClient()
        held = registry.versions(mlflow)
        until_ms = int((now - order.older_than).timestamp() * 1000)
        numbers = _in_use(registry, client, held, order.keep) | spared()
        going = [
            v for v in held if str(v.version) not in numbers and v.creation_timestamp < until_ms
        ]
        stay = [version for version in held if version not in going]
        known = client.get_experiment_by_name(registry.name)
        trees = [] if known is None else run_trees(client, known.experiment_id)
        old = _old_runs(trees, going, stay, order.keep, until_ms)
        size = 0
        for k, tree in enumerate(old):
            _tell(on_progress, k, len(old))
            check()
            if not order.dry_run:
                for version in (v for v in going if v.run_id == tree.run):
                    client.delete_model_version(registry.name, version.version)
            size += drop_tree(mlflow, tree, dry_run=order.dry_run)
        _tell(on_progress, len(old), len(old))
    return CleanUp(
        versions=tuple(str(version.version) for version in going),
        kept=tuple(str(version.version) for version in stay),
        runs=sum(1 + len(tree.children) for tree in old),
        size=size,
        dry_run=order.dry_run,
    )


def _tell(on_progress: Callable[[str, int, int], None] | None, done: int, total: int) -> None:
    if on_progress is not None:
        on_progress("clean up", done, total)


def _in_use(
    registry: Registry,
    client: Any,  # noqa: ANN401  MLflow is imported late
    held: list[Any],
    keep: int,
) -> frozenset[str]:
    """Versions with an alias, and the newest ones."""
    aliases = client.get_registered_model(registry.name).aliases if held else {}
    newest = held[max(0, len(held) - keep) :]
    return frozenset(map(str, aliases.values())) | {str(one.version) for one in newest}


def _old_runs(
    trees: list[RunTree], going: list[Any], stay: list[Any], keep: int, until_ms: int
) -> list[RunTree]:
    """Runs of the versions that go, and old runs that made no version, the oldest first."""
    with_version = {version.run_id for version in (*going, *stay)}
    without = [tree for tree in trees if tree.run not in with_version]
    mine = {version.run_id for version in going} - {version.run_id for version in stay}
    old = {tree.run for tree in without[: max(0, len(without) - keep)] if tree.started < until_ms}
    return [tree for tree in trees if tree.run in mine | old]
