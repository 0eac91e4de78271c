"""What MLflow runs for a model that takes photos: `mlflow models serve` reads this file.

It is kept as code with the model, beside its bundle; nothing is pickled.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.recogniser import faces_in


class PhotoEmbedder(PythonModel):  # type: ignore[misc]
    """Photos, as the bytes of their files, to the faces in each."""

    def load_context(self, context: Any) -> None:
        """Open the bundle that was logged."""
        self.bundle = Bundle.open(Path(context.artifacts["bundle"]))

    def predict(
        self, context: Any, model_input: Any, params: dict[str, Any] | None = None
    ) -> list[list[dict[str, Any]]]:
        """A list of faces for every photo, most prominent first: box [x, y, side], embedding.

        `model_input` has a column `photo`. A photo that cannot be read, or shows no face, gives
        an empty list.
        """
        return [self._faces(content) for content in model_input["photo"]]

    def _faces(self, content: bytes) -> list[dict[str, Any]]:
        photo = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        if photo is None:
            return []
        found = faces_in(photo, self.bundle)
        return [{"box": list(face.box), "embedding": face.embedding.tolist()} for face in found]


set_model(PhotoEmbedder())
