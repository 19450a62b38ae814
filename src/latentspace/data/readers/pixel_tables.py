"""Tables of pixels -> images: a row an image, as Kaggle has MNIST, with or without a header or a label.

The label is the column that is called so; without a header it is the one column too many: the first, unless
that is nearly the same everywhere, then the last; or those too many, one of which is 1. Values that are no
bytes become such as those of arrays do, by `data.levels`. Rows of 784 are 28 x 28. Rows of 3 x a square are
in colour, by channels or by pixels, whichever is smoother. A column `pixels` may have all of them in one
cell, with spaces between.
"""

import io
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted, option
from ..imageset import ImageSet
from .axes import square_of
from .emnist import UPRIGHT, characters_beside, is_emnist
from .filenames import natural
from .label_columns import NONE
from .listed import described, pixels_of, warned
from .pixel_layout import FEWEST, SPACE, Layout, layout_of
from .streams import opened
from .tables import part_number, some, whole_labels

if TYPE_CHECKING:
    import pyarrow as pa

    from ..config import DataConfig

logger = logging.getLogger(__name__)

_BLOCK: Final = 2**24
_MOST: Final = 2**34  # bytes of pixels
_BORDER: Final = 0.9  # of the rows have one value in a column that is a pixel of the border


def read_pixel_table(path: Path, config: "DataConfig") -> ImageSet:
    """The images in a table of pixels.

    Raises:
        DataError: no such table, a row cut short, rows that are no square.
    """
    layout = layout_of(path, config.label)
    if layout is None:
        raise DataError(
            f"{path} must have a row of pixels for each image",
            found="no row of numbers",
            do="name another file",
        )
    values, labels, parts = (_of_spaces if layout.separator == SPACE else _numbers)(path, layout)
    notes: list[str] = []
    if layout.label is None and not layout.joined:
        values, labels, note = _parted(values, path)
        notes += [note] if note else []
    if not len(values):
        raise DataError(
            f"{path} must have a row for each image", found="a header alone", do="name another file"
        )
    pixels, record = pixels_of(values, config.levels, path)
    if is_emnist(path.name):
        pixels, notes = np.ascontiguousarray(pixels.swapaxes(2, 3)), [*notes, UPRIGHT]
        mapping = {str(label): name for label, name in characters_beside(path).items()}
        labels = [mapping.get(label, label) for label in labels]
    images = ImageSet(pixels, source="a table of pixels", record=record.after(*notes))
    numbers = [part_number(cell, f"in row {row:,}") for row, cell in enumerate(parts)]
    labels = [] if config.label == NONE else labels
    return described(images, whole_labels(labels), parts=numbers, origin=str(path))


def read_pixel_tables(folder: Path, names: Sequence[str], config: "DataConfig") -> ImageSet:
    """The images of several tables in a folder: those called train, validation and test are parts.

    Where some have labels, those without are left out, and said.

    Raises:
        DataError: as `read_pixel_table`; or images of different sizes.
    """
    from ..joined import joined
    from .tables import part_of_name

    sets = {name: read_pixel_table(folder / name, config) for name in sorted(names, key=natural)}
    unlabelled = [name for name, one in sets.items() if not one.labelled]
    notes = []
    if len(unlabelled) < len(sets) and unlabelled:
        why = f"left out, as it has no labels where others have; {option('label', NONE)} keeps all images"
        notes = [f"{name} {why}, without labels" for name in unlabelled]
        sets = {name: one for name, one in sets.items() if one.labelled}
    named = []
    for name, one in sets.items():
        part = part_of_name(name)
        parts = one.parts if part is None else np.full(len(one), part, dtype=np.int64)
        files = tuple(f"{name}:{row}" for row in one.names)
        named.append(replace(one, parts=parts, files=files, rows=None))
    images = named[0] if len(named) == 1 else joined(named, list(sets))
    return warned(replace(images, source="tables of pixels"), *notes)


def _numbers(path: Path, layout: Layout) -> tuple[np.ndarray, list[str], list[str]]:
    """The pixels of each row, as bytes where all are, and the cells of the label and of the part."""
    if layout.joined:
        return _of_joined(path, layout)
    import pyarrow as pa

    try:
        return _of_columns(path, layout, pa.uint8())
    except pa.ArrowInvalid as error:
        if "conversion error" not in str(error):
            raise _refused(path, layout, str(error)) from error
    try:
        values, labels, parts = _of_columns(path, layout, pa.float64())
    except pa.ArrowInvalid as error:
        raise _refused(path, layout, str(error)) from error
    return _whole(values, path, layout), labels, parts


def _whole(values: np.ndarray, path: Path, layout: Layout) -> np.ndarray:
    """Whole numbers as such, in the smallest type; others as they are.

    Raises:
        DataError: what is no finite number.
    """
    if not np.isfinite(values).all():
        row, place = np.argwhere(~np.isfinite(values))[0]
        where = f"{values[row, place]:g} in row {row:,} (from 0), column {layout.pixels[place] + 1:,}"
        raise _refused(path, layout, where)
    if not values.size or not (values == np.rint(values)).all() or np.abs(values).max() >= 2**31:
        return values
    kind = np.result_type(np.min_scalar_type(int(values.min())), np.min_scalar_type(int(values.max())))
    return values.astype(kind)


def _of_spaces(path: Path, layout: Layout) -> tuple[np.ndarray, list[str], list[str]]:
    """As `_numbers`, of a table with spaces between its cells, as many as may be."""
    try:
        with opened(path) as file:
            text = io.TextIOWrapper(cast("Any", file), "utf-8-sig")
            table = np.loadtxt(text, ndmin=2, skiprows=1 if layout.header else 0)
    except (ValueError, UnicodeDecodeError) as error:
        raise _refused(path, layout, str(error)) from error
    if table.shape[1] != layout.width:
        raise _refused(path, layout, f"{counted(table.shape[1], 'cell')} in a row")
    labels, parts = (
        [] if place is None else [f"{one:g}" for one in table[:, place].tolist()]
        for place in (layout.label, layout.part)
    )
    return _whole(table[:, list(layout.pixels)], path, layout), labels, parts


def _of_columns(path: Path, layout: Layout, kind: "pa.DataType") -> tuple[np.ndarray, list[str], list[str]]:
    import pyarrow as pa
    from pyarrow import csv as arrow

    names, pixels = layout.names, [str(place) for place in layout.pixels]
    others = [str(place) for place in (layout.label, layout.part) if place is not None]
    types = {**dict.fromkeys(pixels, kind), **dict.fromkeys(others, pa.string())}
    blocks: list[np.ndarray] = []
    found: dict[str, list[str]] = {name: [] for name in others}
    size = 0
    with opened(path) as file:
        reader = arrow.open_csv(
            file,
            read_options=arrow.ReadOptions(
                column_names=names, skip_rows=1 if layout.header else 0, block_size=_BLOCK, use_threads=False
            ),
            parse_options=arrow.ParseOptions(delimiter=layout.separator),
            convert_options=arrow.ConvertOptions(
                column_types=types,
                include_columns=pixels + others,
                null_values=[""],
                strings_can_be_null=False,
            ),
        )
        for batch in reader:
            _refuse_empty(batch, pixels, sum(map(len, blocks)), layout, path)
            blocks.append(np.stack([batch.column(name).to_numpy() for name in pixels], axis=1))
            for name in others:
                found[name] += batch.column(name).to_pylist()
            size += blocks[-1].nbytes
            if size > _MOST:
                raise _refused(path, layout, f"more than {_MOST:,} bytes of pixels")
    values = np.concatenate(blocks) if blocks else np.zeros((0, len(pixels)), dtype=np.uint8)
    label = found[str(layout.label)] if layout.label is not None else []
    return values, label, found[str(layout.part)] if layout.part is not None else []


def _refuse_empty(batch: Any, pixels: Sequence[str], before: int, layout: Layout, path: Path) -> None:
    for place, name in zip(layout.pixels, pixels, strict=True):
        column = batch.column(name)
        if column.null_count:
            row = before + int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
            raise _refused(path, layout, f"an empty cell in row {row:,} (from 0), column {place + 1:,}")


def _refused(path: Path, layout: Layout, found: str) -> DataError:
    found = found.partition("\n")[0]
    return DataError(
        f"each row of {path} must have {layout.width:,} cells, {len(layout.pixels):,} of them pixels",
        found=found if len(found) < 200 else f"{found[:160]} ...",
        do="mend or remove that row: pixels are numbers; call the label column `label`",
    )


def _of_joined(path: Path, layout: Layout) -> tuple[np.ndarray, list[str], list[str]]:
    from .tables import read_table

    table = read_table(path).headed()
    table.require_whole()
    place = layout.pixels[0]
    rows: list[np.ndarray] = []
    for row, line in zip(table.rows, table.lines, strict=True):
        try:
            one = np.array(row[place].strip("[] ").replace(",", " ").split(), dtype=np.float64)
        except (ValueError, OverflowError):
            one = np.array([np.nan])
        if not np.isfinite(one).all() or not len(one) or (rows and len(one) != len(rows[0])):
            expected = counted(len(rows[0]), "number") if rows else "numbers"
            raise DataError(
                f"the column {layout.header[place]!r} of {path} must hold {expected} in each row",
                found=f"{counted(len(one), 'number')}, or others, in line {line:,}",
                do="mend or remove that line",
            )
        bytes_alone = one.min() >= 0 and one.max() <= 255 and (one == np.rint(one)).all()
        rows.append(one.astype(np.uint8) if bytes_alone else one)
    labels = table.cells(layout.label) or []
    return _whole(np.stack(rows), path, layout), labels, table.cells(layout.part) or []


def _parted(values: np.ndarray, path: Path) -> tuple[np.ndarray, list[str], str]:
    """Without a label column that is named: the column that makes a row one too long, if there is one."""
    if square_of(values.shape[1]) or not len(values):
        return values, [], ""
    if not square_of(values.shape[1] - 1):
        return _one_hot_parted(values, path)
    if len(values) > FEWEST and (np.diff(values[:, 0].astype(np.float64)) == 1).all():
        return values[:, 1:], [], f"the first column of {path.name} left out: it counts the rows"
    whole = [bool((values[:, place] == np.rint(values[:, place])).all()) for place in (0, -1)]
    if not any(whole):
        return values, [], ""
    first, last = (_share_of_commonest(values[:, place]) for place in (0, -1))
    at_end = first > _BORDER and last < first if all(whole) else whole[1]
    place = values.shape[1] - 1 if at_end else 0
    labels = [f"{one:g}" for one in values[:, place].tolist()]
    which = "first" if place == 0 else "last"
    note = f"the {which} column of {path.name} taken as labels: {some(sorted(set(labels), key=natural))}"
    return np.delete(values, place, axis=1), labels, note


def _one_hot_parted(values: np.ndarray, path: Path) -> tuple[np.ndarray, list[str], str]:
    """The columns that make a row too long, if they are the last and one of them is 1 in each row."""
    width = values.shape[1]
    for count in range(2, width // 2):
        hot = values[:, width - count :]
        if square_of(width - count) and np.isin(hot, (0, 1)).all() and (hot.sum(axis=1) == 1).all():
            labels = list(map(str, hot.argmax(axis=1).tolist()))
            note = f"the last {count} columns of {path.name} taken as labels, one of which is 1"
            return values[:, : width - count], labels, note
    return values, [], ""


def _share_of_commonest(column: np.ndarray) -> float:
    return float(np.unique(column, return_counts=True)[1].max() / len(column))
