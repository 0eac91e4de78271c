"""What MLflow runs for a model that takes photos: `tripletlab serve` starts it.

It is kept as code with the model, beside its bundle; nothing is pickled.
"""

from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel

from tripletlab.faces.cropping import MOST_BYTES, MOST_PIXELS, Photo, decode_photo
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.recogniser import EmbeddedFace, faces_in
from tripletlab.recognition.search import is_unit


class PhotoEmbedder(PythonModel):  # type: ignore[misc]
    """Photos, as the bytes of their files, to the faces in each."""

    def load_context(self, context: Any) -> None:
        """Open the bundle that was logged."""
        self.bundle = Bundle.open(Path(context.artifacts["bundle"]))

    def predict(
        self, context: Any, model_input: Any, params: dict[str, Any] | None = None
    ) -> list[list[dict[str, Any]]]:
        """A list of faces for every photo, most prominent first: box [x, y, side], embedding.

        `model_input` has a column `photo`. A photo without a face gives an empty list, a face that
        the network makes nothing of the embedding None. A photo that cannot be read, or has too
        many pixels to decode, is an error of the request.
        """
        colour = self.bundle.recipe.colour
        photos = [
            _photo(content, row, colour=colour) for row, content in enumerate(model_input["photo"])
        ]
        return [[_plain(face) for face in faces_in(photo, self.bundle)] for photo in photos]


def _photo(content: object, row: int, *, colour: bool) -> Photo:
    if isinstance(content, bytes) and len(content) <= MOST_BYTES:
        photo = decode_photo(content, colour=colour)
        if photo is not None:
            return photo
    raise MlflowException(
        f"photo {row}: not a photo that can be read, or one of more than {MOST_PIXELS:,} pixels",
        error_code=INVALID_PARAMETER_VALUE,
    )


def _plain(face: EmbeddedFace) -> dict[str, Any]:
    embedding = face.embedding.tolist() if is_unit(face.embedding) else None
    return {"box": list(face.box), "embedding": embedding}


set_model(PhotoEmbedder())
