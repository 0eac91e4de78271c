"""What the app does without its window: a recording, the gallery, the rates that are shown."""

import contextlib
import shutil
import sqlite3
from itertools import count
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tests.webcam.people import ANN, BEN, picture
from tripletlab.errors import InputError
from tripletlab.recognition.gallery import Gallery, Shot
from tripletlab.recognition.gallery_file import FILE
from tripletlab.recognition.photos import opened_gallery
from tripletlab.recognition.recogniser import faces_in, shot_of
from tripletlab.webcam.guide import PATIENCE, STEPS
from tripletlab.webcam.recognition import recognise_frame
from tripletlab.webcam.session import Session


@pytest.fixture
def session(bundle, tmp_path, monkeypatch):
    """A session whose threads are not started; between two frames of a recording time passes."""
    clock = SimpleNamespace(monotonic=count(step=PATIENCE + 1).__next__)
    monkeypatch.setattr("tripletlab.webcam.session.time", clock)
    made = Session(bundle, tmp_path / "gallery", source="97")
    yield made
    made.gallery.close()


def frame(session, seed, number=0):
    """As the session's own thread would recognise it."""
    return recognise_frame(picture(seed, number), session._recogniser)


def test_a_recording_enrols_the_person_who_is_then_recognised(session):
    session.record(" Ann ")
    names = [session.advance_recording(frame(session, ANN)) for _ in range(len(STEPS) + 1)]
    assert names == [None] * len(STEPS) + ["Ann"]  # the first frame begins the first step
    assert session.recording is None
    assert session.gallery.people() == {"Ann": len(STEPS)}
    assert [one.name for one in frame(session, ANN).people] == ["Ann"]
    assert [one.name for one in frame(session, BEN).people] == [None]
    with pytest.raises(InputError, match="already recorded"):
        session.record("Ann")


def enrol(session, name, seed):
    found = frame(session, seed).people[0].found
    session.gallery.add(name, [shot_of(picture(seed, 0), found, session.bundle)])
    session.compare_with("")


def finish(session, seed):
    """Whom the recording enrols, once it is complete."""
    names = [session.advance_recording(frame(session, seed, n)) for n in range(len(STEPS) + 1)]
    return names[-1]


def test_nobody_is_renamed_to_the_person_being_recorded(session):
    enrol(session, "Ben", BEN)
    session.record("Ann")
    with pytest.raises(InputError, match="Ann is being recorded"):
        session.rename("Ben", " Ann ")
    assert finish(session, ANN) == "Ann"
    assert session.gallery.people() == {"Ann": len(STEPS), "Ben": 1}


def test_who_is_renamed_while_recorded_again_stays_one_person(session):
    enrol(session, "Ann", ANN)
    session.record("Ann", instead=True)
    session.rename("Ann", " Anna ")
    assert finish(session, ANN) == "Anna"
    assert session.gallery.people() == {"Anna": len(STEPS)}


def test_who_is_deleted_is_not_recorded(session):
    enrol(session, "Ann", ANN)
    session.record("Ann", instead=True)
    session.delete("Ann")
    assert session.recording is None
    session.record("Ann")
    session.forget_everyone()
    assert session.recording is None


def test_a_new_person_is_not_merged_with_one_whom_another_process_enrols(session):
    session.record("Ann")
    enrol(session, "Ann", BEN)
    with pytest.raises(InputError, match="Ann is there already"):
        finish(session, ANN)
    assert session.gallery.people() == {"Ann": 1}
    session.rename("Ann", "Ben")
    assert session.advance_recording(frame(session, ANN)) == "Ann"
    assert session.gallery.people() == {"Ann": len(STEPS), "Ben": 1}


def test_two_people_do_not_take_turns_in_one_recording(session, monkeypatch):
    monkeypatch.setattr(Session, "furthest", 0.55)  # between the distances of Ann and Ben
    session.record("Ann")
    hints = []
    for number, seed in enumerate((ANN, ANN, BEN, ANN)):  # the first frame begins the first step
        session.advance_recording(frame(session, seed, number))
        hints.append(session.recording.guide.hint)
    assert hints == ["", "", "This looks like somebody else", ""]
    assert len(session.recording.shots) == 2


def test_a_recording_rejects_hardly_any_photo_of_the_person(session):
    assert session.furthest >= session.highest
    assert session.bundle.card.calibration.tar_at(session.furthest) > 0.9899


def test_photos_that_cannot_be_saved_are_kept_until_they_can(session, tmp_path):
    session.gallery._base.execute("PRAGMA busy_timeout = 1")
    session.record("Ann")
    with contextlib.closing(sqlite3.connect(tmp_path / "gallery" / FILE)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(InputError, match="locked"):
            finish(session, ANN)
        assert "locked" in session.recording.guide.hint
    assert session.advance_recording(frame(session, BEN)) == "Ann"
    assert session.recording is None
    assert session.gallery.people() == {"Ann": len(STEPS)}


def test_nobody_is_recognised_once_the_gallery_is_deleted_or_replaced(session, bundle, tmp_path):
    enrol(session, "Ann", ANN)
    session.compare_with("Ann")
    shutil.rmtree(tmp_path / "gallery")
    opened_gallery(tmp_path / "gallery", bundle).close()
    with pytest.raises(InputError, match="deleted or replaced"):
        session.refresh()
    assert (session.compared_with, session.enrolled.names) == ("", ())
    assert [one.name for one in frame(session, ANN).people] == [None]


def test_everyone_is_forgotten_even_if_the_file_cannot_be_shrunk(session, tmp_path):
    enrol(session, "Ann", ANN)
    session.gallery._base.execute("PRAGMA busy_timeout = 1")
    with contextlib.closing(sqlite3.connect(tmp_path / "gallery" / FILE)) as other:

        def read(statement):
            if statement == "VACUUM":
                other.execute("BEGIN")
                other.execute("SELECT * FROM person").fetchall()

        session.gallery._base.set_trace_callback(read)
        with pytest.raises(InputError, match="locked"):
            session.forget_everyone()
    assert session.gallery.people() == {}
    assert session.enrolled.names == ()


def test_people_of_another_network_are_recognised_and_their_names_stay_taken(bundle, tmp_path):
    blank = cv2.imencode(".png", np.full((90, 90), 128, np.uint8))[1].tobytes()
    found = faces_in(picture(ANN, 0), bundle)[0]
    other = np.eye(4, dtype=np.float32)[0]
    with contextlib.closing(Gallery(tmp_path / "g", fingerprint="m", dim=4)) as older:
        older.add("Ann", [shot_of(picture(ANN, 0), found, bundle)._replace(embedding=other)])
        older.add("Cy", [Shot(other, blank)])
    session = Session(bundle, tmp_path / "g", source="97")
    try:
        assert [one.name for one in frame(session, ANN, 1).people] == ["Ann"]
        with pytest.raises(InputError, match="Cy cannot be recognised: record again"):
            session.compare_with("Cy")
        assert session.compared_with == ""
        with pytest.raises(InputError, match="already recorded"):
            session.record("Cy")
        session.record("Cy", instead=True)
    finally:
        session.gallery.close()


def test_the_rates_grow_with_the_photos_and_the_people(session):
    curve = session.bundle.card.calibration
    session.threshold = 0.8
    (person,) = frame(session, ANN).people
    shot = shot_of(picture(ANN, 0), person.found, session.bundle)
    nobody = session.expected()
    assert (nobody.far, nobody.tar) == (curve.far_at(0.8), curve.tar_at(0.8))
    assert (nobody.far_of_person, nobody.far_of_any) == (0, 0)
    for people, name in enumerate("abc", 1):
        session.gallery.add(name, [shot] * 5)
        session.compare_with("")
        rates = session.expected()
        assert (rates.far, rates.tar) == (nobody.far, nobody.tar)
        assert rates.far_of_person == pytest.approx(1 - (1 - rates.far) ** 5)
        assert rates.far_of_any == pytest.approx(1 - (1 - rates.far) ** (5 * people))
    session.threshold = 0.0
    bound = session.expected()
    assert bound.bounds
    assert bound.far == pytest.approx(3 / curve.mismatched)
    assert bound.far_of_person == pytest.approx(1 - (1 - bound.far) ** 5)
    session.threshold = 99
    assert session.threshold == session.highest
    assert curve.far_at(session.highest) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("camera", "recognition", "can"),
    [("", "", False), ("busy", "", True), ("", "stopped", False), ("busy", "stopped", False)],
)
def test_only_a_camera_can_be_tried_again(session, camera, recognition, can, monkeypatch):
    monkeypatch.setattr(session, "camera", SimpleNamespace(trouble=camera))
    session.recognition.trouble = recognition
    assert session.can_retry == can


def test_a_face_is_compared_with_one_person_alone(session):
    enrol(session, "Ann", ANN)
    enrol(session, "Ben", BEN)
    session.compare_with("Ben")
    assert [len(frame(session, seed).people[0].nearest) for seed in (ANN, BEN)] == [1, 1]
    assert [frame(session, seed).people[0].name for seed in (ANN, BEN)] == [None, "Ben"]
    rates = session.expected()
    assert rates.far == pytest.approx(rates.far_of_person) == pytest.approx(rates.far_of_any)
    session.rename("Ben", " Benjamin ")
    assert (session.compared_with, session.enrolled.names) == ("Benjamin", ("Benjamin",))
    session.delete("Benjamin")
    assert (session.compared_with, session.enrolled.names) == ("", ("Ann",))
    assert [one.name for one in frame(session, ANN).people] == ["Ann"]
