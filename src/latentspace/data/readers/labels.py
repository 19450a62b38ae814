"""What stands beside images as labels -> classes, as far as it is any.

Whole numbers, booleans, text, dates and times, floats that are whole, and rows with a single 1 (one-hot) are
classes. NaN, NaT and empty text are no label. Several labels an image and real numbers are none: they are
left out with a warning, as an autoencoder needs none.
"""

from typing import NamedTuple

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array
from ...core.wording import counted
from .emnist import characters_of
from .filenames import numbered
from .layout import NO_LABEL
from .tables import MISSING


class Classes(NamedTuple):
    """Labels that number `names`; None and none where `left_out` says why there are no classes.

    The last of the names is `NO_LABEL` where some images have none.
    """

    labels: Int64Array | None
    names: tuple[str, ...]
    left_out: str = ""


def classes_of_labels(labels: np.ndarray, names: np.ndarray | None, count: int, origin: str) -> Classes:
    """The classes of `count` images.

    Args:
        names: the names of the classes, which the labels index from 0 (or from 1, where the last is used).

    Raises:
        DataError: not one label for each image, or names that do not fit.
    """
    if names is not None and labels.dtype.kind == "b":
        labels = labels.astype(np.uint8)
    if (missing := _missing(labels, count)) is not None:
        return _but(missing, labels, names, origin)
    column, left_out = as_column(labels, count)
    if column is None:
        return Classes(None, (), f"labels of {origin} left out: {left_out}")
    check_count("labels", column, count, origin)
    numbers, found = numbered(column, origin)
    mapping = {} if names is None else characters_of(names)
    if mapping and {str(label) for label in mapping} >= set(found):
        characters = [mapping[int(label)] for label in found]
        return Classes(*numbered(np.array(characters)[numbers], origin))
    if names is None or names.ndim == 2:
        return Classes(numbers, found)
    return Classes(*_named(column, numbers, found, names, origin))


def _missing(labels: np.ndarray, count: int) -> np.ndarray | None:
    """Which of the labels are none: NaN, NaT, no text; None where all are some."""
    if labels.size != count or labels.dtype.kind not in "fMmSU":
        return None
    column = labels.reshape(-1)
    if column.dtype.kind == "f":
        missing = np.isnan(column)
    elif column.dtype.kind in "Mm":
        missing = np.isnat(column)
    else:
        text = np.char.decode(column, "latin-1") if column.dtype.kind == "S" else column
        missing = np.isin(np.char.lower(np.char.strip(text)), sorted(MISSING))
    return missing if missing.any() else None


def _but(missing: np.ndarray, labels: np.ndarray, names: np.ndarray | None, origin: str) -> Classes:
    """The classes of the other labels, and `NO_LABEL` last, where not all are missing."""
    if missing.all():
        return Classes(None, (), f"labels of {origin} left out: none of them has a value")
    found = classes_of_labels(labels.reshape(-1)[~missing], names, int((~missing).sum()), origin)
    if found.labels is None:
        return found
    numbers = np.full(len(missing), len(found.names), dtype=np.int64)
    numbers[~missing] = found.labels
    return Classes(numbers, (*found.names, NO_LABEL))


def as_column(labels: np.ndarray, count: int) -> tuple[np.ndarray | None, str]:
    """One whole number or text for each image; or None, and why there are no classes in `labels`.

    Args:
        count: of the images; labels of one-hot rows are turned where they are columns.
    """
    if labels.ndim > 1 and count == labels.size:
        labels = labels.reshape(-1)
    if labels.ndim > 2 and count in labels.shape:
        each = labels.size // count
        return None, f"{counted(each, 'number')} an image, which are not those of a single class"
    if labels.ndim == 2 and labels.dtype.kind in "biuf":
        return _from_one_hot(labels if len(labels) == count else labels.T)
    if labels.dtype.kind == "b":
        return np.where(labels, "True", "False"), ""
    if labels.dtype.kind in "Mm":
        return np.where(np.isnat(labels), "", labels.astype(np.str_)), ""  # 2020-01-31, as ISO 8601 has it
    if labels.dtype.kind not in "iufUS":
        return None, f"{labels.dtype}, which are not classes"
    return _whole(labels) if labels.dtype.kind == "f" else (labels, "")


def _from_one_hot(rows: np.ndarray) -> tuple[np.ndarray | None, str]:
    if not _one_hot(rows):
        return None, f"{counted(rows.shape[1], 'number')} an image, which are not those of a single class"
    return rows.argmax(axis=1), ""


def _whole(floats: np.ndarray) -> tuple[np.ndarray | None, str]:
    largest = 2**53  # float64 holds all whole numbers below it
    if not (np.abs(floats) < largest).all() or not (floats == np.rint(floats)).all():  # NaN fails both
        return None, f"{floats.dtype} that are not whole, which are not classes"
    return floats.astype(np.int64), ""


def _one_hot(rows: np.ndarray) -> bool:
    """Whether each row has one 1, and 0 (or -1) elsewhere."""
    ones = rows == 1
    rest = rows[~ones]
    return bool((ones.sum(axis=1) == 1).all() and ((rest == 0).all() or (rest == -1).all()))


def check_count(what: str, column: np.ndarray, count: int, origin: str) -> None:
    """Refuse labels that are not one for each image: raises DataError."""
    if column.ndim < 1 or len(column) != count:
        raise DataError(
            f"{origin} must hold one of the {what} for each image",
            found=f"{counted(count)}, {what} of shape {column.shape}",
            do=f"make the {what} as long as the images",
        )


def _named(
    labels: np.ndarray, numbers: Int64Array, found: tuple[str, ...], names: np.ndarray, origin: str
) -> tuple[Int64Array, tuple[str, ...]]:
    _, as_text = numbered(names, f"{origin} (class_names)")
    if names.ndim != 1 or len(as_text) < len(names):
        raise DataError(
            f"class_names of {origin} must differ", found=repr(names)[:80], do="name each class once"
        )
    text = [str(one) for one in (np.char.decode(names, "utf-8") if names.dtype.kind == "S" else names)]
    textual = labels.dtype.kind in "US"
    from_one = not textual and labels.min() == 1 and labels.max() == len(text)
    allowed = text if textual else [str(number + from_one) for number in range(len(text))]
    unknown = [name for name in found if name not in allowed]
    if unknown:
        raise DataError(
            f"every label of {origin} must be named in class_names, or index it",
            found=f"{counted(len(text), 'class name')}, and the label {unknown[0]!r}",
            do="correct class_names or the labels",
        )
    place = np.array([allowed.index(name) for name in found], dtype=np.int64)
    return place[numbers], tuple(text)
