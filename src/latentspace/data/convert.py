"""An ImageSet -> another form: Parquet, .npz, .npy, class folders of PNG, IDX. Read back, it is the same set.

What a form cannot hold is named in a message, or is an error where the images themselves would change.
"""

import csv
import io
import json
import logging
import posixpath
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from ..core.atomic_files import (
    make_folder,
    new_folder,
    refuse_taken,
    write_bytes,
    write_text,
)
from ..core.errors import DataError
from ..core.output_files import made_file, refuse_file
from ..core.progress import told
from ..core.wording import counted, option
from .imageset import ImageSet
from .memmap import blocks, require_unchanged
from .readers.filenames import is_junk, natural, natural_order
from .readers.flat_axes import in_order
from .readers.idx import write_idx_folder
from .readers.layout import layout_of
from .readers.stored import ORDER
from .splits import PARTS

logger = logging.getLogger(__name__)

FILES: Final = (".parquet", ".npz", ".npy")
ROWS: Final = 4096  # of a row group of Parquet, at most
GROUPS_FILE: Final = "groups.csv"


def refuse_out(out: Path, *, force: bool, idx: bool = False) -> None:
    """Refuse an `out` that exists, or with `force` one that is no file: raises OutputError."""
    if idx or out.suffix.lower() not in FILES:
        refuse_taken(out)
    else:
        refuse_file(out, force=force)


def convert(images: ImageSet, out: Path, *, force: bool = False, idx: bool = False) -> None:
    """Write `images` to `out`: the form is that of its ending; a folder where it has none of them.

    Args:
        force: replace a file that is there.
        idx: a folder of IDX files, and not of PNG.

    Raises:
        OutputError: `out` is taken, or cannot be written; nothing is left behind.
        DataError: images or classes that the form cannot hold.
    """
    refuse_out(out, force=force, idx=idx)
    write = {".parquet": _write_parquet, ".npz": _write_npz, ".npy": _write_npy}.get(out.suffix.lower())
    if idx:
        write_idx_folder(images, out)
        _tell_lost(images, "IDX files", "names", "parts")
    elif write is None:
        _write_folder(images, out)
    else:
        write(images, out, force=force)


def _tell_lost(images: ImageSet, form: str, *columns: str) -> None:
    """Say which columns of the set `form` has no place for."""
    there = {"names": images.files, "parts": images.parts, "groups": images.groups, "labels": images.labels}
    lost = [name for name in columns if there[name] is not None]
    if lost:
        logger.warning("%s hold no %s: these are left out", form, " or ".join(lost))


def _write_npy(images: ImageSet, out: Path, *, force: bool) -> None:
    pixels = in_order(images.pixels, ".npy files")
    with made_file(out, force=force) as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": pixels.shape}
        np.lib.format.write_array_header_1_0(file, header)
        for here in told(blocks(pixels), "parts written"):
            file.write(np.ascontiguousarray(pixels[here]).data)
    _tell_lost(images, ".npy files", "labels", "groups", "parts", "names")


def _write_npz(images: ImageSet, out: Path, *, force: bool) -> None:
    arrays: dict[str, np.ndarray] = {"images": images.pixels, "axes": np.array(ORDER)}
    for name in ("labels", "groups", "parts"):
        if (column := getattr(images, name)) is not None:
            arrays[name] = column
    if images.class_names:
        arrays["class_names"] = np.array(images.class_names)
    if images.files is not None:
        arrays["files"] = np.array(images.names)
    require_unchanged(images.pixels)
    with made_file(out, force=force) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _write_parquet(images: ImageSet, out: Path, *, force: bool) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    _require_picture(images)
    schema = _schema(images)
    with (
        made_file(out, force=force) as file,
        parquet.ParquetWriter(pa.PythonFile(file, "w"), schema) as writer,
    ):
        for here in told(blocks(images.pixels), "parts written"):
            for start in range(here.start, here.stop, ROWS):
                rows = np.arange(start, min(start + ROWS, here.stop))
                writer.write_table(pa.table(_columns(images, rows), schema=schema))


def _schema(images: ImageSet) -> Any:
    """The columns, with what Hugging Face's datasets wants to know of them."""
    import pyarrow as pa

    image = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
    fields, features = [pa.field("image", image)], {"image": {"_type": "Image"}}
    if images.labels is not None:
        fields.append(pa.field("label", pa.int64()))
        features["label"] = {"names": list(images.class_names), "_type": "ClassLabel"}  # type: ignore[dict-item]
    if images.groups is not None:
        fields.append(pa.field("group", pa.int64()))
        features["group"] = {"dtype": "int64", "_type": "Value"}
    if images.parts is not None:
        fields.append(pa.field("part", pa.string()))
        features["part"] = {"dtype": "string", "_type": "Value"}
    about = json.dumps({"info": {"features": features}})
    return pa.schema(fields, metadata={"huggingface": about})


def _columns(images: ImageSet, rows: np.ndarray) -> dict[str, list[Any]]:
    names = images.names_of(rows)
    columns: dict[str, list[Any]] = {
        "image": [
            {"bytes": _png(images.pixels[row]), "path": name}
            for row, name in zip(rows.tolist(), names, strict=True)
        ]
    }
    if images.labels is not None:
        columns["label"] = images.labels[rows].tolist()
    if images.groups is not None:
        columns["group"] = images.groups[rows].tolist()
    if images.parts is not None:
        columns["part"] = [None if part < 0 else PARTS[part] for part in images.parts[rows].tolist()]
    return columns


def _png(pixels: np.ndarray) -> bytes:
    buffer = BytesIO()
    raster = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    Image.fromarray(np.ascontiguousarray(raster)).save(buffer, "PNG")
    return buffer.getvalue()


def _require_picture(images: ImageSet) -> None:
    if images.channels not in (1, 3):
        raise DataError(
            "a PNG is grey or in colour: 1 or 3 channels",
            found=counted(images.channels, "channel"),
            do="write an .npz, which holds any number of channels",
        )


def _write_folder(images: ImageSet, out: Path) -> None:
    """`CLASS/NAME.png`, below `train`, `validation` and `test` where the set has parts."""
    _require_picture(images)
    names = _file_names(images)
    _require_same_classes(images, names)
    with new_folder(out) as folder:
        for place, name in enumerate(told(names, "images written")):
            make_folder((folder / name).parent)
            write_bytes(folder / name, _png(images.pixels[place]))
        if images.groups is not None:
            write_text(folder / GROUPS_FILE, _groups_table(images, names))
    if images.groups is not None:
        logger.info("the groups are read with %s", option("group_by", out / GROUPS_FILE))


def _file_names(images: ImageSet) -> list[str]:
    """A path for each image; in each folder in the order of the set, with a number before it if need be."""
    digits = len(str(len(images) - 1))
    folders = [_folder(images, place) for place in range(len(images))]
    stems = [posixpath.splitext(posixpath.basename(name))[0] for name in images.names]
    if images.files is None:
        stems = [f"{int(stem):0{digits}}" for stem in stems]
    names = [f"{folder}{stem}.png" for folder, stem in zip(folders, stems, strict=True)]
    if (
        len(set(map(str.casefold, names))) == len(names)
        and _in_order(folders, stems)
        and all(map(_named, stems))
    ):
        return names
    return [f"{folder}{place:0{digits}}.png" for place, folder in enumerate(folders)]


def _folder(images: ImageSet, place: int) -> str:
    part = -1 if images.parts is None else int(images.parts[place])
    label = None if images.labels is None else images.class_names[images.labels[place]]
    return "".join(f"{one}/" for one in (PARTS[part] if part >= 0 else None, label) if one is not None)


def _named(stem: str) -> bool:
    return 0 < len(stem.encode()) < 200 and not is_junk(f"{stem}.png")


def _in_order(folders: list[str], stems: list[str]) -> bool:
    """Whether the images of each folder are in the order of their names."""
    last: dict[str, tuple[str, str]] = {}
    for folder, stem in zip(folders, stems, strict=True):
        key = natural(f"{stem}.png")
        if folder in last and key < last[folder]:
            return False
        last[folder] = key
    return True


def _require_same_classes(images: ImageSet, names: list[str]) -> None:
    """Raises: DataError: folders of these names would not be read as these classes."""
    plain = all(
        "/" not in one and "\\" not in one and one not in ("", ".", "..") for one in images.class_names
    )
    found = layout_of([names[place] for place in natural_order(names)]) if plain else None
    if found is None or found.class_names != images.class_names:
        raise DataError(
            "class folders are read in the order of their names, and none of them is empty",
            found=f"classes {images.class_names}"[:200],
            do="write a .parquet or .npz, which keeps any names in any order",
        )


def _groups_table(images: ImageSet, names: list[str]) -> str:
    assert images.groups is not None
    text = io.StringIO()
    rows: Iterator[tuple[str, int]] = zip(names, images.groups.tolist(), strict=True)
    csv.writer(text, lineterminator="\n").writerows([("path", "group"), *rows])
    return text.getvalue()
