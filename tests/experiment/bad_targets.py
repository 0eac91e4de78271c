"""What `evaluate`, `compare` and `identify` refuse, and the files of it."""

import pickle
from pathlib import Path

import numpy as np

BAD = [
    (["evaluate", "nobody"], "no model is meant"),
    (["evaluate", "{here}/rows.npy"], "two for each pair"),
    (["evaluate", "{here}/text.npy"], "cannot be read"),
    (["evaluate", "{here}/nothing.npy"], "cannot be read"),
    (["evaluate", "{here}/several.npy"], "several arrays"),
    (["evaluate", "{here}/code.npy"], "cannot be read"),
    (["evaluate", "{here}/promised.npy"], "cannot be read"),
    (["evaluate", "{here}/complex.npy"], "rows of numbers"),
    (["evaluate", "{here}/empty.npy"], "rows of numbers"),
    (["evaluate", "{here}/rows.npy", "flip=true"], "no network to embed"),
    (["evaluate", "RUN", "verification=synthetic", "photos.cropped=[x]"], "with verification=syn"),
    (["compare", "RUN", "RUN", "flip=true"], "it has no effect"),
    (["evaluate", "{here}/flat.npy"], "rows of numbers"),
    (["evaluate", "{here}/zero.npy"], "zero, or not finite"),
    (["evaluate", "RUN", "faces.size=32"], "takes faces of 64 pixels"),
    (["compare", "RUN"], "two models or more"),
    (["compare", "RUN", "RUN", "data=nowhere"], "are not there"),
    (["identify", "RUN", "--gallery", "{here}/gallery.txt"], "line 2"),
    (["identify", "RUN", "verification=bin", "verification.path={here}/some.bin"], "who is in"),
]


def write_bad(folder):
    """Write the files that BAD names; the photos are those in the working folder."""
    for name, values in {
        "rows": np.ones((7, 3)),
        "flat": np.ones(7),
        "zero": np.zeros((7, 3)),
    }.items():
        np.save(folder / f"{name}.npy", values)
    packed = [Path(f"people/Person_{row // 2}/Person_{row // 2}_0000.png") for row in range(40)]
    contents = [photo.read_bytes() for photo in packed]
    (folder / "some.bin").write_bytes(pickle.dumps((contents, [True, False] * 10)))
    (folder / "text.npy").write_text("numbers")
    (folder / "nothing.npy").touch()
    np.savez(folder / "several.npz", a=np.ones((2, 2)), b=np.ones(2))
    (folder / "several.npz").rename(folder / "several.npy")
    np.save(folder / "code.npy", np.array([[print]]), allow_pickle=True)
    np.save(folder / "complex.npy", np.ones((3, 2), complex))
    np.save(folder / "empty.npy", np.ones((3, 0)))
    np.save(folder / "promised.npy", np.ones((3, 2)))
    content = (folder / "promised.npy").read_bytes()
    promised = content.replace(
        b"'shape': (3, 2), }" + b" " * 12, b"'shape': (3" + b"0" * 12 + b", 2), }"
    )
    assert promised != content
    (folder / "promised.npy").write_bytes(promised)
    (folder / "gallery.txt").write_text("\nAnn 1\n")
