"""A file beside each image that says its label: `1.txt` with a word or two, or `1.json` (`1.png.json`)."""

import json
import logging
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ...core.errors import DataError
from ..config import DataConfig
from ..imageset import ImageSet
from .filenames import shown
from .label_columns import NONE, with_used
from .listed import described, noted
from .tables import GROUP_NAMES, LABEL_NAMES, PART_NAMES, part_number, plain, read_text, some, whole_labels

logger = logging.getLogger(__name__)

_MOST_WORDS: Final = 4  # of a label
_FIRST: Final = 1_000  # texts of which few must be different
_LIMIT: Final = 2**24


def files_each(images: ImageSet, below: Sequence[str]) -> list[str]:
    """The texts or JSON files beside images, one for each, in their order: `1.txt` of `1.png`; else none."""
    if images.files is None or len(images) < 2 or len(images.class_names) > 1:
        return []
    for ending in (".txt", ".json"):
        there = {name[: -len(ending)]: name for name in below if name.casefold().endswith(ending)}
        if len(there) < len(images):
            continue
        found = [there.get(name) or there.get(posixpath.splitext(name)[0]) for name in images.names]
        if None not in found and len({*found}) == len(found):
            return [name for name in found if name is not None]
    return []


def with_file_each(
    images: ImageSet, folder: Path, below: Sequence[str], config: DataConfig
) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the label that the file beside each of them says, and what these are called.

    That is done if they have no labels; each text must be one of a few words or numbers on one line, and JSON
    an object with a label, which may have a group and a part too.
    """
    names = files_each(images, below)
    if not names:
        return images, ()
    read = _of_objects if names[0].casefold().endswith(".json") else _of_texts
    found = read(images, folder, names, config.label)
    if found is None or not found.labelled:
        return (images, ()) if found is None else (found, tuple(names))
    source = found.source.replace("images without labels", "images").replace("1 class folder", "images")
    return replace(found, source=f"{source} with labels from files like {names[0]}"), tuple(names)


def _of_texts(images: ImageSet, folder: Path, names: Sequence[str], label: str | None) -> ImageSet | None:
    labels: list[str | None] = []
    if label == NONE:
        return None
    for name in names:
        try:
            lines = read_text(folder / name, _LIMIT).strip().splitlines()
        except DataError:
            return None
        if len(lines) != 1 or len(lines[0].split()) > _MOST_WORDS:
            return None  # boxes, or what is seen in the image
        labels.append(lines[0])
        if len(labels) == _FIRST and len(set(labels)) > _FIRST / 2:
            return None
    if not 2 <= len(set(labels)) <= len(labels) / 2:
        return None
    note = f"labels from a text beside each image, as {names[0]}"
    return described(noted(images, note), whole_labels(labels), origin="the texts beside them")


def _of_objects(images: ImageSet, folder: Path, names: Sequence[str], label: str | None) -> ImageSet | None:
    said = [_object(folder / name) for name in names]
    wanted = LABEL_NAMES if label is None else (plain(label),)
    labels = [None if label == NONE else _cell(one, wanted) for one in said]
    groups = [_cell(one, GROUP_NAMES) for one in said]
    try:
        parts = [part_number(_cell(one, PART_NAMES), "in it") for one in said]
    except DataError:  # `fold1`
        parts = []
    if not any(labels) and not (label == NONE and (any(groups) or any(part >= 0 for part in parts))):
        keys = list(dict.fromkeys(key for one in said for key in one))
        logger.info(
            "%s are not used: no %s in them%s",
            some(names),
            "label" if label is None else label,
            f", but {some(keys)}" if keys else "",
        )
        return None
    note = f"what is said of each image is from a JSON file beside it, as {names[0]}"
    origin = "the JSON beside them"
    found = described(noted(images, note), whole_labels(labels), groups, parts, origin=origin)
    return found if label is None else with_used(found)


def _object(path: Path) -> Mapping[str, Any]:
    """What a JSON file says, by its keys in small letters; nothing where it is damaged, or no object."""
    try:
        found = json.loads(read_text(path, _LIMIT))
    except (DataError, ValueError, RecursionError):
        return {}
    return {shown(plain(key)): value for key, value in found.items()} if isinstance(found, dict) else {}


def _cell(said: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The first of some keys that has a word or a number."""
    for name in names:
        value = said.get(name)
        if isinstance(value, str | int | float) and str(value).strip():
            return shown(str(value).strip())
    return None
