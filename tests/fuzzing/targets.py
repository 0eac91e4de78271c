"""What reads files of others: a valid file or several of each kind, and the function that reads."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.fuzzing import seeds
from tests.fuzzing.mutations import damaged, damaged_archive, damaged_json

Read = Callable[[bytes, Path], Any]  # None where it says in its own way that it cannot read


class Target(NamedTuple):
    """A reader, its valid inputs, how they are damaged, and how many make a full campaign."""

    seeds: Callable[[Path], list[bytes]]
    read: Read
    mutate: Callable[..., bytes]
    count: int


TEXT, BINARY = partial(damaged, text=True), partial(damaged, text=False)


def _file(name: str, read: Callable[[Path], Any]) -> Read:
    """A reader of bytes as one of a file of that name."""

    def reading(data: bytes, folder: Path) -> Any:
        (folder / name).write_bytes(data)
        found = read(folder / name)
        return True if found is None else found

    return reading


def _faces(path: Path) -> int:
    from tripletlab.faces.store import FaceStore, rejected_photos
    from tripletlab.faces.store_writing import damage

    opened = FaceStore.open(path)
    return int(opened.images.sum()) + len(rejected_photos(path)) + len(damage(path))


def _pairs(path: Path) -> int:
    from tripletlab.faces.store import PairStore
    from tripletlab.faces.store_writing import damage

    opened = PairStore.open(path)
    return int(opened.images[opened.pairs.first].sum()) + len(damage(path))


def _pairs_txt(path: Path) -> Any:
    from tripletlab.photos.pairs import read_pairs_files

    return read_pairs_files([path])


def _two_lines(path: Path) -> Any:
    from tripletlab.photos.lfw_variants import read_two_line_pairs

    return read_two_line_pairs(path)


def _agedb(path: Path) -> Any:
    from tripletlab.photos.agedb import read_splits

    return read_splits(path)


def _packed(path: Path) -> Any:
    from tripletlab.photos.packed_pairs import read_packed

    return read_packed(path)


def _lists(path: Path) -> Any:
    from tripletlab.photos.hygiene import Hygiene

    return Hygiene(exclude=[str(path)], shared="exclude").left_out({"a": "Ann"}, ["Ben"])


def _vggface2(path: Path) -> Any:
    from tripletlab.photos.sources import _meta_names

    return _meta_names(path.parent)


def _gallery(path: Path) -> Any:
    from tripletlab.recognition.gallery import Gallery

    gallery = Gallery(path.parent, fingerprint="m", dim=seeds.DIM)
    try:
        return [gallery.pictures(name) for name in gallery.people()]
    finally:
        gallery.close()


def _manifest(path: Path) -> Any:
    from tripletlab.recognition.bundle import Bundle

    return Bundle.open(path.parent)


def _network(data: bytes, _: Path) -> Any:
    from tripletlab.recognition.embedder import Embedder

    return Embedder(data, name="some.onnx")(np.zeros((2, seeds.SIZE, seeds.SIZE), np.uint8))


def _space(path: Path) -> Any:
    from tripletlab.sweeping.samplers import make_pruner, make_sampler
    from tripletlab.sweeping.space_files import read_space

    space = read_space(path)
    if space.pruner:
        make_pruner(space)
    if space.sampler:
        make_sampler(space, 0)
    return space.corners()


def _own_conf(path: Path) -> Any:
    from tripletlab import config

    config.use(path.parents[1])
    config.groups()
    return config.compose("train", ["miner=own"])


def _run_config(path: Path) -> Any:
    import yaml

    from tripletlab import config
    from tripletlab.config.yaml_files import read_yaml

    return config.recorded(read_yaml(path, yaml.safe_load), {}, [])


def _npy(path: Path) -> Any:
    from tripletlab.experiment.target import _read

    return _read(path)


def _distances(path: Path) -> Any:
    from tripletlab.evaluation.distance_files import read_distances

    return read_distances(path, "verification")


def _json(path: Path) -> Any:
    from tripletlab.experiment.target import _people

    return _people(path)


def _checkpoint(path: Path) -> Any:
    from tripletlab.training import checkpoint

    return checkpoint.load(path, seeds.model())


def _keras(path: Path) -> Any:
    from tripletlab.tracking.registry import read_network

    return read_network(path)


def _photo(data: bytes, _: Path) -> Any:
    from tripletlab.faces.cropping import decode_photo

    decode_photo(data, colour=True)
    return decode_photo(data)


def _video(path: Path) -> Any:
    from tripletlab.webcam import sources

    sources.time.sleep = lambda _: None
    source = sources.open_source(str(path))
    try:
        return [source.read() for _ in range(4)]
    finally:
        source.close()


TARGETS = {
    "a bundle's manifest": Target(
        seeds.bundle, _file("bundle/bundle.json", _manifest), damaged_json, 900
    ),
    "a bundle's network": Target(seeds.network, _network, BINARY, 1000),
    "a gallery": Target(seeds.gallery, _file("g/gallery.sqlite", _gallery), BINARY, 900),
    "faces.h5": Target(seeds.faces, _file("faces.h5", _faces), BINARY, 1400),
    "pairs.h5": Target(seeds.pairs, _file("pairs.h5", _pairs), BINARY, 900),
    "pairs.txt": Target(seeds.pairs_txt, _file("pairs.txt", _pairs_txt), TEXT, 900),
    "pairs_CALFW.txt": Target(
        seeds.two_line_pairs, _file("pairs_CALFW.txt", _two_lines), TEXT, 600
    ),
    "AgeDB's protocol": Target(seeds.agedb, _file("protocol.mat", _agedb), BINARY, 900),
    "packed pairs (.bin)": Target(seeds.packed_pairs, _file("lfw.bin", _packed), BINARY, 1500),
    "lists of people": Target(seeds.lists, _file("exclude.txt", _lists), TEXT, 300),
    "identity_meta.csv": Target(seeds.lists, _file("identity_meta.csv", _vggface2), TEXT, 300),
    "spaces": Target(seeds.spaces, _file("space.yaml", _space), TEXT, 900),
    "own conf": Target(seeds.own_conf, _file("own/conf/miner/own.yaml", _own_conf), TEXT, 100),
    "a run's config": Target(seeds.run_config, _file("config.yaml", _run_config), TEXT, 200),
    "a run's people": Target(seeds.people, _file("people.json", _json), damaged_json, 300),
    "a run's distances": Target(seeds.distances, _file("d.npz", _distances), damaged_archive, 700),
    "a run's network": Target(seeds.keras, _file("model.keras", _keras), damaged_archive, 200),
    "checkpoints": Target(seeds.checkpoint, _file("c.npz", _checkpoint), damaged_archive, 400),
    "embeddings (.npy)": Target(seeds.npy, _file("e.npy", _npy), BINARY, 900),
    "photos": Target(seeds.photos, _photo, BINARY, 1500),
    "videos": Target(seeds.videos, _file("v.avi", _video), BINARY, 400),
}
