"""Files changed at random: a function of the draw, so that a seed and a number give an input again."""

import random
import struct
from collections.abc import Callable
from typing import Any

NUMBERS = (0, 1, 2, 3, 127, 128, 255, 256, 32767, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**63)
FORMS = ("B", ">H", "<H", ">I", "<I", ">Q", "<Q")
WORDS = (
    *(b"9" * 30, b"9" * 5000, b"-1", b"1e999", b"NaN", b"null", b"true", b"[[[[", b"{", b'"', b"'", b"\0"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"../../x", b"(1,)*99", b"|O", b"<f8", b"\\ud800", b"=", b"#"),
)


def mutated(draw: random.Random, content: bytes, others: tuple[bytes, ...] = ()) -> bytes:
    """`content` after one to four changes, among them pieces of `others`."""
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4))):
        content = draw.choice(CHANGES)(draw, content, others or (content,))
    return content


def _place(draw: random.Random, content: bytes) -> int:
    """A place in `content`, half of the time near its beginning or its end, where headers are."""
    size = len(content)
    where = draw.random()
    if where < 0.4:
        return draw.randrange(min(size, 96) + 1)
    if where < 0.55:
        return size - draw.randrange(min(size, 96) + 1)
    return draw.randrange(size + 1)


def _flip(draw: random.Random, content: bytes, _: tuple[bytes, ...]) -> bytes:
    changed = bytearray(content)
    for _number in range(draw.choice((1, 1, 2, 8)) if changed else 0):
        changed[min(_place(draw, content), len(changed) - 1)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _cut(draw: random.Random, content: bytes, _: tuple[bytes, ...]) -> bytes:
    return content[: _place(draw, content)]


def _number(draw: random.Random, content: bytes, _: tuple[bytes, ...]) -> bytes:
    form, at = draw.choice(FORMS), _place(draw, content)
    top = 2 ** (8 * struct.calcsize(form))
    value = draw.choice(NUMBERS) if draw.random() < 0.8 else draw.randrange(top)
    new = struct.pack(form, value % top)
    return content[:at] + new + content[at + len(new) :]


def _word(draw: random.Random, content: bytes, _: tuple[bytes, ...]) -> bytes:
    at, over = _place(draw, content), draw.choice((0, 1, 4))
    return content[:at] + draw.choice(WORDS) + content[at + over :]


def _removed(draw: random.Random, content: bytes, _: tuple[bytes, ...]) -> bytes:
    at = _place(draw, content)
    return content[:at] + content[at + draw.choice((1, 2, 4, 16, 512)) :]


def _twice(draw: random.Random, content: bytes, _: tuple[bytes, ...]) -> bytes:
    start, at = _place(draw, content), _place(draw, content)
    block = content[start : start + draw.choice((1, 4, 16, 128, 512, 4096))]
    return content[:at] + block * draw.choice((1, 1, 2, 20)) + content[at:]


def _spliced(draw: random.Random, content: bytes, others: tuple[bytes, ...]) -> bytes:
    other = draw.choice(others)
    return content[: _place(draw, content)] + other[_place(draw, other) :]


def _noise(draw: random.Random, content: bytes, _: tuple[bytes, ...]) -> bytes:
    at, size = _place(draw, content), draw.choice((1, 4, 16, 200))
    return content[:at] + draw.randbytes(size) + content[at + draw.choice((0, size)) :]


def _same(draw: random.Random, content: bytes, _: tuple[bytes, ...]) -> bytes:
    at, size = _place(draw, content), draw.choice((1, 4, 16, 200))
    return content[:at] + bytes([draw.choice((0, 32, 255))]) * size + content[at + size :]


def _deep(draw: random.Random, content: bytes, _: tuple[bytes, ...]) -> bytes:
    at, depth = _place(draw, content), draw.choice((50, 900, 20_000))
    left, right = draw.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"{a=", b"}"), (b"(", b")")))
    return content[:at] + left * depth + right * draw.choice((0, depth)) + content[at:]


Change = Callable[[random.Random, bytes, tuple[bytes, ...]], bytes]
CHANGES: tuple[Change, ...] = (
    *(_flip, _flip, _cut, _number, _number, _number, _word, _removed),
    *(_twice, _spliced, _noise, _same, _deep),
)

JUNK: tuple[Callable[[], Any], ...] = (
    *(lambda: None, lambda: True, lambda: 0, lambda: -1, lambda: 3, lambda: 10**30, lambda: 2**63),
    *(lambda: 0.5, lambda: 1e308, lambda: float("nan"), lambda: float("-inf"), lambda: "", lambda: "x"),
    *(lambda: "a\0b", lambda: "\ud800", lambda: "9" * 5000, lambda: "../../..", lambda: [], lambda: {}),
    *(lambda: [[1, 2], [3]], lambda: {"a": {"b": 1}}, lambda: _nested(60), lambda: list(range(500))),
)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def mistaken(draw: random.Random, tree: Any) -> Any:
    """A copy of `tree` (as JSON or TOML hold it) with one to three values of the wrong kind or place."""
    for _ in range(draw.choice((1, 1, 2, 3))):
        tree = _mistake(draw, tree)
    return tree


def _mistake(draw: random.Random, tree: Any) -> Any:
    if not isinstance(tree, dict | list) or not tree or draw.random() < 0.15:
        return draw.choice(JUNK)()
    if isinstance(tree, list):
        at = draw.randrange(len(tree))
        return [*tree[:at], _mistake(draw, tree[at]), *tree[at + draw.choice((0, 1, 1, 1)) :]]
    key = draw.choice(list(tree))
    rest = {name: value for name, value in tree.items() if name != key}
    match draw.randrange(8):
        case 0:
            return rest
        case 1:
            return {**rest, draw.choice(("x", "", key * 2, "\ud800", "a.b")): tree[key]}
        case 2:
            return {**tree, "x": draw.choice(JUNK)()}
        case _:
            return {**tree, key: _mistake(draw, tree[key])}
