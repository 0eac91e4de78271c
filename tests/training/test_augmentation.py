import numpy as np

from tripletlab.training.augmentation import light, none

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


def test_brightness_and_contrast_stay_within_bounds():
    grey = np.full((50, 4, 4), 100, np.uint8)
    lit = light(grey, np.random.default_rng(0), **{**STILL, "brightness": 20.0})
    assert lit.min() >= 80
    assert lit.max() <= 120
    assert len(np.unique(lit)) > 10
    assert vary(brightness=128.0).dtype == np.uint8


def test_seeded():
    everything = {"flip": 0.5, "shift": 3, "brightness": 20.0, "contrast": 0.2}
    np.testing.assert_array_equal(vary(**everything), vary(**everything))
