"""Runs with their nested runs, and deleting one with its files.

Nothing here imports MLflow; it is handed in by :mod:`liqwarn.models.registry_store`.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlparse

from liqwarn.models.registry_runs import PARENT, RUN_KEY, RunRecord

__all__ = ["RunTree", "drop_tree", "drop_trees", "run_trees", "runs_of_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTree:
    """A run that is in no other, and the runs in it.

    Attributes
    ----------
    run : str
        Id.
    experiment : str
    started : int
        Milliseconds since 1970.
    children : tuple of str
        Ids, the oldest first.
    finished : bool
        Whether the run was ended, and well.
    """

    run: str
    experiment: str
    started: int
    children: tuple[str, ...]
    finished: bool


def run_trees(client: Any, experiment: str) -> list[RunTree]:  # noqa: ANN401  MLflow comes late
    """Every run of an experiment, the oldest first; a nested run whose parent is gone is a tree."""
    found = _runs(client, experiment, "")
    ids = {run.info.run_id for run in found}
    inside: dict[str, list[str]] = {}
    for run in found:
        inside.setdefault(run.data.tags.get(PARENT, ""), []).append(run.info.run_id)
    return [
        RunTree(
            run=run.info.run_id,
            experiment=experiment,
            started=int(run.info.start_time or 0),
            children=tuple(inside.get(run.info.run_id, ())),
            finished=run.info.status == "FINISHED",
        )
        for run in found
        if run.data.tags.get(PARENT) not in ids
    ]


def runs_of_key(mlflow: Any, experiment: str, record: RunRecord) -> list[RunTree]:  # noqa: ANN401  as above
    """Runs with the key and the name of a record, the oldest first; none when it has no key."""
    if not record.key:
        return []
    client = mlflow.MlflowClient()
    same = _runs(client, experiment, f"tags.`{RUN_KEY}` = '{record.key}'")
    wanted = {r.info.run_id for r in same if r.info.run_name == record.name}
    if not wanted:
        return []
    return [tree for tree in run_trees(client, experiment) if tree.run in wanted]


def drop_trees(mlflow: Any, trees: list[RunTree]) -> None:  # noqa: ANN401  as above
    """Delete runs with all that is in them."""
    for tree in trees:
        drop_tree(mlflow, tree, dry_run=False)


def _runs(client: Any, experiment: str, where: str) -> list[Any]:  # noqa: ANN401  as above
    """Every run that a filter lets through, the oldest first."""
    found: list[Any] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment], where, order_by=["attributes.start_time ASC"], page_token=token
        )
        found += page
        token = page.token
        if not token:
            return found


def drop_tree(mlflow: Any, tree: RunTree, *, dry_run: bool) -> int:  # noqa: ANN401  as above
    """Delete a run, its nested runs, their models and files; returns the bytes of the files.

    Files go before the rows that say where they are, nested runs before the one that holds them. A
    tracking server keeps the rows as deleted until its own ``mlflow gc``.
    """
    client = mlflow.MlflowClient()
    size = 0
    for run in (*tree.children, tree.run):
        models = client.search_logged_models(
            [tree.experiment], filter_string=f"source_run_id='{run}'"
        )
        for model in models:
            size += _drop_files(mlflow, model.artifact_location, dry_run=dry_run)
            if not dry_run:
                _forget(client, "logged_model", model.model_id)
        size += _drop_files(mlflow, client.get_run(run).info.artifact_uri, dry_run=dry_run)
        if not dry_run:
            _forget(client, "run", run)
    return size


def _forget(client: Any, kind: str, name: str) -> None:  # noqa: ANN401  as above
    """Delete for good where the store can, as ``mlflow gc`` does, else mark as deleted."""
    hard = getattr(client._tracking_client.store, f"_hard_delete_{kind}", None)
    if hard is None:
        getattr(client, f"delete_{kind}")(name)
    else:
        hard(name)


def _drop_files(mlflow: Any, place: str, *, dry_run: bool) -> int:  # noqa: ANN401  as above
    """Bytes below an address; they are deleted unless it is only asked."""
    store = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(place)
    try:
        size = _size(store, None)
        if size and not dry_run:
            store.delete_artifacts()
    except FileNotFoundError:
        return 0
    except NotImplementedError:
        if urlparse(place).scheme in ("", "file"):
            raise
        return 0  # a server that keeps the files to itself
    return size


def _size(store: Any, path: str | None) -> int:  # noqa: ANN401  as above
    total = 0
    for entry in store.list_artifacts(path):
        total += _size(store, entry.path) if entry.is_dir else int(entry.file_size or 0)
    return total
