import numpy as np
import pytest

from tripletlab.training.augmentation import Degraded, Varied, light, none

FACES = np.random.default_rng(0).integers(0, 256, (40, 16, 16)).astype(np.uint8)
STILL = {"flip": 0.0, "shift": 0, "brightness": 0.0, "contrast": 0.0}


def vary(**changes):
    return light(FACES, np.random.default_rng(3), **{**STILL, **changes})


def test_nothing_asked_nothing_done():
    np.testing.assert_array_equal(none(FACES, np.random.default_rng(0)), FACES)
    np.testing.assert_array_equal(vary(), FACES)


def test_flip_mirrors_about_half():
    flipped = vary(flip=0.5)
    mirrored = (flipped == FACES[:, :, ::-1]).all(axis=(1, 2))
    assert (mirrored | (flipped == FACES).all(axis=(1, 2))).all()
    assert 10 <= mirrored.sum() <= 30


def test_shift_moves_whole_pixels():
    shifted = vary(shift=2)
    inner = FACES[:, 4:12, 4:12]
    for face, part in zip(shifted, inner, strict=True):
        moves = [
            (face[4 + dy : 12 + dy, 4 + dx : 12 + dx] == part).all()
            for dy in range(-2, 3)
            for dx in range(-2, 3)
        ]
        assert any(moves)
    assert (shifted != FACES).any(axis=(1, 2)).mean() > 0.8  # one in 25 stays where it is


def test_brightness_and_contrast_stay_within_bounds():
    grey = np.full((50, 4, 4), 100, np.uint8)
    lit = light(grey, np.random.default_rng(0), **{**STILL, "brightness": 20.0})
    assert lit.min() >= 80
    assert lit.max() <= 120
    assert len(np.unique(lit)) > 10
    bright = light(grey + np.uint8(150), np.random.default_rng(0), **{**STILL, "brightness": 20.0})
    assert bright.dtype == np.uint8
    assert 230 <= bright.min() < 250
    assert bright.max() == 255  # and not beyond, where numbers begin again at 0
    halves = np.tile(np.uint8([90, 110]), (50, 4, 2))
    spread = np.ptp(
        light(halves, np.random.default_rng(0), **{**STILL, "contrast": 0.5}), axis=(1, 2)
    )
    assert 9 <= spread.min() < 15  # in whole numbers
    assert 25 < spread.max() <= 31


def test_seeded():
    everything = {"flip": 0.5, "shift": 3, "brightness": 20.0, "contrast": 0.2}
    np.testing.assert_array_equal(vary(**everything), vary(**everything))
    other = light(FACES, np.random.default_rng(4), **everything)
    assert (other != vary(**everything)).any(axis=(1, 2)).mean() > 0.8


def test_levels_are_those_of_the_formula():
    lit = vary(brightness=20.0, contrast=0.2)
    rng = np.random.default_rng(3)
    rng.random(len(FACES))
    rng.integers(0, 1, (2, len(FACES)))
    gain = 1 + rng.uniform(-0.2, 0.2, (len(FACES), 1, 1))
    offset = rng.uniform(-20, 20, (len(FACES), 1, 1))
    mean = FACES.mean(axis=(1, 2), keepdims=True)
    expected = np.clip(np.rint((FACES - mean) * gain + mean + offset), 0, 255)
    np.testing.assert_array_equal(lit, expected)


LEFT_OUT = {
    "flip": False,
    "shift": 0.0,
    "zoom": 0.0,
    "rotation": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "cut_out": 0.0,
}


def blobs():
    """Forty faces, each a bright disc left of its middle on a grey ground."""
    rows, columns = np.mgrid[:32, :32]
    disc = (rows - 16) ** 2 + (columns - 11) ** 2 < 36
    return np.tile(np.where(disc, 200, 60).astype(np.uint8), (40, 1, 1))


def varied(faces=None, seed=3, **changes):
    faces = blobs() if faces is None else faces
    return Varied(**{**LEFT_OUT, **changes})(faces, np.random.default_rng(seed))


def test_layers_of_nothing_do_nothing():
    np.testing.assert_array_equal(varied(), blobs())
    np.testing.assert_array_equal(varied(FACES), FACES)


def test_the_layer_mirrors_about_half():
    seen, faces = varied(flip=True), blobs()
    mirrored = (seen == faces[:, :, ::-1]).all(axis=(1, 2))
    assert (mirrored | (seen == faces).all(axis=(1, 2))).all()
    assert 10 <= mirrored.sum() <= 30


@pytest.mark.parametrize(
    "change", [{"shift": 0.1}, {"zoom": 0.2}, {"rotation": 20.0}], ids=lambda one: next(iter(one))
)
def test_moving_moves_the_disc_a_little_and_shows_nothing_new(change):
    seen, faces = varied(**change), blobs()
    changed = (seen != faces).any(axis=(1, 2))
    assert changed.mean() > 0.8
    assert seen.min() >= 59
    assert seen.max() <= 201  # the border repeats the edge
    assert 5 < np.abs(seen.astype(int) - faces).mean(axis=(1, 2)).max() < 60


def test_light_stays_within_bounds():
    grey = np.full((50, 8, 8), 100, np.uint8)
    lit = varied(grey, brightness=0.1)
    assert 100 - 26 <= lit.min() < 90
    assert 110 < lit.max() <= 100 + 26
    assert all(len(np.unique(face)) == 1 for face in lit)
    spread = varied(contrast=0.5).std(axis=(1, 2)) / blobs()[0].std()
    assert 0.45 <= spread.min() < 0.9
    assert 1.1 < spread.max() <= 1.55


def test_cut_out_greys_a_rectangle_in_some():
    faces = np.full((40, 32, 32), 10, np.uint8)
    seen = varied(faces, cut_out=0.5)
    cut = (seen != 10).reshape(40, -1).mean(axis=1)
    assert 8 <= (cut > 0).sum() <= 32
    assert cut.max() < 0.5
    assert set(np.unique(seen)) == {10, 128}
    for mask in seen[cut > 0] != 10:
        rows, columns = mask.any(axis=1), mask.any(axis=0)
        np.testing.assert_array_equal(mask, rows[:, None] & columns[None, :])


def test_layers_follow_from_the_generator_alone():
    everything = dict.fromkeys(LEFT_OUT, 0.3) | {"flip": True, "rotation": 10.0}
    layers = Varied(**everything)
    first = layers(FACES, np.random.default_rng(1))
    other = layers(FACES, np.random.default_rng(2))
    np.testing.assert_array_equal(layers(FACES, np.random.default_rng(1)), first)
    np.testing.assert_array_equal(Varied(**everything)(FACES, np.random.default_rng(1)), first)
    assert (other != first).any()
    assert first.dtype == np.uint8
    assert first.shape == FACES.shape


def degrade(faces, *, seed=3, **changes):
    settings = {"varied": none, "share": 1.0, "scale": 1.0, "quality": 95, **changes}
    return Degraded(**settings)(faces, np.random.default_rng(seed))


def detail(faces):
    return np.abs(np.diff(faces.astype(float), axis=2)).mean(axis=(1, 2))


def test_degraded_faces_lose_detail_by_reduction_and_by_compression():
    assert (detail(degrade(FACES, scale=0.2)) < 0.8 * detail(FACES)).mean() > 0.7
    little = np.abs(degrade(FACES).astype(float) - FACES).mean()
    much = np.abs(degrade(FACES, quality=5).astype(float) - FACES).mean()
    assert 0 < little < 0.5 * much
    assert abs(degrade(blobs(), quality=30).astype(float) - blobs()).mean() < 5  # the face is there


def test_a_share_of_the_faces_is_degraded_behind_the_other_augmentation():
    moved = degrade(FACES, varied=lambda faces, rng: faces[:, ::-1], share=0.5, quality=10)
    same = (moved == FACES[:, ::-1]).all(axis=(1, 2))
    assert 10 <= same.sum() <= 30
    np.testing.assert_array_equal(degrade(FACES, share=0), FACES)
    np.testing.assert_array_equal(degrade(FACES, scale=0.3), degrade(FACES, scale=0.3))
    assert (degrade(FACES, scale=0.3) != degrade(FACES, scale=0.3, seed=4)).any()
