"""The model registry: MLflow's runs, versions and aliases of one panel's model.

One registered model a panel, ``liqwarn-<panel>``. A version holds the bundle as files, native text
and JSON, and a few lines of Python that load it (models-from-code), so nothing is unpickled. MLflow
is imported when it is first needed: it takes seconds, and scoring from a folder needs none of it.
"""

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from liqwarn import __version__
from liqwarn.errors import ModelError
from liqwarn.frames import SIDES
from liqwarn.models.registry_runs import NOTE, RUN_KEY, RunRecord, log_run
from liqwarn.models.registry_store import Store
from liqwarn.models.registry_trees import drop_trees, runs_of_key

if TYPE_CHECKING:
    from liqwarn.models.cascade import CascadeModel

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "PREVIOUS",
    "Registered",
    "Registry",
    "RunRecord",
    "score_frame",
]

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
PREVIOUS: Final = "previous"
_PATIENCE_S: Final = 600.0  # for others that register at the same time
_TOLD: Final = 5
"""Versions that a refusal names."""
_NOT_THERE: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_OF_VERSION: Final = ("model_sha256", "panel_sha256", "data_sha256", "features", "trained_until")
_ABOUT: Final = (
    "Probability of a liquidation cascade in panel `{panel}`, by side and horizon in hours "
    "(`long_1h` … `short_24h`). `champion` is what scores, `challenger` the newest that was "
    "trained, `previous` the champion before. Aliases are moved by `liqwarn promote`, `rollback` "
    "and `retrain`, which keep the history; one moved on these pages is an edit to `liqwarn audit "
    "models`."
)
_SCRIPT: Final = """\
import mlflow.pyfunc
import pandas as pd
from mlflow.models import set_model

from liqwarn.models.registry import score_frame


class Cascade(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        from pathlib import Path
        from liqwarn.models.cascade import CascadeModel
        self.model = CascadeModel.load(Path(context.artifacts["bundle"]) / "model")

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        return score_frame(self.model, model_input)


set_model(Cascade())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A version of the registry."""

    version: str
    run_id: str


def score_frame(model: "CascadeModel", frame: pd.DataFrame) -> pd.DataFrame:
    """Probabilities of rows of features, as ``mlflow models serve`` answers them.

    Columns are ``long_1h`` … ``short_24h``. A missing feature is NaN; an infinite one is refused.

    Raises
    ------
    ModelError
        For a value that is not finite and not NaN, or a column that is no feature.
    """
    values = frame.to_numpy(dtype=np.float64)
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise ModelError(
            f"row {row}, feature '{frame.columns[column]}' is infinite, expected a finite number "
            "or NaN"
        )
    p = model.predict_proba(values, tuple(map(str, frame.columns)))
    names = [f"{side}_{hours}h" for side in SIDES for hours in model.horizons_h_]
    return pd.DataFrame(p.reshape(len(p), -1), columns=names, index=frame.index)


class Registry:
    """Versions of one panel's model.

    Parameters
    ----------
    uri : str
        MLflow's tracking store, such as ``sqlite:////absolute/mlflow.db``,
        ``postgresql://user:password@host/database`` or a server's address.
    panel : str
        Name of the panel.
    artifacts : Path, str or None
        Folder or address where files go with a database store; None lets a tracking server decide.
    locks : Path or None
        Folder for the locks of a tracking server, which has none of its own.
    """

    def __init__(
        self,
        uri: str,
        panel: str,
        *,
        artifacts: Path | str | None = None,
        locks: Path | None = None,
    ) -> None:
        self.store = Store(uri, locks=locks)
        self.uri = self.store.uri
        self.panel = panel
        self.name = f"liqwarn-{panel}"
        self.artifacts = artifacts

    def register(self, bundle: Path, record: RunRecord) -> Registered:
        """Log a run with its bundle and make it the newest version; aliases stay where they are.

        Done alone in the store. A key that has a version already is not registered again; what an
        interrupted call left of it is deleted.
        """
        with self.changing(), self._mlflow() as mlflow:
            known = self._of_key(mlflow, record.key) if record.key else None
            if known is not None:
                return Registered(version=str(known.version), run_id=str(known.run_id))
            experiment = self.experiment(mlflow, record)
            drop_trees(mlflow, runs_of_key(mlflow, experiment, record))
            run = log_run(mlflow, experiment, record)
            told = {name: record.tags[name] for name in _OF_VERSION if name in record.tags}
            tags = {**told, **({RUN_KEY: record.key} if record.key else {})}
            version = self.add_version(mlflow, run, bundle, tags, record.tags.get(NOTE, ""))
        return Registered(version=version, run_id=run)

    def record(self, record: RunRecord) -> str:
        """Log a run that makes no model, such as an evaluation; returns its id.

        With a key it is recorded once: a finished run of the same key and name stays the one, and
        an unfinished one, left by an interruption, is deleted and logged anew.
        """
        if not record.key:
            with self._mlflow() as mlflow:
                return log_run(mlflow, self.experiment(mlflow, record), record)
        with self.changing(), self._mlflow() as mlflow:
            experiment = self.experiment(mlflow, record)
            there = runs_of_key(mlflow, experiment, record)
            finished = [tree for tree in there if tree.finished]
            drop_trees(mlflow, [tree for tree in there if not tree.finished])
            return finished[0].run if finished else log_run(mlflow, experiment, record)

    def champion(self) -> str | None:
        """Version of the champion; None while nothing is registered."""
        return self.alias(CHAMPION)

    def alias(self, name: str) -> str | None:
        """Version that an alias points at; None while it points nowhere."""
        with self._mlflow() as mlflow:
            return self._version_of(mlflow, name)

    def require(self, version: str) -> None:
        """Refuse a version that is not there.

        Raises
        ------
        ModelError
            When the registry does not know it.
        """
        with self._mlflow() as mlflow:
            try:
                mlflow.MlflowClient().get_model_version(self.name, version)
            except mlflow.MlflowException as error:
                if error.error_code not in _NOT_THERE:
                    raise
                newest = [str(one.version) for one in self.versions(mlflow)][-_TOLD:]
                found = f"the newest are {', '.join(newest)}" if newest else "it has none"
                raise ModelError(f"{self.name} has no version {version}, {found}") from error

    def version_of_run(self, run_key: str) -> str | None:
        """The version that was registered under a key of ours, so that nothing is done twice."""
        with self._mlflow() as mlflow:
            found = self._of_key(mlflow, run_key)
            return None if found is None else str(found.version)

    def newest(self) -> tuple[str, str] | None:
        """The version registered last and the key of its run, empty for none; None before any."""
        with self._mlflow() as mlflow:
            found = self.versions(mlflow)
            return (str(found[-1].version), str(found[-1].tags.get(RUN_KEY, ""))) if found else None

    def point(self, alias: str, version: str, reason: str) -> None:
        """Move an alias to a version; why a version became champion is noted on it, if told.

        The champion before keeps the alias ``previous``, by which the clean-up knows it. This takes
        no lock and keeps no history: :mod:`liqwarn.pipelines.alias_moves` does both around it.

        Raises
        ------
        ModelError
            When the version is not there.
        """
        with self._mlflow() as mlflow:
            client = mlflow.MlflowClient()
            if alias == CHAMPION:
                if reason:
                    client.set_model_version_tag(self.name, version, "promoted", reason)
                before = self._version_of(mlflow, CHAMPION)
                if before not in (None, version):
                    client.set_registered_model_alias(self.name, PREVIOUS, before)
            client.set_registered_model_alias(self.name, alias, version)

    def fetch(self, version: str, folder: Path) -> Path:
        """Copy a version's bundle into a folder; returns where it lies.

        Raises
        ------
        ModelError
            When the registry does not know the version, or its files are gone.
        """
        with self._mlflow() as mlflow:
            try:
                source = mlflow.MlflowClient().get_model_version(self.name, version).source
                found = mlflow.artifacts.download_artifacts(source, dst_path=str(folder))
            except (mlflow.MlflowException, OSError) as error:
                raise ModelError(
                    f"{self.name} version {version} cannot be fetched from the registry: "
                    f"{self.store.hidden(str(error))}"
                ) from error
        bundles = sorted(Path(found).glob("artifacts/*/model"))
        if not bundles:
            raise ModelError(f"{self.name} version {version} holds no bundle of liqwarn")
        return bundles[0].parent

    def changing(self) -> AbstractContextManager[Callable[[], None]]:
        """Hold the lock under which versions and aliases of this model change."""
        return self.store.alone(f"{self.name}.change", patience_s=_PATIENCE_S)

    def retraining(self) -> AbstractContextManager[Callable[[], None]]:
        """Hold the lock of retraining, which in PostgreSQL holds across machines."""
        return self.store.alone(f"{self.name}.retrain")

    def _mlflow(self) -> AbstractContextManager[Any]:
        return self.store.opened()

    def experiment(self, mlflow: Any, record: RunRecord) -> str:  # noqa: ANN401  MLflow is imported late
        """Id of the panel's experiment, made when it is not there, with what the run says of it."""
        client = mlflow.MlflowClient()
        known = client.get_experiment_by_name(self.name)
        if known is None:
            root = self.artifacts.as_uri() if isinstance(self.artifacts, Path) else self.artifacts
            where = None if root is None else f"{root.rstrip('/')}/{self.name}"
            found = client.create_experiment(self.name, artifact_location=where)
        else:
            found = known.experiment_id
        held = {} if known is None else known.tags
        for name, value in record.experiment.items():
            if held.get(name) != value:
                client.set_experiment_tag(found, name, value)
        return str(found)

    def add_version(
        self,
        mlflow: Any,  # noqa: ANN401  as above
        run: str,
        bundle: Path,
        tags: dict[str, str],
        note: str = "",
    ) -> str:
        """Log a bundle as the model of a run, and make it a version: both, or no version."""
        from liqwarn.models.cascade import CascadeModel  # noqa: PLC0415  moving an alias needs no trees

        model = CascadeModel.load(bundle / "model")
        example = _example(bundle, list(model.names_))
        signature = mlflow.models.infer_signature(example, score_frame(model, example))
        # MLflow prints what it does to standard error, which is for our own one line
        with tempfile.TemporaryDirectory() as folder, redirect_stderr(StringIO()):
            script = Path(folder) / "cascade.py"
            script.write_text(_SCRIPT)
            with mlflow.start_run(run_id=run):
                logged = mlflow.pyfunc.log_model(
                    name="model",
                    python_model=str(script),
                    artifacts={"bundle": str(bundle)},
                    signature=signature,
                    input_example=example,
                    pip_requirements=[f"liqwarn=={__version__}"],
                )
            made = str(mlflow.register_model(logged.model_uri, self.name, tags=tags).version)
        client = mlflow.MlflowClient()
        if note:
            client.update_model_version(self.name, made, note)
        if not client.get_registered_model(self.name).description:
            client.update_registered_model(self.name, _ABOUT.format(panel=self.panel))
        return made

    def versions(self, mlflow: Any) -> list[Any]:  # noqa: ANN401  as above
        """Every version that is there, the oldest first."""
        client, found, token = mlflow.MlflowClient(), [], None
        while True:
            page = client.search_model_versions(f"name='{self.name}'", page_token=token)
            found += page
            token = page.token
            if not token:
                return sorted(found, key=lambda version: int(version.version))

    def _of_key(self, mlflow: Any, run_key: str) -> Any:  # noqa: ANN401  as above
        found = self.versions(mlflow)
        return next((v for v in reversed(found) if v.tags.get(RUN_KEY) == run_key), None)

    def _version_of(self, mlflow: Any, alias: str) -> str | None:  # noqa: ANN401  as above
        try:
            return str(mlflow.MlflowClient().get_model_version_by_alias(self.name, alias).version)
        except mlflow.MlflowException as error:
            if error.error_code in _NOT_THERE:
                return None
            raise  # a locked or unreachable store is not an empty one


def _example(bundle: Path, names: list[str]) -> pd.DataFrame:
    """A training row of the bundle, what is missing in it as zero: the example of its input."""
    from liqwarn.models.probes import Probes  # noqa: PLC0415  it brings the trees

    probes = bundle / "training" / "probes.json"
    rows = Probes.from_bytes(probes.read_bytes()).rows if probes.exists() else None
    row = np.zeros((1, len(names))) if rows is None else np.nan_to_num(rows[-1:])
    return pd.DataFrame(row, columns=names)
