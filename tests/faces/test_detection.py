import functools
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.faces.detection import Box, YuNet, by_prominence, haar, whole
from tripletlab.faces.yunet_file import NAME

find = functools.partial(haar, scale_factor=1.1, min_neighbors=4, min_size=30)


def test_found_box_is_around_the_face(drawn):
    for person in range(10):
        box = find(drawn(person, 1))[0]
        assert abs(box.x + box.side / 2 - 48) < 10
        assert abs(box.y + box.side / 2 - 48) < 12
        assert 50 <= box.side <= 96


def test_no_face_in_noise_and_plain_grey():
    noise = np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)
    assert find(noise) == []
    assert find(np.full((96, 96), 128, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (20, 20)])
def test_photo_smaller_than_a_face_has_none(shape):
    assert find(np.zeros(shape, np.uint8)) == []


def test_threads_find_the_same_as_one_after_the_other(drawn):
    photos = [cv2.resize(drawn(n, 1), (side, side)) for n, side in enumerate((320, 640, 200) * 2)]
    alone = [find(photo) for photo in photos]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(find, photos * 10)) == alone * 10


def test_faces_below_the_minimum_are_passed_over(drawn):
    assert find(drawn(1, 1), min_size=95) == []


def test_the_central_face_comes_first(drawn):
    """It does although the one at the edge is a little larger."""
    photo = np.full((120, 400), 60, np.uint8)
    photo[0:120, 0:120] = cv2.resize(drawn(1, 1), (120, 120))
    photo[10:106, 152:248] = drawn(1, 1)
    centres = [box.x + box.side / 2 for box in find(photo)]
    assert 152 <= centres[0] < 248
    assert any(centre < 120 for centre in centres[1:])


def test_the_larger_face_comes_first(drawn):
    """It does although the smaller one is a little nearer to the middle."""
    photo = np.full((200, 400), 60, np.uint8)
    photo[52:148, 62:158] = drawn(1, 1)
    photo[4:196, 204:396] = np.kron(drawn(1, 1), np.ones((2, 2), np.uint8))
    boxes = find(photo)
    assert boxes[0].x >= 204
    assert any(box.x < 158 for box in boxes[1:])


def test_prominence_is_the_side_less_half_the_way_to_the_middle():
    boxes = [Box(0, 0, 40), Box(80, 80, 40), Box(30, 80, 40), Box(-10, 80, 90)]
    wanted = [boxes[3], boxes[1], boxes[2], boxes[0]]  # 55.2, 40, 15 and -16.6
    assert by_prominence(boxes, (200, 200)) == wanted
    assert by_prominence([], (200, 200)) == []


@pytest.mark.parametrize(
    ("shape", "box"),
    [((40, 60), Box(10, 0, 40)), ((61, 40), Box(0, 10, 40)), ((1, 1), Box(0, 0, 1))],
)
def test_the_whole_photo_is_its_largest_square_in_the_middle(shape, box):
    assert whole(np.zeros(shape, np.uint8)) == [box]


def test_a_missing_model_is_an_error_that_says_where_it_comes_from(tmp_path):
    with pytest.raises(InputError, match=r"none\.onnx is not a file.*tripletlab fetch yunet"):
        YuNet(model=str(tmp_path / "none.onnx"), score_threshold=0.9)


def test_yunet_is_one_choice_that_needs_its_file_alone(tmp_path, monkeypatch):
    """Given by key, by a variable, or found in the user's cache, in this order."""
    cached, named, given = (tmp_path / one for one in (f"tripletlab/{NAME}", "named", "given"))
    monkeypatch.delenv("TRIPLETLAB_YUNET", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(InputError, match=rf"{NAME} is not a file.*fetch yunet.*TRIPLETLAB_YUNET"):
        built("faces=yunet")
    cached.parent.mkdir()
    for file in (cached, named, given):
        file.touch()
    assert built("faces=yunet").detector.model == str(cached)
    monkeypatch.setenv("TRIPLETLAB_YUNET", str(named))
    assert built("faces=yunet").detector.model == str(named)
    recipe = built("faces=yunet", f"faces.detector.model={given}")
    assert recipe.detector == YuNet(model=str(given), score_threshold=0.9)
    assert recipe.aligner.landmarks.network == recipe.detector


def built(*overrides):
    return config.compose("prepare", overrides).faces.build()


class Network:
    """Answers as YuNet does: rows of x, y, width, height, five landmarks, score, or None."""

    def __init__(self, rows):
        self.rows, self.size = rows, None

    def setInputSize(self, size):  # noqa: N802 (OpenCV's name)
        self.size = size

    def detect(self, photo):
        assert photo.shape[2] == 3
        return 1, self.rows


@pytest.mark.parametrize(
    ("rows", "boxes"),
    [
        (None, []),
        ([[10, 20, 30, 40]], [Box(5, 20, 40)]),
        ([[0, 0, 20, 20], [60, 20, 50, 40]], [Box(60, 15, 50), Box(0, 0, 20)]),
    ],
)
def test_yunets_rectangles_become_squares(tmp_path, monkeypatch, rows, boxes):
    """The network itself is the user's file; what is made of its output is tested here."""
    (tmp_path / "model.onnx").touch()
    full = None if rows is None else np.array([[*row, *[0] * 11] for row in rows], np.float32)
    network = Network(full)
    monkeypatch.setattr("tripletlab.faces.detection._yunet", lambda *_: network)
    find_them = YuNet(model=str(tmp_path / "model.onnx"), score_threshold=0.9)
    for shape in ((100, 160), (100, 160, 3)):
        assert find_them(np.zeros(shape, np.uint8)) == boxes
        assert network.size == (160, 100)
    assert pickle.loads(pickle.dumps(find_them)) == find_them


def test_rectangles_of_yunet_that_no_photo_holds_are_no_faces(tmp_path, monkeypatch):
    """In a strip of a few pixels it sometimes gives infinite ones."""
    (tmp_path / "yunet.onnx").touch()
    rows = np.full((4, 15), 0.9, np.float32)
    rows[:, :4] = [[2, 2, 6, 6], [0, 0, np.inf, 5], [np.nan, 0, 5, 5], [0, 0, 1e9, 5]]
    network = SimpleNamespace(setInputSize=lambda size: None, detect=lambda photo: (1, rows))
    monkeypatch.setattr("tripletlab.faces.detection._yunet", lambda *_: network)
    found = YuNet(str(tmp_path / "yunet.onnx"), 0.9)(np.zeros((90, 5), np.uint8))
    assert found == [Box(2, 2, 6)]


class Slow(Network):
    """Takes its time, in which another thread may give it the size of another photo."""

    def detect(self, photo):
        size = self.size
        time.sleep(0.01)
        assert size == self.size == photo.shape[1::-1]
        return 1, None


def test_threads_search_with_yunet_one_after_the_other(tmp_path, monkeypatch):
    (tmp_path / "yunet.onnx").touch()
    network = Slow(None)
    monkeypatch.setattr("tripletlab.faces.detection._yunet", lambda *_: network)
    photos = [np.zeros((side, 2 * side), np.uint8) for side in range(20, 40)]
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(YuNet(str(tmp_path / "yunet.onnx"), 0.9), photos)
        assert list(found) == [[]] * len(photos)


class BlindToLargeFaces(Network):
    """Finds one face over a quarter of the photo's width, while that is 10 to 400 pixels."""

    def __init__(self):
        super().__init__(None)
        self.sizes = []

    def detect(self, photo):
        self.sizes.append(self.size)
        width, _ = self.size
        if not 10 <= width / 4 <= 400:
            return 1, None
        face = [width / 2, width / 8, width / 4, width / 4]
        return 1, np.array([[*face, *[width / 2] * 10, 0.9]], np.float32)


@pytest.mark.parametrize(
    ("width", "searched"),
    [
        (640, [640]),
        (641, [641, 321]),
        (1280, [1280, 640]),
        (4000, [2000, 1000, 500]),  # not at its own size, where only tiny faces would be found
    ],
)
def test_yunet_finds_large_faces_in_smaller_copies_of_the_photo(
    tmp_path, monkeypatch, width, searched
):
    (tmp_path / "yunet.onnx").touch()
    network = BlindToLargeFaces()
    monkeypatch.setattr("tripletlab.faces.detection._yunet", lambda *_: network)
    rows = YuNet(str(tmp_path / "yunet.onnx"), 0.9).found(np.zeros((width // 2, width), np.uint8))
    assert [size[0] for size in network.sizes] == searched
    assert rows.shape == (1, 15)  # found in several copies, it is one face
    face = [width / 2, width / 8, width / 4, width / 4]
    assert rows[0, :4] == pytest.approx(face, rel=0.01)
    assert rows[0, 4:] == pytest.approx([width / 2] * 10 + [0.9], rel=0.01)
