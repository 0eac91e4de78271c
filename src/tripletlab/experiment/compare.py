"""`tripletlab compare`: models on the same pairs, and which of their differences are real."""

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from rich.console import Console

from tripletlab.config import EvaluateConfig
from tripletlab.errors import InputError
from tripletlab.evaluation.comparison import RESAMPLES, Judged, call, compare
from tripletlab.evaluation.protocol import Distances
from tripletlab.experiment.evaluation import identities
from tripletlab.faces.store import PairStore, find
from tripletlab.plots.comparison import (
    conclusion,
    draw_rocs,
    rows,
    terminal,
    write_comparison,
)
from tripletlab.plots.errors import shown
from tripletlab.plots.montage import COLUMNS, ROWS, Panel, draw_montage
from tripletlab.plots.page import Picture
from tripletlab.system.progress import say
from tripletlab.tracking import registry
from tripletlab.tracking.runs import Tracker

MOST = COLUMNS * ROWS


class _Model(NamedTuple):
    name: str
    distances: Distances
    pairs_fingerprint: str


def compare_models(whats: Sequence[str], config: EvaluateConfig, *, folder: Path) -> Path:
    """Compare runs, versions or folders that `evaluate` has written; a table and a page come out.

    InputError where fewer than two are given, or not all were judged by the same pairs.
    """
    tracker: Tracker = config.tracking.build()
    models = [_model(what, tracker) for what in whats]
    names = _different([model.name for model in models])
    judged = _store(models, names, config.data)
    pairs = judged.pairs
    calls = [call(model.distances, pairs.matched, pairs.fold) for model in models]
    draws = {"resamples": RESAMPLES, "seed": 0}
    compared = compare(calls, pairs.matched, identities(judged), **draws)
    figures = rows(compared, names)
    title = f"{len(models)} models on {judged.title}, {len(pairs.first):,} pairs"
    with TemporaryDirectory(prefix="tripletlab-") as scratch:
        pictures = [Picture("ROC curves, all pairs at once", Path(scratch) / "roc.png")]
        draw_rocs(calls, pairs.matched, names, title=title, path=pictures[0].path)
        for one, other in combinations(range(len(models)), 2):
            path = Path(scratch) / f"pairs_{one + 1}_{other + 1}.png"
            _draw_differing(judged, (calls[one], calls[other]), (names[one], names[other]), path)
            caption = f"Pairs on which {names[one]} and {names[other]} differ"
            pictures.append(Picture(caption, path))
        write_comparison(
            figures, calls, names, pairs, title=title, folder=folder, pictures=pictures
        )
    console = Console(highlight=False)
    console.print(terminal(figures, title=title))
    console.print(conclusion(figures))
    say(f"written: {folder / 'comparison.html'}")
    return folder


def _model(what: str, tracker: Tracker) -> _Model:
    """A folder of `evaluate`, or what the tracker finds."""
    card, distances = Path(what) / "card.json", Path(what) / "distances.npz"
    if card.is_file() and distances.is_file():
        name = Path(what).resolve().name
    else:
        tracker.open_existing()
        chosen = registry.find(what, uri=tracker.uri)
        name = registry.told(chosen.run_id).tags["mlflow.runName"]
        card, distances = (
            tracker.artifact(chosen.run_id, file) for file in ("card.json", "distances.npz")
        )
    with np.load(distances) as stored:
        about = json.loads(card.read_text())["about"]
        return _Model(name, stored["verification"], about["pairs_fingerprint"])


def _store(models: Sequence[_Model], names: Sequence[str], data: Path) -> PairStore:
    """The pairs by which all of them were judged."""
    if len(models) < 2:
        raise InputError("give two models or more to compare")
    wanted = models[0].pairs_fingerprint
    for model, name in zip(models, names, strict=True):
        if model.pairs_fingerprint != wanted:
            raise InputError(
                f"{names[0]} and {name} were judged by different pairs: let `tripletlab evaluate`"
                " judge both on one set, and compare the folders that it writes"
            )
    return find(PairStore, data, wanted, what=f"the pairs that judged {names[0]}")


def _draw_differing(
    judged: PairStore, calls: tuple[Judged, Judged], names: tuple[str, str], path: Path
) -> None:
    """A montage of the pairs that one of two models calls rightly, the most contested first."""
    one, other = calls
    contested = np.argsort(-np.abs(one.beyond - other.beyond), kind="stable")
    panels = []
    for winner, right in (
        (names[0], one.right & ~other.right),
        (names[1], other.right & ~one.right),
    ):
        chosen = contested[right[contested]]
        panels.append(
            Panel(
                f"only {winner} is right ({len(chosen):,})",
                [
                    shown(
                        judged,
                        int(pair),
                        "one person" if judged.pairs.matched[pair] else "two people",
                        f"{one.distances[pair]:.2f} | {other.distances[pair]:.2f}",
                    )
                    for pair in chosen[:MOST]
                ],
                "none",
            )
        )
    draw_montage(panels, title=f"Distances: {names[0]} | {names[1]}", path=path)


def _different(names: Sequence[str]) -> list[str]:
    """The names, numbered where one comes again."""
    return [
        name if names.count(name) == 1 else f"{name} #{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]
