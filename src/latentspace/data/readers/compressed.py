"""Files of arrays and of columns that are compressed: `x.npy.gz`, `train.mat.xz`; one, or a folder of them.

They are inflated to a folder of their own, read as they are beside it, and that is removed. IDX files and
tables of text are inflated as they are read.
"""

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ...core.errors import DataError
from ...core.wording import counted
from ..config import DataConfig
from ..imageset import ImageSet
from ..kept import kept_images
from .array_names import taken_apart
from .column_files import ARROW, PARQUET
from .file_sets import files_in
from .filenames import readable
from .idx import INFLATED
from .inside import own_folder, said_of
from .places import stamp_of
from .registry import WORTH_BYTES, reader_of
from .streams import COMPRESSED, opened

logger = logging.getLogger(__name__)

_INNER: Final = (".npy", ".npz", ".h5", ".hdf5", ".mat", *PARQUET, *ARROW)


def inner_name(name: str) -> str | None:
    """What a compressed file is called once it is inflated; None of a file of another kind."""
    stem = Path(name).stem
    compressed = name.casefold().endswith(COMPRESSED) and stem.casefold().endswith(_INNER)
    return stem if compressed else None


def compressed_folder(folder: Path) -> bool:
    """Whether a folder holds such files and nothing else that could be its images."""
    found = False
    with readable(folder), os.scandir(folder) as entries:
        for one in entries:
            if inner_name(one.name) is not None:
                found = True
            elif not one.name.startswith(".") and not one.name.endswith((".txt", ".md")):
                return False
    return found


def read_compressed(path: Path, config: DataConfig) -> ImageSet:
    """The images of a compressed file, with the labels in the files beside it, or of a folder of such.

    Raises:
        DataError: a damaged file, one that would become too large, or what the reader of its content says.
    """
    folder = path if path.is_dir() else path.parent
    names = [one for one in files_in(folder).names if inner_name(one) is not None]
    if not path.is_dir():
        names = [
            one for one in names if one == path.name or taken_apart(_bare(one)).role in ("labels", "groups")
        ]

    def stamps() -> list[tuple[int, ...]]:
        with readable(folder):
            return [tuple(stamp_of((folder / one).stat())) for one in names]

    with readable(folder):
        size = sum((folder / one).stat().st_size for one in names)
    return kept_images(
        path, stamps(), config, lambda: _read(path, names, config), worth=size >= WORTH_BYTES, again=stamps
    )


def _bare(name: str) -> str:
    return Path(Path(name).stem).stem


def _read(path: Path, names: Sequence[str], config: DataConfig) -> ImageSet:
    folder = path if path.is_dir() else path.parent
    with own_folder() as place, said_of(folder, place):
        for name in names:
            _inflate(folder / name, place / (inner_name(name) or name))
        target = place if path.is_dir() else place / (inner_name(path.name) or path.name)
        reader = reader_of(target)
        if reader is None:
            raise DataError(
                f"{path} must hold arrays or Parquet",
                found="another kind of file",
                do="unpack it, and look at what is in it",
            )
        images = reader.read(target, config.model_copy(update={"resident": "always"}))
    logger.info("inflated from %s", counted(len(names), "compressed file"))
    return images


def _inflate(path: Path, target: Path) -> None:
    left = INFLATED
    with opened(path) as stream, target.open("wb") as file:
        while content := stream.read(2**20):
            left -= len(content)
            if left < 0:
                raise DataError(
                    f"{path} must hold at most {INFLATED // 2**30} GiB",
                    found="more",
                    do="inflate it yourself if you trust it, and name what comes out",
                )
            file.write(content)
    shutil.copystat(path, target)
