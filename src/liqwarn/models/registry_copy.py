"""Copying a registry into another store: SQLite to PostgreSQL, or back.

Runs are copied with parameters, tags, metrics over their steps, files and nesting; versions with
their bundles, tags and numbers. A copied run says which one it was, so an interrupted copy goes on,
a second one adds what is new, and a copy back finds its own. Aliases are told and not moved:
:mod:`liqwarn.pipelines.alias_moves` does that, on the record.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from liqwarn.models.registry import Registry, RunRecord
from liqwarn.models.registry_runs import PARENT
from liqwarn.models.registry_store import Store
from liqwarn.models.registry_trees import run_trees

__all__ = ["ORIGIN", "Copied", "copy_registry", "panels_of"]

ORIGIN: Final = "liqwarn.origin"
_OWN: Final = ("mlflow.runName", "mlflow.log-model.history", PARENT)
_BATCH: Final = 100
_PREFIX: Final = "liqwarn-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was copied of one panel's model.

    Attributes
    ----------
    name : str
    runs, versions : int
        New in the target; what was there already is not counted.
    renumbered : dict of str to str
        Versions whose number was taken in the target.
    aliases : dict of str to str
        Versions of the target that the source's aliases point at.
    """

    name: str
    runs: int
    versions: int
    renumbered: dict[str, str]
    aliases: dict[str, str]

    def to_dict(self) -> dict[str, object]:
        """The same as plain data, for ``--json``."""
        return asdict(self)

    def to_text(self) -> str:
        """The same in a line."""
        stands = ", ".join(f"{alias} is version {v}" for alias, v in sorted(self.aliases.items()))
        moved = "".join(f"; version {a} is {b} there" for a, b in self.renumbered.items())
        return f"{self.name}: {self.runs} runs, {self.versions} versions copied; {stands}{moved}"


def panels_of(store: Store) -> list[str]:
    """Panels that have an experiment of ours in a store."""
    with store.opened() as mlflow:
        names = [found.name for found in mlflow.MlflowClient().search_experiments()]
    return sorted(n.removeprefix(_PREFIX) for n in names if n.startswith(_PREFIX))


def copy_registry(
    source: Registry,
    target: Registry,
    *,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Copied:
    """Copy what the target does not have yet; the source is only read."""
    with target.changing() as check:
        runs, new_runs = _copy_runs(source, target, check, on_progress)
        numbers, new_versions = _copy_versions(source, target, runs, check)
    with source.store.opened() as mlflow:
        held = mlflow.MlflowClient().get_registered_model(source.name).aliases if numbers else {}
    return Copied(
        name=target.name,
        runs=new_runs,
        versions=new_versions,
        renumbered={a: b for a, b in numbers.items() if a != b},
        aliases={alias: numbers[str(v)] for alias, v in held.items() if str(v) in numbers},
    )


def _copy_runs(
    source: Registry,
    target: Registry,
    check: Callable[[], None],
    on_progress: Callable[[str, int, int], None] | None,
) -> tuple[dict[str, str], int]:
    """Ids in the target by ids in the source, and how many are new."""
    with source.store.opened() as mlflow:
        client = mlflow.MlflowClient()
        known = client.get_experiment_by_name(source.name)
        trees = [] if known is None else run_trees(client, known.experiment_id)
        tags = {} if known is None else dict(known.tags)
    there = _there(target)
    ids: dict[str, str] = {}
    new = 0
    order = [run for tree in trees for run in (tree.run, *tree.children)]
    for k, run in enumerate(order):
        if on_progress is not None:
            on_progress(f"copy {source.name}", k, len(order))
        check()
        with TemporaryDirectory() as scratch:
            told = _read_run(source, run, Path(scratch))
            origin = told["tags"].get(ORIGIN, run)
            if origin not in there:
                there[origin] = _write_run(target, told, origin, ids, tags)
                new += 1
        ids[run] = there[origin]
    if on_progress is not None:
        on_progress(f"copy {source.name}", len(order), len(order))
    return ids, new


def _there(target: Registry) -> dict[str, str]:
    """Finished runs of the target by where they came from, or by themselves.

    One that a kill left half copied is deleted: it is copied anew.
    """
    found = {}
    with target.store.opened() as mlflow:
        client = mlflow.MlflowClient()
        known = client.get_experiment_by_name(target.name)
        for tree in [] if known is None else run_trees(client, known.experiment_id):
            for run in (tree.run, *tree.children):
                one = client.get_run(run)
                origin = one.data.tags.get(ORIGIN)
                if origin is not None and one.info.status == "RUNNING":
                    client.delete_run(run)
                else:
                    found[origin or run] = run
    return found


def _read_run(source: Registry, run: str, scratch: Path) -> dict[str, Any]:
    """Everything MLflow knows of a run, its files in `scratch`."""
    with source.store.opened() as mlflow:
        client = mlflow.MlflowClient()
        found = client.get_run(run)
        if client.list_artifacts(run):
            mlflow.artifacts.download_artifacts(
                artifact_uri=found.info.artifact_uri, dst_path=str(scratch)
            )
        metrics = [m for name in found.data.metrics for m in client.get_metric_history(run, name)]
    return {
        "info": found.info,
        "params": dict(found.data.params),
        "tags": dict(found.data.tags),
        "metrics": metrics,
        "files": scratch,
        "inputs": list(found.inputs.dataset_inputs),
    }


def _write_run(
    target: Registry,
    told: dict[str, Any],
    origin: str,
    ids: dict[str, str],
    experiment_tags: dict[str, str],
) -> str:
    tags = {name: value for name, value in told["tags"].items() if name not in _OWN}
    tags[ORIGIN] = origin
    parent = told["tags"].get(PARENT)
    if parent in ids:
        tags[PARENT] = ids[parent]
    info = told["info"]
    with target.store.opened() as mlflow:
        client, entities = mlflow.MlflowClient(), mlflow.entities
        shared = RunRecord(name=info.run_name, experiment=experiment_tags)
        experiment = target.experiment(mlflow, shared)
        run = client.create_run(
            experiment, start_time=info.start_time, tags=tags, run_name=info.run_name
        ).info.run_id
        if told["inputs"]:
            client.log_inputs(run, datasets=told["inputs"])
        metrics = [entities.Metric(m.key, m.value, m.timestamp, m.step) for m in told["metrics"]]
        params = [entities.Param(name, value) for name, value in told["params"].items()]
        for first in range(0, len(metrics), _BATCH):
            client.log_batch(run, metrics=metrics[first : first + _BATCH])
        for first in range(0, len(params), _BATCH):
            client.log_batch(run, params=params[first : first + _BATCH])
        for file in _top(told["files"]):
            if file.is_dir():
                client.log_artifacts(run, str(file), file.name)
            else:
                client.log_artifact(run, str(file))
        status = "FAILED" if info.status == "RUNNING" else info.status  # it will never end
        client.set_terminated(run, status, end_time=info.end_time)
    return str(run)


def _top(scratch: Path) -> list[Path]:
    """What lies in the run's folder of files, whatever MLflow called that when it fetched it."""
    inside = sorted(scratch.iterdir())
    if [p.name for p in inside] == ["artifacts"]:
        return sorted(inside[0].iterdir())
    return inside


def _copy_versions(
    source: Registry, target: Registry, runs: dict[str, str], check: Callable[[], None]
) -> tuple[dict[str, str], int]:
    """Numbers in the target by numbers in the source, and how many are new."""
    with source.store.opened() as mlflow:
        wanted = source.versions(mlflow)
    with target.store.opened() as mlflow:
        there = {v.run_id: str(v.version) for v in target.versions(mlflow)}
    numbers: dict[str, str] = {}
    new = 0
    for version in wanted:
        check()
        run = runs.get(version.run_id)
        if run is None:  # its run was deleted by hand
            continue
        if run not in there:
            with TemporaryDirectory() as scratch:
                bundle = source.fetch(str(version.version), Path(scratch))
                there[run] = _add_version(target, run, bundle, version)
            new += 1
        numbers[str(version.version)] = there[run]
    return numbers, new


def _add_version(target: Registry, run: str, bundle: Path, version: Any) -> str:  # noqa: ANN401  as above
    """Register a bundle under the number it had, if that is still to come in the target."""
    with target.store.opened() as mlflow:
        client = mlflow.MlflowClient()
        info = client.get_run(run).info
        if not client.search_registered_models(f"name='{target.name}'"):
            client.create_registered_model(target.name)
        filled = max((int(v.version) for v in target.versions(mlflow)), default=0)
        while filled < int(version.version) - 1:
            empty = client.create_model_version(target.name, source=f"runs:/{run}/none", run_id=run)
            filled = int(empty.version)
            client.delete_model_version(target.name, empty.version)
        told = str(version.description or "")
        number = target.add_version(mlflow, run, bundle, dict(version.tags), told)
        client.set_terminated(run, info.status, end_time=info.end_time)
    return number
