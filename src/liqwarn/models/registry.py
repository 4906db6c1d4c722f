"""The model registry: MLflow's runs, versions and aliases. The only module that imports MLflow.

One registered model a panel, ``liqwarn-<panel>``. A version holds the bundle as files, native text
and JSON, and a few lines of Python that load it (models-from-code), so nothing is unpickled. MLflow
is imported when it is first needed: it takes seconds, and scoring from a folder needs none of it.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from liqwarn import __version__
from liqwarn.errors import ModelError
from liqwarn.frames import SIDES
from liqwarn.models.cascade import CascadeModel

__all__ = ["CHALLENGER", "CHAMPION", "Registered", "Registry", "RunRecord"]

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_RUN: Final = "liqwarn.run"
_NOT_THERE: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_SCRIPT: Final = """\
import mlflow.pyfunc
from mlflow.models import set_model

from liqwarn.models.registry import score_frame


class Cascade(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        from pathlib import Path
        from liqwarn.models.cascade import CascadeModel
        self.model = CascadeModel.load(Path(context.artifacts["bundle"]) / "model")

    def predict(self, context, model_input, params=None):
        return score_frame(self.model, model_input)


set_model(Cascade())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What MLflow is to remember of a run.

    Attributes
    ----------
    name : str
    key : str
        What makes the run itself: the same key is the same data, settings and version.
    params, tags : mapping of name to str
        Settings; hashes of data, panel and model.
    metrics : mapping of name to float
    files : tuple of Path
        Plots and pages.
    """

    name: str
    key: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A version of the registry."""

    version: str
    run_id: str
    champion: bool


def score_frame(model: CascadeModel, frame: pd.DataFrame) -> pd.DataFrame:
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
        MLflow's tracking store, such as ``sqlite:////absolute/mlflow.db`` or a server's address.
    panel : str
        Name of the panel.
    artifacts : Path or None
        Where files go with a database store; None lets a tracking server decide.
    """

    def __init__(self, uri: str, panel: str, *, artifacts: Path | None = None) -> None:
        self.uri = uri
        self.panel = panel
        self.name = f"liqwarn-{panel}"
        self.artifacts = artifacts

    def register(self, bundle: Path, record: RunRecord, *, alias: bool = True) -> Registered:
        """Log a run with its bundle and make it the newest version; the first becomes champion.

        Parameters
        ----------
        alias : bool
            False leaves the aliases where they are, for whoever moves them with a history.
        """
        with self._mlflow() as mlflow:
            experiment = self._experiment(mlflow)
            with mlflow.start_run(experiment_id=experiment, run_name=record.name) as run:
                mlflow.set_tags({"liqwarn.version": __version__, **record.tags})
                mlflow.log_params(dict(record.params))
                mlflow.log_metrics({k: v for k, v in record.metrics.items() if np.isfinite(v)})
                for file in record.files:
                    mlflow.log_artifact(str(file))
                version = self._log_model(mlflow, bundle)
            client = mlflow.MlflowClient()
            client.set_model_version_tag(self.name, version, _RUN, record.key)
            first = alias and self._version_of(mlflow, CHAMPION) is None
            if alias:
                role = CHAMPION if first else CHALLENGER
                client.set_registered_model_alias(self.name, role, version)
        return Registered(version=version, run_id=str(run.info.run_id), champion=first)

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
            mlflow.MlflowClient().get_model_version(self.name, version)

    def version_of_run(self, run_key: str) -> str | None:
        """The version that was registered under a key of ours, so that nothing is done twice."""
        with self._mlflow() as mlflow:
            versions = mlflow.MlflowClient().search_model_versions(f"name='{self.name}'")
            return next((str(v.version) for v in versions if v.tags.get(_RUN) == run_key), None)

    def promote(self, version: str, reason: str) -> None:
        """Move the champion's alias to a version, and note why on it."""
        self.point(CHAMPION, version, reason)

    def point(self, alias: str, version: str, reason: str) -> None:
        """Move an alias to a version; why a version became champion is noted on it."""
        with self._mlflow() as mlflow:
            client = mlflow.MlflowClient()
            if alias == CHAMPION:
                client.set_model_version_tag(self.name, version, "promoted", reason)
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
                    f"{self.name} version {version} cannot be fetched from the registry: {error}"
                ) from error
        bundles = sorted(Path(found).glob("artifacts/*/model"))
        if not bundles:
            raise ModelError(f"{self.name} version {version} holds no bundle of liqwarn")
        return bundles[0].parent

    @contextmanager
    def _mlflow(self) -> Iterator[Any]:
        """MLflow, pointed at our store, and quiet."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own deprecations, nothing we can act on
            import mlflow  # noqa: PLC0415  takes seconds

            for name in ("mlflow", "alembic"):
                logging.getLogger(name).setLevel(logging.ERROR)
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.uri)
            try:
                yield mlflow
            except mlflow.MlflowException as error:
                raise ModelError(f"the registry at {self.uri} refused: {error}") from error

    def _experiment(self, mlflow: Any) -> str:  # noqa: ANN401  MLflow is imported late
        known = mlflow.get_experiment_by_name(self.name)
        if known is not None:
            return str(known.experiment_id)
        where = None if self.artifacts is None else (self.artifacts / self.name).as_uri()
        return str(mlflow.create_experiment(self.name, artifact_location=where))

    def _version_of(self, mlflow: Any, alias: str) -> str | None:  # noqa: ANN401  as above
        try:
            return str(mlflow.MlflowClient().get_model_version_by_alias(self.name, alias).version)
        except mlflow.MlflowException as error:
            if error.error_code in _NOT_THERE:
                return None
            raise  # a locked or unreachable store is not an empty one

    def _log_model(self, mlflow: Any, bundle: Path) -> str:  # noqa: ANN401  as above
        model = CascadeModel.load(bundle / "model")
        example = pd.DataFrame(np.zeros((1, len(model.names_))), columns=list(model.names_))
        signature = mlflow.models.infer_signature(example, score_frame(model, example))
        # MLflow prints what it does to standard error, which is for our own one line
        with tempfile.TemporaryDirectory() as folder, redirect_stderr(StringIO()):
            script = Path(folder) / "cascade.py"
            script.write_text(_SCRIPT)
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(script),
                artifacts={"bundle": str(bundle)},
                signature=signature,
                pip_requirements=[f"liqwarn=={__version__}"],
                registered_model_name=self.name,
            )
        return str(logged.registered_model_version)
