"""What runs have recorded: their metrics, parameters, tags and artifacts."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from tripletlab.errors import Deleted, InputError
from tripletlab.evaluation.metrics import SCORE
from tripletlab.tracking import store

if TYPE_CHECKING:
    from mlflow.entities import Run

MOST = 500  # runs in a query
SHORT = 8  # digits of a run's id as it is printed; commands take such ids


class RunRecord(NamedTuple):
    """A run as it is recorded: `status` is MLflow's, `metrics` are the last values."""

    run_id: str
    name: str
    status: str
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class PastRuns:
    """Reads the runs of an experiment."""

    experiment: str

    def record(self, run_id: str) -> RunRecord:
        """What a run has recorded; Deleted where it is not there."""
        self._require(run_id)
        return _record(store.client().get_run(run_id))

    def exists(self, run_id: str) -> bool:
        """The run was not deleted."""
        from mlflow.exceptions import MlflowException

        try:
            return bool(store.client().get_run(run_id).info.lifecycle_stage == "active")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False

    def beginning_with(self, digits: str) -> str:
        """The id of the run that begins with these digits; InputError unless there is one."""
        query = f"attributes.run_id LIKE '{digits}%'"
        found = store.client().search_runs([self._experiment_id], query, max_results=4)
        ids = [run.info.run_id for run in found]
        if len(ids) != 1:
            problem = (
                f"several runs have ids that begin so ({', '.join(ids)}); give more digits"
                if ids
                else "no run has an id that begins so; `tripletlab ui` shows the runs"
            )
            raise InputError(f"{digits}: {problem}")
        return str(ids[0])

    def tagged(self, key: str, value: str, *, parent: str | None = None) -> RunRecord | None:
        """The latest run with this tag, among those of the `parent` where one is given.

        None where there is none, or it was deleted.
        """
        tags = {key: value} if parent is None else {key: value, "mlflow.parentRunId": parent}
        found = store.client().search_runs(
            [self._experiment_id],
            " and ".join(f"tags.`{tag}` = '{wanted}'" for tag, wanted in tags.items()),
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return next(map(_record, found), None)

    def page(self) -> str:
        """The address, after that of MLflow's server, of the latest sweep's runs, or of all.

        The best comes first; sorted by date, MLflow would fold them into the line of their sweep.
        The menu beside it is MLflow's for training, with the models, not the one for chatbots.
        """
        experiment = self._experiment_id
        sweeps = store.client().search_runs(
            [experiment],
            "params.study LIKE '%'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        view = {
            "workflowType": "machine_learning",
            "orderByKey": f"metrics.`{SCORE}`",
            "orderByAsc": "false",
        }
        if sweeps:
            view["searchFilter"] = f"tags.`mlflow.parentRunId` = '{sweeps[0].info.run_id}'"
        return f"#/experiments/{experiment}/runs?{urlencode(view, quote_via=quote)}"

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """A run's values of a metric by epoch; the last value where an epoch was repeated.

        Empty where the run was deleted.
        """
        if not self.exists(run_id):
            return []
        points = store.client().get_metric_history(run_id, metric)
        return sorted({point.step: point.value for point in points}.items())

    def has(self, run_id: str, path: str) -> bool:
        """The run has this artifact at the top level."""
        return any(one.path == path for one in store.client().list_artifacts(run_id))

    def artifact(self, run_id: str, path: str) -> Path:
        """A local copy of a run's artifact, removed with the command's temporary files.

        Deleted where the run, or this artifact of it, is not there.
        """
        from mlflow.exceptions import MlflowException

        self._require(run_id)
        folder = tempfile.mkdtemp(prefix="tripletlab-")
        try:
            return Path(store.client().download_artifacts(run_id, path, folder))
        except (MlflowException, FileNotFoundError) as error:
            raise Deleted(f"the run {run_id} has no {path}: it was deleted in MLflow") from error

    def artifacts(self, run_ids: Sequence[str], path: str) -> dict[str, Path]:
        """Local copies of this artifact of many runs, with few queries; see `artifact`.

        Runs that were deleted, or have no such artifact, are left out. InputError where all
        are in another experiment.
        """
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        copies: dict[str, Path] = {}
        here = False
        experiment = self._experiment_id
        root = Path(tempfile.mkdtemp(prefix="tripletlab-"))
        for begin in range(0, len(run_ids), MOST):
            some = "', '".join(run_ids[begin : begin + MOST])
            query = f"attributes.run_id IN ('{some}')"
            for run in store.client().search_runs([experiment], query, max_results=MOST):
                here = True
                uri, folder = f"{run.info.artifact_uri}/{path}", str(root / run.info.run_id)
                try:
                    copy = store.patiently(partial(download_artifacts, uri, dst_path=folder))
                except (MlflowException, FileNotFoundError):
                    continue
                copies[run.info.run_id] = Path(copy)
        if not here and (there := next(filter(self.exists, run_ids), None)):
            self.require_own(there)
        return copies

    def require_own(self, run_id: str) -> None:
        """InputError where a run belongs to another experiment, or this one was renamed."""
        home = store.client().get_run(run_id).info.experiment_id
        if home != self._experiment_id:
            name = store.client().get_experiment(home).name
            raise InputError(
                f"the run {run_id} is in the experiment {name}, not in {self.experiment}: give"
                f" tracking.experiment={name}"
            )

    @property
    def _experiment_id(self) -> str:
        return str(store.client().get_experiment_by_name(self.experiment).experiment_id)

    def _require(self, run_id: str) -> None:
        """Deleted where the run is not there, or in MLflow's trash, which keeps its files."""
        if not self.exists(run_id):
            raise Deleted(
                f"the run {run_id} was deleted in MLflow: restore it there, or give the sweep again"
            )


def _record(run: "Run") -> RunRecord:
    info, data = run.info, run.data
    return RunRecord(info.run_id, info.run_name, info.status, data.metrics, data.params, data.tags)
