"""The window's texts and keys, without a window."""

from types import SimpleNamespace

import pytest

from tripletlab.errors import InputError
from tripletlab.recognition.search import Match
from tripletlab.webcam.colours import GREY
from tripletlab.webcam.session import Rates


@pytest.fixture
def windowless(monkeypatch, tmp_path):
    """Kivy can be imported, and opens no window."""
    for name in ("KIVY_NO_ARGS", "KIVY_NO_CONFIG", "KIVY_NO_FILELOG"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("KIVY_LOG_MODE", "PYTHON")
    monkeypatch.setenv("KIVY_WINDOW", "none")
    monkeypatch.setenv("KIVY_HOME", str(tmp_path))


@pytest.fixture
def main(windowless):
    """The class of the window's content; its methods take any object with its properties."""
    from tripletlab.webcam.content import Main

    return Main


def session(rates, names, *, calibrated_on="calibration"):
    """What the texts need of a session."""
    card = SimpleNamespace(calibrated_on=calibrated_on, photos="faces")
    return SimpleNamespace(
        threshold=0.5,
        bundle=SimpleNamespace(card=card),
        enrolled=SimpleNamespace(names=names),
        expected=lambda: rates,
    )


@pytest.mark.parametrize(
    ("names", "far", "says"),
    [
        (
            (),
            0.01,
            "accepts 1.0% of strangers and 29% of a person's own photos. Measured on faces.",
        ),
        (("Ann",), 0.01, "as a given person in 4.9%. Measured"),
        (("Ann", "Ben"), 0.01, "given person in 4.9%, as one of these 2 in 9.6%. Meas"),
        (("Ann",), 0.0004, "accepts 0.04% of strangers"),
    ],
)
def test_the_rates_shown_are_of_one_comparison_and_of_the_people_recorded(main, names, far, says):
    shown = SimpleNamespace()
    main.show_threshold(shown, session(Rates(far, 0.049, 0.0956, 0.29), names))
    assert shown.expected.startswith("One comparison accepts ")
    assert says in shown.expected


def test_rates_of_no_accepted_pair_are_bounds_and_too_favourable_ones_are_named(main):
    shown = SimpleNamespace()
    bounds = Rates(0.001, 0.005, 0.01, 0.29, bounds=True)
    main.show_threshold(shown, session(bounds, ("Ann", "Ben"), calibrated_on="validation"))
    assert shown.expected == (
        "One comparison accepts less than 0.1% of strangers and 29% of a person's own photos. With"
        " all photos recorded, a stranger passes as a given person in up to 0.5%, as one of these 2"
        " in up to 1.0%. Measured on faces. In use it accepts more: the same people chose the"
        " network."
    )


@pytest.mark.parametrize(
    ("nearest", "known", "says"),
    [
        (Match("Ann", 0.4), True, "Recognised as Ann"),
        (Match("Ann", 0.9), False, "Not recognised as Ann"),
        (Match("Ben", 0.1), True, "Is this Ann?"),  # searched among everyone, a moment ago
    ],
)
def test_a_claim_is_answered_by_the_distance_to_that_person_alone(main, nearest, known, says):
    shown, asked = SimpleNamespace(), SimpleNamespace(compared_with="Ann", threshold=0.5)
    person = SimpleNamespace(nearest=[nearest], name=nearest.name if known else None)
    main.show_claim(shown, asked, [person])
    assert shown.claim == says
    assert (shown.claim_colour == GREY) == says.startswith("Is")
    main.show_claim(shown, asked, [])
    assert shown.claim == "Is this Ann?"


def test_somebody_who_cannot_be_compared_is_a_message(windowless):
    from tripletlab.webcam.app import WebcamApp

    def refuse(_name):
        raise InputError("record again")

    said = []
    root = SimpleNamespace(show_claim=lambda *_: None, show_threshold=lambda *_: None)
    session = SimpleNamespace(compare_with=refuse)
    shown = SimpleNamespace(session=session, root=root, _say=said.append)
    WebcamApp.compare_with(shown, "Ann")
    assert said == ["record again"]


@pytest.mark.parametrize(
    ("people", "known", "says"),
    [
        ([], {"Ann": 1}, "No face in sight"),
        (["unlike"], {"Ann": 1}, "Nobody can be compared with this face"),
        (["unlike"], {}, "Record a person to begin"),
    ],
)
def test_a_face_that_has_no_distances_is_not_called_no_face(windowless, people, known, says):
    """Such as one that the network cannot embed, or where all photos of everyone are unused."""
    from tripletlab.webcam.app import WebcamApp

    written = []
    root = SimpleNamespace(
        trouble="",
        show_claim=lambda *_: None,
        show_nearest=lambda *_, **texts: written.append(texts),
    )
    session = SimpleNamespace(threshold=0.5)
    shown = SimpleNamespace(root=root, session=session, face=None, _known=known)
    WebcamApp._write_people(shown, [SimpleNamespace(nearest=[], name=None) for _ in people])
    assert [texts["empty"] for texts in written] == [says]


def test_forgetting_promises_no_more_than_the_gallery_s_file(windowless, monkeypatch):
    from tripletlab.webcam import dialogs

    asked = []

    def dialog(_do, *, detail, **_more):
        return SimpleNamespace(open=lambda: asked.append(detail))

    monkeypatch.setattr(dialogs, "Dialog", dialog)
    everyone = SimpleNamespace(forget_everyone=None)
    dialogs.Dialogs(everyone, changed=None, compare_with=None, face=None).forget()
    assert asked == [
        "All people and their photos are deleted for good, and overwritten in the gallery's file."
    ]


def test_a_dialog_has_the_keys_with_ctrl_but_ctrl_q_quits(windowless, monkeypatch):
    from tripletlab.webcam import app
    from tripletlab.webcam.widgets import Overlay

    children, stopped = [], []
    monkeypatch.setattr(app, "Window", SimpleNamespace(children=children))
    shown = SimpleNamespace(stop=lambda: stopped.append(True), keys={"v": pytest.fail})

    def press(letter):
        return app.WebcamApp._on_key(shown, None, ord(letter), 0, letter, ["ctrl"])

    assert press("v")
    children.append(Overlay.__new__(Overlay))
    assert not press("v")
    assert not stopped
    assert press("q")
    assert stopped
