"""Valid files of every kind, small, as the product itself writes them."""

import functools
import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

SIZE, DIM = 64, 8


def bundle(folder: Path) -> list[bytes]:
    """The manifest of a bundle, which is written into the folder."""
    from tests.recognition.conftest import make_card, projection
    from tripletlab import config
    from tripletlab.recognition.bundle import write_bundle
    from tripletlab.recognition.bundle_folder import MANIFEST

    (folder / "some.onnx").write_bytes(projection())
    for name in ("aligned", "paper"):
        settings = config.compose("prepare", [f"faces={name}"]).faces.settings
        card = make_card(threshold=0.5)
        write_bundle(
            folder / "bundle", folder / "some.onnx", weights="0" * 64, faces=settings, card=card
        )
        (folder / name).write_bytes((folder / "bundle" / MANIFEST).read_bytes())
    return [(folder / name).read_bytes() for name in ("aligned", "paper")]


def network(_: Path) -> list[bytes]:
    """A projection, and one that computes a constant of a given size."""
    from tests.recognition.conftest import huge, projection

    return [projection(), huge(100)]


def gallery(folder: Path) -> list[bytes]:
    """Two people."""
    from tests.recognition.test_gallery import shots
    from tripletlab.recognition.gallery import Gallery

    kept = Gallery(folder / "g", fingerprint="m", dim=DIM)
    kept.add("Ada", shots(1))
    kept.add("Bo", shots(2))
    kept.close()
    return [(folder / "g" / "gallery.sqlite").read_bytes()]


def faces(folder: Path) -> list[bytes]:
    """Three people in two trees."""
    from tests.faces.test_store import contents
    from tripletlab.faces.store_writing import write

    given = contents()
    texts = {**given["texts"], "rejected": ("t/a/1.jpg",), "reasons": ("no face found",)}
    write(folder / "seed.h5", **{**given, "texts": texts})
    return [(folder / "seed.h5").read_bytes()]


def pairs(folder: Path) -> list[bytes]:
    """Twelve faces and eight pairs of them."""
    from tests.stores import make_pairs
    from tripletlab.faces.store_writing import write

    made = make_pairs(people=4, photos=3)
    arrays = {"images": made.images, "fallback": made.fallback, "map_rows": made.map_rows}
    texts = {"names": made.names, "called": made.display_names, "sources": made.sources}
    write(
        folder / "seed.h5",
        kind="pairs",
        title=made.title,
        settings=made.settings,
        notes=made.notes,
        pairs=("pairs", made.pairs),
        arrays=arrays,
        texts=texts,
    )
    return [(folder / "seed.h5").read_bytes()]


def pairs_txt(_: Path) -> list[bytes]:
    """Two folds of two matched and two mismatched pairs."""
    fold = "Ann\t1\t2\nBen Ö\t1\t4\nAnn\t1\tBen Ö\t3\nCem\t2\tAnn\t10\n"
    return [f"2\t2\n{fold}{fold}".encode()]


def two_line_pairs(_: Path) -> list[bytes]:
    """As CPLFW's and as CALFW's, with ten folds and with two."""
    from tests.protocols import two_lines

    ann, ben = (
        [f"{name}_{number:04d}.jpg" for number in range(1, 12)] for name in ("Ann Ö", "Ben")
    )
    mismatched = [(one, other, 0) for one, other in zip(ann[:10], ben, strict=False)]
    made = []
    for labels in ([1] * 10, range(1, 11), [1, 2] * 5):
        matched = zip(ann, ann[1:], labels, strict=False)
        made.append(two_lines([*matched, *mismatched]).encode())
    return made


def agedb(folder: Path) -> list[bytes]:
    """Two splits of a matched and a mismatched pair, packed and not."""
    from tests.protocols import write_agedb

    split = [("Ann_0_1_30_f", "Ann_0_2_60_f", 1), ("Ann_0_1_30_f", "Ben_0_1_60_m", -1)]
    made = []
    for packed in (False, True):
        write_agedb(folder / "seed.mat", [split, split], do_compression=packed)
        made.append((folder / "seed.mat").read_bytes())
    return made


def packed_pairs(_: Path) -> list[bytes]:
    """Four pairs as Python 2 and 3 write them, as bytes and as arrays."""
    from tests.protocols import python2_pickle

    photos = [bytes([number]) * (20 + number) for number in range(8)]
    arrays = [np.frombuffer(photo, np.uint8).reshape(-1, 1) for photo in photos]
    matched = [True, False, True, False]
    return [
        *(python2_pickle(photos, matched, arrays=one) for one in (False, True)),
        *(pickle.dumps((one, matched), protocol=4) for one in (photos, arrays)),
        pickle.dumps((photos, matched), protocol=2),
    ]


def lists(_: Path) -> list[bytes]:
    """Names of people and photos, and VGGFace2's table."""
    table = 'Class_ID, Name, Sample_Num, Flag, Gender\nn000001, "Ann, B.", 424, 0, f\n'
    return ["Ann\n# a comment\nBen Ö\ntree/Cem/1.jpg\n".encode(), table.encode()]


def spaces(_: Path) -> list[bytes]:
    """Those that come with tripletlab."""
    from tripletlab.config import folder

    return [path.read_bytes() for path in sorted(folder("sweeps").glob("*.yaml"))]


def own_conf(folder: Path) -> list[bytes]:
    """A choice of one's own: a miner that tripletlab has already."""
    from tripletlab.config import folder as conf

    (folder / "own" / "conf" / "miner").mkdir(parents=True)
    return [path.read_bytes() for path in sorted((conf("conf") / "miner").glob("*.yaml"))]


def run_config(_: Path) -> list[bytes]:
    """What a run records."""
    import yaml

    from tripletlab import config

    trees = [config.compose("train", words).tree for words in ([], ["faces=aligned"])]
    return [yaml.safe_dump(tree, sort_keys=False).encode() for tree in trees]


def people(_: Path) -> list[bytes]:
    """Folders and names, and names alone."""
    return [json.dumps(one).encode() for one in ({"n01": "Ann", "n02": "Ben"}, ["Ann", "Ben"])]


def _saved(save: Any, *arguments: Any, **arrays: Any) -> bytes:
    file = io.BytesIO()
    save(file, *arguments, **arrays)
    return file.getvalue()


def distances(_: Path) -> list[bytes]:
    """Forty pairs."""
    values = np.random.default_rng(0).uniform(0, 4, 40)
    return [_saved(save, verification=values, validation=values[:20])
            for save in (np.savez, np.savez_compressed)]  # fmt: skip


def npy(_: Path) -> list[bytes]:
    """Ten embeddings, in three types."""
    values = np.random.default_rng(0).normal(size=(10, 4))
    kinds = (np.float64, np.float32, np.float16)
    return [_saved(np.save, values.astype(kind)) for kind in kinds]


@functools.cache
def model() -> Any:
    """A small network with its optimizer."""
    import keras

    small = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
    small.compile(optimizer=keras.optimizers.Adam(), loss="mse")
    return small


def checkpoint(folder: Path) -> list[bytes]:
    """After an epoch."""
    from tripletlab.training.checkpoint import Progress, save

    best = [np.asarray(one) for one in model().weights]
    progress = Progress(epoch=1, best_epoch=1, best_score=0.5, speeds=[1.0], best_weights=best)
    save(folder / "seed.npz", model(), progress)
    return [(folder / "seed.npz").read_bytes()]


def keras(folder: Path) -> list[bytes]:
    """Networks as MLflow logs them."""
    model().save(folder / "seed.keras")
    return [(folder / "seed.keras").read_bytes()]


def photos(_: Path) -> list[bytes]:
    """A crude face in every form that has to be read, and a few that only OpenCV knows."""
    import cv2

    from tests.faces.conftest import draw
    from tests.faces.damaged import sound

    drawn = draw(1, 1)
    colour = np.repeat(drawn[:, :, None], 3, axis=2)
    rare = [cv2.imencode(kind, colour)[1].tobytes() for kind in (".ppm", ".pam", ".ras", ".jp2")]
    light = cv2.imencode(".hdr", colour.astype(np.float32))[1].tobytes()
    return [*sound(drawn).values(), *rare, light]


def videos(folder: Path) -> list[bytes]:
    """Three pictures, in Motion JPEG and MPEG-4."""
    import cv2

    made = []
    for name, code in (("seed.avi", "MJPG"), ("seed.mp4", "mp4v")):
        video = cv2.VideoWriter(str(folder / name), cv2.VideoWriter.fourcc(*code), 8, (80, 60))
        for level in (20, 120, 220):
            video.write(np.full((60, 80, 3), level, np.uint8))
        video.release()
        made.append((folder / name).read_bytes())
    return made
