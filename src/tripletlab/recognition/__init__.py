"""Recognition with a trained network: its bundle, the gallery of enrolled people, photos."""

import os

# ONNX Runtime reads this as it is imported; otherwise it reports its use to Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
