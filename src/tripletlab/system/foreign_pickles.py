"""Pickles that others have made, read as plain values: nothing that a pickle asks for is executed.

A pickle is a program, and `pickle.load` runs it. Here the opcodes are listed by `pickletools`,
which executes none, and those that only build lists, tuples, bytes, texts, whole numbers and truth
values are followed. Of all that a pickle may call, four constructors are known, by which Python 2
and NumPy write bytes; they are followed here, and never imported.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from tripletlab.errors import InputError, brief
from tripletlab.system.foreign_files import require_file

MOST_STEPS = 4_000_000  # opcodes of a pickle; each takes at most about 100 bytes of memory


@dataclass
class ByteArray:
    """A NumPy array of unsigned bytes in a pickle: its content, without its shape."""

    data: bytes = b""

    def fill(self, data: Any, dtype: Any, shape: Any) -> "ByteArray":
        """Take the content; ValueError where it is no array of bytes of that shape."""
        whole = isinstance(data, bytes) and isinstance(shape, tuple)
        if not whole or dtype != _DType("u1") or prod(shape) != len(data):
            raise ValueError("an array in it does not hold bytes")
        self.data = data
        return self


@dataclass(frozen=True)
class _DType:
    """The type of an array's elements, such as u1."""

    kind: str


@dataclass(frozen=True)
class _Name:
    """What a pickle refers to, such as numpy.dtype."""

    name: str


def read_pickle(path: Path, *, largest: int) -> Any:
    """The value in a pickle, protocols 1 to 5: lists and tuples of bytes, texts, numbers and so on.

    Arrays of bytes are `ByteArray`. InputError where it has more than `largest` bytes, is damaged,
    or holds or refers to anything else.
    """
    try:
        require_file(path, largest=largest)
        return _Reader(path.read_bytes()).read()
    except LookupError as error:
        raise InputError(f"{path}: not a pickle that can be read (a value is missing)") from error
    except Exception as error:  # a damaged pickle makes its steps raise nearly anything
        raise InputError(f"{path}: not a pickle that can be read ({brief(error)})") from error


class _Reader:
    """The stack and the memo of a pickle that is followed step by step."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks before each mark
        self.memo: dict[int, Any] = {}
        self.encodable = len(data)  # characters that are encoded at most, all texts together

    def read(self) -> Any:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(self.data)):
            if count == MOST_STEPS:
                raise ValueError(f"more than {MOST_STEPS:,} steps")
            if opcode.name == "STOP":
                break
            if opcode.name not in STEPS:
                raise ValueError(f"it holds what plain values do not need: {opcode.name}")
            STEPS[opcode.name](self, argument)
        return self.stack.pop()

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        found, self.stack = self.stack, self.below.pop()
        return found

    def last(self, count: int) -> tuple[Any, ...]:
        if len(self.stack) < count:
            raise IndexError
        found = tuple(self.stack[-count:])
        del self.stack[-count:]
        return found

    def append(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise ValueError("values are appended to what is no list")
        self.stack[-1].extend(values)

    def refer(self, module: str, name: str) -> None:
        found = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if found not in CALLS and found != "numpy.ndarray":  # the class of the array to construct
            raise ValueError(f"it refers to {brief(found)}, which plain values do not need")
        self.push(_Name(found))

    def call(self, function: Any, arguments: tuple[Any, ...]) -> None:
        if not isinstance(function, _Name) or function.name not in CALLS:
            raise ValueError("it calls what is no function")
        self.push(CALLS[function.name](self, *arguments))

    def encode(self, text: str, encoding: str) -> bytes:
        self.encodable -= len(text)
        if encoding not in ("latin1", "latin-1") or self.encodable < 0:
            raise ValueError("a text in it does not stand for bytes")
        return text.encode("latin-1")

    def dtype(self, kind: str | bytes, *_: Any) -> _DType:
        return _DType(kind.decode() if isinstance(kind, bytes) else str(kind))

    def build(self, state: Any) -> None:
        if isinstance(self.stack[-1], ByteArray):
            _, shape, dtype, _, data = state
            self.stack[-1].fill(data, dtype, shape)
        elif not isinstance(self.stack[-1], _DType):  # the order of its bytes: it has but one
            raise ValueError("it changes the inside of a value")


CALLS: dict[str, Callable[..., Any]] = {
    "_codecs.encode": _Reader.encode,
    "numpy.dtype": _Reader.dtype,
    "numpy.core.multiarray._reconstruct": lambda _, *arguments: ByteArray(),
    "numpy.core.numeric._frombuffer": lambda _, data, dtype, shape, order: ByteArray().fill(
        data, dtype, shape
    ),
}

VALUES = (  # opcodes with a value beside them
    *("BININT", "BININT1", "BININT2", "INT", "LONG1"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
)
Step = Callable[[_Reader, Any], Any]
STEPS: dict[str, Step] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda reader, _: None),
    **dict.fromkeys(VALUES, _Reader.push),
    "BYTEARRAY8": lambda reader, content: reader.push(bytes(content)),
    # Python 2's bytes, which pickletools gives as text
    **dict.fromkeys(
        ("BINSTRING", "SHORT_BINSTRING"), lambda reader, text: reader.push(text.encode("latin-1"))
    ),
    "NONE": lambda reader, _: reader.push(None),
    "NEWTRUE": lambda reader, _: reader.push(True),
    "NEWFALSE": lambda reader, _: reader.push(False),
    "MARK": lambda reader, _: reader.mark(),
    "EMPTY_LIST": lambda reader, _: reader.push([]),
    "EMPTY_TUPLE": lambda reader, _: reader.push(()),
    "LIST": lambda reader, _: reader.push(reader.since_mark()),
    "TUPLE": lambda reader, _: reader.push(tuple(reader.since_mark())),
    "TUPLE1": lambda reader, _: reader.push(reader.last(1)),
    "TUPLE2": lambda reader, _: reader.push(reader.last(2)),
    "TUPLE3": lambda reader, _: reader.push(reader.last(3)),
    "APPEND": lambda reader, _: reader.append(list(reader.last(1))),
    "APPENDS": lambda reader, _: reader.append(reader.since_mark()),
    **dict.fromkeys(
        ("PUT", "BINPUT", "LONG_BINPUT"),
        lambda reader, place: reader.memo.__setitem__(place, reader.stack[-1]),
    ),
    "MEMOIZE": lambda reader, _: reader.memo.__setitem__(len(reader.memo), reader.stack[-1]),
    **dict.fromkeys(
        ("GET", "BINGET", "LONG_BINGET"), lambda reader, place: reader.push(reader.memo[place])
    ),
    "GLOBAL": lambda reader, names: reader.refer(*names.split(" ")),
    "STACK_GLOBAL": lambda reader, _: reader.refer(*reader.last(2)),
    "REDUCE": lambda reader, _: reader.call(*reader.last(2)),
    "BUILD": lambda reader, _: reader.build(*reader.last(1)),
}
