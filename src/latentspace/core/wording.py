"""What messages and tables say in the same words: counts, and settings as their reader writes them."""

import os
from collections.abc import Iterator, Sequence, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

# Of a classifier that is validated, on an encoder with training.fit = "train+validation".
SEEN_BY_ENCODER: Final = (
    "The encoder has learned from the validation images too, without their labels, so validation scores may "
    "be better than those of images that it has not seen. Neither has learned from the test images."
)

_readers = ["Python"]


def counted(count: int, thing: str = "image") -> str:
    """`1 image`, `1,000 images`, `2 classes`, `3 exact copies`."""
    return f"{count:,} {thing if count == 1 else plural(thing)}"


def listed(things: Sequence[str]) -> str:
    """`one`, `one and two`, `one, two and three`."""
    return " and ".join(filter(None, (", ".join(things[:-1]), *things[-1:])))


def either(things: Sequence[str]) -> str:
    """`one`, `one or two`, `one, two or three`."""
    return " or ".join(filter(None, (", ".join(things[:-1]), *things[-1:])))


def decimals(value: float, digits: int = 4) -> str:
    """`12.3457`, `0.0123`; a value under a hundredth by as many of its own digits: `0.0009427`."""
    return f"{value:.{digits}g}" if 0 < abs(value) < 0.01 and digits > 2 else f"{value:.{digits}f}"


def numerals(count: int, digits: int) -> tuple[str, ...]:
    """`01`, `02`, ... to `count`: as many digits as are needed, `digits` at least."""
    width = max(digits, len(str(count)))
    return tuple(f"{number:0{width}}" for number in range(1, count + 1))


def reason_of(error: BaseException) -> str:
    """What an error says, without a number or a path: `No such file or directory`."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)


def colour_of(channels: int) -> str:
    """`grey`, `colour`, `5 channels`."""
    return {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")


def plural(thing: str) -> str:
    """Of a regular English noun, perhaps with words before it."""
    if thing.endswith(("s", "x", "ch", "sh")) and not thing.endswith("epoch"):
        return f"{thing}es"
    if thing.endswith("y") and thing[-2:-1] not in "aeiou":
        return f"{thing[:-1]}ies"
    return f"{thing}s"


def brief(value: object) -> str:
    """What a value is, in one line: `'fast'`, `(0, 28)`, `uint8 of shape (5, 28, 28)`, `a list of 1,000`."""
    shape, kind = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and kind is not None:
        return f"{kind} of shape {tuple(shape)}"
    plain = value is None or isinstance(value, bool | int | float | str | bytes | os.PathLike)
    short = isinstance(value, list | tuple) and len(value) < 7 and not any(map(_large, value))
    if plain or short:
        text = repr(value)
        return text if len(text) < 100 else f"{text[:60]} ... {text[-20:]}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return f"a {name} of {len(value):,}" if isinstance(value, Sized) else f"a {name}"


def _large(value: object) -> bool:
    return not (value is None or isinstance(value, bool | int | float | str))


def document(name: str) -> str:
    """The path of a page of the documentation: a wheel brings it, a source tree has it beside `src`."""
    package = Path(__file__).parents[1]
    brought = package / "docs" / name
    return str(brought if brought.exists() else package.parents[1] / "docs" / name)


@contextmanager
def on_command_line() -> Iterator[None]:
    """Within the block, in every thread, messages name settings as the command line has them."""
    _readers.append("command line")
    try:
        yield
    finally:
        _readers.pop()


def reader() -> str:
    """Who reads messages here, for `write_for`."""
    return _readers[-1]


def write_for(whom: str) -> None:
    """From now on name settings as `reader` in the process that this one works for."""
    _readers.append(whom)


def option(name: str, value: Any = None) -> str:
    """How a setting is written: `--resize 28x28` on the command line, `resize=(28, 28)` in Python.

    A setting of a table, as `training.clip_norm`, is `--set training.clip_norm=1` on the command line and
    `training={'clip_norm': 1}` in Python. Without a value it is the setting alone.
    """
    table, _, key = name.rpartition(".")
    if _readers[-1] == "Python":
        there = "..." if value is None else repr(value)
        return f"{table}={{{key!r}: {there}}}" if table else f"{name}={there}"
    if table:
        return f"--set {name}={'...' if value is None else value}"
    there = "x".join(map(str, value)) if isinstance(value, tuple) else value
    flag = f"--{name.replace('_', '-')}"
    return flag if value is None or value is True else f"{flag} {there}"
