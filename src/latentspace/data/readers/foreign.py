"""Formats that are known and not read: what they are called, and what to do instead."""

import os
import posixpath
import re
import struct
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from ...core.atomic_files import exists
from ...core.errors import DataError
from .filenames import is_junk, is_named_as_image, natural, readable
from .streams import start_of

_UNPACK: Final = "unpack it, and name the folder"
_FRAMES: Final = "save its frames as images, for example: ffmpeg -i FILE frames/%05d.png"
_ARRAYS: Final = "open it with its own library, and save arrays: numpy.savez(path, images=..., labels=...)"
_TEXT: Final = "if it is a table or a list of files, call it .csv, .tsv or .txt"
_AS_PNG: Final = "save it as PNG or JPEG"
_SLICES: Final = "save its images as TIFF or PNG, and name their folder"

_BEGINNINGS: Final = (
    (0, b"\xff\x0a", "JPEG XL", _AS_PNG),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL", _AS_PNG),
    (0, b"8BPS", "a file of Photoshop", _AS_PNG),
    (0, b"\x76\x2f\x31\x01", "OpenEXR", _SLICES),
    (0, b"#?RADIANCE", "Radiance HDR", _SLICES),
    (0, b"NRRD000", "NRRD", _SLICES),
    (0, b"ObjectType = Image", "MetaImage", _SLICES),
    (0, b"<svg", "SVG, which is lines and no pixels", _AS_PNG),
    (0, b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "run git lfs pull"),
    (0, b"<!DOCTYPE html", "a web page", "fetch the file again: its address gives a page"),
    (0, b"<!doctype html", "a web page", "fetch the file again: its address gives a page"),
    (0, b"<html", "a web page", "fetch the file again: its address gives a page"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (0, b"\x04\x22\x4d\x18", "a file compressed by LZ4", _UNPACK),
    (0, b"%!PS", "PostScript", _AS_PNG),
    (0, b"%PDF", "a PDF", "save its pages as images, and name their folder"),
    (4, b"ftypqt", "a video", _FRAMES),
    (4, b"ftypmp4", "a video", _FRAMES),
    (4, b"ftypiso", "a video", _FRAMES),
    (8, b"AVI ", "a video", _FRAMES),
    (0, b"\x1aE\xdf\xa3", "a video", _FRAMES),
    (0, b"SQLite format 3\0", "an SQLite database", _ARRAYS),
    (0, b"\x0e\x03\x13\x01", "an HDF4 file", _ARRAYS),
    (0, b"CDF\x01", "a netCDF file", _ARRAYS),
    (0, b"\xd0\xcf\x11\xe0", "a document of Microsoft Office", "save the table as CSV"),
)
_RECORDS: Final = (
    "TFRecord",
    "read it with TensorFlow, and save arrays: numpy.savez(path, images=..., labels=...)",
)
_STROKES: Final = (
    "Quick Draw's strokes, which are lines and no pixels",
    "fetch the same drawings as bitmaps (full/numpy_bitmap/CLASS.npy), and name their folder",
)
_CAMERA: Final = ("a camera's raw file, of which only a preview could be read", _AS_PNG)
_OF_CAMERA: Final = (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw")
_VOLUME: Final = re.compile(
    r"\.(?:zip|7z|tgz|tar(?:\.(?:gz|bz2|xz|zst))?)\.(?:\d{2,3}|(?:part[-_]?)?a[a-z])$|\.z\d\d$"
)
_TEXTS: Final = (".json", ".txt", ".md", ".csv", ".tsv")
_LOOKED_AT: Final = 50  # files of a folder
_POLYNOMIAL: Final = 0x82F63B78  # of CRC-32C, reversed: RFC 3720, appendix B.4
_NAMES: Final = (
    (".tfrecord", *_RECORDS),
    (".tfrecords", *_RECORDS),
    (".mdb", "LMDB", _ARRAYS),
    (".rec", "MXNet's RecordIO", _ARRAYS),
    (".safetensors", "weights in safetensors", "name images"),
    (".arff", "Weka's ARFF", "save the table as CSV"),
    (".nii", "NIfTI", _SLICES),
    (".czi", "Zeiss's CZI", _SLICES),
    (".lif", "Leica's LIF", _SLICES),
    (".nd2", "Nikon's ND2", _SLICES),
    (".nrrd", "NRRD", _SLICES),
    (".mha", "MetaImage", _SLICES),
    (".mhd", "MetaImage", _SLICES),
    (".svg", "SVG, which is lines and no pixels", _AS_PNG),
    (".pdf", "a PDF", "save its pages as images, and name their folder"),
    *((ending, "a video", _FRAMES) for ending in (".mp4", ".mov", ".avi", ".mkv", ".webm")),
    *((ending, *_CAMERA) for ending in _OF_CAMERA),
)


def foreign(name: str, start: bytes) -> tuple[str, str] | None:
    """What a file is that is not read, and what to do; None where it is unknown."""
    for place, mark, found, do in _BEGINNINGS:
        if start[place : place + len(mark)] == mark:
            return found, do
    for ending, found, do in _NAMES:
        before, there, after = name.casefold().rpartition(ending)
        if there and before and not after[:1].isalpha() and "." not in after.removesuffix(".gz"):
            return found, do
    return ("text", _TEXT) if _is_text(start) else None


def reason_of(name: str, start: bytes) -> str:
    """Why an image file cannot be read that is known and of another kind; nothing of others."""
    known = foreign(name, start)
    return "" if known is None or known[0] == "text" else f"{known[0]}: {known[1]}"


def is_of_camera(name: str) -> bool:
    """Whether a name ends as the raw files of cameras do, of which Pillow would read a preview."""
    return name[-4:].casefold() in _OF_CAMERA


def refuse_foreign_names(origin: Path, names: Sequence[str]) -> None:
    """Refuse files whose names all say one form that is not read; readme files do not count.

    Raises:
        DataError: says which form, and what to do.
    """
    there = sorted((one for one in names if not one.casefold().endswith(_TEXTS)), key=natural)
    known = [foreign(posixpath.basename(one), b"") for one in there]
    if known and None not in known and len(set(known)) == 1 and known[0] is not None:
        found = f"{known[0][0]}: {', '.join(there[:3])}{' and others' if len(there) > 3 else ''}"
        raise DataError(f"{origin} must be images, in a form that is read", found=found, do=known[0][1])


def refuse_foreign(path: Path) -> None:
    """Refuse TFRecord and strokes by name, whatever the file is called; also a folder of nothing else.

    So is one volume of an archive that was split.

    Raises:
        DataError: says what to do.
    """
    found = None
    if _is_volume(path):
        raise DataError(
            f"{path} must be a whole archive",
            found="one volume of several",
            do="join them (cat NAME.zip.* > NAME.zip), or unpack the first with 7-Zip, and name the folder",
        )
    for one in [path] if path.is_file() else _files_alone(path):
        with readable(one):
            start = start_of(one)
        found = _content(one.name, start)
        if found is None:
            return
    if found is not None:
        raise DataError(f"{path} must be images, in a form that is read", found=found[0], do=found[1])


def _is_volume(path: Path) -> bool:
    """Whether a file is `data.zip.001`, `data.tar.gz.partaa`, `data.z01`, or the `data.zip` beside that."""
    if _VOLUME.search(path.name.casefold()):
        return path.is_file()
    return path.suffix.casefold() == ".zip" and exists(path.with_suffix(".z01"))


def _files_alone(folder: Path) -> list[Path]:
    """The first files of a folder that may be of such a form; none where there is a folder or an image."""
    with readable(folder), os.scandir(folder) as entries:
        there = [one for one in islice(entries, _LOOKED_AT) if not is_junk(one.name)]
        if any(not one.is_file() or is_named_as_image(one.name) for one in there):
            return []
        return [Path(one.path) for one in there if not one.name.endswith((".json", ".txt", ".md"))][:4]


def _content(name: str, start: bytes) -> tuple[str, str] | None:
    if b'"word"' in start and (b'"drawing"' in start or b'"countrycode"' in start):
        return _STROKES
    known = foreign(name, b"")
    if known == _CAMERA:
        return known
    return _RECORDS if known == _RECORDS or _is_record(start) else None


def _is_record(start: bytes) -> bool:
    """Whether a file begins with a length and its checksum, as TFRecord does."""
    if len(start) < 12:
        return False
    crc = 0xFFFFFFFF
    for byte in start[:8]:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<I", masked) == start[8:12]


def _is_text(start: bytes) -> bool:
    try:
        return bool(start.strip()) and start.decode("ascii").replace("\n", "").replace("\t", "").isprintable()
    except UnicodeDecodeError:
        return False
