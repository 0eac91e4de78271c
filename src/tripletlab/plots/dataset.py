"""The card of a face store: what it holds and what was rejected, as JSON and as one HTML page."""

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import printable
from tripletlab.faces.cleaning import sharpness
from tripletlab.faces.cropping import Grey
from tripletlab.faces.pair_faces import NOT_ON_MAP
from tripletlab.faces.store import CALIBRATION, HELDOUT, TRAIN, VALIDATION, FaceStore, PairStore
from tripletlab.plots.montage import fitted, tiled
from tripletlab.plots.page import Chart, PageTable, Part, embedded_jpeg, html_page
from tripletlab.plots.style import BLUE, GREY
from tripletlab.system.files import write_whole

MEASURED = 5000  # faces, drawn with a seed, whose brightness and sharpness are measured
SHOWN = 12, 8  # identities in the montage, faces of each
BINS = 20  # of a histogram
ACROSS = 342  # pixels of a histogram's bars, beside its counts
SPLITS = {
    "training": TRAIN,
    "validation": VALIDATION,
    "held out": HELDOUT,
    "calibration": CALIBRATION,
}


def dataset_facts(store: FaceStore | PairStore) -> dict[str, Any]:
    """The facts on the card, as values for JSON."""
    names = _names(store)
    people, faces = np.unique(names, return_counts=True)
    rng = np.random.default_rng(0)
    some = np.sort(rng.permutation(len(store.images))[:MEASURED])
    measured = [np.asarray(store.images[row]) for row in some]
    facts: dict[str, Any] = {
        "title": store.title,
        "fingerprint": store.fingerprint,
        "photos_found": store.notes["photos"],
        "faces_kept": len(store.images),
        "rejected": {why: found["photos"] for why, found in store.notes["rejected"].items()},
        "people": len(people),
        "faces_of_a_person": {
            "least": int(faces.min()),
            "median": float(np.median(faces)),
            "most": int(faces.max()),
            "histogram": _counted(faces),
        },
        "brightness": _histogram([face.mean() for face in measured], 0, 255),
        "sharpness": _histogram([sharpness(face) for face in measured], 0, 1.5),
        "measured_on": len(measured),
        "preparation": store.settings,
    }
    if isinstance(store, FaceStore):
        splits = {what: np.asarray(store.split) == split for what, split in SPLITS.items()}
        facts["split"] = {
            what: len({store.names[entry] for entry in np.flatnonzero(chosen)})
            for what, chosen in splits.items()
        }
        facts["hygiene"] = store.notes["hygiene"]
    return facts


def write_dataset_card(
    store: FaceStore | PairStore, *, rejected: Mapping[str, Sequence[Grey]], path: Path
) -> None:
    """Write the facts to `path` with the ending .json, and the page with .html.

    `rejected` are examples of the rejected photos, by reason.
    """
    facts = dataset_facts(store)
    write_whole(path.with_suffix(".json"), (json.dumps(facts, indent=2) + "\n").encode())
    write_whole(path.with_suffix(".html"), _page(store, facts, rejected).encode())


def _page(
    store: FaceStore | PairStore, facts: dict[str, Any], rejected: Mapping[str, Sequence[Grey]]
) -> str:
    faces = facts["faces_of_a_person"]
    rows = {
        "photos found": f"{facts['photos_found']:,}",
        "faces kept": f"{facts['faces_kept']:,}",
        "people": f"{facts['people']:,}",
        **{f"people, {what}": f"{count:,}" for what, count in facts.get("split", {}).items()},
        **_too_few_faces(store),
        "faces of a person": f"{faces['least']} to {faces['most']}, median {faces['median']:g}",
        "fingerprint": facts["fingerprint"],
        **_hygiene(facts.get("hygiene")),
        **_flat(facts["preparation"], "faces"),
    }
    parts: list[Part] = [
        PageTable("", (), list(rows.items())),
        Chart(
            "Some people, a row each",
            _montage(_some_people(store), alt="faces, a row for each person"),
        ),
        *(_problem(store, why, rejected.get(why, [])) for why in facts["rejected"]),
        *_histograms(facts),
    ]
    return html_page(f"{store.title}: {facts['faces_kept']:,} faces", _lead(store, facts), parts)


def _histograms(facts: Mapping[str, Any]) -> list[Chart]:
    measured, kept = facts["measured_on"], facts["faces_kept"]
    some = f", of {measured:,} drawn at random" if measured < kept else ""
    return [
        Chart(heading, _bars(histogram, what=heading), note)
        for heading, histogram, note in (
            (
                "Faces of a person",
                facts["faces_of_a_person"]["histogram"],
                "How many people have so many faces.",
            ),
            (
                "Brightness",
                facts["brightness"],
                f"How many faces have this mean grey level, 0 to 255{some}.",
            ),
            (
                "Sharpness",
                facts["sharpness"],
                "How many faces have this strength of the finest structure relative to the coarser"
                f" one, which falls with blur{some}. What is above 1.5 is in the last bar.",
            ),
        )
    ]


def _lead(store: FaceStore | PairStore, facts: Mapping[str, Any]) -> str:
    """How many photos were left out, and how many are used in spite of a problem."""
    found, rejected = facts["photos_found"], facts["rejected"]
    spared = sum(count for why, count in rejected.items() if _is_used(store, why))
    unused = sum(rejected.values()) - spared
    were = "was" if unused == 1 else "were"
    left_out = f"{f'{unused:,}' if unused else 'None'} of {_photos(found)} {were} left out."
    have = "has" if spared == 1 else "have"
    used = f" {_photos(spared)} {have} a problem, but {'is' if spared == 1 else 'are'} used."
    return left_out + used * bool(spared)


def _problem(store: FaceStore | PairStore, why: str, pictures: Sequence[Grey]) -> Chart:
    """The photos that have a problem: how many, the names of some, and their pictures."""
    found = store.notes["rejected"][why]
    heading = f"{why[0].upper()}{why[1:]}" if _is_used(store, why) else f"Not used: {why}"
    names = printable(", ".join(found["such_as"]))
    note = names if len(found["such_as"]) == found["photos"] else f"Such as {names}"
    return Chart(f"{heading} ({_photos(found['photos'])})", _montage([pictures], alt=heading), note)


def _is_used(store: FaceStore | PairStore, why: str) -> bool:
    """Whether photos with this problem are used: no pair is dropped because of one."""
    return isinstance(store, PairStore) and not why.endswith(NOT_ON_MAP)


def _photos(count: int) -> str:
    return f"{count:,} photo{'s' * (count != 1)}"


def _hygiene(hygiene: Mapping[str, Any] | None) -> dict[str, str]:
    """How many people are in the verification set too, and how many were left out."""
    if hygiene is None:
        return {}
    shared, left_out = len(hygiene["shared"]), len(hygiene["left_out"])
    unknown = (
        "; not checkable for {:,} training people and {:,} of the set, who have no names".format(
            *hygiene["without_names"]
        )
    )
    return {
        "also in the verification set": f"{shared:,} people (hygiene.shared={hygiene['rule']})"
        + (unknown if any(hygiene["without_names"]) else ""),
        "left out": f"{left_out:,} people",
    }


def _too_few_faces(store: FaceStore | PairStore) -> dict[str, str]:
    """The people who are left out for too few usable faces, if there are any."""
    people = store.notes.get("people", {})
    lost = people.get("too_few_faces", 0)
    if not lost:
        return {}
    names = printable(", ".join(people["such_as"]))
    such = names if len(people["such_as"]) == lost else f"such as {names}"
    return {"people with too few faces": f"{lost:,} of {people['found']:,}: {such}"}


def _flat(values: Mapping[str, Any], path: str) -> dict[str, str]:
    """Nested values as rows, their keys joined by dots; a callable by its name."""
    rows: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows |= _flat(value, f"{path}.{name}")
        elif name == "_target_":
            rows[path] = str(value)
        elif name != "_partial_" and value is not None:
            several = isinstance(value, list)
            rows[f"{path}.{name}"] = ", ".join(map(str, value)) if several else str(value)
    return rows


def _names(store: FaceStore | PairStore) -> NDArray[np.str_]:
    """The identity of each face."""
    names = np.asarray(store.names)
    return names[store.entries] if isinstance(store, FaceStore) else names


def _some_people(store: FaceStore | PairStore) -> list[list[Grey]]:
    """Faces of some identities, drawn with a seed."""
    people, where = np.unique(_names(store), return_inverse=True)
    chosen = np.random.default_rng(0).permutation(len(people))[: SHOWN[0]]
    rows = [np.flatnonzero(where == person)[: SHOWN[1]] for person in chosen]
    return [[np.asarray(store.images[face]) for face in row] for row in rows]


def _montage(rows: Sequence[Sequence[Grey]], *, alt: str) -> str:
    """Rows of pictures as one embedded image; nothing where there are none."""
    columns = max(map(len, rows), default=0)
    if not columns:
        return ""
    sheet = tiled([[fitted(picture) for picture in row] for row in rows], columns=columns)
    return f'<img alt="{escape(alt)}" src="{embedded_jpeg(sheet)}">'


def _counted(numbers: NDArray[np.int64]) -> dict[str, Any]:
    """Counts in at most 20 bins of equally many whole numbers each, from 0."""
    most = int(numbers.max())
    step = math.ceil((most + 1) / BINS)
    edges = np.arange(0, most + 1 + step, step)
    return {"edges": edges.tolist(), "counts": np.histogram(numbers, edges)[0].tolist()}


def _histogram(values: Any, low: float, high: float) -> dict[str, Any]:
    """Counts in 20 bins; values outside the range count in the first and last bin."""
    counts, edges = np.histogram(np.clip(values, low, high), bins=BINS, range=(low, high))
    return {"edges": edges.round(4).tolist(), "counts": counts.tolist()}


def _bars(histogram: Mapping[str, Any], *, what: str) -> str:
    """A histogram as an SVG drawing: the highest count at the left, both ends below."""
    counts, edges = histogram["counts"], histogram["edges"]
    whole = isinstance(edges[0], int)  # bins of whole numbers, the last of which is edge - 1
    most, width = max(*counts, 1), ACROSS / len(counts)

    def bar(place: int, count: int) -> str:
        first, last = edges[place], edges[place + 1] - whole
        values = f"{first:g} to {last:g}" if first < last else f"{first:g}"
        height = 100 * count / most
        return (
            f'<rect x="{width * place:g}" y="{100 - height:.1f}" width="{0.9 * width:g}"'
            f' height="{height:.1f}" fill="{BLUE}"><title>{values}: {count:,}</title></rect>'
        )

    bars = "".join(bar(place, count) for place, count in enumerate(counts))
    first, last = f"{edges[0]:g}", f"{edges[-1] - whole:g}"
    label = f"{what}: a histogram from {first} to {last}; the highest bar counts {most:,}"
    texts = "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
        for x, y, anchor, text in (
            *((-6, 5, "end", f"{most:,}"), (-6, 104, "end", "0")),
            *((0, 118, "start", first), (ACROSS, 118, "end", last)),
        )
    )
    return (
        f'<svg role="img" aria-label="{escape(label)}" width="400" height="134"'
        f' viewBox="0 0 400 134" font-size="13"><g transform="translate({396 - ACROSS} 10)">{bars}'
        f'<path d="M0 0V100H{ACROSS}" fill="none" stroke="{GREY}"/>{texts}</g></svg>'
    )
