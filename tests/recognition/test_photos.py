"""Recognition is light."""

import subprocess
import sys


def test_neither_tensorflow_nor_what_trains_is_imported():
    code = "import sys, tripletlab.recognition.photos, tripletlab.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"onnxruntime", "cv2"} <= loaded
    assert not loaded & {"tensorflow", "keras", "mlflow", "optuna", "hydra", "h5py", "sklearn"}
