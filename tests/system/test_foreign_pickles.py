import os
import pickle
import pickletools
import sys

import numpy as np
import pytest

from tests.protocols import python2_pickle
from tripletlab.errors import InputError
from tripletlab.system.foreign_pickles import STEPS, ByteArray, read_pickle

CONTENTS = [bytes(range(256)), b"\xff\xd8 a photo", b"x"]


@pytest.fixture
def read(tmp_path):
    def reading(data):
        (tmp_path / "some.bin").write_bytes(data)
        return read_pickle(tmp_path / "some.bin", largest=1 << 20)

    return reading


def plain(values):
    return [bytes(one.data if isinstance(one, ByteArray) else one) for one in values]


KINDS = {
    "bytes": bytes,
    "read-only array": lambda content: np.frombuffer(content, np.uint8).reshape(-1, 1),
    "array": lambda content: np.array(bytearray(content)),
}


@pytest.mark.parametrize("protocol", range(1, 6))
@pytest.mark.parametrize("kind", KINDS)
def test_bytes_and_arrays_of_every_protocol(protocol, kind, read):
    values = list(map(KINDS[kind], CONTENTS))
    photos, flags = read(pickle.dumps((values, [True, False, 1, -70_000]), protocol=protocol))
    assert plain(photos) == CONTENTS
    assert flags == [True, False, 1, -70_000]


@pytest.mark.parametrize("arrays", [False, True])
def test_pickles_of_python_2(arrays, read):
    data = python2_pickle(CONTENTS, [True, False], arrays=arrays)
    oracle = pickle.loads(data, encoding="bytes")
    assert [bytes(one) for one in oracle[0]] == CONTENTS
    photos, flags = read(data)
    assert plain(photos) == CONTENTS
    assert flags == oracle[1] == [True, False]


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


HOSTILE = {
    "a command": pickle.dumps(Call(os.system, "touch executed"), 2),
    "a command, protocol 0": b"cos\nsystem\n(S'touch executed'\ntR.",
    "a command, protocol 4": pickle.dumps(Call(os.system, "touch executed"), 4),
    "a command by INST": b"(ios\nsystem\n.",
    "a command by OBJ": b"(cos\nsystem\no.",
    "builtins": pickle.dumps(Call(eval, "open('executed', 'w')"), 2),
    "numpy's loader": pickle.dumps(Call(np.load, "some.npy"), 2),
    "an attribute of what is allowed": b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
    "the class alone, called": b"\x80\x02cnumpy\nndarray\n(K\xfft\x81.",
    "the class alone, reduced": b"\x80\x02cnumpy\nndarray\n(K\xfftR.",
    "a module that is imported": b"\x80\x02cantigravity\nx\n.",
    "an object array": pickle.dumps(np.array([{}, None], object), 2),
    "numbers of another type": pickle.dumps(np.zeros(3), 2),
    "a dictionary": pickle.dumps({"a": 1}, 2),
    "an extension": b"\x80\x02\x82\x01.",
    "a persistent value": b"Px\n.",
    "a state for bytes": b"\x80\x03C\x01x}b.",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_plain_value_is_refused_and_never_executed(data, read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"some\.bin: not a pickle that can be read") as error:
        read(data)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "executed").exists()
    assert "antigravity" not in sys.modules


LONG = (1 << 40).to_bytes(8, "little")
BOMBS = {  # and what the refusal says
    "a length that is not there": (b"\x80\x04\x8e" + LONG + b"x.", "only 2 remain"),
    "a bytearray of such a length": (b"\x80\x05\x96" + LONG + b"x.", "only 2 remain"),
    "a shape without content": (
        b"\x80\x04cnumpy.core.numeric\n_frombuffer\n(C\x01x"
        b"cnumpy\ndtype\n\x8c\x02u1\x85RJ\xff\xff\xff\x7f\x85\x8c\x01CtR.",
        "does not hold bytes",
    ),
    "a text that is encoded again and again": (
        b"\x80\x02]X\x00\x80\x00\x00" + 32768 * b"a" + b"q\x00a"
        b"" + 99 * b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86Ra" + b".",
        "does not stand for bytes",
    ),
    "too many steps": (b"\x80\x02](" + b"N" * 2000 + b"e.", "more than 1,000 steps"),
    "a place of the memo that is empty": (b"\x80\x02h\x07.", "a value is missing"),
    "nothing": (b"", "exhausted"),
    "no end": (b"\x80\x02]", "exhausted"),
    "an end without a value": (b"\x80\x02.", "a value is missing"),
    "a mark that is missing": (b"\x80\x02]e.", "a value is missing"),
}


@pytest.mark.parametrize(("data", "hint"), BOMBS.values(), ids=BOMBS)
def test_bombs_and_damage_are_refused_in_a_line(data, hint, read, monkeypatch):
    monkeypatch.setattr("tripletlab.system.foreign_pickles.MOST_STEPS", 1000)
    with pytest.raises(InputError, match=rf"some\.bin: .*{hint}") as error:
        read(data)
    assert len(str(error.value)) < 400
    assert "\n" not in str(error.value)


def test_what_is_repeated_in_a_pickle_is_not_copied(read):
    """Half a megabyte, a thousand times."""
    content = bytearray(1 << 19)
    photos, _ = read(pickle.dumps(([np.frombuffer(content, np.uint8)] * 1000, []), protocol=5))
    assert len({id(one.data) for one in photos}) == 1


def test_a_distant_place_of_the_memo_and_a_long_frame_cost_nothing(read):
    assert read(b"\x80\x02]r\xff\xff\xff\xff.") == []
    assert read(b"\x80\x04\x95" + (1 << 62).to_bytes(8, "little") + b"].") == []


def test_every_truncated_pickle_is_refused(read):
    data = python2_pickle(CONTENTS[1:], [True], arrays=True)
    for end in range(len(data)):
        with pytest.raises(InputError):
            read(data[:end])


def test_a_file_that_is_too_large_or_none_is_refused(tmp_path):
    (tmp_path / "a.bin").write_bytes(pickle.dumps([]))
    with pytest.raises(InputError, match="more than 3 bytes"):
        read_pickle(tmp_path / "a.bin", largest=3)
    with pytest.raises(InputError, match="no such file"):
        read_pickle(tmp_path / "b.bin", largest=3)


def test_no_opcode_is_followed_that_pickletools_does_not_know():
    assert set(STEPS) <= {opcode.name for opcode in pickletools.opcodes}
