from dataclasses import replace

import numpy as np
import pytest

from tripletlab.photos.conditions import draw_circumstance
from tripletlab.photos.head import camera, landmarks, surface_of
from tripletlab.photos.person import draw_person
from tripletlab.photos.rendering import render

SIZE = 401


@pytest.mark.parametrize("seed", range(5))
def test_landmarks_are_where_the_camera_sees_them(seed):
    person = draw_person(np.random.default_rng(seed))
    shot = draw_circumstance(np.random.default_rng([seed, 1]))
    surface = surface_of(*camera(shot, SIZE), person, shot)
    points = landmarks(person, shot, size=SIZE)
    columns, rows = np.rint(points).astype(int).T
    pixel = 1.5 / (SIZE * shot.scale)  # on the surface, which leans away from the camera
    outer, inner = person.eye_gap + person.eye_width, person.eye_gap - person.eye_width
    drop = person.eye_tilt * person.eye_width
    np.testing.assert_allclose(
        surface.u[rows, columns][:4], [-outer, -inner, inner, outer], atol=pixel
    )
    height = person.eye_height + drop * np.array([-1, 1, 1, -1])
    np.testing.assert_allclose(surface.v[rows, columns][:4], height, atol=pixel)
    assert surface.u[rows, columns][7] == pytest.approx(0, abs=pixel)
    assert (surface.inside[rows, columns] > 0.9).all()


@pytest.mark.parametrize("seed", range(5))
def test_landmarks_of_the_mouth_are_where_its_lips_are_painted(seed):
    """Redder lips change a photo from corner to corner, and down to the lowest point."""
    pale = draw_person(np.random.default_rng(seed))
    pale = replace(pale, lip_red=0.0, beard=0.0, moustache=0.0, glasses=0.0, marks=pale.marks[:0])
    shot = draw_circumstance(np.random.default_rng([seed, 1]))
    shot = replace(shot, roll=0.0, mouth_open=0.0, blur=0.0, noise=0.0, exposure=1.0)
    red = replace(pale, lip_red=1.0)
    photos = [render(one, shot, size=SIZE).astype(int) for one in (pale, red)]
    rows, columns = np.nonzero(np.abs(photos[0] - photos[1]).max(axis=2) > 8)
    left, right, lip = landmarks(pale, shot, size=SIZE)[5:]
    assert columns.min() == pytest.approx(left[0], abs=3)
    assert columns.max() == pytest.approx(right[0], abs=3)
    middle = np.abs(columns - lip[0]) < 2
    assert rows[middle].max() == pytest.approx(lip[1], abs=3)


def test_an_open_mouth_lowers_its_lip_alone():
    person = draw_person(np.random.default_rng(1))
    shot = replace(draw_circumstance(np.random.default_rng(2)), mouth_open=0.0)
    shut, wide = (
        landmarks(person, replace(shot, mouth_open=much), size=SIZE) for much in (0.0, 3.0)
    )
    np.testing.assert_array_equal(shut[:7], wide[:7])
    assert wide[7, 1] > shut[7, 1] + 5
