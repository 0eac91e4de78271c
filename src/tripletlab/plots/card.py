"""The card as JSON for programs, as Markdown, and as one self-contained HTML page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tripletlab.evaluation.bootstrap import TOO_FEW_PEOPLE
from tripletlab.evaluation.identification import searches
from tripletlab.evaluation.metrics import describe
from tripletlab.evaluation.operating_points import tar_name
from tripletlab.plots.page import PageTable, Picture, write_pages

COUNTS = ("tp", "fp", "tn", "fn")
FEW = "too few mismatched pairs for 30 false matches"
FEW_SEARCHES = "too few searches for unknown people for 30 false alarms"


def write_card(
    card: Mapping[str, Any], *, title: str, folder: Path, pictures: Sequence[Picture]
) -> None:
    """Write card.json, card.md and card.html into `folder`; the page carries the pictures."""
    first, *rest = _tables(card)
    parts: list[PageTable | Picture] = [first, *pictures, *rest]
    write_pages(folder / "card", card, title=title, lead=_lead(card), parts=parts)


def _tables(card: Mapping[str, Any]) -> Iterator[PageTable]:
    scores = {name: score for name, score in card["scores"].items() if name != "counts"}
    statistics = [
        (_heading(name), *(f"{score[key]:.4f}" for key in ("mean", "std", "standard_error")))
        for name, score in scores.items()
    ]
    yield PageTable("Over the folds", ("score", "mean", "std", "standard error"), statistics)
    yield _pooled(card["pooled"], card["intervals"])
    yield _folds(scores, card["scores"]["counts"])
    if card.get("identification"):
        yield _identification(card["identification"])
    yield PageTable(
        "What was evaluated", ("what", "value"), list(_plain({**card["pairs"], **card["about"]}))
    )


def _lead(card: Mapping[str, Any]) -> str:
    """The main result in a sentence or two."""
    accuracy, pairs, about = card["scores"]["accuracy"], card["pairs"], card["about"]
    pooled, intervals = card["pooled"], card["intervals"]
    ends, aucs = intervals.get("accuracy"), intervals.get("auc_pooled")
    range_ = f"95 % interval {ends[0]:.1%} to {ends[1]:.1%}" if ends else TOO_FEW_PEOPLE
    tested = f"{pairs['people']:,}" if "people" in pairs else f"at most {pairs['people_at_most']:,}"
    result = (
        f"Accuracy {pooled['accuracy']:.1%} on {pairs['matched'] + pairs['mismatched']:,} pairs of"
        f" {tested} people ({range_}); mean over {pairs['folds']} folds {accuracy['mean']:.1%},"
        f" standard error {accuracy['standard_error']:.1%}; AUC {pooled['auc']:.3f}"
        + (f" ({aucs[0]:.3f} to {aucs[1]:.3f})." if aucs else ".")
    )
    people = about.get("training_identities")
    if not isinstance(people, int):
        return f"{result} The training people are unknown."
    return f"{result} Trained on {people:,} people{_overlap(about)}."


def _overlap(about: Mapping[str, Any]) -> str:
    """How many training people are in the test; never "none" where that cannot be checked."""
    shared = about.get("training_people_in_the_test")
    sides = (("training_people_without_names", "of them"), ("test_people_without_names", "tested"))
    unnamed = " and ".join(f"{about[key]:,} {side}" for key, side in sides if about.get(key))
    if unnamed:
        found = f", {shared:,} of whom are in the test" if isinstance(shared, int) else ""
        whether = f"whether {'more' if found else 'any'} of them are in the test cannot be checked"
        return f"{found}; {whether}: {unnamed} are known only by number"
    return f", {shared or 'none'} of whom are in the test" if isinstance(shared, int) else ""


def _pooled(pooled: Mapping[str, Any], intervals: Mapping[str, Any]) -> PageTable:
    single = {"auc_pooled" if name == "auc" else name: value for name, value in pooled.items()}
    points = single.pop("tar_at_far")
    rates = {tar_name(one["far"]): one["tar"] for one in points}
    few = {tar_name(one["far"]) for one in points if not one["supported"]}
    rows = [
        (_heading(name), f"{value:.4f}", *_ends(intervals.get(name)), FEW * (name in few))
        for name, value in {**single, **rates}.items()
    ]
    method, draws = intervals["method"], f" ({intervals['resamples']} resamples)"
    method = f"95 %: {method}{draws * (method != TOO_FEW_PEOPLE)}."
    return PageTable(
        "All pairs at once", ("score", "value", "95 % from", "to", "warning"), rows, method
    )


def _ends(interval: Sequence[float] | None) -> tuple[str, str]:
    """Both ends of an interval; dashes where there is none."""
    return (f"{interval[0]:.4f}", f"{interval[1]:.4f}") if interval else ("–", "–")


def _folds(scores: Mapping[str, Any], counts: Mapping[str, Any]) -> PageTable:
    names = sorted(scores, key=lambda name: name != "threshold")  # which comes first
    columns = [
        *([f"{value:.4f}" for value in scores[name]["folds"]] for name in names),
        *(map(str, counts[name]) for name in COUNTS),
    ]
    rows = [(str(k), *row) for k, row in enumerate(zip(*columns, strict=True), 1)]
    headings = (*map(_heading, names), *(name.upper() for name in COUNTS))
    return PageTable("Every fold", ("fold", *headings), rows)


def _heading(name: str) -> str:
    return describe(f"test/{name}").heading


def _identification(found: Mapping[str, Any]) -> PageTable:
    ranks = [(f"rank {rank}", f"{share:.4f}", "") for rank, share in found["cmc"].items()]
    rates = [
        (
            f"TPIR at FPIR {point['fpir']:g}",
            f"{point['tpir']:.4f}",
            "" if point["supported"] else FEW_SEARCHES,
        )
        for point in found["tpir_at_fpir"]
    ]
    heading = ("score", "value", "warning")
    return PageTable("Identification, one to many", heading, [*ranks, *rates], searches(found))


def _plain(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if name == "_partial_":
            continue
        key = prefix + name.replace("_", " ").strip()
        if isinstance(value, Mapping):
            yield from _plain(value, f"{key}, ")
        elif isinstance(value, list):
            yield key, ", ".join(map(str, value)) or "none"
        else:
            yield key, f"{value:,}" if type(value) is int else str(value)
