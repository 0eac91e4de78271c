"""MLflow's registry of networks: which version is meant, its network, and the champion."""

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tripletlab.errors import Deleted, InputError
from tripletlab.system.progress import say
from tripletlab.tracking import store
from tripletlab.tracking.past_runs import PastRuns

if TYPE_CHECKING:
    import keras
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

CHAMPION = "champion"
PROMOTED = "tripletlab.promoted"  # when a model was last asked for its champion, in milliseconds
PHOTOS = "-photos"  # ends the name of a bundle that is registered as a model


class Registered(NamedTuple):
    """A version of a registered model, and the run that it came from."""

    model: str
    version: str
    run_id: str


@dataclass(frozen=True)
class ModelRegistry:
    """Finds, loads and promotes networks in the store at `uri`."""

    uri: str
    runs: PastRuns

    def find(self, which: str) -> Registered:
        """The version meant by `champion`, MODEL@champion, MODEL/version, a version or a run's id.

        Where several models have a champion, that of the model that was last trained or promoted
        is meant, and a message names it. InputError where no version is meant, or more than one,
        with what there is to choose from.
        """
        model, at, alias = which.partition("@")
        if not at:
            model, _, alias = which.rpartition("/")
        found = _champions(model) if alias == CHAMPION else _versions(model, alias)
        if alias == CHAMPION and len(found) > 1:
            others = ", ".join(f"{one.name}@{CHAMPION}" for one in found[1:4])
            say(f"{which}: that of {found[0].name}, trained last; there are also {others}")
            found = found[:1]
        if len(found) != 1:
            raise InputError(self._not_one(which, found))
        return Registered(found[0].name, str(found[0].version), found[0].run_id)

    def load(self, chosen: Registered) -> "keras.Model":
        """The network of a version; Deleted where its files are gone."""
        import mlflow.keras
        from mlflow.exceptions import MlflowException

        settings = {"compile": False}
        try:
            # Not by its name: MLflow would write a note beside the files, which may be read-only
            uri = store.client().get_model_version_download_uri(chosen.model, chosen.version)
            return store.patiently(lambda: mlflow.keras.load_model(uri, load_model_kwargs=settings))
        except (MlflowException, OSError) as error:
            raise Deleted(f"{chosen.model}/{chosen.version}: its files are missing") from error

    def name_of(self, run_id: str) -> str | None:
        """The model under which the run's network is registered now; None where it is not."""
        found = store.client().search_model_versions(f"run_id = '{run_id}'")
        return str(found[0].name) if found else None

    def promote(self, model: str, *, run_id: str, metric: str) -> bool:
        """Give `champion` to the run's version of the model, unless a better one has it.

        Better is a higher `metric` in the version's own run. Returns whether the run is champion
        now.
        """
        client = store.client()
        name = client.get_registered_model(model)
        found = client.search_model_versions(f"name = '{model}' and run_id = '{run_id}'")
        if not found:
            raise Deleted(f"{model} has no version of the run {run_id}")
        client.set_registered_model_tag(model, PROMOTED, str(time.time_ns() // 1_000_000))
        if CHAMPION in name.aliases:
            holder = client.get_model_version_by_alias(model, CHAMPION).run_id
            if holder == run_id:
                return True
            if self.runs.exists(holder):
                best = self._metric(holder, metric)
                if best >= self._metric(run_id, metric):
                    return False
                if best == float("-inf"):
                    say(f"the champion's run {holder} has no {metric}: replaced without comparison")
        client.set_registered_model_alias(model, CHAMPION, found[0].version)
        return True

    def _metric(self, run_id: str, name: str) -> float:
        """The last value of a metric; below every value where the run has none."""
        return self.runs.record(run_id).metrics.get(name, float("-inf"))

    def _not_one(self, which: str, found: "list[ModelVersion]") -> str:
        names = [f"{one.name}/{one.version}" for one in found] or [
            f"{one.name}/{latest.version}"
            for one in _models()
            for latest in (one.latest_versions or [])[:1]
        ]
        if not names:
            return f"{which}: no such model in {self.uri}; run `tripletlab sweep` first"
        number = f"{len(found)} models are" if found else "no model is"
        return f"{which}: {number} meant by that; there are {', '.join(names[:4])}"


def _models() -> "list[RegisteredModel]":
    """All registered networks, the last trained or promoted first."""
    client = store.client()
    models = [
        one
        for one in store.all_pages(lambda token: client.search_registered_models(page_token=token))
        if not one.name.endswith(PHOTOS)
    ]
    return sorted(
        models,
        key=lambda one: max(one.last_updated_timestamp or 0, int(one.tags.get(PROMOTED, 0))),
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
    """Those with a number, or of a run; the store searches, for there may be thousands."""
    client = store.client()
    if which.isascii() and which.isdecimal():
        query = f"version_number = {int(which)}"
    elif re.fullmatch(r"[0-9a-f]{32}", which):
        query = f"run_id = '{which}'"
    else:
        return []
    found = store.all_pages(lambda token: client.search_model_versions(query, page_token=token))
    return [one for one in found if model in ("", one.name) and not one.name.endswith(PHOTOS)]
