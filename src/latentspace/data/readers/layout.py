"""What the folders of image files say: the class of each image, and its part of the publisher's split.

The folder right above an image is its class, at whatever depth, where every image has one. Folders named
`train`, `val`, `test` (or `training`, `seg_train`, `val2017`) are parts: they have no share in the class, and
may lie above or below it. A last folder that is the same everywhere, as in `cat/images/`, is passed over.
A part may have no class folders where others have them: its images have no label.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from ...core.types import Int64Array
from ...core.wording import counted
from ..cleaning import sentence
from .filenames import natural, part_of_word

Folders: TypeAlias = tuple[str, ...]  # of one file, from the root down
# Folders that say only how a set was divided to be kept: `images_part_1`, `images_002`.
_PORTION = re.compile(r"(.*\b|.*_)?(part|images|imgs|batch|chunk|shard|vol|volume)[ _-]?[0-9]+")
_NUMBERED = re.compile(r"(character|char|class|subject|person|object|obj|id|s)[ _-]?[0-9]+")
_LETTERS = re.compile(r"[^\W\d_]+")
# Folders that say of their files only that they are images: no class, where they are the only one.
_NO_CLASS: Final = frozenset(
    (
        *("images", "image", "imgs", "img", "jpegimages", "jpg", "jpeg", "png"),
        *("pictures", "pics", "photos", "data", "dataset", "samples"),
    )
)
# Folders beside parts that belong to none of them: `seg_pred`, `unlabeled`.
_OF_NO_PART: Final = frozenset(
    ("pred", "prediction", "predict", "unlabeled", "unlabelled", "unsup", "unsupervised")
)
_OF_CLASSES: Final = frozenset(("meta", "metadata"))  # folders that show what each class is
_NOT_KNOWN: Final = frozenset(("unknown", "all", "all_classes", "unlabeled", "unlabelled", "test", "dummy"))
NO_LABEL: Final = "\0"  # stands last among the classes, for images without a label, until they are left out
_IMAGES_OF_MASKS: Final = frozenset(("images", "image", "imgs", "img", "jpegimages"))
_MASKS: Final = frozenset(
    (
        *("masks", "mask", "labels", "annotations", "segmentationclass", "segmentationobject"),
        *("groundtruth", "ground_truth", "trimaps", "trimap", "msk", "segmentations", "segmentation"),
    )
)
_OF_MASKS: Final = tuple(
    f"{mark}{word}"
    for mark in ("_", "-")
    for word in ("mask", "masks", "seg", "segmentation", "gt", "groundtruth", "ground_truth")
)
_AS_MASK: Final = re.compile(rf"(?:{'|'.join(_OF_MASKS)})$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Layout:
    """The labels and parts of files, None where their folders tell of none.

    Images of a part without class folders are of the class `NO_LABEL`. `masks` are the places of files to
    be left out. `notes` say what was joined; `warnings` say what was left out.
    """

    labels: Int64Array | None = None
    class_names: tuple[str, ...] = ()
    parts: Int64Array | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    masks: tuple[int, ...] = ()


def layout_of(names: Sequence[str]) -> Layout:
    """What the folders of paths such as `train/cat/1.png` say."""
    if named := _named_as_masks(names):
        return _without_places(names, named, "their names say that they are masks of others")
    return _of_folders(names)


def _of_folders(names: Sequence[str]) -> Layout:
    folders = [name.rpartition("/")[0] for name in names]
    paths = {folder: tuple(folder.split("/")) if folder else () for folder in dict.fromkeys(folders)}
    level = _level_of_parts(list(paths.values()))
    masks = _masks_beside_parts(paths, level)
    if masks:
        return _without_masks(names, folders, masks)
    part_of = {folder: -1 if level is None else _part(path, level) for folder, path in paths.items()}
    if level is not None:
        _evaluation_last(part_of, paths, level)
    parts = None
    if len(set(part_of.values())) > 1:
        parts = np.array([part_of[folder] for folder in folders], dtype=np.int64)
    below = _without_last({folder: _without(path, level) for folder, path in paths.items()})
    if level is not None:
        below = _without_names_of_none(below, {one: path[: level + 1] for one, path in paths.items()})
    bare = {folder for folder, path in below.items() if not path}
    if bare and not _are_parts(bare, paths, level):
        return Layout(parts=parts, warnings=_unlabelled(names, folders, below))
    pictures = _beside_their_masks(below)
    if pictures:
        return _without_masks(names, folders, pictures)
    below = _numbered_apart(below)
    class_names = tuple(sorted({path[-1] for path in below.values() if path}, key=natural))
    if bare:
        class_names = (*class_names, NO_LABEL)
    if len(class_names) == 1 and class_names[0].casefold() in _NO_CLASS:
        return Layout(parts=parts)
    if len(class_names) > 1 and all(_PORTION.fullmatch(name.casefold()) for name in class_names):
        note = f"the folders {sentence(class_names, most=3)} are read as portions of one set, not as classes"
        return Layout(parts=parts, notes=(note,))
    numbers = {name: number for number, name in enumerate(class_names)}
    label_of = {folder: numbers[path[-1] if path else NO_LABEL] for folder, path in below.items()}
    below = {folder: path for folder, path in below.items() if path}
    labels = np.array([label_of[folder] for folder in folders], dtype=np.int64)
    warnings = _nested(below) + _masks(class_names) + _masks_above(below) + _capitals(class_names)
    return Layout(labels, class_names, parts, notes=_joined(below), warnings=warnings)


def part_named(folder: str) -> int | None:
    """The part that a folder's name stands for: `train`, `seg_train`, `train2017`, `Training set`."""
    whole = part_of_word(folder.casefold())
    if whole is not None:
        return whole
    words = _LETTERS.findall(folder.casefold())
    found = {part_of_word(word) for word in words[:1] + words[-1:]} - {None}
    return found.pop() if len(found) == 1 else None


def _level_of_parts(paths: Sequence[Folders]) -> int | None:
    """The depth at which folders are parts, or None.

    All folders there are; or two of them are by their whole names, and the others belong to no part
    (`extra`). A class `train` among others is thus a class.
    """
    for level in range(max(map(len, paths), default=0)):
        here = {path[level] if len(path) > level else "" for path in paths}
        whole = [part for name in here if (part := part_of_word(name.casefold())) is not None]
        found = [part_named(name) for name in here]
        if len(whole) == len(here) or len(set(whole)) > 1:
            return level
        rest = {part for name, part in zip(here, found, strict=True) if not _is_of_no_part(name)}
        if None not in rest and (len(rest) > 1 or (rest and None in found)):
            return level
    return None


def _is_of_no_part(folder: str) -> bool:
    words = _LETTERS.findall(folder.casefold())
    return bool(_OF_NO_PART & {*words[:1], *words[-1:]})


def _part(path: Folders, level: int) -> int:
    part = part_named(path[level]) if len(path) > level else None
    return -1 if part is None else part


def _evaluation_last(part_of: dict[str, int], paths: Mapping[str, Folders], level: int) -> None:
    """Beside `val`, what is called `eval` is the test part."""
    validation = {folder: paths[folder][level].casefold() for folder, part in part_of.items() if part == 1}
    late = {folder for folder, name in validation.items() if "eval" in name}
    if len(late) < len(validation):
        part_of.update(dict.fromkeys(late, 2))


def _without(path: Folders, level: int | None) -> Folders:
    """The folders without the part; twice where one is in the other, as in `seg_train/seg_train`."""
    if level is None or len(path) <= level:
        return path
    below, part = path[level + 1 :], part_named(path[level])
    if below and (below[0] == path[level] or (part is not None and part_named(below[0]) == part)):
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


def _without_names_of_none(
    below: Mapping[str, Folders], part_of: Mapping[str, Folders]
) -> Mapping[str, Folders]:
    """The folders, of a part without those that name no class: `test/images/`, `test/unknown/`."""
    shorter: dict[str, Folders] = {}
    of_parts: dict[Folders, set[str]] = {}
    for folder, path in below.items():
        of_parts.setdefault(part_of[folder], set()).update(path[-1:])
    for folder, path in below.items():
        mine = of_parts[part_of[folder]]
        others = set().union(*(names for part, names in of_parts.items() if part != part_of[folder]))
        (name,) = mine if len(mine) == 1 else ("",)
        lost = name.casefold() in _NO_CLASS | _NOT_KNOWN and name not in others and len(others) > 1
        shorter[folder] = path[:-1] if lost else path
    return shorter


def _are_parts(bare: Collection[str], paths: Mapping[str, Folders], level: int | None) -> bool:
    """Whether folders without a class are whole parts, and there are others that have classes."""
    if level is None:
        return False
    without, having = ({paths[one][: level + 1] for one in some} for some in (bare, set(paths) - set(bare)))
    return bool(having) and not without & having


def _masks_beside_parts(paths: Mapping[str, Folders], level: int | None) -> set[str]:
    """The folders of no samples that lie where others are parts: MVTec's `ground_truth`, GTSRB's `Meta`."""
    if level is None:
        return set()
    there = {folder for folder, path in paths.items() if len(path) > level}
    masks = {folder for folder in there if paths[folder][level].casefold() in _MASKS | _OF_CLASSES}
    return masks if any(_part(paths[folder], level) >= 0 for folder in there) else set()


def _beside_their_masks(below: Mapping[str, Folders]) -> set[str]:
    """The folders of masks where all others say that they are the images: `images/`, `masks/`."""
    last = {folder: path[-1].casefold() if path else "" for folder, path in below.items()}
    masks = {folder for folder, name in last.items() if name in _MASKS}
    rest = {name for folder, name in last.items() if folder not in masks}
    return masks if masks and rest and rest <= _IMAGES_OF_MASKS else set()


def _named_as_masks(names: Sequence[str]) -> tuple[int, ...]:
    """The places of masks that lie beside their images: `1_mask.png` of `1.png`, for most of these."""
    stems = [name.rpartition(".")[0] for name in names]
    ending = [place for place, stem in enumerate(stems) if stem.casefold().endswith(_OF_MASKS)]
    if len(ending) < 2:
        return ()
    there = set(stems)
    masks = tuple(place for place in ending if _AS_MASK.sub("", stems[place]) in there)
    return masks if len(masks) > 1 and 3 * len(masks) >= len(names) else ()


def _without_masks(names: Sequence[str], folders: Sequence[str], masks: Collection[str]) -> Layout:
    """The layout of the files in other folders."""
    out = tuple(place for place, folder in enumerate(folders) if folder in masks)
    what = "masks" if folders[out[0]].casefold().split("/")[-1] in _MASKS else "no samples"
    return _without_places(names, out, f"their folder says that they are {what}")


def _without_places(names: Sequence[str], out: tuple[int, ...], why: str) -> Layout:
    """The layout of the other files."""
    rest = np.setdiff1d(np.arange(len(names)), out).tolist()
    found = layout_of([names[place] for place in rest])

    def spread(column: Int64Array | None) -> Int64Array | None:
        if column is None:
            return None
        whole = np.zeros(len(names), dtype=np.int64)
        whole[rest] = column
        return whole

    notes = (*found.notes, f"{counted(len(out))} left out, as {why}: {names[out[0]]}")
    masks = tuple(sorted({*out, *(rest[place] for place in found.masks)}))
    return replace(found, labels=spread(found.labels), parts=spread(found.parts), notes=notes, masks=masks)


def _numbered_apart(below: Mapping[str, Folders]) -> Mapping[str, Folders]:
    """The folders; classes that are only numbered, each time anew, are called by the folder above as well.

    Omniglot has `Greek/character01` and `Latin/character01`: they become `Greek character01`.
    """
    paths = {path for path in below.values() if path}
    matches = [_NUMBERED.fullmatch(path[-1].casefold()) for path in paths]
    stems = {match[1] for match in matches if match}
    again = len({path[-1] for path in paths}) < len({path[-2:] for path in paths})
    if not again or None in matches or len(stems) > 1 or any(len(path) < 2 for path in paths):
        return below
    return {
        folder: (*path[:-2], f"{path[-2]} {path[-1]}") if path else path for folder, path in below.items()
    }


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


def _masks(class_names: Sequence[str]) -> tuple[str, ...]:
    """A sentence where the classes seem to be images and the masks drawn of them."""
    names = [name.casefold() for name in class_names]
    if not (_MASKS & set(names) and _IMAGES_OF_MASKS & set(names)):
        return ()
    return (
        f"the folders {sentence(class_names, most=4)} are read as classes; if some of them are masks, "
        "name the folder of the images alone",
    )


def _masks_above(below: Mapping[str, Folders]) -> tuple[str, ...]:
    """A sentence where some classes lie in a folder of masks, and others do not."""
    inner = {name for path in below.values() for name in path[:-1] if name.casefold() in _MASKS}
    outer = [path for path in below.values() if not inner & set(path)]
    if not inner or not outer:
        return ()
    return (
        f"images in {sentence(sorted(inner), most=3)} are read as all others are; if these are masks, "
        "name the folder of the images alone",
    )


def _capitals(class_names: Sequence[str]) -> tuple[str, ...]:
    """A sentence where words that are classes differ in capitals alone: `Cat` of train, `cat` of test."""
    seen: dict[str, str] = {}
    pairs = [
        f"{seen[name.casefold()]} and {name}"
        for name in class_names
        if len(name) > 1 and seen.setdefault(name.casefold(), name) != name
    ]
    return (f"classes that differ in capitals alone: {sentence(pairs, most=3)}",) if pairs else ()


def _nested(below: Mapping[str, Folders]) -> tuple[str, ...]:
    """A sentence where one class folder lies in another."""
    classes = set(below.values())
    inner = [path for path in classes if any(path[:end] in classes for end in range(1, len(path)))]
    if not inner:
        return ()
    names = sentence(sorted(("/".join(path) for path in inner), key=natural), most=3)
    return (f"the folder right above an image is its class, also where it lies in another class: {names}",)
