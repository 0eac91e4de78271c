import cv2
import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.faces.detection import Box, YuNet
from tripletlab.faces.landmark_training import draw, train, vary
from tripletlab.faces.landmarks import (
    BINS,
    COEFFICIENTS,
    NAMES,
    PATCH,
    FivePoints,
    describe,
    directions,
    from_patch,
    load,
    regress,
    regressed,
    save,
    to_patch,
)


@pytest.fixture(scope="module")
def known():
    """People on whom the regression was not trained."""
    return [one for number in range(12) for one in draw([7, number], photos=3, turns=1.0)]


def off(points, known):
    """The mean error, in fractions of the distance between the inner corners of the eyes."""
    eyes = np.linalg.norm(known.points[1] - known.points[2])
    return np.linalg.norm(points - known.points, axis=1).mean() / eyes


def test_landmarks_of_strangers_are_found(known):
    errors = [off(regressed(one.photo, one.box), one) for one in known]
    average = np.mean([(one.points - one.box[:2]) / one.box.side for one in known], axis=0)
    guesses = [off(average * one.box.side + one.box[:2], one) for one in known]
    assert len(errors) > 25
    assert np.mean(errors) < 0.15
    assert np.mean(errors) < 0.5 * np.mean(guesses)


def test_kept_coefficients_are_small():
    assert COEFFICIENTS.stat().st_size < 200 * 1024
    assert load(COEFFICIENTS).mean.shape == (len(NAMES), 2)


def test_every_stage_of_the_training_lowers_the_error(known, tmp_path):
    rng = np.random.default_rng(0)
    examples = [vary(one, rng) for one in known for _ in range(6)]
    regressor = train(examples, stages=3)
    wanted = np.stack([example.points for example in examples])

    def error(stages):
        part = regressor._replace(stages=regressor.stages[:stages])
        return np.abs(np.stack([regress(e.patch, part) for e in examples]) - wanted).mean()

    assert error(3) < error(1) < error(0)
    save(tmp_path / "kept.npz", regressor)
    again = load(tmp_path / "kept.npz")
    for example in examples[:5]:
        np.testing.assert_allclose(
            regress(example.patch, again), regress(example.patch, regressor), atol=1e-3
        )


def test_patch_and_photo_are_the_same_places():
    wide = Box(-7, 12, 91)
    points = np.random.default_rng(0).uniform(0, 100, (8, 2))
    np.testing.assert_allclose(to_patch(from_patch(points, wide), wide), points)
    corner = from_patch(np.array([[-0.5, -0.5], [PATCH - 0.5, PATCH - 0.5]]), wide)
    np.testing.assert_allclose(corner, [[-7.5, 11.5], [83.5, 102.5]])


def test_features_have_no_light_in_them():
    patch = np.random.default_rng(0).uniform(60, 190, (PATCH, PATCH))
    patch = cv2.GaussianBlur(patch, (0, 0), 3).astype(np.uint8)
    points = np.full((8, 2), 30.0)
    light, inverse = (describe(directions(one), points) for one in (patch, 255 - patch))
    np.testing.assert_allclose(light, inverse, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(light.reshape(8, -1), axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("degrees", [0, 10, 40, 80, 100, 130, 160, 175])
def test_a_gradient_counts_for_the_nearest_directions_and_counts_once(degrees):
    """Also between the last direction and the first, for light and dark are exchanged."""
    down, right = np.mgrid[:PATCH, :PATCH] - PATCH / 2
    angle = np.radians(degrees)
    ramp = 128 + 1.7 * (right * np.cos(angle) + down * np.sin(angle))
    middle = directions(np.rint(ramp).astype(np.uint8))[20:-20, 20:-20].mean(axis=(0, 1))
    assert middle.sum() == pytest.approx(13.6 / 17.6, abs=0.02)  # Sobel's strength is 8 × 1.7
    assert middle.argmax() == round(degrees / 30) % BINS


def test_a_plain_patch_has_finite_landmarks():
    assert np.isfinite(regressed(np.full((80, 80), 7, np.uint8), Box(10, 10, 50))).all()
    assert np.isfinite(
        describe(directions(np.zeros((72, 72), np.uint8)), np.full((8, 2), -99))
    ).all()


class Network(YuNet):
    """In the place of OpenCV's network, whose file is the user's: a face that is known."""

    def __init__(self, rows):
        object.__setattr__(self, "rows", rows)

    def found(self, photo):
        return self.rows


def test_five_points_become_eight():
    five = np.array([[40, 50], [90, 50], [65, 80], [48, 105], [82, 105]], float)
    wide = Box(-20, -20, 90)  # the box with 0.4 of its side around
    row = np.zeros((1, 15), np.float32)
    row[0, :14] = [30, 30, 80, 80, *five.ravel()]
    points = FivePoints(Network(row))(np.zeros((50, 50, 3), np.uint8), Box(0, 0, 50))
    scale = wide.side / (2 * PATCH)
    photo = (five + 0.5) * scale - 0.5 - 20
    np.testing.assert_allclose(points[[4, 5, 6]], photo[[2, 3, 4]], atol=1e-4)
    np.testing.assert_allclose(points[[0, 1]].mean(axis=0), photo[0] + [0.75 * scale, 0], atol=1e-4)
    assert points[7, 1] == pytest.approx(photo[3, 1] + 0.13 * 55 * scale, abs=1e-4)


def test_five_points_of_nothing_are_none():
    nothing = FivePoints(Network(np.zeros((0, 15), np.float32)))
    assert np.isnan(nothing(np.zeros((50, 50), np.uint8), Box(0, 0, 50))).all()


def test_five_points_are_of_the_face_in_the_box_however_certain_its_neighbours_are():
    box = Box(100, 100, 100)  # 32 to 112 of the 144 pixels that are searched, whose middle is 72
    own, near, beside = ([x, 52, 40, 40, *[x + 20] * 10, 0.9] for x in (52, 70, 95))
    rows = np.array([beside, near, own], np.float32)
    photo, middle = np.zeros((300, 300), np.uint8), 60 + 72.5 * 180 / 144 - 0.5
    assert FivePoints(Network(rows))(photo, box)[4] == pytest.approx([middle, middle], abs=1e-3)
    assert np.isnan(FivePoints(Network(rows[:1]))(photo, box)).all()


def test_five_points_need_the_file():
    with pytest.raises(InputError, match="is not a file"):
        FivePoints(YuNet(model="nowhere.onnx", score_threshold=0.9))
