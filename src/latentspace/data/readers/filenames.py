"""What the files of a source are called: which of them are images, and in what order."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from ...core.errors import DataError
from ...core.types import Int64Array

# Files that stand in folders of images without being meant as images: passed over, and mentioned.
NOT_IMAGES = frozenset(
    f".{ending}"
    for ending in (
        *(
            "txt",
            "md",
            "rst",
            "json",
            "jsonl",
            "ndjson",
            "csv",
            "tsv",
            "html",
            "htm",
            "xml",
            "yaml",
            "yml",
            "toml",
            "ini",
        ),
        *("log", "pdf", "py", "ipynb", "sh", "npy", "npz", "mat", "h5", "hdf5", "pkl"),
        *("pl", "lua", "m", "c", "cpp", "h", "js", "css", "names", "doc", "docx", "xls", "xlsx", "pt", "pth"),
        *("mp4", "avi", "mov", "mkv", "wav", "mp3"),
        *("gz", "tgz", "tar", "zip", "bz2", "xz", "zst", "7z", "rar"),
        *("parquet", "feather", "arrow", "db", "sqlite", "onnx", "safetensors", "aae", "thm", "webm", "3gp"),
        *("tmp", "bak", "part", "crdownload", "lock", "lnk", "url", "webloc", "exe", "dll"),
    )
)
_COMPRESSED = frozenset((".gz", ".bz2", ".xz", ".zst"))  # as `m31.fits.gz` is
_TEXTS = frozenset(
    ("readme", "license", "licence", "copying", "citation", "changelog", "notice", "makefile", "dicomdir")
)
_DIGITS = re.compile("[0-9]+")
_DESKTOP_JUNK = frozenset(
    {
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx"),  # Windows, macOS
        *("@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found"),  # disks
    }
)
_JUNK_BEGINS = frozenset(name[0] for name in _DESKTOP_JUNK) | {"T", "E", "D", "I", "S", "L"}


# A publisher's own split: the part that each word stands for, as in `ImageSet.parts`.
PARTS = {
    **dict.fromkeys(("train", "training", "trn"), 0),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "evaluation", "publictest"), 1),
    **dict.fromkeys(("test", "testing", "tst", "holdout", "privatetest"), 2),
}
_JOINED_PART = re.compile(
    r"(train|training|val|valid|validation|dev|test|testing|eval|evaluation)"
    r"(set|data|dataset|images?|imgs?|split|samples)"
)


def part_of_word(word: str) -> int | None:
    """The part that a word stands for, in small letters: `test`, and `testset`; None: none."""
    joined = _JOINED_PART.fullmatch(word)
    return PARTS.get(joined[1] if joined else word)


# `{000000..000003}` and `{train,val}`, as a shell knows them: what stands for several files.
BRACES = re.compile(r"\{(?:([0-9]+)\.\.([0-9]+)|([^{}/]*,[^{}/]*))\}")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn an OSError inside the block into a DataError that names `path`."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path} must be readable",
            found=error.strerror or str(error),
            do="check the path and its permissions",
        ) from error


@contextmanager
def undamaged(path: Path, raised: tuple[type[Exception], ...], must: str, do: str) -> Iterator[None]:
    """Turn what a library raises of a damaged file inside the block into a DataError that names `path`.

    Errors of the system, which have a number, pass.

    Args:
        raised: by the library; an OSError without a number is one of them.
        must: what holds of a good file, after its name.
        do: what to do about it.
    """
    trouble: tuple[type[Exception], ...] = (*raised, OSError)
    try:
        yield
    except trouble as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        said = shown(str(error).strip().partition("\n")[0][:200])
        raise DataError(f"{path} {must}", found=said or type(error).__name__, do=do) from error


def natural(name: str) -> tuple[str, str]:
    """A sort key that puts `10` after `9`: digits count as numbers, other text without regard to case."""
    return _DIGITS.sub(_number, name.casefold()), name


def _number(digits: re.Match[str]) -> str:
    """Digits such that text sorts as numbers do: the longer number is the larger one."""
    text = digits[0].lstrip("0")
    return f"0{chr(min(len(text), 0x10FFFF))}{text}"


def natural_order(names: Sequence[str]) -> list[int]:
    """The indices that put paths such as `class/file` in order, folder by folder."""
    of_folder = cache(natural)
    keys = []
    for name in names:
        folder, _, file = name.rpartition("/")
        keys.append((of_folder(folder), natural(file)))
    return sorted(range(len(names)), key=keys.__getitem__)


def shown(name: str) -> str:
    """`name` as text that can be printed and written: what is not UTF-8 becomes escapes.

    That is bytes of a file's name, or half a character, which JSON can write.
    """
    try:
        content = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        content = name.encode("utf-8", "surrogatepass")
    return content.decode("utf-8", "backslashreplace")


def is_junk(name: str) -> bool:
    """Whether `name` is hidden, or something that a desktop leaves behind."""
    return name[:1] == "." or (name[:1] in _JUNK_BEGINS and name.casefold() in _DESKTOP_JUNK)


def may_be_image(name: str) -> bool:
    """Whether a file of that name, without its folders, may be an image."""
    return not is_junk(name) and not is_no_image(name)


def is_no_image(name: str) -> bool:
    """Whether `name` ends as files do that are not meant as images."""
    place = name.rfind(".")
    if place <= 0:
        return name.casefold() in _TEXTS
    if (ending := name[place:].casefold()) not in NOT_IMAGES:
        return False
    return ending not in _COMPRESSED or not is_named_as_image(name[:place])


def stem(name: str) -> str:
    """The last part of a path without its extension, in small letters."""
    return posixpath.splitext(posixpath.basename(name))[0].casefold()


def _extension(name: str) -> str:
    before, dot, end = name.rpartition(".")  # several times as fast as pathlib, for many names
    return f".{end}".casefold() if before and dot and "/" not in end else ""


@cache
def _image_extensions() -> frozenset[str]:
    """The endings of formats that Pillow reads, and does not only write, as PDF."""
    found = {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    return frozenset(found) - {".h5", ".hdf"}  # which it knows, and does not read, either


def is_named_as_image(name: str) -> bool:
    """Whether the name ends as one of Pillow's formats does."""
    return _extension(name) in _image_extensions()


def numbered(values: np.ndarray, origin: str) -> tuple[Int64Array, tuple[str, ...]]:
    """Labels of any whole numbers or strings -> numbers from 0, and the sorted names that they stand for.

    Raises:
        DataError: `values` are neither whole numbers nor strings, or not one for each image.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "backslashreplace")
    if values.dtype.kind not in "iuU" or values.ndim != 1:
        raise DataError(
            f"the labels of {origin} must be whole numbers or strings, one for each image",
            found=f"{values.dtype} of shape {values.shape}",
            do="save the labels as a one-dimensional array of integers or strings",
        )
    found, labels = np.unique(values, return_inverse=True)
    if values.dtype.kind == "U":
        order = sorted(range(len(found)), key=lambda number: natural(str(found[number])))
        found, labels = found[order], np.argsort(order)[labels]
    return labels.astype(np.int64), tuple(str(one) for one in found)


def common_folder(names: Sequence[str]) -> str:
    """`outer/inner/` where all of `names` lie in it, and class folders remain below; else nothing."""
    parts = [name.split("/") for name in names]
    depth = 0
    while parts and all(len(one) > depth + 2 for one in parts) and len({one[depth] for one in parts}) == 1:
        depth += 1
    return "".join(f"{part}/" for part in parts[0][:depth]) if depth else ""
