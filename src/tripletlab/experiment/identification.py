"""`tripletlab identify`: one to many, from a gallery and probes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from tripletlab.errors import InputError
from tripletlab.evaluation.identification import Split, identify, searches, summary, two_galleries
from tripletlab.experiment.results_folder import label_of, results_folder
from tripletlab.experiment.target import about_people, find_target, tracker_of
from tripletlab.faces.store import PEOPLE_UNKNOWN, PairStore
from tripletlab.photos.pair_photos import by_number
from tripletlab.photos.pairs import PhotoOf
from tripletlab.plots.card import FEW_SEARCHES
from tripletlab.plots.identification import draw_identification
from tripletlab.system.files import make_output_folder, write_whole
from tripletlab.system.progress import result_console, say


def identify_people(
    what: str,
    overrides: Sequence[str],
    *,
    gallery: Path | None,
    folder: Path | None,
) -> Path:
    """Search for the probes among the enrolled faces; write the figures and curves.

    `gallery` lists the enrolled photos, a line each: name, tab, number, as pairs.txt names them;
    all other photos are looked for. Without it the people are dealt into two galleries.
    """
    tracker = tracker_of(overrides, writable=folder is None)
    if folder:
        make_output_folder(folder)
    target = find_target(what, overrides, tracker)
    store, label = target.store, f"{label_of(target)}-identification"
    place = folder or results_folder(Path(tracker.folder), what, label)
    if store.notes.get(PEOPLE_UNKNOWN):
        raise InputError(
            f"{store.title} says of pairs whether they match, not who is in which photo: nobody can"
            " be searched for in it; choose another verification"
        )
    about_people(target)
    there = np.flatnonzero(np.isfinite(target.embeddings).all(axis=1))
    labels = store.labels[there]
    try:
        splits = [_split(gallery, store, there)] if gallery else two_galleries(labels, seed=0)
        found = identify(target.embeddings[there], labels, splits)
    except ValueError as error:
        raise InputError(f"{store.title}: {error}") from error
    place.mkdir(parents=True, exist_ok=True)
    title = f"{target.name} on {store.title}, {len(there):,} faces"
    draw_identification(found, title=title, path=place / "identification.png")
    figures = summary(found)
    write_whole(place / "identification.json", (json.dumps(figures, indent=2) + "\n").encode())
    _print_figures(figures, title)
    say(f"written: {place / 'identification.png'}")
    return place


def _print_figures(figures: Mapping[str, Any], title: str) -> None:
    table = Table(title=title, title_justify="left")
    unsupported = not all(point["supported"] for point in figures["tpir_at_fpir"])
    table.caption = searches(figures) + f" (few): {FEW_SEARCHES}." * unsupported
    table.caption_justify = "left"
    table.add_column("score")
    table.add_column("", justify="right")
    for rank, share in figures["cmc"].items():
        table.add_row(f"rank {rank}", f"{share:.4f}")
    for point in figures["tpir_at_fpir"]:
        few = "" if point["supported"] else " (few)"
        table.add_row(f"TPIR at FPIR {point['fpir']:g}", f"{point['tpir']:.4f}{few}")
    result_console().print(table)


def _split(path: Path, store: PairStore, there: np.ndarray) -> Split:
    """The gallery and the probes: the faces that the list names, and all others."""
    files: dict[str, list[Path]] = {}
    for name, source in zip(store.names, store.sources, strict=True):
        files.setdefault(name, []).append(Path(source))
    known = by_number(files)
    places = {
        (store.names[row], Path(store.sources[row])): place for place, row in enumerate(there)
    }
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    enrolled = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = [word.strip() for word in line.rstrip().split("\t")]
        if words == [""]:
            continue
        if len(words) != 2 or not words[1].isdecimal():
            raise InputError(f"{path}, line {number}: write a name, a tab, and the photo's number")
        meant = known.get(PhotoOf(words[0], int(words[1])), [])
        if len(meant) > 1:
            raise InputError(
                f"{path}, line {number}: photo {words[1]} of {words[0]} can be"
                f" {', '.join(file.name for file in meant)}: rename all but one"
            )
        place = places.get((words[0], meant[0])) if meant else None
        if place is None:
            raise InputError(
                f"{path}, line {number}: photo {words[1]} of {words[0]} is not in {store.title}"
            )
        enrolled.add(place)
    if not enrolled:
        raise InputError(f"{path}: nobody is enrolled")
    gallery = np.array(sorted(enrolled), np.int64)
    return Split(gallery, np.setdiff1d(np.arange(len(there)), gallery))
