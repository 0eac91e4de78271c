"""MLflow's registry of networks: the sweeps' winners, and what a person registered."""

import contextlib
import io
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tripletlab.errors import Deleted, InputError, brief
from tripletlab.evaluation.metrics import METRICS, SCORE, SCORE_BEFORE
from tripletlab.system.paths import slug
from tripletlab.system.progress import say
from tripletlab.tracking import store
from tripletlab.tracking.logged_network import logged_model
from tripletlab.tracking.past_runs import SHORT, PastRuns, RunRecord

if TYPE_CHECKING:
    import keras
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

CHAMPION = "champion"
PROMOTED = "tripletlab.promoted"  # when a model was last asked for its champion, in milliseconds
PHOTOS = "-photos"  # ends the name of a bundle that is registered as a model
NETWORK = Path("data", "model.keras")  # inside what MLflow has logged of a network
RUN_ID = r"[0-9a-f]{32}"
TOO_SHORT = r"[0-9a-f]{1,3}"  # for the first digits of a run's id: it could be a version
PREFIX = r"[0-9a-f]{4,31}"  # the first digits of a run's id
TAGS = ("photos", "verification", "faces_fingerprint", "pairs_fingerprint", "git_commit")
HINT = "run `tripletlab sweep` or `tripletlab train --register`, or give the id of a run"


class RunModel(NamedTuple):
    """The network of a run, and where it is registered; not at all where name is empty."""

    run_id: str
    name: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name}/{self.version}" if self.name else f"run {self.run_id}"


@dataclass(frozen=True)
class ModelRegistry:
    """Finds, loads, registers and promotes networks in the store at `uri`."""

    uri: str
    runs: PastRuns

    def find(self, which: str) -> RunModel:
        """The network meant by `champion`, MODEL@champion, MODEL/version, a version or a run's id.

        `champion` is that of the model that the latest sweep, or `train --register`, asked for one;
        a message names it. A run need not be registered, and the first digits of its id (4 at
        least) do. InputError where no network is meant, or more than one, with what there is to
        choose from.
        """
        model, at, alias = which.partition("@")
        if not at:
            model, _, alias = which.rpartition("/")
        found = _champions(model) if alias == CHAMPION else _versions(model, alias)
        found = [one for one in found if self._is_own(one)]
        if alias == CHAMPION and not model and found:
            others = ", ".join(f"{one.name}@{CHAMPION}" for one in found[1:4])
            latest = found[0]
            say(
                f"{which}: {latest.name}/{latest.version} (run {latest.run_id[:SHORT]})"
                + (f", promoted last; there are also {others}" if others else "")
            )
            found = [latest]
        if not found and re.fullmatch(PREFIX, which):
            return self.find(self.runs.beginning_with(which))
        if not found and re.fullmatch(RUN_ID, which) and self._has_network(which):
            return RunModel(which)
        if len(found) != 1:
            raise InputError(self._not_one(which, found, champion=alias == CHAMPION))
        return _run_model(found[0])

    def champions(self) -> list[str]:
        """The runs of all champions."""
        return [one.run_id for one in _champions("") if self._is_own(one)]

    def load(self, chosen: RunModel) -> "keras.Model":
        """The network; Deleted where its files are gone, InputError where they are damaged."""
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        try:
            uri = _location(chosen)
            folder = Path(store.patiently(lambda: download_artifacts(artifact_uri=uri)))
        except (MlflowException, OSError) as error:
            raise Deleted(f"{chosen}: its files are missing") from error
        if not (folder / NETWORK).is_file():
            raise Deleted(f"{chosen}: its files are missing")
        return read_network(folder / NETWORK)

    def register(self, run_id: str) -> RunModel:
        """The registered version of a run's network, made where there is none.

        Runs on the same faces share a model. Deleted where the run or its network is gone.
        """
        return store.patiently(lambda: self._register(run_id))

    def _register(self, run_id: str) -> RunModel:
        import mlflow

        if found := _versions("", run_id):
            return _run_model(found[0])
        run = self.runs.record(run_id)
        network = logged_model(run_id)
        if network is None:
            raise Deleted(f"the run {run_id} has no network: it was deleted in MLflow")
        name = _name(run.tags["photos"], run.tags["faces_fingerprint"])
        tags = {key: run.tags[key] for key in TAGS if key in run.tags}
        with contextlib.redirect_stderr(io.StringIO()):  # a note on every step
            made = mlflow.register_model(f"models:/{network.model_id}", name, tags=tags)
        store.client().update_model_version(name, made.version, _description(run))
        return _run_model(made)

    def promote(self, chosen: RunModel) -> bool:
        """Make a registered version the champion of its model, unless one as good or better is.

        What counts is the validation AUC (SCORE) of the version's own run. Returns whether this
        version is champion now.
        """
        client, name = store.client(), chosen.name
        aliases = client.get_registered_model(name).aliases
        client.set_registered_model_tag(name, PROMOTED, str(time.time_ns() // 1_000_000))
        if CHAMPION in aliases:
            holder = client.get_model_version_by_alias(name, CHAMPION).run_id
            if holder == chosen.run_id:
                return True
            if (
                holder
                and self.runs.exists(holder)
                and self._score(holder) >= self._score(chosen.run_id)
            ):
                return False
        client.set_registered_model_alias(name, CHAMPION, chosen.version)
        return True

    def _score(self, run_id: str) -> float:
        """The validation AUC; below every value where the run has none."""
        metrics = self.runs.record(run_id).metrics
        return metrics.get(SCORE, metrics.get(SCORE_BEFORE, float("-inf")))

    def _is_own(self, version: "ModelVersion") -> bool:
        """It is of a run on faces; a server's registry may hold models of other projects."""
        run_id = version.run_id
        if not run_id:
            return False
        if "faces_fingerprint" in version.tags or not self.runs.exists(run_id):
            return True
        return "faces_fingerprint" in self.runs.record(run_id).tags

    def _has_network(self, run_id: str) -> bool:
        return self.runs.exists(run_id) and logged_model(run_id) is not None

    def _not_one(self, which: str, found: "list[ModelVersion]", *, champion: bool) -> str:
        names = [f"{one.name}/{one.version}" for one in found] or [
            f"{one.name}/{latest.version}"
            for one in _models()
            for latest in (one.latest_versions or [])[:1]
            if "faces_fingerprint" in latest.tags
        ]
        if champion:
            return f"{which}: there is no champion in {self.uri}; {HINT}"
        if not names:
            return f"{which}: no such model in {self.uri}; {HINT}"
        number = f"{len(found)} models are" if found else "no model is"
        digits = not found and re.fullmatch(TOO_SHORT, which)
        more = "; of a run's id, give 4 digits or more" if digits else ""
        return f"{which}: {number} meant by that; there are {', '.join(names[:4])}{more}"


def read_network(path: Path) -> "keras.Model":
    """The network in a .keras file, without the code that such a file may bring along.

    InputError where it needs such code, or is damaged.
    """
    import keras

    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file makes Keras raise nearly anything
        raise InputError(f"{path}: no network that Keras can load ({brief(error)})") from error
    if not isinstance(network, keras.Model):
        raise InputError(f"{path}: {brief(network)} is no network")
    return network


def _name(photos: str, fingerprint: str) -> str:
    """The model of all networks trained on these faces, which a person may have renamed."""
    known = _search(f"tags.faces_fingerprint = '{fingerprint}'")
    return str(known[0].name) if known else f"tripletlab-{slug(photos)}-{fingerprint[:8]}"


def _description(run: RunRecord) -> str:
    """One sentence: what the network is, what it was trained on, and what chose it."""
    architecture, margin, miner = (
        run.params.get(key, "unknown") for key in ("architecture", "margin", "miner")
    )
    people, score = (
        METRICS[name].figure(run.metrics[name]) if name in run.metrics else "unknown"
        for name in ("train/identities", SCORE)
    )
    return (
        f"{architecture}, margin {margin}, miner {miner}; trained on {people} identities of"
        f" {run.tags['photos']}; chosen by a validation AUC of {score}."
    )


def _run_model(version: "ModelVersion") -> RunModel:
    return RunModel(version.run_id, version.name, str(version.version))


def _location(chosen: RunModel) -> str:
    """Where its files are; MLflow would write into those of a name, which may be read-only."""
    if chosen.name:
        return str(store.client().get_model_version_download_uri(chosen.name, chosen.version))
    network = logged_model(chosen.run_id)
    if network is None:
        raise Deleted(f"{chosen}: its network was deleted in MLflow")
    return str(network.artifact_location)


def _models() -> "list[RegisteredModel]":
    """All registered networks, the last promoted first."""
    client = store.client()
    models = [
        one
        for one in store.all_pages(lambda token: client.search_registered_models(page_token=token))
        if not one.name.endswith(PHOTOS)
    ]
    return sorted(
        models,
        key=lambda one: int(one.tags.get(PROMOTED) or one.last_updated_timestamp or 0),
        reverse=True,
    )


def _champions(model: str) -> "list[ModelVersion]":
    client = store.client()
    return [
        client.get_model_version_by_alias(one.name, CHAMPION)
        for one in _models()
        if CHAMPION in one.aliases and model in ("", one.name)
    ]


def _versions(model: str, which: str) -> "list[ModelVersion]":
    """Those with a number, or of a run."""
    if which.isascii() and which.isdecimal() and len(which) < 19:  # what a database can hold
        found = _search(f"version_number = {int(which)}")
    elif re.fullmatch(RUN_ID, which):
        found = _search(f"run_id = '{which}'")
    else:
        return []
    return [one for one in found if model in ("", one.name)]


def _search(query: str) -> "list[ModelVersion]":
    """The versions of networks that the store finds; there may be thousands in all."""
    client = store.client()
    found = store.all_pages(lambda token: client.search_model_versions(query, page_token=token))
    return [one for one in found if not one.name.endswith(PHOTOS)]
