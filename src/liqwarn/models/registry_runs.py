"""What MLflow is to remember of a run, and writing it: parameters, metrics over steps, files.

Nothing here imports MLflow; it is handed in by :mod:`liqwarn.models.registry_store`.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from liqwarn import __version__

__all__ = ["NOTE", "PARENT", "RUN_KEY", "RunRecord", "log_run", "write_record"]

RUN_KEY: Final = "liqwarn.run"
PARENT: Final = "mlflow.parentRunId"
NOTE: Final = "mlflow.note.content"
"""Tag that MLflow's pages show as the description of a run or an experiment."""
_DIGEST: Final = 12  # what a column of its pages shows; the whole hash is a tag
_BATCH: Final = 100  # MLflow takes no more parameters or tags at once


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What MLflow is to remember of a run.

    Attributes
    ----------
    name : str
    key : str
        What makes the run itself: the same key is the same data, settings and version.
    params, tags : mapping of name to str
        Settings; hashes of data, panel and model. `panel` and `data_sha256` make the data set of
        the run.
    metrics : mapping of name to float
        What does not exist, NaN or infinite, is left out.
    steps : mapping of name to sequence of float
        The same over the folds of a walk-forward: the first value is that of step 0.
    files : tuple of Path
        Plots and pages; a folder with everything in it.
    children : tuple of RunRecord
        Nested runs, such as one a fold.
    experiment : mapping of name to str
        Tags of the experiment, set with each run: what all of its runs share.
    """

    name: str
    key: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, Sequence[float]] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    children: tuple["RunRecord", ...] = ()
    experiment: Mapping[str, str] = field(default_factory=dict)


def log_run(
    mlflow: Any,  # noqa: ANN401  MLflow is imported late
    experiment: str,
    record: RunRecord,
    *,
    parent: str | None = None,
) -> str:
    """Write a run with its children and finish it; returns its id.

    One that is killed in between stays without an end, which the clean-up knows.
    """
    client = mlflow.MlflowClient()
    run = write_record(mlflow, experiment, record, parent=parent)
    try:
        for child in record.children:
            log_run(mlflow, experiment, child, parent=run)
    except BaseException:
        client.set_terminated(run, "FAILED")
        raise
    client.set_terminated(run)
    return run


def write_record(
    mlflow: Any,  # noqa: ANN401  as above
    experiment: str,
    record: RunRecord,
    *,
    parent: str | None = None,
) -> str:
    """Write a run without its children, and leave it open; returns its id.

    The client's own call, not ``start_run``: that would look for a git repository and note the
    command line, which may hold an address.
    """
    client, entities = mlflow.MlflowClient(), mlflow.entities
    own = {RUN_KEY: record.key, PARENT: parent}
    tags = {"liqwarn.version": __version__, **record.tags} | {k: v for k, v in own.items() if v}
    run = client.create_run(experiment, tags=tags, run_name=record.name).info.run_id
    if parent is None and "data_sha256" in record.tags:
        client.log_inputs(run, datasets=[_data(entities, record.tags)])
    now = int(time.time() * 1000)
    metrics = [entities.Metric(k, v, now, step) for k, v, step in _values(record)]
    for part in _batches(metrics):
        client.log_batch(run, metrics=part)
    for part in _batches([entities.Param(k, v) for k, v in record.params.items()]):
        client.log_batch(run, params=part)
    for file in record.files:
        if file.is_dir():
            client.log_artifacts(run, str(file), file.name)
        else:
            client.log_artifact(run, str(file))
    return str(run)


def _data(entities: Any, tags: Mapping[str, str]) -> Any:  # noqa: ANN401  as above
    """What a run read, by name and hash; where it lies is nobody's business."""
    dataset = entities.Dataset(
        name=tags.get("panel", "panel"),
        digest=tags["data_sha256"][:_DIGEST],
        source_type="liqwarn",
        source=json.dumps({name: tags[name] for name in sorted(tags) if name.endswith("_sha256")}),
    )
    return entities.DatasetInput(dataset, tags=[])


def _values(record: RunRecord) -> Iterator[tuple[str, float, int]]:
    for name, value in record.metrics.items():
        if np.isfinite(value):
            yield name, float(value), 0
    for name, values in record.steps.items():
        for step, value in enumerate(values):
            if np.isfinite(value):
                yield name, float(value), step


def _batches(items: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while part := list(islice(rest, _BATCH)):
        yield part
