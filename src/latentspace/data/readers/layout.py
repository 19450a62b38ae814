"""What the folders of image files say: the class of each image, and its part of the publisher's split.

The folder right above an image is its class, at whatever depth, where every image has one. Folders named
`train`, `val`, `test` (or `training`, `seg_train`, `val2017`) are parts: they have no share in the class, and
may lie above or below it. A last folder that is the same everywhere, as in `cat/images/`, is passed over.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from ...core.types import Int64Array
from ...core.wording import counted
from ..cleaning import sentence
from .filenames import PARTS, natural

Folders: TypeAlias = tuple[str, ...]  # of one file, from the root down
NAMES_OF_PARTS: Final = ("train", "val", "test")
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, eq=False)
class Layout:
    """The labels and parts of files, None where their folders tell of none.

    `notes` say what was joined; `warnings` say what was left out.
    """

    labels: Int64Array | None = None
    class_names: tuple[str, ...] = ()
    parts: Int64Array | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def layout_of(names: Sequence[str]) -> Layout:
    """What the folders of paths such as `train/cat/1.png` say."""
    folders = [name.rpartition("/")[0] for name in names]
    paths = {folder: tuple(folder.split("/")) if folder else () for folder in dict.fromkeys(folders)}
    level = _level_of_parts(list(paths.values()))
    part_of = {folder: -1 if level is None else _part(path, level) for folder, path in paths.items()}
    parts = None
    if len(set(part_of.values())) > 1:
        parts = np.array([part_of[folder] for folder in folders], dtype=np.int64)
    below = _without_last({folder: _without(path, level) for folder, path in paths.items()})
    if not all(below.values()):
        return Layout(parts=parts, warnings=_unlabelled(names, folders, below))
    class_names = tuple(sorted({path[-1] for path in below.values()}, key=natural))
    numbers = {name: number for number, name in enumerate(class_names)}
    label_of = {folder: numbers[path[-1]] for folder, path in below.items()}
    labels = np.array([label_of[folder] for folder in folders], dtype=np.int64)
    return Layout(labels, class_names, parts, notes=_joined(below), warnings=_nested(below))


def part_named(folder: str) -> int | None:
    """The part that a folder's name stands for: `train`, `seg_train`, `train2017`, `Training set`."""
    if folder.casefold() in PARTS:
        return PARTS[folder.casefold()]
    words = _LETTERS.findall(folder.casefold())
    found = {PARTS[word] for word in (words[:1] + words[-1:]) if word in PARTS}
    return found.pop() if len(found) == 1 else None


def _level_of_parts(paths: Sequence[Folders]) -> int | None:
    """The depth at which folders are parts, or None.

    All folders there are; or two of them are by their whole names, and the others belong to no part
    (`extra`). A class `train` among others is thus a class.
    """
    for level in range(max(map(len, paths), default=0)):
        here = {path[level] if len(path) > level else "" for path in paths}
        whole = [name for name in here if name.casefold() in PARTS]
        found = [part_named(name) for name in here]
        if len(whole) == len(here) or len({PARTS[name.casefold()] for name in whole}) > 1:
            return level
        if None not in found and len(set(found)) > 1:
            return level
    return None


def _part(path: Folders, level: int) -> int:
    part = part_named(path[level]) if len(path) > level else None
    return -1 if part is None else part


def _without(path: Folders, level: int | None) -> Folders:
    """The folders without the part; twice where one is in the other, as in `seg_train/seg_train`."""
    if level is None or len(path) <= level:
        return path
    below = path[level + 1 :]
    if below and part_named(below[0]) is not None and part_named(below[0]) == part_named(path[level]):
        below = below[1:]
    return path[:level] + below


def _without_last(paths: Mapping[str, Folders]) -> Mapping[str, Folders]:
    """The folders without the last one where that is the same everywhere, and those above it differ."""
    while len({path[-1:] for path in paths.values()}) == 1:
        shorter = {folder: path[:-1] for folder, path in paths.items()}
        if len(set(shorter.values()) - {()}) < 2:
            break
        paths = shorter
    return paths


def _unlabelled(
    names: Sequence[str], folders: Sequence[str], below: Mapping[str, Folders]
) -> tuple[str, ...]:
    if not any(below.values()):
        return ()
    alone = [name for name, folder in zip(names, folders, strict=True) if not below[folder]]
    classes = sorted({path[-1] for path in below.values() if path}, key=natural)
    return (
        f"the images are read without labels: {counted(len(alone))} in no class folder "
        f"({sentence(alone, most=2)}), beside {counted(len(classes), 'class folder')} "
        f"({sentence(classes, most=3)}); for labels, move them into class folders, or leave them out",
    )


def _joined(below: Mapping[str, Folders]) -> tuple[str, ...]:
    """A sentence where the class of some images is not the only folder above them."""
    above: dict[str, dict[str, None]] = {}
    for path in below.values():
        above.setdefault(path[-1], {})["/".join(path)] = None
    several = [sentence(list(paths), most=2) for paths in above.values() if len(paths) > 1]
    if several:
        return (
            f"the folder right above an image is its class: {counted(len(several), 'class')} from several "
            f"folders ({sentence(several, most=2)})",
        )
    deep = [path for path in below.values() if len(path) > 1]
    if deep and not _nested(below):
        return (f"the folder right above an image is its class: {deep[0][-1]} of {'/'.join(deep[0])}",)
    return ()


def _nested(below: Mapping[str, Folders]) -> tuple[str, ...]:
    """A sentence where one class folder lies in another."""
    classes = set(below.values())
    inner = [path for path in classes if any(path[:end] in classes for end in range(1, len(path)))]
    if not inner:
        return ()
    names = sentence(sorted(("/".join(path) for path in inner), key=natural), most=3)
    return (f"the folder right above an image is its class, also where it lies in another class: {names}",)
