"""Damaged copies of valid files: seeded, so that every input can be made again by its number."""

import copy
import io
import json
import random
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

COMMAND = "touch executed"  # what every injected payload would run
TOKENS = [  # what readers of several formats give a meaning
    *(b"", b"\n", b"\t", b" ", b"\0", b"\x1b[2J", b"\xff\xfe", b"\xed\xa0\x80", b"\xc3\xa9"),
    *(b"0", b"-1", b"1e999", b"nan", b"9" * 5000, b"99999999999999999999", b"0x10", b"1_0"),
    *(b"null", b"true", b"[]", b"{}", b"[" * 3000, b"{a: " * 200, b'"', b"'", b"#", b": ", b"- "),
    *(b"&a [*a, *a]", b"*a", b"<<: *a", b"!!binary x", b"%YAML 9.9", b"---\n", b"?\n", b"|\n"),
    *(b"${oc.env:HOME}", b"${oc.create:x}", b"${", b"???", b"../../etc/passwd", b"/dev/zero"),
    *(b"a" * 70_000, b"</script><script>", b"[/bold]", b"_target_: os.system", b"_partial_: true"),
    f"!!python/object/apply:os.system ['{COMMAND}']".encode(),
    f'{{"_target_": "os.system", "command": "{COMMAND}"}}'.encode(),
    f"cos\nsystem\n(S'{COMMAND}'\ntR.".encode(),  # a pickle
]
JUNK: list[Any] = [  # values of every type, for those of JSON
    *(None, True, 0, -1, 10**30, 1e308, float("nan"), float("inf"), "", "x" * 5000, [], {}, [[1]]),
    *("${oc.env:HOME}", "../../x", "\x1b[2J", {"_target_": "os.system", "command": COMMAND}),
    [{"_target_": "os.system", "command": COMMAND, "_partial_": False}],
]
SIZES = [
    value.to_bytes(width, order)
    for width in (2, 4, 8)
    for value in (0, 1, 2 ** (8 * width - 1) - 1, 2 ** (8 * width) - 1)
    for order in ("little", "big")
]


def damaged(seeds: Sequence[bytes], *, text: bool, rng: random.Random) -> bytes:
    """One of the seeds after one to five changes."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        rng.choice(TEXT if text else BINARY)(data, seeds, rng)
    return bytes(data)


def damaged_json(seeds: Sequence[bytes], *, rng: random.Random) -> bytes:
    """JSON in which one to three values are replaced, left out, or those of another place.

    One in three is damaged as text instead.
    """
    if rng.random() < 1 / 3:
        return damaged(seeds, text=True, rng=rng)
    whole = json.loads(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 3))):
        if places := list(_places(whole)):
            parent, key = rng.choice(places)
            other, place = rng.choice(places)
            parent[key] = copy.deepcopy(rng.choice((other[place], rng.choice(JUNK))))
            if isinstance(parent, dict) and rng.random() < 0.3:
                del parent[key]
    return json.dumps(whole).encode()


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list) and len(node[key]) < 50:  # no curve of numbers
            yield from _places(node[key])


def damaged_archive(seeds: Sequence[bytes], *, rng: random.Random) -> bytes:
    """A ZIP file of which members are damaged, renamed, left out or doubled; their checksums fit.

    One in four is damaged outside its members as well.
    """
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(rng.choice(seeds))) as whole,
        zipfile.ZipFile(written, "w", rng.choice((0, 8))) as file,
    ):
        names = whole.namelist()
        changed = rng.choice(names)
        for name in names:
            content = whole.read(name)
            if name == changed:
                content = damaged([content], text=name.endswith("json"), rng=rng)
                name = rng.choice([name, name, name, "../" + name, "/tmp/" + name, name + "\x1b"])
            for _ in range(rng.choice((0, 1, 1, 1, 1, 2)) if name == changed else 1):
                file.writestr(name, content)
    content = written.getvalue()
    return damaged([content], text=False, rng=rng) if rng.random() < 0.25 else content


def _place(data: bytearray, rng: random.Random) -> int:
    """Most formats begin with what is read first."""
    end = len(data) if rng.random() < 0.6 else min(len(data), 400)
    return rng.randrange(end) if end else 0


def _flip(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    if data:
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    if data:
        data[_place(data, rng)] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))


def _truncate(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    del data[_place(data, rng) :]


def _cut(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    start = _place(data, rng)
    del data[start : start + rng.choice((1, 2, 8, 100))]


def _repeat(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    start = _place(data, rng)
    data[start:start] = data[start : start + rng.randrange(1, 200)] * rng.choice((1, 2, 50))


def _size(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    start, size = _place(data, rng), rng.choice(SIZES)
    data[start : start + len(size)] = size


def _splice(data: bytearray, seeds: Sequence[bytes], rng: random.Random) -> None:
    other = rng.choice(seeds)
    start, begin = _place(data, rng), _place(bytearray(other), rng)
    length = rng.randrange(1, 300)
    data[start : start + length] = other[begin : begin + length]


def _insert(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    start = _place(data, rng)
    data[start:start] = rng.choice(TOKENS)


def _swap(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    """A word becomes another word of the text, or a token."""
    words = bytes(data).split()
    if words:
        old = rng.choice(words)
        start = data.find(old)
        data[start : start + len(old)] = rng.choice([rng.choice(words), rng.choice(TOKENS)])


def _lines(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    """A line is moved, doubled, or indented."""
    lines = bytes(data).splitlines(keepends=True)
    if lines:
        line = lines[rng.randrange(len(lines))]
        lines.insert(rng.randrange(len(lines)), rng.choice((line, b"  " + line, line.strip())))
        data[:] = b"".join(lines)


BINARY = [_flip, _byte, _byte, _truncate, _cut, _repeat, _size, _size, _splice]
TEXT = [_byte, _truncate, _cut, _repeat, _insert, _insert, _swap, _swap, _swap, _lines, _splice]
