"""The three forms of a card: the same figures, nothing from outside, no name that breaks out."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tripletlab.evaluation.card import make_card
from tripletlab.evaluation.protocol import evaluate
from tripletlab.plots.card import write_card
from tripletlab.plots.page import Picture

HOSTILE = "</td><script>alert(1)</script> | Ann"


class Page(HTMLParser):
    """Tags, addresses and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.texts.append(data)


def written(tmp_path: Path) -> tuple[dict, str, str]:
    rng = np.random.default_rng(0)
    matched = np.tile([True, False], 100)
    distances = rng.normal(np.where(matched, 1.0, 1.6), 0.5)
    people = np.stack([np.arange(200), np.arange(200) + ~matched], axis=1)
    about = {"training_names_in_the_test": [HOSTILE], "preparation": {"size": 64}}
    fold = np.arange(200) // 20
    settings = {"about": about, "resamples": 20, "seed": 0}
    result = evaluate(distances, matched, fold)
    card = make_card(result, distances, matched, fold, people, **settings)
    card["identification"] = {
        "enrolled_people": [40, 41],
        "enrolled_faces": [40, 43],
        "searches_for_enrolled": 1234,
        "searches_for_unknown": 20,
        "cmc": {"1": 0.1234, "5": 0.4321},
        "tpir_at_fpir": [{"fpir": 0.1, "tpir": 0.0987, "supported": False}],
    }
    (tmp_path / "roc.png").write_bytes(b"png")
    pictures = [Picture(HOSTILE, tmp_path / "roc.png")]
    write_card(card, title=HOSTILE, folder=tmp_path, pictures=pictures)
    return card, (tmp_path / "card.md").read_text(), (tmp_path / "card.html").read_text()


def test_all_three_say_the_same(tmp_path: Path) -> None:
    card, markdown, page = written(tmp_path)
    assert json.loads((tmp_path / "card.json").read_text()) == card
    for score in ("accuracy", "precision", "recall", "f1", "auc", "threshold"):
        mean = f"{card['scores'][score]['mean']:.4f}"
        assert f"| {'AUC' if score == 'auc' else score} | {mean} |" in markdown
        assert mean in Page(page).texts
    assert "too few mismatched pairs" in markdown
    accuracy = card["scores"]["accuracy"]
    least, most = card["intervals"]["accuracy"]
    assert (
        f"Accuracy {card['pooled']['accuracy']:.1%} on 200 pairs of 201 people (95 % interval"
        f" {least:.1%} to {most:.1%}); mean over 10 folds {accuracy['mean']:.1%}, standard error"
        f" {accuracy['standard_error']:.1%}; AUC {card['pooled']['auc']:.3f} ("
    ) in markdown
    assert any("The training people are unknown." in text for text in Page(page).texts)
    eer, ends = card["pooled"]["eer"], card["intervals"]["eer"]
    assert f"| EER | {eer:.4f} | {ends[0]:.4f} | {ends[1]:.4f} |" in markdown
    assert f"| recall | {card['pooled']['recall']:.4f} | – | – |" in markdown
    assert re.search(r"\| [0-9.]+ \| – \| – \| too few mismatched pairs", markdown)
    assert "preparation, size" in Page(page).texts
    for text in ("rank 1", "0.1234", "0.0987"):
        assert text in Page(page).texts
    assert "41 people (43 faces); 1,234 searches" in markdown
    for k, accuracy in enumerate(card["scores"]["accuracy"]["folds"]):
        assert re.search(rf"\| {k + 1} \| [0-9.]+ \| {accuracy:.4f} \|", markdown)


def test_a_card_of_few_or_unknown_people_says_so(tmp_path: Path) -> None:
    card, *_ = written(tmp_path)
    card["pairs"]["people_at_most"] = card["pairs"].pop("people")
    for name in ("accuracy", "auc_pooled"):
        del card["intervals"][name]
    assert "; the thresholds are kept fixed (20 resamples)." in written(tmp_path)[1]
    card["intervals"]["method"] = "too few people for an interval"
    write_card(card, title="a card", folder=tmp_path, pictures=[])
    markdown = (tmp_path / "card.md").read_text()
    assert "pairs of at most 201 people (too few people for an interval); mean" in markdown
    assert f"AUC {card['pooled']['auc']:.3f}. The training" in markdown
    assert "\n95 %: too few people for an interval.\n" in markdown


def test_the_page_needs_nothing_else_and_runs_nothing(tmp_path: Path) -> None:
    page = Page(written(tmp_path)[2])
    assert "script" not in page.tags
    assert any(HOSTILE in text for text in page.texts)
    assert page.addresses == ["data:image/png;base64,cG5n"]


def test_a_bar_in_a_name_does_not_make_a_column(tmp_path: Path) -> None:
    line = next(one for one in written(tmp_path)[1].splitlines() if "training names" in one)
    assert line.replace(r"\|", "").count("|") == 3


@pytest.mark.parametrize(
    ("shared", "unnamed", "tested", "said"),
    [
        (0, 0, 0, "Trained on 9 people, none of whom are in the test."),
        (2, 0, 0, "Trained on 9 people, 2 of whom are in the test."),
        (
            "not checkable",
            9,
            0,
            "any of them are in the test cannot be checked: 9 of them are known",
        ),
        (
            2,
            3,
            4,
            "2 of whom are in the test; whether more of them are in the test cannot be checked",
        ),
    ],
)
def test_overlap_is_not_none_where_it_is_not_known(tmp_path, shared, unnamed, tested, said):
    about = {
        "training_identities": 9,
        "training_people_in_the_test": shared,
        "training_people_without_names": unnamed,
        "test_people_without_names": tested,
    }
    card, *_ = written(tmp_path)
    write_card({**card, "about": about}, title="a card", folder=tmp_path, pictures=[])
    assert said in (tmp_path / "card.md").read_text()
