"""From the words of a command line to the module that does the work, imported when it must."""

import argparse
from pathlib import Path

from tripletlab import config
from tripletlab.errors import InputError

WHATS = "champion, NAME@champion, NAME/version, a run's id, a bundle's folder, or a FILE.npy"


def prepare(given: argparse.Namespace) -> None:
    """`tripletlab prepare`."""
    from tripletlab.experiment.data import prepare

    composed = _checked("prepare", given)
    if not _shown(composed, given):
        prepare(composed.config, fresh=given.fresh)


def data(given: argparse.Namespace) -> None:
    """`tripletlab data verify`."""
    from tripletlab.faces.integrity import verify

    verify(Path(config.compose("prepare", given.overrides).config["data"]))


def suspects(given: argparse.Namespace) -> None:
    """`tripletlab suspects`."""
    from tripletlab.experiment.suspects import suspects

    which, overrides = config.apart(given.words)
    if len(which) > 1:
        raise InputError("write tripletlab suspects [champion|run|version] [key=value …]")
    composed = config.compose("train", overrides)
    suspects(composed.config, *(which or ["champion"]), share=given.share)


def train(given: argparse.Namespace) -> None:
    """`tripletlab train`."""
    from tripletlab.experiment.data import prepare
    from tripletlab.experiment.run import train

    composed = _checked("train", given)
    if _shown(composed, given):
        return
    tracker = config.build(composed.config, "tracking")
    data = prepare(composed.config, fresh=False)
    tracker.open()
    name = f"{composed.choices['miner']} {composed.config['margin']}"
    outcome = train(composed, data, name=name, tracker=tracker)
    for metric, value in outcome.metrics.items():
        print(f"{metric}\t{value:.4f}" if isinstance(value, float) else f"{metric}\t{value}")
    print(f"run\t{outcome.run_id}")


def evaluate(given: argparse.Namespace) -> None:
    """`tripletlab evaluate`."""
    from tripletlab.experiment.evaluate import evaluate, print_faces

    if given.faces:
        given.overrides = [one for one in (given.what, *given.overrides) if one]
        print_faces(_checked("evaluate", given))
    elif given.what is None or "=" in given.what:
        raise InputError(f"what is to be judged? Give {WHATS}")
    else:
        composed = _checked("evaluate", given)
        evaluate(given.what, composed, given.overrides, folder=given.to)


def identify(given: argparse.Namespace) -> None:
    """`tripletlab identify`."""
    from tripletlab.experiment.identify import identify_people

    composed = _checked("evaluate", given)
    places = {"gallery": given.gallery, "folder": given.to}
    identify_people(given.what, composed, given.overrides, **places)


def compare(given: argparse.Namespace) -> None:
    """`tripletlab compare`."""
    from tripletlab.experiment.compare import compare_models

    whats, given.overrides = config.apart(given.words)
    compare_models(whats, _checked("evaluate", given), folder=given.to or Path("comparison"))


def describe(given: argparse.Namespace) -> None:
    """`tripletlab describe`."""
    from tripletlab.architectures.summary import describe

    describe(_checked("train", given))


def sweep(given: argparse.Namespace) -> None:
    """`tripletlab sweep`."""
    from tripletlab.sweeping import status

    match given.words:
        case ["status", *words]:
            status.status(words)
        case ["best", *words]:
            status.best(words)
        case words:
            from tripletlab.sweeping.sweep import sweep

            sweep(words, fresh=given.fresh, dry_run=given.dry_run)


def report(given: argparse.Namespace) -> None:
    """`tripletlab report`."""
    from tripletlab.sweeping.result import open_report

    open_report(given.words)


def clean(given: argparse.Namespace) -> None:
    """`tripletlab clean`."""
    from tripletlab.sweeping.status import clean

    clean(given.overrides)


def ui(given: argparse.Namespace) -> None:
    """`tripletlab ui`."""
    from tripletlab.tracking.runs import serve

    tracking = config.resolved(config.compose("train", given.overrides).config)["tracking"]
    serve(tracking["uri"], port=given.port)


def export(given: argparse.Namespace) -> None:
    """`tripletlab export`."""
    from tripletlab.experiment.export import export

    names, overrides = config.apart(given.words)
    which, folder = _which(names)
    export(
        config.compose("train", overrides).config,
        which,
        Path(folder),
        far=given.far,
        keras_too=given.keras,
        saved=given.savedmodel,
    )


def enrol(given: argparse.Namespace) -> None:
    """`tripletlab enrol`."""
    from tripletlab.recognition.photos import enrol

    enrol(given.name, given.photos, bundle=given.bundle, gallery=given.gallery)


def recognise(given: argparse.Namespace) -> None:
    """`tripletlab recognise`."""
    from tripletlab.recognition.photos import recognise

    recognise(given.photos, bundle=given.bundle, gallery=given.gallery, threshold=given.threshold)


def webcam(given: argparse.Namespace) -> None:
    """`tripletlab webcam`."""
    from tripletlab.webcam.window import webcam

    webcam(given.bundle, gallery=given.gallery, source=given.source)


def _which(words: list[str]) -> tuple[str, str]:
    """What to export, the champion where only a folder is given, and where to."""
    if not 1 <= len(words) <= 2:
        raise InputError("write tripletlab export [champion|run|version] FOLDER")
    return ("champion", words[0]) if len(words) == 1 else (words[0], words[1])


def _checked(root: str, given: argparse.Namespace) -> config.Composed:
    """The config of one of conf/'s root files, every value held against the code it is for."""
    composed = config.compose(root, given.overrides)
    if root == "train":
        from tripletlab.training.backend import load

        load()
    config.check(composed.config)
    return composed


def _shown(composed: config.Composed, given: argparse.Namespace) -> bool:
    """Print the config where --config asks for it."""
    if given.config:
        import yaml

        print(yaml.safe_dump(config.resolved(composed.config), sort_keys=False), end="")
    return bool(given.config)
