"""Exported bundles as registered models that take photos: what `tripletlab serve` runs."""

import contextlib
import io
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.system.provenance import PACKAGE
from tripletlab.tracking import store
from tripletlab.tracking.registry import PHOTOS, RunModel
from tripletlab.tracking.servers import serve_model

PACKAGES = ("mlflow", "numpy", "onnxruntime", "opencv-python-headless", "pydantic", "rich")


@dataclass(frozen=True)
class BundleRegistry:
    """Registers, finds and serves bundles in the store at `uri`."""

    uri: str

    def register(self, source: RunModel, bundle: Path) -> str:
        """Register the bundle of a network, for `mlflow models serve`; returns its version.

        It carries the package's own code, and needs the packages of recognition alone.
        """
        return store.patiently(lambda: self._register(source, bundle))

    def _register(self, source: RunModel, bundle: Path) -> str:
        import mlflow.pyfunc
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, Schema

        with contextlib.redirect_stderr(io.StringIO()):  # notes for who writes such models
            info = mlflow.pyfunc.log_model(
                name="photos",
                python_model=str(PACKAGE / "tracking" / "serving.py"),
                artifacts={"bundle": str(bundle)},
                code_paths=[str(PACKAGE)],
                pip_requirements=[f"{one}=={version(one)}" for one in PACKAGES],
                signature=ModelSignature(Schema([ColSpec("binary", "photo")])),
                registered_model_name=source.name + PHOTOS,
                tags={"run_id": source.run_id, "model_version": source.version},
            )
        made = str(info.registered_model_version)
        store.client().update_model_version(
            source.name + PHOTOS,
            made,
            f"The bundle of {source}: takes photos, returns their faces and embeddings. Serve it"
            f" with `tripletlab serve {source.name}{PHOTOS}/{made}`.",
        )
        return made

    def find(self, which: str | None) -> str:
        """NAME/version of a registered bundle, the newest if none is given.

        InputError where it is not registered, with those that are.
        """
        client, newest = store.client(), ["creation_timestamp DESC"]
        found = store.all_pages(
            lambda token: client.search_model_versions(
                f"name LIKE '%{PHOTOS}'", order_by=newest, page_token=token
            )
        )
        known = [f"{one.name}/{one.version}" for one in found]
        if not known:
            raise InputError(
                "no bundle is registered; run `tripletlab export champion FOLDER` first"
            )
        if which is not None and which not in known:
            raise InputError(
                f"{which}: no such bundle is registered; there are {', '.join(known[:4])}"
            )
        return which or known[0]

    def serve(self, model: str, *, host: str, port: int) -> None:
        """Serve NAME/version on an interface until it is stopped.

        InputError where the port cannot be had, or the server ends by itself.
        """
        serve_model(model, uri=self.uri, host=host, port=port)
