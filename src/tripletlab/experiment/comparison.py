"""`tripletlab compare`: models on the same pairs, and which of their differences are real."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from tripletlab.config import EvaluateConfig
from tripletlab.errors import InputError
from tripletlab.evaluation.comparison import Decisions, compare, decide, resamples_for
from tripletlab.evaluation.distance_files import read_distances
from tripletlab.evaluation.protocol import Distances
from tripletlab.experiment.evaluation import identities
from tripletlab.faces.store import PairStore, find
from tripletlab.plots.comparison import (
    adjusted,
    conclusion,
    draw_rocs,
    terminal,
    write_comparison,
)
from tripletlab.plots.errors import shown
from tripletlab.plots.montage import MOST, Panel, draw_montage
from tripletlab.plots.page import Picture
from tripletlab.system.files import make_output_folder
from tripletlab.system.foreign_files import read_json
from tripletlab.system.progress import result_console, say
from tripletlab.tracking import Tracker


class _Model(NamedTuple):
    name: str
    distances: Distances
    pairs_fingerprint: str


def compare_models(whats: Sequence[str], config: EvaluateConfig, *, folder: Path) -> Path:
    """Compare runs, versions or folders that `evaluate` has written; a table and a page come out.

    InputError where fewer than two are given, or not all were evaluated on the same pairs.
    """
    tracker: Tracker = config.tracking.build()
    models = [_model(what, tracker) for what in whats]
    names = _different(_without_data([model.name for model in models]))
    store = _store(models, names, config.data)
    make_output_folder(folder)
    pairs = store.pairs
    decisions = [decide(model.distances, pairs.matched, pairs.fold) for model in models]
    draws = {"resamples": resamples_for(len(models)), "seed": 0}
    compared = compare(decisions, pairs.matched, identities(store), **draws)
    figures = adjusted(compared, names)
    title = f"{len(models)} models on {store.title}, {len(pairs):,} pairs"
    with TemporaryDirectory(prefix="tripletlab-") as scratch:
        pictures = [Picture("ROC curves, all pairs at once", Path(scratch) / "roc.png")]
        draw_rocs(decisions, pairs.matched, names, title=title, path=pictures[0].path)
        for one, other in combinations(range(len(models)), 2):
            if compared[one, other].only_first + compared[one, other].only_second == 0:
                continue
            path = Path(scratch) / f"pairs_{one + 1}_{other + 1}.png"
            _draw_differing(
                store, (decisions[one], decisions[other]), (names[one], names[other]), path
            )
            caption = f"Pairs on which {names[one]} and {names[other]} differ"
            pictures.append(Picture(caption, path))
        write_comparison(
            figures, decisions, names, pairs, title=title, folder=folder, pictures=pictures
        )
    console = result_console()
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
        chosen = tracker.models.find(what)
        name = tracker.runs.record(chosen.run_id).name
        card, distances = (
            tracker.runs.artifact(chosen.run_id, file) for file in ("card.json", "distances.npz")
        )
    match read_json(card):
        case {"about": {"pairs_fingerprint": str(fingerprint)}}:
            return _Model(name, read_distances(distances, "verification"), fingerprint)
    raise InputError(f"{card}: not a card that `tripletlab evaluate` has written")


def _store(models: Sequence[_Model], names: Sequence[str], data: Path) -> PairStore:
    """The pairs on which all of them were evaluated."""
    if len(models) < 2:
        raise InputError("give two models or more to compare")
    wanted = models[0].pairs_fingerprint
    for model, name in zip(models, names, strict=True):
        if model.pairs_fingerprint != wanted:
            raise InputError(
                f"{names[0]} and {name} were evaluated on different pairs: run"
                " `tripletlab evaluate` for both on the same verification pairs, and compare the"
                " folders that it writes"
            )
    store = find(PairStore, data, wanted, what=f"the pairs on which {names[0]} was evaluated")
    for model, name in zip(models, names, strict=True):
        if len(model.distances) != len(store.pairs):
            raise InputError(
                f"{name}: its distances.npz has {len(model.distances):,} distances for"
                f" {len(store.pairs):,} pairs; run `tripletlab evaluate` again"
            )
    return store


def _draw_differing(
    store: PairStore, decisions: tuple[Decisions, Decisions], names: tuple[str, str], path: Path
) -> None:
    """A montage of the pairs that one of two models calls rightly, the most contested first."""
    one, other = decisions
    contested = np.argsort(-np.abs(one.excess - other.excess), kind="stable")
    panels = []
    for winner, right in (
        (names[0], one.correct & ~other.correct),
        (names[1], other.correct & ~one.correct),
    ):
        chosen = contested[right[contested]]
        panels.append(
            Panel(
                f"only {winner} is correct ({len(chosen):,})",
                [
                    shown(
                        store,
                        int(pair),
                        f"{'one person' if store.pairs.matched[pair] else 'two people'}"
                        f" {one.distances[pair]:.2f} | {other.distances[pair]:.2f}",
                    )
                    for pair in chosen[:MOST]
                ],
            )
        )
    draw_montage(panels, title=f"Distances: {names[0]} | {names[1]}", path=path)


def _without_data(names: Sequence[str]) -> list[str]:
    """The names without "on PHOTOS" at their ends, where this says the same of each."""
    ends = {name.partition(" on ")[2] for name in names}
    return [name.partition(" on ")[0] for name in names] if len(ends) == 1 else list(names)


def _different(names: Sequence[str]) -> list[str]:
    """The names, numbered where one comes again."""
    return [
        name if names.count(name) == 1 else f"{name} #{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]
