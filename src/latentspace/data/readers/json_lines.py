"""JSON -> rows and columns: an object on each line, `{"path": "a.png", "label": "cat"}`, or a whole text."""

import json
from typing import Any, Final

from ...core.errors import DataError
from ...core.wording import brief
from .filenames import is_named_as_image, shown
from .streams import COMPRESSED

JSON_LINES: Final = tuple(f"{kind}{end}" for kind in (".jsonl", ".ndjson") for end in ("", *COMPRESSED))


def is_json_lines(name: str) -> bool:
    return name.casefold().endswith(JSON_LINES)


def rows_of_json(text: str, origin: str) -> tuple[tuple[str, ...], list[list[str]], list[int]]:
    """The columns, the rows as text, and the numbers of their lines; a key that is missing is an empty cell.

    Raises:
        DataError: a line that is no JSON object.
    """
    objects, lines = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            objects.append(_object(line, number, origin))
            lines.append(number)
    header = tuple(dict.fromkeys(key for one in objects for key in one))
    return tuple(map(shown, header)), [[_cell(one.get(key)) for key in header] for one in objects], lines


def is_json(name: str) -> bool:
    return name.casefold().endswith(".json")


def rows_of_whole_json(text: str, origin: str) -> tuple[tuple[str, ...], list[list[str]], list[int]]:
    """The same of one JSON text: a list of objects, names with their labels, or COCO's images.

    Raises:
        DataError: no JSON, or another one.
    """
    try:
        objects = _objects(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{origin} must be JSON", found=str(error)[:200], do="mend the file") from error
    if not objects:
        raise DataError(
            f"{origin} must be a list of objects, or names with their labels",
            found=shown(brief(text.strip())),
            do='write it so: [{"path": "a.png", "label": "cat"}], or {"a.png": "cat"}',
        )
    header = tuple(dict.fromkeys(key for one in objects for key in one))
    rows = [[_cell(one.get(key)) for key in header] for one in objects]
    return tuple(map(shown, header)), rows, list(range(1, len(rows) + 1))


def _objects(found: Any) -> list[dict[str, Any]]:
    """What is said of each image; nothing where that is not understood."""
    if isinstance(found, list):
        pairs = all(isinstance(one, list) and len(one) == 2 for one in found)
        found = [dict(zip(("path", "label"), one, strict=True)) for one in found] if pairs else found
        return found if all(isinstance(one, dict) for one in found) else []
    if not isinstance(found, dict):
        return []
    if said := _of_coco(found) or (_of_names(found) if len(found) > 1 else []):
        return said
    lists = [one for one in found.values() if isinstance(one, list)]  # {"labels": [...]}, as StyleGAN has it
    return _objects(lists[0]) if len(lists) == 1 else []


def _of_names(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What is said of each name, or the names of each class."""
    if all(isinstance(one, dict) for one in found.values()):
        return [{"path": name, **one} for name, one in found.items()]
    if all(isinstance(one, str | int | float | None) for one in found.values()):
        return [{"path": name, "label": one} for name, one in found.items()]
    if all(map(_are_files, found.values())):
        return [{"path": name, "label": label} for label, names in found.items() for name in names]
    return []


def _are_files(found: Any) -> bool:
    """Whether a class has a list of names, as `{"cat": ["1.png"]}`."""
    return isinstance(found, list) and all(isinstance(one, str) and is_named_as_image(one) for one in found)


def _of_coco(found: dict[str, Any]) -> list[dict[str, Any]]:
    """COCO's images with their category, if each has exactly one; else their names alone."""
    images, said, named = (found.get(key) for key in ("images", "annotations", "categories"))
    try:
        names = {one["id"]: one.get("name", one["id"]) for one in named}  # type: ignore[union-attr]
        categories: dict[Any, set[Any]] = {}
        for one in said:  # type: ignore[union-attr]
            categories.setdefault(one["image_id"], set()).add(names[one["category_id"]])
        files = [(one["file_name"], categories.get(one["id"], set())) for one in images]  # type: ignore[union-attr]
    except (TypeError, KeyError, AttributeError):
        return []
    if all(len(labels) == 1 for _, labels in files):
        return [{"path": name, "label": next(iter(labels))} for name, labels in files]
    return [{"path": name} for name, _ in files]


def _object(line: str, number: int, origin: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _refused(line, number, origin) from error
    if not isinstance(found, dict):
        raise _refused(line, number, origin)
    return found


def _refused(line: str, number: int, origin: str) -> DataError:
    return DataError(
        f"each line of {origin} must be a JSON object",
        found=f"{shown(brief(line.strip()))} in line {number:,}",
        do='mend that line: {"path": "a.png", "label": "cat"}',
    )


def _cell(value: Any) -> str:
    """A value as the cell of a table of text; a list of numbers has spaces between them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, list) and all(type(one) in (int, float) for one in value):
        return " ".join(map(repr, value))
    return shown(json.dumps(value))
